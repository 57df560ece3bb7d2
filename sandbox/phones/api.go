package phones

import (
	"context"
	"net/http"

	"warifu/phone"
	"warifu/sandbox/doorway"
)

// maxSign bounds a document to sign, in base64 and JSON.
const maxSign = phone.MaxDocument/3*4 + doorway.MaxBody

func (p *Phones) apiRoutes(mux *http.ServeMux) {
	mux.Handle("GET /api/phones", doorway.JSON(func(http.ResponseWriter, *http.Request) (any, error) { return p.List(), nil }))
	mux.Handle("POST /api/phones", doorway.JSON(p.buy))
	mux.Handle("GET /api/phones/{id}", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return p.View(r.Context(), r.PathValue("id"))
	}))
	mux.Handle("GET /api/phones/{id}/status", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return p.Status(r.Context(), r.PathValue("id"))
	}))
	mux.Handle("GET /api/phones/{id}/terms", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return p.Terms(r.Context(), r.PathValue("id"))
	}))
	mux.Handle("POST /api/phones/{id}/apply", step(p.Apply, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/personalize", step(p.Personalize, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/sign", step(p.Sign, maxSign))
	mux.Handle("POST /api/phones/{id}/login", step(p.Login, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/secret", step(p.ChangeSecret, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/unlock", step(quiet(p.ResetSecret), doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/screenlock", step(quiet(p.EnableScreenLock), doorway.MaxBody))
	mux.Handle("DELETE /api/phones/{id}/screenlock", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return done{}, p.DisableScreenLock(r.Context(), r.PathValue("id"))
	}))
	mux.Handle("POST /api/phones/{id}/screenlock/enrolments", step(quiet(p.Enrol), doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/withdrawal", step(func(ctx context.Context, id string, _ done) (done, error) {
		return done{}, p.Withdraw(ctx, id)
	}, doorway.MaxBody))
}

// done is the answer of a step that has nothing to tell but that it went well.
type done struct{}

// quiet gives a step without answer the shape of the others.
func quiet[In any](f func(context.Context, string, In) error) func(context.Context, string, In) (done, error) {
	return func(ctx context.Context, id string, in In) (done, error) { return done{}, f(ctx, id, in) }
}

// step makes a door of a step: JSON in, the step on the phone the path names, JSON out.
func step[In, Out any](f func(context.Context, string, In) (Out, error), limit int64) http.Handler {
	return doorway.JSON(func(w http.ResponseWriter, r *http.Request) (any, error) {
		var in In
		if err := doorway.Read(w, r, limit, &in); err != nil {
			return nil, err
		}
		return f(r.Context(), r.PathValue("id"), in)
	})
}

func (p *Phones) buy(w http.ResponseWriter, r *http.Request) (any, error) {
	var in Buy
	if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
		return nil, err
	}
	return p.Buy(in)
}
