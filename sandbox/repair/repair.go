package repair

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/sandbox/book"
	"warifu/sandbox/doorway"
	"warifu/sandbox/folder"
	"warifu/sandbox/reader"
	"warifu/text"
	"warifu/verify"
)

// ClientID is the shop's name towards a phone that shows where it stands.
const ClientID = "warifu-sandbox-repair"

// Config is what a shop needs.
type Config struct {
	Origin   string // "http://127.0.0.1:8412"
	Phones   string // where the sandbox's phones are, for the link on the page
	Issuer   string // who says whether a chip is clean: "http://127.0.0.1:8400"
	Verifier *verify.Verifier
	Reader   func(chip string) reader.Source // the shop's reader with that chip on it
	Zone     *time.Location                  // in which a day ends
	Hotline  string
	Clock    warifu.Clock
	Folder   folder.Folder
}

// Shop answers at port 8412.
type Shop struct {
	config Config
	jobs   *book.Book[written]
}

// The states of a repair.
const (
	AtCounter = "at-counter" // nothing is taken in yet
	Taken     = "taken"
	Returned  = "returned"
	Exchanged = "exchanged" // the customer left with another phone
)

// What the shop saw of a phone. Unseen is never clean: nobody has looked.
const (
	Unseen = "unseen"
	Clean  = "clean"  // nothing is on the chip, and the issuer says so too
	Held   = "held"   // on hold: of no use to anybody
	Live   = "live"   // usable
	Ended  = "ended"  // revoked, superseded or expired
	Silent = "silent" // the issuer cannot say at present
)

// Handed is what is written down at the counter.
type Handed struct {
	Title string `json:"title"`
	IMEI  string `json:"imei"`  // off the box or the sticker: a broken phone tells nothing
	Ready string `json:"ready"` // day on which it will be mended, "2026-11-30"
}

// Job is one phone to be mended.
type Job struct {
	ID string `json:"id"`
	Handed
	State  string    `json:"state"`
	Seen   string    `json:"seen"`
	SeenAt time.Time `json:"seenAt,omitzero"`
	Until  string    `json:"until,omitempty"` // last day of the hold, as the app's screen said it
	// Endless is a hold that has no last day: it stays until the holder resumes.
	Endless bool   `json:"endless,omitempty"`
	Other   string `json:"other,omitempty"` // IMEI of the phone that the customer left with
	Notes   []Note `json:"notes,omitempty"` // what the customer has to be told
}

// written is a job with what is nobody else's business.
type written struct {
	Job
	Claim string          `json:"claim"`
	Wrong int             `json:"wrong"` // claims that did not fit
	Asked attest.Presence `json:"asked"`
	// Certificate is what the responder is asked about while the phone is here. It names
	// nobody, and goes with the phone.
	Certificate []byte `json:"certificate,omitempty"`
}

// Note is something to tell the customer, in both languages.
type Note struct {
	Problem string `json:"problem"`
	Title   string `json:"title"`
	TitleJa string `json:"titleJa"`
	Next    string `json:"next"`
	NextJa  string `json:"nextJa"`
}

// In returns the note in the reader's language.
func (n Note) In(l text.Lang) string {
	if l == text.Japanese {
		return n.TitleJa + "。" + n.NextJa
	}
	return n.Title + ". " + n.Next
}

func note(e *warifu.Error) Note {
	n := Note{Problem: e.Problem}
	n.Title, _, n.Next = text.Problem(e, text.English)
	n.TitleJa, _, n.NextJa = text.Problem(e, text.Japanese)
	return n
}

const (
	maxJobs   = 10_000
	maxTitle  = 120 // octets
	maxClaims = 5   // wrong claims before a person looks at the box
	longest   = 366 * 24 * time.Hour
)

// New opens a shop.
func New(c Config) *Shop { return &Shop{c, book.Open[written](c.Folder, maxJobs)} }

// Routes adds the shop's doors to mux.
func (s *Shop) Routes(mux *http.ServeMux) {
	mux.Handle("POST /api/repairs", body(func(_ *http.Request, in Handed) (any, error) { return s.hand(in) }))
	mux.Handle("GET /api/repairs/{id}", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return s.look(r.Context(), r.PathValue("id"))
	}))
	mux.Handle("GET /api/repairs/{id}/presence", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return s.asked(r.PathValue("id"))
	}))
	mux.Handle("POST /api/repairs/{id}/presence", body(func(r *http.Request, in Answer) (any, error) {
		return s.shown(r.Context(), r.PathValue("id"), in)
	}))
	mux.Handle("POST /api/repairs/{id}/tap", body(func(r *http.Request, in Tap) (any, error) {
		return s.tap(r.Context(), r.PathValue("id"), in.Chip)
	}))
	mux.Handle("POST /api/repairs/{id}/intake", body(func(r *http.Request, in Intake) (any, error) {
		return s.intake(r.Context(), r.PathValue("id"), in)
	}))
	mux.Handle("POST /api/repairs/{id}/delay", body(func(r *http.Request, in Delay) (any, error) {
		return s.delay(r.Context(), r.PathValue("id"), in)
	}))
	mux.Handle("POST /api/repairs/{id}/return", body(func(r *http.Request, in Claimed) (any, error) {
		return s.giveBack(r.Context(), r.PathValue("id"), in)
	}))
	mux.Handle("POST /api/repairs/{id}/orders", body(func(*http.Request, struct{}) (any, error) { return nil, s.refuseOrder() }))
	s.pageRoutes(mux)
}

// body makes a door of f: JSON in, JSON out.
func body[In any](f func(*http.Request, In) (any, error)) http.Handler {
	return doorway.JSON(func(w http.ResponseWriter, r *http.Request) (any, error) {
		var in In
		if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
			return nil, err
		}
		return f(r, in)
	})
}

// Receipt is what the customer keeps: the claim is told this once.
type Receipt struct {
	Job
	Claim string `json:"claim"`
}

// hand writes a phone down at the counter. Errors: Invalid "repair-malformed".
func (s *Shop) hand(in Handed) (Receipt, error) {
	in.Title, in.IMEI = strings.TrimSpace(in.Title), strings.TrimSpace(in.IMEI)
	switch {
	case in.Title == "" || len(in.Title) > maxTitle:
		return Receipt{}, warifu.Invalid("repair-malformed", "field", "title")
	case len(in.IMEI) != 15 || strings.Trim(in.IMEI, "0123456789") != "":
		return Receipt{}, warifu.Invalid("repair-malformed", "field", "imei")
	}
	if _, err := s.day(in.Ready, "ready"); err != nil {
		return Receipt{}, err
	}
	nonce := make([]byte, 32)
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	number, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		return Receipt{}, err
	}
	w, err := s.jobs.Add(func(n int) (string, written, error) {
		id := fmt.Sprintf("repair-%04d", n)
		q := attest.Presence{Purpose: "login", ClientID: ClientID, Origin: s.config.Origin, Nonce: nonce, Transaction: id, Time: s.now()}
		return id, written{Job: Job{ID: id, Handed: in, State: AtCounter, Seen: Unseen}, Claim: fmt.Sprintf("%08d", number), Asked: q}, nil
	})
	return Receipt{w.Job, w.Claim}, err
}

func (s *Shop) now() time.Time { return s.config.Clock.Now().UTC().Truncate(time.Second) }

// day reads a day to come and returns the instant at which it is over.
func (s *Shop) day(day, field string) (time.Time, error) {
	at, err := time.ParseInLocation(time.DateOnly, day, s.config.Zone)
	end := at.AddDate(0, 0, 1)
	if now := s.config.Clock.Now(); err != nil || !end.After(now) || end.Sub(now) > longest {
		return time.Time{}, warifu.Invalid("repair-malformed", "field", field).With(err)
	}
	return end, nil
}

// Claimed is the customer's number, and the phone they leave with where it is not their own.
type Claimed struct {
	Claim string `json:"claim"`
	IMEI  string `json:"imei,omitempty"`
}

// claimed tells the customer from whoever else comes: the number is tried five times.
func (w *written) claimed(claim string) error {
	if w.Wrong >= maxClaims {
		return warifu.Refused("repair-claim-locked")
	}
	if subtle.ConstantTimeCompare([]byte(strings.TrimSpace(claim)), []byte(w.Claim)) != 1 {
		w.Wrong++
		return warifu.Refused("repair-claim-wrong", "left", fmt.Sprint(maxClaims-w.Wrong))
	}
	return nil
}

// refuseOrder is what staff are told who would suspend, resume or revoke (K15).
func (s *Shop) refuseOrder() error {
	return warifu.Refused("repair-staff-cannot", "hotline", s.config.Hotline)
}
