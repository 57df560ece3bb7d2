package doorway

import (
	"net/http"
	"strings"

	"warifu"
)

// Routed answers as a place's routes do, and says in words what none of them does: at an address
// that there is not, and, with 405 and the methods that it answers to, at one that is asked in
// another way. A form's answer whose address is opened by itself leads back to the first page.
func Routed(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		allowed := methodsAt(mux, r)
		switch page := !strings.HasPrefix(r.URL.Path, "/api/"); {
		case page && len(allowed) > 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			gone(w, r)
		case len(allowed) > 0:
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			w.Header().Set("Content-Type", "application/problem+json")
			p := ProblemOf(warifu.Invalid("method-unknown", "allowed", strings.Join(allowed, ", ")))
			p.Status = http.StatusMethodNotAllowed
			write(w, p.Status, p)
		case page:
			Show(w, r, gonePage, "face.problem.title", nil, warifu.NotFound("page-unknown"))
		default:
			Refuse(w, warifu.NotFound("page-unknown"))
		}
	})
}

// methodsAt lists the methods that the request's address answers to.
func methodsAt(mux *http.ServeMux, r *http.Request) (allowed []string) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	return allowed
}
