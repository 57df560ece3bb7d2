package doorway

import (
	"net"
	"net/http"
	"slices"
	"strings"

	"warifu"
	"warifu/face"
)

// Guard lets a request through only if it names the place by one of the hosts
// (which ends DNS rebinding: a page elsewhere may find the door but not name it)
// and, where a browser sends it, comes from the place's own pages. It sets the
// headers under which nothing foreign runs in those pages.
func Guard(next http.Handler, hosts ...string) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		Refuse(w, warifu.Refused("sandbox-request-foreign"))
	}))
	inner, assets := face.NewAnswers(warifu.SystemClock{}, gone).Within(origin.Handler(next)), face.Assets()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		if !slices.Contains(hosts, r.Host) {
			Refuse(w, warifu.Refused("sandbox-request-host"))
			return
		}
		if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/assets/") {
			assets.ServeHTTP(w, r)
			return
		}
		face.Remember(w, r)
		inner.ServeHTTP(w, r)
	})
}

var gonePage = Template(`{{define "width"}}reading{{end}}{{define "body"}}<p><a class="button quiet" href="/">{{.T "face.problem.home"}}</a></p>{{end}}`)

// gone tells whoever asks for what a form was once answered with that it is not kept any more.
func gone(w http.ResponseWriter, r *http.Request) {
	Show(w, r, gonePage, "face.problem.title", nil, warifu.NotFound("answer-gone"))
}

// LoopbackHosts are the names by which a listener on loopback is called.
func LoopbackHosts(addr net.Addr) []string {
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return []string{addr.String()}
	}
	return []string{"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port}
}
