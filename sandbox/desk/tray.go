package desk

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"warifu"
	"warifu/sandbox/doorway"
	"warifu/sandbox/folder"
)

// Notice is a short message to a registered contact, as the server's gateway gets it.
type Notice struct {
	ID        string `json:"id"` // the same however often it is sent
	Occasion  string `json:"occasion"`
	Telephone string `json:"telephone"`
	At        string `json:"at"` // RFC 3339
	TextJa    string `json:"textJa"`
	TextEn    string `json:"textEn"`
}

// When is At as an instant; zero where it is none.
func (n Notice) When() time.Time {
	at, err := time.Parse(time.RFC3339, n.At)
	if err != nil {
		return time.Time{}
	}
	return at
}

// Bounds of the tray.
const (
	maxNotice = 8 << 10 // octets of one
	maxTray   = 200     // the oldest go
)

const trayName = "notices.json"

// Tray is where the short messages of this world end up: it stands for the operator's
// gateway and for everybody's telephone at once.
type Tray struct {
	folder folder.Folder
	mu     sync.Mutex
	all    []Notice // oldest first
}

// OpenTray opens the tray that a folder keeps, or an empty one.
func OpenTray(f folder.Folder) (*Tray, error) {
	t := &Tray{folder: f}
	_, err := f.ReadJSON(trayName, &t.all)
	return t, err
}

// Notices lists what came, newest first.
func (t *Tray) Notices() []Notice {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := slices.Clone(t.all)
	slices.Reverse(out)
	return out
}

// put keeps a notice; one that came before changes nothing.
func (t *Tray) put(n Notice) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if slices.ContainsFunc(t.all, func(other Notice) bool { return other.ID == n.ID }) {
		return nil
	}
	next := append(slices.Clone(t.all), n)
	next = next[max(0, len(next)-maxTray):]
	if err := t.folder.WriteJSON(trayName, next); err != nil {
		return err
	}
	t.all = next
	return nil
}

// receive is the gateway's door.
func (d *Desk) receive(w http.ResponseWriter, r *http.Request) (any, error) {
	var in Notice
	if err := doorway.Read(w, r, maxNotice, &in); err != nil {
		return nil, err
	}
	if in.ID == "" || in.Telephone == "" {
		return nil, warifu.Invalid("sandbox-request-malformed")
	}
	return struct{}{}, d.config.Tray.put(in)
}

func (d *Desk) notices(http.ResponseWriter, *http.Request) (any, error) {
	return struct {
		Notices []Notice `json:"notices"`
	}{d.config.Tray.Notices()}, nil
}
