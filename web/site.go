package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"warifu"
	"warifu/catalogue"
	"warifu/console"
	"warifu/face"
	"warifu/offline"
	"warifu/registration"
	"warifu/scheme"
)

// Registration is what the site asks of the registration authority.
type Registration interface {
	Challenge(context.Context, registration.Enquiry) (registration.Challenge, error)
	Apply(context.Context, registration.Submission) (registration.Application, error)
	Application(ctx context.Context, id string) (registration.Application, error)
	Withdraw(ctx context.Context, id string, request []byte) (registration.Application, error)
	OpenSession(ctx context.Context, id string, proof *registration.CardProof) (registration.Exchange, error)
	Exchange(ctx context.Context, session string, responses [][]byte) (registration.Exchange, error)
	Life
	Hotline
}

// Notices answers server-sent events and push subscriptions under a prefix.
type Notices interface {
	Handler(prefix string, problem func(http.ResponseWriter, *http.Request, error)) http.Handler
}

// Authority is what the site publishes of one certification authority.
type Authority struct {
	Certificate []byte             // DER
	OCSP        http.Handler       // answers at /ocsp/{kind}
	CRL         http.Handler       // serves /crl/{kind}.crl
	Delta       http.Handler       // serves /crl/{kind}-delta.crl; nil: there are none
	Parts       []http.Handler     // serve /crl/{kind}/{n}.crl by n; none: there are none
	History     http.Handler       // serves /api/v1/status-history/{kind}/{serial}; nil: nobody does
	Offline     *offline.Publisher // what is served below /offline/{kind}; nil: nothing is
}

// Config is what a site is made of. Every field is required but Proxies, Metrics, Log, and those that may be nil.
type Config struct {
	Origin       string         // scheme://host[:port] under which the site is reached
	Hosts        []string       // Host headers that are answered
	Proxies      []netip.Prefix // whose X-Forwarded-For is believed; none: nobody's
	Scheme       *scheme.Scheme
	Registration Registration
	Follow       Follow       // takes the card bureau's events
	Verification Verification // answers relying parties; nil: there is none, nor the two behind it
	Checked      Checked      // who checked me
	Holders      Holders
	Catalogue    *catalogue.Catalogue
	Authorities  map[warifu.Kind]Authority
	Notices      Notices
	Timestamps   *Timestamps   // nil: there are none
	Clients      Clients       // nil: nobody registers a service here
	Login        *Login        // the OpenID provider's people; nil: there is none
	Signing      Signing       // documents that relying parties want signed; nil: nothing is signed here
	Console      *console.Desk // the operators' pages; nil: there are none
	Overseen     Overseen      // what auditors and registrars look at in the console; nil: nothing
	Metrics      http.Handler
	Refused      func(operation, problem string) // counted
	Forecast     func(due time.Time) (time.Time, bool)
	Ready        func(context.Context) error
	NewID        func() (string, error) // of a submission
	Clock        warifu.Clock
	Log          *slog.Logger
}

type site struct {
	Config
	limits     *limits
	waits      waits
	operations func() []operation // the interface, as the documentation tells it
}

// New builds the site's handler.
func New(c Config) http.Handler {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Refused == nil {
		c.Refused = func(string, string) {}
	}
	s := &site{Config: c, limits: newLimits(c.Clock), waits: waits{by: map[string]int{}}}
	mux := http.NewServeMux()
	api := s.api(mux)
	s.applications(api)
	s.life(api)
	s.hotline(api)
	s.cardEvents(api)
	s.verifications(api, mux)
	s.clients(api)
	s.logins(api, mux)
	s.signing(api)
	s.devices(api, mux)
	s.documentation(api, mux)
	s.docs(mux)
	s.timestamps(mux)
	s.health(mux)
	s.pages(mux)
	s.console(mux)
	s.notices(mux)
	mux.HandleFunc("/", s.unknown(mux))
	answers := face.NewAnswers(s.Clock, func(w http.ResponseWriter, r *http.Request) { s.problemPage(w, r, warifu.NotFound("answer-gone")) })
	return s.guard(answers.Within(s.publicKeyInfrastructure(mux)))
}

func (s *site) api(mux *http.ServeMux) huma.API {
	problemsOnly()
	config := huma.DefaultConfig("Warifu", "1")
	config.Info.Description = "Certificates derived from an identity card, on a phone's secure element: apply, personalize, check. " +
		"Errors are RFC 9457 problems in Japanese and English."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/api/openapi", "", "/api/schemas"
	config.CreateHooks = nil // no schema links in answers
	config.Servers = []*huma.Server{{URL: s.Origin}}
	return humago.New(mux, config)
}

// refused counts and logs a refusal by its slug alone: no value of a request is written down.
func (s *site) refused(ctx context.Context, operation string, err error) {
	e := warifu.ProblemOf(err)
	s.Refused(operation, e.Problem)
	if e.Code == warifu.CodeInternal {
		s.Log.ErrorContext(ctx, "internal error", "operation", operation, "error", err.Error())
		return
	}
	s.Log.DebugContext(ctx, "refused", "operation", operation, "problem", e.Problem)
}

// unknown answers what no route does: a page for people, a problem for programs, and
// 405 where the address is known and the method is not.
func (s *site) unknown(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var err error = warifu.NotFound("page-unknown")
		if allowed := methodsAt(mux, r); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			err = warifu.Invalid("method-unknown", "allowed", strings.Join(allowed, ", "))
		}
		if strings.Contains(r.Header.Get("Accept"), "text/html") {
			s.problemPage(w, r, err)
			return
		}
		writeProblem(w, r, err)
	}
}

// methodsAt lists the methods that the request's address answers to.
func methodsAt(mux *http.ServeMux, r *http.Request) []string {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/" && pattern != "" {
			allowed = append(allowed, method)
		}
	}
	return allowed
}
