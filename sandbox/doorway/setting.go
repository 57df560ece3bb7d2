package doorway

import (
	"context"
	"net/http"
)

type settingKey struct{}

// Setting gives every page below next the address at which a person says that their phone is
// lost (R76): two taps from wherever they are, and without a login.
func Setting(next http.Handler, lost string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), settingKey{}, lost)))
	})
}

// lostOf is the address that Setting gave; empty where nobody did.
func lostOf(r *http.Request) string {
	lost, _ := r.Context().Value(settingKey{}).(string)
	return lost
}
