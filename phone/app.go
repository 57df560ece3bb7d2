package phone

import (
	"encoding/json"

	"warifu"
	"warifu/iso7816"
	"warifu/scheme"
)

// App is the app on one phone. It is for one caller at a time, like the chip it holds.
type App struct {
	Server   *Server
	Element  iso7816.Transmitter // the secure element as the platform lets this app reach it
	Platform Platform
	Storage  Storage
	Clock    warifu.Clock
	Scheme   *scheme.Scheme // by whose rules secrets are folded and refused (K7)
	Device   Device
}

// Storage keeps the app's own little state on the phone. It holds no secret in the
// clear: the only one in it is wrapped by the platform.
type Storage interface {
	// Load returns what Save kept last, nil if nothing ever.
	Load() ([]byte, error)
	// Save keeps data durably.
	Save(data []byte) error
}

// State is what the app remembers between two starts.
type State struct {
	Application  string        `json:"application,omitempty"` // the latest one submitted
	Kinds        []warifu.Kind `json:"kinds,omitempty"`
	Personalized bool          `json:"personalized,omitempty"`
	// ScreenLock holds the secrets that the screen lock stands in for, wrapped by the
	// platform (R46): the authentication PIN, and where the scheme allows it (K3) the
	// signing password.
	ScreenLock map[warifu.Kind]Wrapped `json:"screenLock,omitempty"`
	// Quiet says that the holder does not allow notices (R43).
	Quiet bool `json:"quiet,omitempty"`
	// Listing is a marketplace's question that waits for the holder's decision.
	Listing *CleanQuestion `json:"listing,omitempty"`
}

// State returns what the app remembers.
func (a *App) State() (State, error) {
	data, err := a.Storage.Load()
	if err != nil || len(data) == 0 {
		return State{}, err
	}
	var s State
	if err := json.Unmarshal(data, &s); err != nil {
		return State{}, err
	}
	return s, nil
}

// remember changes the state.
func (a *App) remember(change func(*State)) error {
	s, err := a.State()
	if err != nil {
		return err
	}
	change(&s)
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return a.Storage.Save(data)
}
