package notify

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"warifu"
)

// Handler answers under a prefix such as "/api/v1/notices/", which it expects in the path:
//
//	GET  {prefix}{element}/events  server-sent events; each event's data is an application's identifier
//	POST {prefix}{element}/push    a push subscription, PushSubscription.toJSON(); 204
//	GET  {prefix}key               {"key": the application server key to subscribe with}
//
// problem writes an error the way the rest of the site does (RFC 9457). Without web
// push the last two are NotFound "push-off".
func (n *Notifier) Handler(prefix string, problem func(http.ResponseWriter, *http.Request, error)) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(http.ResponseWriter, *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := f(w, r); err != nil {
				problem(w, r, err)
			}
		})
	}
	handle("GET "+prefix+"{element}/events", n.events)
	handle("POST "+prefix+"{element}/push", n.subscribe)
	handle("GET "+prefix+"key", n.key)
	handle(prefix, func(http.ResponseWriter, *http.Request) error { return warifu.NotFound("notices-path-unknown") })
	return mux
}

func (n *Notifier) events(w http.ResponseWriter, r *http.Request) error {
	element, err := warifu.ParseElementID(r.PathValue("element"))
	if err != nil {
		return err
	}
	return n.hub.serveEvents(w, r, element)
}

func (n *Notifier) subscribe(w http.ResponseWriter, r *http.Request) error {
	element, err := warifu.ParseElementID(r.PathValue("element"))
	if err != nil {
		return err
	}
	if n.push == nil {
		return warifu.NotFound("push-off")
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return warifu.Invalid("subscription-invalid", "field", "content-type")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxSubscription))
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return warifu.TooLarge("subscription-too-large")
	}
	if err != nil {
		return warifu.Invalid("subscription-invalid", "field", "body").With(err)
	}
	if err := n.push.Subscribe(r.Context(), element, body); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (n *Notifier) key(w http.ResponseWriter, _ *http.Request) error {
	if n.push == nil {
		return warifu.NotFound("push-off")
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]string{"key": n.push.PublicKey()})
}
