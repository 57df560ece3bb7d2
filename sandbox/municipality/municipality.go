package municipality

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"net/http"
	"sync"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/sandbox/doorway"
	"warifu/sandbox/person"
	"warifu/verify"
)

// The audience of every answer, with the server's origin, and the purpose of its questions.
const (
	ClientID = "warifu-sandbox-municipality"
	Purpose  = "municipal-certificate"
)

// Bounds.
const (
	// QuestionLife is how long a question and the answer to it serve, printing included.
	QuestionLife = 10 * time.Minute
	// MaxCopies bounds the copies of one order.
	MaxCopies    = 10
	maxQuestions = 10_000
)

// Resident is one person as the register has them.
type Resident struct {
	Person    person.Person
	Died      time.Time       // zero for the living
	Household []person.Person // who lives at the same address, the person among them
}

// Register knows the residents by the certificates of their cards and phones. NotFound
// "resident-unknown" for a certificate that is nobody's.
type Register interface {
	Resident(ctx context.Context, class profile.Class, certificate *x509.Certificate) (Resident, error)
}

// Config is what the server needs.
type Config struct {
	Origin   string // scheme://host[:port] of its address: audience, with ClientID
	Verifier *verify.Verifier
	Register Register
	Clock    warifu.Clock
	Kiosks   map[string]string // name by key: who may ask
}

// Server answers below a prefix that its caller strips.
type Server struct {
	config Config
	keys   map[[sha256.Size]byte]string

	mu    sync.Mutex
	asked map[string]*transaction
}

// New makes a server.
func New(c Config) *Server {
	s := &Server{config: c, keys: map[[sha256.Size]byte]string{}, asked: map[string]*transaction{}}
	for key, name := range c.Kiosks {
		s.keys[sha256.Sum256([]byte(key))] = name
	}
	return s
}

// Handler answers (docs/municipality.md):
//
//	GET  /fees          → {code: {name, residence, seal}}
//	POST /challenges    → {question, expires}
//	POST /offers        {transaction, certificate, signature} → {municipality, offers}
//	POST /certificates  {authentication, document, options, copies} → application/pdf
//
// All but the fees take a kiosk's key as a bearer token.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /fees", doorway.JSON(func(http.ResponseWriter, *http.Request) (any, error) { return fees(), nil }))
	mux.Handle("POST /challenges", s.forKiosks(doorway.JSON(s.ask)))
	mux.Handle("POST /offers", s.forKiosks(doorway.JSON(s.offer)))
	mux.Handle("POST /certificates", s.forKiosks(http.HandlerFunc(s.print)))
	return mux
}

// caller carries the name of the kiosk that asks.
type caller struct{}

func (s *Server) forKiosks(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const scheme = "Bearer "
		given := r.Header.Get("Authorization")
		if len(given) <= len(scheme) || given[:len(scheme)] != scheme {
			doorway.Refuse(w, warifu.Unauthenticated("municipality-key-unknown"))
			return
		}
		name, ok := s.keys[sha256.Sum256([]byte(given[len(scheme):]))]
		if !ok {
			doorway.Refuse(w, warifu.Unauthenticated("municipality-key-unknown"))
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), caller{}, name)))
	})
}

func (s *Server) offer(w http.ResponseWriter, r *http.Request) (any, error) {
	var a Authentication
	if err := doorway.Read(w, r, doorway.MaxBody, &a); err != nil {
		return nil, err
	}
	who, _, err := s.identify(r.Context(), a)
	if err != nil {
		return nil, err
	}
	return s.offers(who)
}

// print answers with the paper itself, or with a problem.
func (s *Server) print(w http.ResponseWriter, r *http.Request) {
	var o Order
	if err := doorway.Read(w, r, doorway.MaxBody, &o); err != nil {
		doorway.Refuse(w, err)
		return
	}
	file, err := s.issue(r.Context(), o)
	if err != nil {
		doorway.Refuse(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", `attachment; filename="`+o.Document+`.pdf"`)
	_, _ = w.Write(file)
}
