package desk

import (
	"context"
	"net/http"

	"warifu"
	"warifu/jpki"
	"warifu/sandbox/counter"
	"warifu/sandbox/doorway"
)

// ChangePIN is a card's password changed at the counter (K16): never in the app (R31).
type ChangePIN struct {
	Kind    warifu.Kind `json:"kind"`
	Current string      `json:"current"`
	Next    string      `json:"next"`
}

// The places where a card's password is unlocked.
const (
	AtCounter = "counter"
	AtKiosk   = "kiosk"
)

// UnlockPIN is a forgotten or locked password of a card set anew: at the counter by the
// holder or a proxy, or at a kiosk within twenty-four hours of a face check (B.3).
type UnlockPIN struct {
	Kind   warifu.Kind `json:"kind"`
	At     string      `json:"at"` // AtCounter, AtKiosk
	Next   string      `json:"next"`
	Other  string      `json:"other,omitempty"`  // at a kiosk: the card's other password
	Proxy  bool        `json:"proxy,omitempty"`  // at the counter: somebody else came
	Letter string      `json:"letter,omitempty"` // with the number of the letter to the holder
}

// OfKind names one of a card's two passwords.
type OfKind struct {
	Kind warifu.Kind `json:"kind"`
}

func (d *Desk) changePIN(w http.ResponseWriter, r *http.Request) (any, error) {
	var in ChangePIN
	if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
		return nil, err
	}
	return struct{}{}, d.change(r.Context(), r.PathValue("id"), in)
}

func (d *Desk) change(ctx context.Context, id string, in ChangePIN) error {
	current, err := d.config.Scheme.CardPIN(in.Kind, in.Current)
	if err != nil {
		return err
	}
	next, err := d.config.Scheme.CardPIN(in.Kind, in.Next)
	if err != nil {
		return err
	}
	return d.config.Counter.Change(ctx, id, in.Kind, current, next)
}

func (d *Desk) unlockPIN(w http.ResponseWriter, r *http.Request) (any, error) {
	var in UnlockPIN
	if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
		return nil, err
	}
	return struct{}{}, d.unlock(r.Context(), r.PathValue("id"), in)
}

func (d *Desk) unlock(ctx context.Context, id string, in UnlockPIN) error {
	next, err := d.config.Scheme.CardPIN(in.Kind, in.Next)
	if err != nil {
		return err
	}
	switch {
	case in.At == AtCounter && in.Proxy:
		return d.config.Proxies.Unlock(ctx, id, in.Kind, in.Letter, next)
	case in.At == AtCounter:
		return d.config.Counter.Unlock(ctx, id, in.Kind, next)
	case in.At == AtKiosk:
		other, err := d.config.Scheme.CardPIN(counter.Other(in.Kind), in.Other)
		if err != nil {
			return err
		}
		return d.config.Kiosk.Unlock(ctx, id, in.Kind, other, next)
	}
	return warifu.Invalid("unlock-place-unknown")
}

// faceCheck is the app's face check before a visit to a kiosk; the app changes nothing.
func (d *Desk) faceCheck(w http.ResponseWriter, r *http.Request) (any, error) {
	var in OfKind
	if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
		return nil, err
	}
	return struct{}{}, d.config.Kiosk.Book(r.PathValue("id"), in.Kind)
}

// inquire has the town hall write to the holder, for a proxy.
func (d *Desk) inquire(w http.ResponseWriter, r *http.Request) (any, error) {
	var in OfKind
	if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
		return nil, err
	}
	letter, err := d.config.Proxies.Inquire(r.PathValue("id"), in.Kind)
	if err != nil {
		return nil, err
	}
	letter.Number = "" // whoever asks for it does not get it: it goes to the holder
	return letter, nil
}

// letters is the holder's letter box.
func (d *Desk) letters(_ http.ResponseWriter, r *http.Request) (any, error) {
	letters, err := d.config.Proxies.Letters(r.PathValue("id"))
	if letters == nil {
		letters = []counter.Letter{}
	}
	return letters, err
}

// tries asks the card itself how many wrong entries each of its passwords allows; it costs
// none.
func (d *Desk) tries(ctx context.Context, id string) ([]Tries, error) {
	held, err := d.config.Chips.Hold(ctx, id)
	if err != nil {
		return nil, err
	}
	defer held.PutAway()
	v, err := d.config.Cards.Show(id)
	if err != nil {
		return nil, err
	}
	token, err := jpki.Select(ctx, held)
	if err != nil {
		return nil, err
	}
	var out []Tries
	for _, c := range v.Certificates {
		left, err := token.TriesLeft(ctx, c.Kind)
		if err != nil {
			return nil, err
		}
		out = append(out, Tries{c.Kind, left})
	}
	return out, nil
}

// What the page's form offers at counter and kiosk.
var visits = []string{"change", "unlock", "face", "kiosk", "inquire", "proxy"}

// counterByForm is the page's door to all of it.
func (d *Desk) counterByForm(w http.ResponseWriter, r *http.Request) {
	id := d.named(r)
	d.form(w, r, "/persons/"+id+"#counter", d.againAt(w, r, id), func() error {
		known, next := r.FormValue("known"), r.FormValue("next")
		kind, err := warifu.ParseKind(r.FormValue("kind"))
		if err != nil {
			return err
		}
		switch r.FormValue("what") {
		case "change":
			return d.change(r.Context(), id, ChangePIN{kind, known, next})
		case "unlock":
			return d.unlock(r.Context(), id, UnlockPIN{Kind: kind, At: AtCounter, Next: next})
		case "kiosk":
			return d.unlock(r.Context(), id, UnlockPIN{Kind: kind, At: AtKiosk, Next: next, Other: known})
		case "proxy":
			return d.unlock(r.Context(), id, UnlockPIN{Kind: kind, At: AtCounter, Next: next, Proxy: true, Letter: known})
		case "face":
			return d.config.Kiosk.Book(id, kind)
		case "inquire":
			_, err := d.config.Proxies.Inquire(id, kind)
			return err
		}
		return warifu.Invalid("unlock-place-unknown")
	})
}
