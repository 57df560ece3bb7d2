package marketplace

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"warifu"
	"warifu/sandbox/book"
	"warifu/sandbox/doorway"
	"warifu/sandbox/folder"
)

// Name is what the marketplace calls itself towards a phone's chip, and its name at the
// issuer: a proof made for anybody else is worth nothing here.
const Name = "sandbox-marketplace"

// Config is what a marketplace needs.
type Config struct {
	Origin  string    // "http://127.0.0.1:8407"
	Phones  string    // where the sandbox's phones are, for the link on the page
	Issuer  Authority // who says whether a phone is still clean
	Hotline string    // the number of a holder who has lost the phone; empty where there is none
	Clock   warifu.Clock
	Folder  folder.Folder
}

// Marketplace answers at port 8407.
type Marketplace struct {
	config    Config
	offers    *book.Book[Offer]
	questions *book.Book[Question]
	lots      *book.Book[Lot]
}

// The states of an offer.
const (
	Blocked = "blocked" // nobody but the seller sees it
	Listed  = "listed"
	Sold    = "sold"
)

// Checklist is what a seller has to have done (R83). The third box is not believed on the
// seller's word alone: the proof says it.
type Checklist struct {
	Initialised    bool `json:"initialised"`    // 初期化済み
	ActivationLock bool `json:"activationLock"` // アクティベーションロック解除済み
	Certificates   bool `json:"certificates"`   // スマホ用電子証明書失効手続き済み
}

// Sale is what a seller fills in.
type Sale struct {
	Title     string    `json:"title"`
	Price     int       `json:"price"`             // yen
	IMEI      string    `json:"imei"`              // fifteen digits, off the box or *#06#
	Element   string    `json:"element,omitempty"` // the chip's identifier, to have its holder asked without the phone at hand
	Checklist Checklist `json:"checklist"`
}

// Offer is a phone for sale.
type Offer struct {
	ID string `json:"id"`
	Sale
	State    string   `json:"state"`
	Question Question `json:"question"` // what the phone has to answer
	// Asked is the question that waits at the issuer for the phone's holder, and Outcome
	// what came of it: pending, declined, expired, clean.
	Asked   string `json:"asked,omitempty"`
	Outcome string `json:"outcome,omitempty"`
	// Tied tells that the chip itself named the IMEI: the buyer gets the phone that proved
	// itself. Without it the buyer has to compare, with the phone in hand.
	Tied      bool      `json:"tied"`
	Proof     *Proof    `json:"proof,omitempty"`
	Why       []Reason  `json:"why,omitempty"` // why it is blocked
	CheckedAt time.Time `json:"checkedAt,omitzero"`
}

// Question is what the marketplace asks one phone; its nonce is never used for another.
type Question struct {
	Marketplace string    `json:"marketplace"`
	Nonce       []byte    `json:"nonce"`
	Identifiers []string  `json:"identifiers"`
	Time        time.Time `json:"time"`
	Offer       string    `json:"offer,omitempty"`
}

// Bounds.
const (
	maxOffers    = 10_000
	maxQuestions = 100_000
	maxLots      = 1_000
	maxTitle     = 120 // octets
	maxPrice     = 10_000_000
	nonceOctets  = 16
	askFor       = 3 * 24 * time.Hour // how long a holder may take to answer a question at the issuer
)

// New opens a marketplace.
func New(c Config) (*Marketplace, error) {
	m := &Marketplace{config: c}
	for name, open := range map[string]func(folder.Folder){
		"offers":    func(f folder.Folder) { m.offers = book.Open[Offer](f, maxOffers) },
		"questions": func(f folder.Folder) { m.questions = book.Open[Question](f, maxQuestions) },
		"lots":      func(f folder.Folder) { m.lots = book.Open[Lot](f, maxLots) },
	} {
		f, err := c.Folder.Sub(name)
		if err != nil {
			return nil, err
		}
		open(f)
	}
	return m, nil
}

// Routes adds the marketplace's doors to mux.
func (m *Marketplace) Routes(mux *http.ServeMux) {
	mux.Handle("GET /api/offers", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) { return m.shelf(r.Context()) }))
	mux.Handle("POST /api/offers", body(func(_ *http.Request, in Sale) (any, error) { return m.sell(in) }))
	mux.Handle("GET /api/offers/{id}", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return m.look(r.Context(), r.PathValue("id"))
	}))
	mux.Handle("POST /api/offers/{id}/proof", body(func(r *http.Request, in Shown) (any, error) {
		return m.prove(r.Context(), r.PathValue("id"), in)
	}))
	mux.Handle("POST /api/offers/{id}/question", body(func(r *http.Request, _ struct{}) (any, error) {
		return m.ask(r.Context(), r.PathValue("id"))
	}))
	mux.Handle("POST /api/offers/{id}/sale", body(func(r *http.Request, _ struct{}) (any, error) {
		return m.buy(r.Context(), r.PathValue("id"))
	}))
	mux.Handle("POST /api/checks", body(func(r *http.Request, in Seen) (any, error) { return m.check(r.Context(), in) }))
	mux.Handle("POST /api/questions", body(func(_ *http.Request, in Wanted) (any, error) { return m.question(in.Identifiers, "") }))
	mux.Handle("POST /api/lots", doorway.JSON(m.apiLot))
	mux.Handle("GET /api/lots/{id}", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return m.lot(r.Context(), r.PathValue("id"))
	}))
	mux.Handle("POST /api/revocations", body(func(*http.Request, struct{}) (any, error) { return nil, m.refuseRevoking() }))
	m.pageRoutes(mux)
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

// sell takes an offer in, blocked: nobody sees it before the phone has proved itself.
// Errors: Refused "marketplace-checklist-open", Invalid "marketplace-sale-malformed".
func (m *Marketplace) sell(in Sale) (Offer, error) {
	in.Title, in.IMEI = strings.TrimSpace(in.Title), strings.TrimSpace(in.IMEI)
	if what := in.fault(); what != "" {
		return Offer{}, warifu.Invalid("marketplace-sale-malformed", "field", what)
	}
	if open := in.Checklist.open(); len(open) > 0 {
		return Offer{}, warifu.Refused("marketplace-checklist-open", "open", strings.Join(open, "、"))
	}
	return m.offers.Add(func(n int) (string, Offer, error) {
		id := fmt.Sprintf("offer-%05d", n)
		q, err := m.question([]string{"imei:" + in.IMEI}, id)
		return id, Offer{ID: id, Sale: in, State: Blocked, Question: q}, err
	})
}

// fault names the field of a sale that is not right.
func (s Sale) fault() string {
	switch {
	case s.Title == "" || len(s.Title) > maxTitle:
		return "title"
	case s.Price < 1 || s.Price > maxPrice:
		return "price"
	case !isIMEI(s.IMEI):
		return "imei"
	case s.Element != "":
		if _, err := warifu.ParseElementID(s.Element); err != nil {
			return "element"
		}
	}
	return ""
}

// open lists the boxes that are not ticked, in the words of the list (R83).
func (c Checklist) open() []string {
	var out []string
	for _, box := range []struct {
		done bool
		name string
	}{{c.Initialised, "初期化済み"}, {c.ActivationLock, "アクティベーションロック解除済み"}, {c.Certificates, "スマホ用電子証明書失効手続き済み"}} {
		if !box.done {
			out = append(out, box.name)
		}
	}
	return out
}

// isIMEI reports whether s is fifteen digits with the check digit of TS 23.003 annex B.
func isIMEI(s string) bool {
	sum := 0
	for i := range s {
		d := int(s[len(s)-1-i]) - '0'
		if d < 0 || d > 9 {
			return false
		}
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return len(s) == 15 && sum%10 == 0
}

// Wanted is what a shop read off a phone that it is about to ask.
type Wanted struct {
	Identifiers []string `json:"identifiers"`
}

// question makes a question with a nonce that nobody was asked with before, and writes it
// down, so that an answer can be told from one made for somebody else.
func (m *Marketplace) question(identifiers []string, offer string) (Question, error) {
	if len(identifiers) == 0 || len(identifiers) > 8 {
		return Question{}, warifu.Invalid("marketplace-sale-malformed", "field", "identifiers")
	}
	nonce := make([]byte, nonceOctets)
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	q := Question{Name, nonce, identifiers, m.config.Clock.Now().UTC().Truncate(time.Second), offer}
	return m.questions.Add(func(int) (string, Question, error) { return hex.EncodeToString(nonce), q, nil })
}

// shelf is what buyers see.
func (m *Marketplace) shelf(ctx context.Context) ([]Offer, error) {
	all, err := m.offers.All()
	if err != nil {
		return nil, err
	}
	out := []Offer{}
	for _, o := range all {
		if o.State == Blocked && o.Asked != "" {
			if o, err = m.look(ctx, o.ID); err != nil {
				return nil, err
			}
		}
		if o.State == Listed {
			out = append(out, o.public())
		}
	}
	return out, nil
}

// public is an offer without the seller's part.
func (o Offer) public() Offer {
	o.Question, o.Proof, o.Asked, o.Outcome, o.Element = Question{}, nil, "", "", ""
	return o
}

// refuseRevoking is what staff are told who would end a customer's certificates (K15): the
// holder alone can, and how.
func (m *Marketplace) refuseRevoking() error {
	return warifu.Refused("marketplace-staff-cannot-revoke", "hotline", m.config.Hotline)
}
