package portal

import (
	"net/http"

	"warifu"
	"warifu/sandbox/book"
	"warifu/sandbox/doorway"
	"warifu/sandbox/folder"
	"warifu/sandbox/visitor"
	"warifu/scheme"
)

// ClientID is the portal's name at the provider and at the verification service.
const ClientID = "warifu-sandbox-portal"

// Bounds of what the portal keeps.
const (
	maxApplications = 100_000
	maxPeople       = 100_000
)

// Config is what a portal needs.
type Config struct {
	Origin   string // "http://127.0.0.1:8408"
	Provider visitor.Signer
	JWKS     []byte // its public keys
	Checks   visitor.Checks
	Scheme   *scheme.Scheme
	Clock    warifu.Clock
	Outside  warifu.Clock // what the provider's tokens carry the time of; nil: Clock
	// Where applications are kept, and who the people are.
	Applications, People folder.Folder
	// Where else a person is sent; empty where it does not stand.
	Tax, Desk string
}

// Portal answers at port 8408.
type Portal struct {
	config       Config
	visitors     *visitor.Visitors
	applications *book.Book[Application]
	people       *book.Book[Person]
}

// New opens the portal.
func New(c Config) *Portal {
	p := &Portal{config: c, applications: book.Open[Application](c.Applications, maxApplications), people: book.Open[Person](c.People, maxPeople)}
	p.visitors = visitor.New(visitor.Config{
		Name: "portal", Origin: c.Origin, Provider: c.Provider, JWKS: c.JWKS, Clock: c.Clock, Outside: c.Outside, Arrived: p.arrived, Page: p.problem,
	})
	return p
}

// Routes adds the portal's doors to mux.
func (p *Portal) Routes(mux *http.ServeMux) {
	p.visitors.Routes(mux)
	mux.HandleFunc("GET /{$}", p.front)
	mux.HandleFunc("GET /records", p.recordsPage)
	mux.HandleFunc("GET /procedures", p.searchPage)
	mux.HandleFunc("GET /procedures/{id}", p.formPage)
	mux.HandleFunc("POST /applications", p.applyByForm)
	mux.HandleFunc("GET /applications", p.listPage)
	mux.HandleFunc("GET /applications/{id}", p.applicationPage)
	mux.HandleFunc("GET /applications/{id}/sign", p.signPage)

	mux.Handle("GET /api/procedures", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return Search(r.URL.Query().Get("words"), r.URL.Query().Get("town"))
	}))
	mux.Handle("GET /api/towns", doorway.JSON(func(http.ResponseWriter, *http.Request) (any, error) { return Towns(), nil }))
	mux.Handle("GET /api/records", p.own(func(_ http.ResponseWriter, _ *http.Request, who visitor.Visitor) (any, error) {
		return p.records(who)
	}))
	mux.Handle("GET /api/applications", p.own(func(_ http.ResponseWriter, _ *http.Request, who visitor.Visitor) (any, error) {
		return p.of(who.Subject)
	}))
	mux.Handle("POST /api/applications", p.own(func(w http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error) {
		var in Wish
		if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
			return nil, err
		}
		return p.apply(who, in)
	}))
	mux.Handle("GET /api/applications/{id}", p.own(func(_ http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error) {
		return p.one(who.Subject, r.PathValue("id"))
	}))
	mux.Handle("POST /api/applications/{id}/sign", p.own(func(w http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error) {
		address, err := p.sign(w, r, who, r.PathValue("id"))
		return map[string]string{"address": address}, err
	}))
}

// own is a door of the API for who is logged in.
func (p *Portal) own(f func(w http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error)) http.Handler {
	return doorway.JSON(func(w http.ResponseWriter, r *http.Request) (any, error) {
		who, err := p.current(r)
		if err != nil {
			return nil, err
		}
		return f(w, r, who)
	})
}
