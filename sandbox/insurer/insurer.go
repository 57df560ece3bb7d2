package insurer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/profile"
	"warifu/sandbox/doorway"
	"warifu/sandbox/person"
	"warifu/verify"
)

// The audience of every answer, with the server's origin, and the purpose of its questions.
const (
	ClientID = "warifu-sandbox-insurers"
	Purpose  = "eligibility"
)

// Bounds.
const (
	questionLife = 10 * time.Minute
	maxQuestions = 10_000
	// graceMonths is for how long a card's expired certificate is taken.
	graceMonths = 3
)

// Register finds who stands behind an authentication certificate. NotFound
// "resident-unknown".
type Register interface {
	Insured(ctx context.Context, class profile.Class, certificate *x509.Certificate) (person.Person, error)
}

// Config is what the server needs.
type Config struct {
	Origin   string // scheme://host[:port] of its address: audience, with ClientID
	Verifier *verify.Verifier
	Status   verify.StatusChecker // asked about a card's expired certificate
	Register Register
	Clock    warifu.Clock
	Clinics  map[string]string // name by key: who may ask
}

// Server answers below a prefix that its caller strips.
type Server struct {
	config Config
	keys   map[[sha256.Size]byte]bool

	mu    sync.Mutex
	asked map[string]Question
}

// New makes a server.
func New(c Config) *Server {
	s := &Server{config: c, keys: map[[sha256.Size]byte]bool{}, asked: map[string]Question{}}
	for key := range c.Clinics {
		s.keys[sha256.Sum256([]byte(key))] = true
	}
	return s
}

// Handler answers, for a clinic's key as a bearer token:
//
//	POST /questions    → {question}
//	POST /eligibility  {transaction, certificate, signature, consents} → Answer
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /questions", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		if err := s.known(r); err != nil {
			return nil, err
		}
		return s.ask()
	}))
	mux.Handle("POST /eligibility", doorway.JSON(func(w http.ResponseWriter, r *http.Request) (any, error) {
		if err := s.known(r); err != nil {
			return nil, err
		}
		var a Asking
		if err := doorway.Read(w, r, doorway.MaxBody, &a); err != nil {
			return nil, err
		}
		return s.answer(r.Context(), a)
	}))
	return mux
}

func (s *Server) known(r *http.Request) error {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || !s.keys[sha256.Sum256([]byte(key))] {
		return warifu.Unauthenticated("clinic-key-unknown")
	}
	return nil
}

// Question is what the holder's authentication key signs, as attest.Presence encodes it.
type Question struct {
	Purpose     string    `json:"purpose"`
	ClientID    string    `json:"clientId"`
	Origin      string    `json:"origin"`
	Nonce       []byte    `json:"nonce"`
	Transaction string    `json:"transaction"`
	Time        time.Time `json:"time"`
}

// Presence returns the octets' source.
func (q Question) Presence() attest.Presence {
	return attest.Presence{Purpose: q.Purpose, ClientID: q.ClientID, Origin: q.Origin, Nonce: q.Nonce, Transaction: q.Transaction, Time: q.Time}
}

func (s *Server) ask() (Question, error) {
	var octets [48]byte
	if _, err := rand.Read(octets[:]); err != nil {
		return Question{}, err
	}
	now := s.config.Clock.Now()
	q := Question{Purpose, ClientID, s.config.Origin, octets[:32], hex.EncodeToString(octets[32:]), now.UTC().Truncate(time.Second)}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, old := range s.asked {
		if now.Sub(old.Time) > questionLife {
			delete(s.asked, name)
		}
	}
	if len(s.asked) >= maxQuestions {
		return Question{}, warifu.TooMany("insurer-busy")
	}
	s.asked[q.Transaction] = q
	return q, nil
}

// Consents are the person's, given on the reader for this visit.
type Consents struct {
	Medicine bool `json:"medicine"` // 薬剤情報
	Checkups bool `json:"checkups"` // 特定健診情報
	HighCost bool `json:"highCost"` // 限度額情報
}

// Asking is an answered question with what the person consented to. It serves once.
type Asking struct {
	Transaction string   `json:"transaction"`
	Certificate []byte   `json:"certificate"` // DER
	Signature   []byte   `json:"signature"`
	Consents    Consents `json:"consents"`
}

func (s *Server) answer(ctx context.Context, a Asking) (Answer, error) {
	s.mu.Lock()
	q, ok := s.asked[a.Transaction]
	s.mu.Unlock()
	now := s.config.Clock.Now()
	if !ok || now.Sub(q.Time) > questionLife {
		return Answer{}, warifu.NotFound("insurer-question-unknown")
	}
	certificate, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		return Answer{}, warifu.Invalid("clinic-request-malformed").With(err)
	}
	result, err := s.config.Verifier.Presence(ctx, q.Presence(), certificate, a.Signature, verify.Policy{})
	if err != nil {
		return Answer{}, err
	}
	late, err := s.grace(ctx, result, now)
	if err != nil {
		return Answer{}, err
	}
	s.mu.Lock()
	delete(s.asked, a.Transaction)
	s.mu.Unlock()
	who, err := s.config.Register.Insured(ctx, result.Class, certificate)
	if err != nil {
		return Answer{}, err
	}
	out := policyOf(who, now).tell(who, a.Consents, now)
	out.Grace = late
	return out, nil
}

// grace lets a card go on whose certificate has expired and has nothing else against it, and
// says until when: insurance does not end with a certificate (B.2). A phone is refused.
func (s *Server) grace(ctx context.Context, r *verify.Result, now time.Time) (until string, err error) {
	bad := r.Err()
	if bad == nil {
		return "", nil
	}
	if len(r.Reasons) != 1 || !r.Has("certificate-expired") || r.Class != profile.ClassCard || r.Authority == nil {
		return "", bad
	}
	end := r.Certificate.NotAfter.AddDate(0, graceMonths, 0)
	if now.After(end) {
		return "", bad
	}
	answer, err := s.config.Status.Check(ctx, r.Certificate, r.Authority, now)
	switch {
	case err != nil:
		return "", err
	case answer.Status.Cert != warifu.StatusGood:
		return "", warifu.Refused("certificate-revoked")
	}
	return end.In(person.Tokyo).Format(time.DateOnly), nil
}
