package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"warifu"
	"warifu/notify"
	"warifu/registration"
)

const noticesPrefix = "/api/v1/notices/"

// endless takes the read deadline off a request whose answer may take hours: when
// it passes, net/http would end the request.
func endless(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // not every writer has one
		next.ServeHTTP(w, r)
	})
}

func (s *site) notices(mux *http.ServeMux) {
	handler := s.Notices.Handler(noticesPrefix, writeProblem)
	mux.Handle(noticesPrefix, endless(handler))
	mux.Handle("POST "+noticesPrefix+"{element}/push", s.askedByChip(handler))
}

// askedByChip lets a push subscription pass that the chip itself asked for, in "Authorization:
// Device …": a phone has one, and a stranger who knows the element's identifier would else
// put theirs in its place, so that the holder is not woken when another phone takes over.
func (s *site) askedByChip(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, notify.MaxSubscription))
		var over *http.MaxBytesError
		switch {
		case errors.As(err, &over):
			err = warifu.TooLarge("subscription-too-large")
		case err != nil:
			err = warifu.Invalid("subscription-invalid", "field", "body").With(err)
		default:
			var element warifu.ElementID
			var request []byte
			if element, request, err = (phoneRequest{r.PathValue("element"), r.Header.Get("Authorization")}).open(); err == nil {
				err = s.Registration.ByChip(r.Context(), element, request, registration.PurposePush, warifu.DigestOf(body).String())
			}
		}
		if err != nil {
			s.refused(r.Context(), "push-subscription", err)
			writeProblem(w, r, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}
