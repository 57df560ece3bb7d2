package clinic

import (
	"net/http"

	"warifu"
	"warifu/sandbox/doorway"
	"warifu/sandbox/insurer"
)

// consented is a yes or a no to each kind of data; one that is left out is neither.
type consented struct {
	Medicine *bool `json:"medicine"`
	Checkups *bool `json:"checkups"`
	HighCost *bool `json:"highCost"`
}

func (c *Clinic) apiRoutes(mux *http.ServeMux) {
	mux.Handle("POST /api/visits", doorway.Take(func(_ *http.Request, in struct{ Medium string }) (any, error) { return c.Begin(in.Medium) }))
	mux.Handle("GET /api/visits/{id}", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) { return c.Visit(r.PathValue("id")) }))
	mux.Handle("POST /api/visits/{id}/touch", doorway.Take(func(r *http.Request, in Touch) (any, error) { return c.Touch(r.Context(), r.PathValue("id"), in) }))
	mux.Handle("POST /api/visits/{id}/consents", doorway.Take(func(r *http.Request, in consented) (any, error) {
		if in.Medicine == nil || in.Checkups == nil || in.HighCost == nil {
			return nil, warifu.Invalid("clinic-consent-open")
		}
		return c.Consent(r.Context(), r.PathValue("id"), insurer.Consents{Medicine: *in.Medicine, Checkups: *in.Checkups, HighCost: *in.HighCost})
	}))
	mux.Handle("DELETE /api/visits/{id}", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return struct{}{}, c.Leave(r.PathValue("id"))
	}))
	mux.Handle("POST /api/line", doorway.Take(func(_ *http.Request, in lineCut) (any, error) {
		c.Cut(in.Cut)
		return in, nil
	}))
}

type lineCut struct {
	Cut bool `json:"cut"`
}
