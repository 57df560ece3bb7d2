package desk

import (
	"net/http"
	"time"

	"warifu"
	"warifu/sandbox/doorway"
)

// What may be done to a whole world.
const (
	WorldSave  = "save"  // write it down under a name
	WorldLoad  = "load"  // go back to what was written down
	WorldReset = "reset" // go back to its beginning: the keys stay, nothing else
)

// Snapshot is a world that was written down.
type Snapshot struct {
	Name   string    `json:"name"`
	Saved  time.Time `json:"saved"` // by the real clock, not the world's
	Octets int64     `json:"octets"`
}

// Turn is what is to be done to the whole world.
type Turn struct {
	Do   string `json:"do"`             // one of the constants
	Name string `json:"name,omitempty"` // of the snapshot
}

// Turned says how many turns the world has had since its program was started, how the last
// one ended, and what is written down.
type Turned struct {
	Turns     int              `json:"turns"`
	Failed    *doorway.Problem `json:"failed,omitempty"` // of the last turn; none: it was done
	Snapshots []Snapshot       `json:"snapshots"`
}

// Worlds turns the world that the desk stands in. Turn says that it is to be turned and
// returns at once; everything stops, is changed and stands again at the same addresses.
type Worlds interface {
	Turn(Turn) error
	Turned() (Turned, error)
}

func (d *Desk) turned(http.ResponseWriter, *http.Request) (any, error) {
	if d.config.Worlds == nil {
		return nil, warifu.Refused("world-fixed")
	}
	return d.config.Worlds.Turned()
}

func (d *Desk) turn(w http.ResponseWriter, r *http.Request) (any, error) {
	var t Turn
	if err := doorway.Read(w, r, doorway.MaxBody, &t); err != nil {
		return nil, err
	}
	if d.config.Worlds == nil {
		return nil, warifu.Refused("world-fixed")
	}
	before, err := d.config.Worlds.Turned()
	if err != nil {
		return nil, err
	}
	return before, d.config.Worlds.Turn(t)
}
