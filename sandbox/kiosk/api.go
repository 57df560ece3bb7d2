package kiosk

import (
	"net/http"

	"warifu/sandbox/doorway"
)

// Routes adds the kiosk's doors to mux: the screens, and the same steps as JSON.
func (k *Kiosk) Routes(mux *http.ServeMux) {
	k.pageRoutes(mux)
	mux.Handle("POST /api/visits", doorway.Take(func(_ *http.Request, in struct{ Medium string }) (any, error) { return k.Begin(in.Medium) }))
	mux.Handle("GET /api/visits/{id}", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) { return k.Visit(r.PathValue("id")) }))
	mux.Handle("POST /api/visits/{id}/touch", doorway.Take(func(r *http.Request, in Touch) (any, error) { return k.Touch(r.Context(), r.PathValue("id"), in) }))
	mux.Handle("POST /api/visits/{id}/choice", doorway.Take(func(r *http.Request, in Choice) (any, error) { return k.Choose(r.PathValue("id"), in) }))
	mux.Handle("POST /api/visits/{id}/coins", doorway.Take(func(r *http.Request, in struct{ Yen int }) (any, error) { return k.Insert(r.PathValue("id"), in.Yen) }))
	mux.Handle("POST /api/visits/{id}/print", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return k.Print(r.Context(), r.PathValue("id"))
	}))
	mux.HandleFunc("GET /api/visits/{id}/paper", func(w http.ResponseWriter, r *http.Request) { k.handOut(w, r.PathValue("id")) })
	mux.Handle("DELETE /api/visits/{id}", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		refund, err := k.Leave(r.PathValue("id"))
		return map[string]int{"refund": refund}, err
	}))
}

// handOut gives the paper out of the tray.
func (k *Kiosk) handOut(w http.ResponseWriter, id string) {
	file, err := k.Paper(id)
	if err != nil {
		doorway.Refuse(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", `inline; filename="paper.pdf"`)
	_, _ = w.Write(file)
}
