package cashless

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"warifu"
	"warifu/face"
	"warifu/sandbox/book"
	"warifu/sandbox/doorway"
	"warifu/sandbox/folder"
	"warifu/sandbox/visitor"
	"warifu/text"
)

// ClientID is the service's name at the provider.
const ClientID = "warifu-sandbox-cashless"

// Config is what the service needs.
type Config struct {
	Origin   string // "http://127.0.0.1:8410"
	Provider visitor.Provider
	JWKS     []byte // its public keys
	Clock    warifu.Clock
	Outside  warifu.Clock  // what the provider's tokens carry the time of; nil: Clock
	Folder   folder.Folder // where members are kept
	// Linked asks the bank whether an account is a person's: nil for yes.
	Linked func(ctx context.Context, number, name, birthDate string) error
}

// Cashless answers at port 8410.
type Cashless struct {
	config   Config
	visitors *visitor.Visitors
	members  *book.Book[Member]
}

// New opens the service.
func New(c Config) *Cashless {
	s := &Cashless{config: c, members: book.Open[Member](c.Folder, maxMembers)}
	s.visitors = visitor.New(visitor.Config{
		Name: "cashless", Origin: c.Origin, Provider: c.Provider, JWKS: c.JWKS, Clock: c.Clock, Outside: c.Outside, Arrived: s.arrived, Page: s.problem,
	})
	return s
}

// AskBank is Linked over the sample bank's HTTP door.
func AskBank(bank string) func(ctx context.Context, number, name, birthDate string) error {
	client := doorway.NewClient(bank)
	return func(ctx context.Context, number, name, birthDate string) error {
		return client.Post(ctx, "/api/links", map[string]string{"number": number, "name": name, "birthDate": birthDate}, nil)
	}
}

// View is a member as the page and the API show it.
type View struct {
	Member
	Spent int `json:"spent"` // this month
	Limit int `json:"limit"` // a month, logged in as they are
}

func (c *Cashless) view(who visitor.Visitor, m Member) View {
	now := c.config.Clock.Now()
	m.Payments = slices.Clone(m.Payments)
	slices.Reverse(m.Payments)
	return View{m, m.Spent(now), m.Limit(who.Activation, now)}
}

// Routes adds the service's doors to mux.
func (c *Cashless) Routes(mux *http.ServeMux) {
	c.visitors.Routes(mux)
	mux.HandleFunc("GET /{$}", c.front)
	mux.HandleFunc("POST /join", c.byForm(func(r *http.Request, who visitor.Visitor) (string, error) {
		_, err := c.join(who)
		return "/", err
	}))
	mux.HandleFunc("POST /bank", c.byForm(func(r *http.Request, who visitor.Visitor) (string, error) {
		_, err := c.link(r.Context(), who, Bank{doorway.Plain(r.PostFormValue("number")), r.PostFormValue("holder")})
		return "/", err
	}))
	mux.HandleFunc("POST /payments", c.byForm(func(r *http.Request, who visitor.Visitor) (string, error) {
		yen, err := strconv.Atoi(doorway.Plain(r.PostFormValue("yen")))
		if err != nil {
			return "", warifu.Invalid("cashless-payment-malformed").With(err)
		}
		p, err := c.pay(who, Order{r.PostFormValue("shop"), yen})
		return "/?paid=" + p.ID, err
	}))
	mux.HandleFunc("GET /payments/{id}/confirm", func(w http.ResponseWriter, r *http.Request) {
		c.byForm(func(r *http.Request, who visitor.Visitor) (string, error) {
			return c.confirm(w, r, who, r.PathValue("id"))
		})(w, r)
	})
	mux.Handle("GET /api/member", c.own(func(_ http.ResponseWriter, _ *http.Request, who visitor.Visitor) (any, error) {
		m, err := c.member(who)
		return c.view(who, m), err
	}))
	mux.Handle("POST /api/join", c.own(func(_ http.ResponseWriter, _ *http.Request, who visitor.Visitor) (any, error) {
		m, err := c.join(who)
		return c.view(who, m), err
	}))
	mux.Handle("POST /api/bank", c.own(func(w http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error) {
		var in Bank
		if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
			return nil, err
		}
		m, err := c.link(r.Context(), who, in)
		return c.view(who, m), err
	}))
	mux.Handle("POST /api/payments", c.own(func(w http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error) {
		var in Order
		if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
			return nil, err
		}
		return c.pay(who, in)
	}))
	mux.Handle("POST /api/payments/{id}/confirm", c.own(func(w http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error) {
		address, err := c.confirm(w, r, who, r.PathValue("id"))
		return map[string]string{"address": address}, err
	}))
}

// own is a door of the API for who is logged in.
func (c *Cashless) own(f func(w http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error)) http.Handler {
	return doorway.JSON(func(w http.ResponseWriter, r *http.Request) (any, error) {
		who, err := c.visitors.Current(r)
		if err != nil {
			return nil, err
		}
		return f(w, r, who)
	})
}

// byForm runs a step of a form and goes where it says; what went wrong is shown on the first page.
func (c *Cashless) byForm(step func(r *http.Request, who visitor.Visitor) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
		who, err := c.visitors.Current(r)
		to := ""
		if err == nil {
			to, err = step(r, who)
		}
		if err != nil {
			c.problem(w, r, err)
			return
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	}
}

type seen struct {
	Who    *visitor.Visitor
	Member *View
	Paid   string // the payment just made
	Typed  typed
}

// typed is what was typed into a form that was refused: it is not to be typed again.
type typed struct{ Shop, Yen, Number, Holder string }

// Blames says which field a problem is about.
func (seen) Blames(problem string) string {
	switch problem {
	case "cashless-account-malformed", "bank-link-refused":
		return "number"
	case "cashless-holder-other":
		return "holder"
	case "cashless-payment-malformed", "cashless-limit":
		return "yen"
	}
	return ""
}

// Class says what somebody used.
func (seen) Class(class string, l text.Lang) string { return visitor.ClassWord(class, l) }

// Money writes a sum.
func (seen) Money(yen int) string { return amount(yen) }

// amount writes a sum with commas.
func amount(yen int) string {
	s := strconv.Itoa(yen)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

var frontPage = face.Place("cashless/front")

func (c *Cashless) front(w http.ResponseWriter, r *http.Request) { c.problem(w, r, nil) }

// problem shows the first page, with what went wrong where something did.
func (c *Cashless) problem(w http.ResponseWriter, r *http.Request, problem error) {
	s := seen{Paid: r.URL.Query().Get("paid")}
	if r.Method == http.MethodPost {
		s.Typed = typed{r.PostFormValue("shop"), r.PostFormValue("yen"), r.PostFormValue("number"), r.PostFormValue("holder")}
	}
	if who, err := c.visitors.Current(r); err == nil {
		s.Who = &who
		if m, err := c.member(who); err == nil {
			v := c.view(who, m)
			s.Member = &v
		}
	}
	doorway.Show(w, r, frontPage, "cashless.title", s, problem)
}
