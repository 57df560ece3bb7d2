package bank

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"net/http"
	"sync"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/sandbox/book"
	"warifu/sandbox/doorway"
	"warifu/sandbox/folder"
	"warifu/sandbox/visitor"
	"warifu/verify"
)

// ClientID is the name under which the bank asks; with its origin it is the audience
// of every answer, so that an answer given to another service is refused here.
const ClientID = "warifu-sandbox-bank"

// Bounds.
const (
	questionLife = 5 * time.Minute
	maxQuestions = 10_000
)

// Config is what a bank needs.
type Config struct {
	Origin   string // "http://127.0.0.1:8403": audience, with ClientID
	Phones   string // where the sandbox's phones are, for the link on the page
	Verifier *verify.Verifier
	Service  Service // the verification service, for who would rather ask than check
	Clock    warifu.Clock
	// For accounts, opened by who logs in at the provider:
	Provider visitor.Signer
	JWKS     []byte        // the bank's public keys, for the provider to fetch
	Outside  warifu.Clock  // what the provider's tokens carry the time of; nil: Clock
	Folder   folder.Folder // where accounts are kept
	Officer  string        // the compliance officer's password
}

// Bank answers at port 8403.
type Bank struct {
	config Config

	visitors *visitor.Visitors
	accounts *book.Book[Account]

	mu    sync.Mutex
	asked map[string]*visit // by transaction
}

// visit is one question put to a claimant, and who answered it.
type visit struct {
	question attest.Presence
	customer *Customer
}

// Customer is who was let in.
type Customer struct {
	Subject string `json:"subject"` // the certificate's opaque common name
	Class   string `json:"class"`   // "card" or "phone"
}

// New makes a bank.
func New(c Config) *Bank {
	b := &Bank{config: c, asked: map[string]*visit{}, accounts: book.Open[Account](c.Folder, maxAccounts)}
	b.visitors = visitor.New(visitor.Config{
		Name: "bank", Origin: c.Origin, Provider: c.Provider, JWKS: c.JWKS, Clock: c.Clock, Outside: c.Outside, Arrived: b.arrived, Page: b.problem,
	})
	return b
}

// checks is the verification service as the other sample services ask it too.
func (b *Bank) checks() visitor.Checks {
	return visitor.Checks{Address: b.config.Service.Address, Key: b.config.Service.Key}
}

// Routes adds the bank's doors to mux.
func (b *Bank) Routes(mux *http.ServeMux) {
	mux.Handle("POST /api/login", doorway.JSON(b.apiAsk))
	mux.Handle("GET /api/login/{transaction}", doorway.JSON(b.apiQuestion))
	mux.Handle("POST /api/login/{transaction}", doorway.JSON(b.apiAnswer))
	mux.Handle("POST /api/contracts", doorway.JSON(b.apiContract))
	mux.Handle("POST /api/documents", doorway.JSON(b.apiDocument))
	mux.HandleFunc("GET /{$}", b.front)
	mux.HandleFunc("POST /login", b.beginLogin)
	mux.HandleFunc("GET /login", b.waitLogin)
	mux.HandleFunc("POST /documents", b.uploadDocument)
	b.visitors.Routes(mux)
	b.accountRoutes(mux)
	b.officerRoutes(mux)
}

// ask puts a new question.
func (b *Bank) ask() (attest.Presence, error) {
	nonce := make([]byte, 32)
	name := make([]byte, 16)
	if _, err := rand.Read(nonce); err != nil {
		return attest.Presence{}, err
	}
	if _, err := rand.Read(name); err != nil {
		return attest.Presence{}, err
	}
	now := b.config.Clock.Now()
	q := attest.Presence{Purpose: "login", ClientID: ClientID, Origin: b.config.Origin, Nonce: nonce,
		Transaction: hex.EncodeToString(name), Time: now.UTC().Truncate(time.Second)}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep(now)
	if len(b.asked) >= maxQuestions {
		return attest.Presence{}, warifu.TooMany("bank-questions-too-many")
	}
	b.asked[q.Transaction] = &visit{question: q}
	return q, nil
}

// sweep forgets visits that are over.
func (b *Bank) sweep(now time.Time) {
	for name, v := range b.asked {
		if now.Sub(v.question.Time) > questionLife {
			delete(b.asked, name)
		}
	}
}

func (b *Bank) find(transaction string) (visit, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, ok := b.asked[transaction]
	if !ok || b.config.Clock.Now().Sub(v.question.Time) > questionLife {
		return visit{}, warifu.NotFound("bank-question-unknown")
	}
	return *v, nil
}

// admit notes who answered; a question is answered once.
func (b *Bank) admit(transaction string, c Customer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, ok := b.asked[transaction]
	if !ok {
		return warifu.NotFound("bank-question-unknown")
	}
	if v.customer != nil {
		return warifu.Conflict("bank-question-answered")
	}
	v.customer = &c
	return nil
}

// readAll reads an uploaded part of at most limit octets.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = warifu.TooLarge("sandbox-request-too-large")
	}
	return data, err
}
