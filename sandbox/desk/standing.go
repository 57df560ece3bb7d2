package desk

import (
	"time"

	"warifu"
	"warifu/ledger"
)

// Standing is what the registration authority has of a person: what they applied for, what
// is on their phones, and who asked about them. Only a sandbox shows it to whoever looks.
type Standing struct {
	Applications []Applied      `json:"applications"` // newest first
	Credentials  []OnPhone      `json:"credentials"`  // newest first
	Checked      []ledger.Entry `json:"checked"`      // newest first
	// Free is a phone of the world that nobody has or awaits certificates on: the last one
	// bought. "" for none; told only where the person has none themselves.
	Free string `json:"-"`
}

// Applied is an application of a person.
type Applied struct {
	ID        string    `json:"id"`
	Phone     string    `json:"phone"`
	State     string    `json:"state"`
	Problem   string    `json:"problem,omitempty"`
	Submitted time.Time `json:"submitted"`
	Due       time.Time `json:"due"` // when issuing may begin
	Issued    time.Time `json:"issued,omitzero"`
}

// OnPhone is a credential of a person.
type OnPhone struct {
	ID        string      `json:"id"`
	Kind      warifu.Kind `json:"kind"`
	Phone     string      `json:"phone"`
	Serial    string      `json:"serial"` // hexadecimal
	State     string      `json:"state"`
	Holds     []string    `json:"holds,omitempty"` // why it is on hold
	Reason    string      `json:"reason,omitempty"`
	Seen      string      `json:"seen"` // what a relying party is told now: "good", "held", "revoked", "unknown"
	NotAfter  time.Time   `json:"notAfter"`
	Activated time.Time   `json:"activated,omitzero"`
	Ended     time.Time   `json:"ended,omitzero"`
}

// Live reports whether it is, or may again be, of use.
func (c OnPhone) Live() bool { return c.State == "active" || c.State == "held" || c.State == "pending" }

// live are those of the credentials that are not over.
func (s Standing) live() []OnPhone {
	var out []OnPhone
	for _, c := range s.Credentials {
		if c.Live() {
			out = append(out, c)
		}
	}
	return out
}

// any reports whether one of the credentials is in that state.
func (s Standing) any(state string) bool {
	for _, c := range s.Credentials {
		if c.State == state {
			return true
		}
	}
	return false
}

// phone is where the person's certificates are, or will be; "" for nowhere yet.
func (s Standing) phone() string {
	for _, c := range s.live() {
		return c.Phone
	}
	for _, a := range s.Applications {
		if a.State == "submitted" || a.State == "issued" {
			return a.Phone
		}
	}
	return ""
}

// was returns the newest line of the ledger that a party wrote since then about what was done.
func (s Standing) was(by, what string, since time.Time) bool {
	for _, e := range s.Checked {
		if e.By == by && e.What == what && e.Class == "phone" && e.Result == "good" && !e.At.Before(since) {
			return true
		}
	}
	return false
}

// HasLive reports whether there is a certificate on a phone that is not over.
func (s Standing) HasLive() bool { return len(s.live()) > 0 }

// Newest is the newest application, where it still waits for something; else nil.
func (s Standing) Newest() *Applied {
	if len(s.Applications) == 0 || s.Applications[0].State == "personalized" {
		return nil
	}
	return &s.Applications[0]
}
