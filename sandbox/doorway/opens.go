package doorway

import (
	"net/http"
	"strings"
	"time"

	"warifu"
	"warifu/scheme"
)

var closedPage = Template(`{{define "body"}}{{end}}`)

// Opens keeps a service shut until the date its scheme opens it (K6). Before that the API
// refuses and pages say from when; a scheme that does not know the service never opens it.
// title is the key of the service's name as its pages are headed.
func Opens(next http.Handler, s *scheme.Scheme, service, title string, clock warifu.Clock) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := Opening(s, service, clock.Now())
		switch {
		case err == nil:
			next.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/api/"):
			Refuse(w, err)
		default:
			Show(w, r, closedPage, title, nil, err)
		}
	})
}

// Opening refuses where the service is not open at t: Refused "service-not-yet" with the
// date, "service-absent" where the scheme has no such service.
func Opening(s *scheme.Scheme, service string, t time.Time) error {
	opens, known := s.Services[service]
	switch {
	case !known:
		return warifu.Refused("service-absent", "scheme", s.ID())
	case t.Before(opens):
		return warifu.Refused("service-not-yet", "from", opens.In(s.Hours.Zone).Format(time.DateOnly))
	}
	return nil
}
