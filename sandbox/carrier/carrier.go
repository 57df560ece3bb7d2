package carrier

import (
	"net/http"

	"warifu"
	"warifu/sandbox/book"
	"warifu/sandbox/doorway"
	"warifu/sandbox/folder"
	"warifu/sandbox/visitor"
)

// ClientID is the carrier's name at the provider and at the verification service.
const ClientID = "warifu-sandbox-carrier"

// Config is what a carrier needs.
type Config struct {
	Origin   string // "http://127.0.0.1:8409"
	Provider visitor.Signer
	JWKS     []byte // its public keys
	Checks   visitor.Checks
	Clock    warifu.Clock
	Outside  warifu.Clock  // what the provider's tokens carry the time of; nil: Clock
	Folder   folder.Folder // where contracts are kept
}

// Carrier answers at port 8409.
type Carrier struct {
	config    Config
	visitors  *visitor.Visitors
	contracts *book.Book[Contract]
}

// New opens the carrier.
func New(c Config) *Carrier {
	s := &Carrier{config: c, contracts: book.Open[Contract](c.Folder, maxContracts)}
	s.visitors = visitor.New(visitor.Config{
		Name: "carrier", Origin: c.Origin, Provider: c.Provider, JWKS: c.JWKS, Clock: c.Clock, Outside: c.Outside, Arrived: s.arrived, Page: s.problem,
	})
	return s
}

// Routes adds the carrier's doors to mux.
func (c *Carrier) Routes(mux *http.ServeMux) {
	c.visitors.Routes(mux)
	mux.HandleFunc("GET /{$}", c.front)
	mux.HandleFunc("POST /contracts", c.orderByForm)
	mux.HandleFunc("GET /contracts/{id}", c.contractPage)
	mux.HandleFunc("GET /contracts/{id}/contract.pdf", c.file)
	mux.HandleFunc("GET /contracts/{id}/sign", c.signPage)
	mux.HandleFunc("POST /contracts/{id}/check", c.checkByForm)

	mux.Handle("GET /api/plans", doorway.JSON(func(http.ResponseWriter, *http.Request) (any, error) { return Plans, nil }))
	mux.Handle("POST /api/contracts", c.own(func(w http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error) {
		var in Order
		if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
			return nil, err
		}
		return c.order(who, in)
	}))
	mux.Handle("GET /api/contracts", c.own(func(_ http.ResponseWriter, _ *http.Request, who visitor.Visitor) (any, error) {
		return c.of(who.Subject)
	}))
	mux.Handle("GET /api/contracts/{id}", c.own(func(_ http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error) {
		return c.one(who.Subject, r.PathValue("id"))
	}))
	mux.Handle("POST /api/contracts/{id}/sign", c.own(func(w http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error) {
		address, err := c.sign(w, r, who, r.PathValue("id"))
		return map[string]string{"address": address}, err
	}))
	mux.Handle("POST /api/contracts/{id}/check", c.own(func(_ http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error) {
		return c.check(r.Context(), who, r.PathValue("id"))
	}))
}

// own is a door of the API for who is logged in.
func (c *Carrier) own(f func(w http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error)) http.Handler {
	return doorway.JSON(func(w http.ResponseWriter, r *http.Request) (any, error) {
		who, err := c.visitors.Current(r)
		if err != nil {
			return nil, err
		}
		return f(w, r, who)
	})
}
