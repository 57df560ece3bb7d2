package web

import (
	"io"
	"mime"
	"net/http"

	"warifu"
	"warifu/timestamp"
)

// Timestamper answers a TimeStampReq of RFC 3161 with a TimeStampResp, both DER; a
// request that it does not like is answered too.
type Timestamper interface {
	Answer(request []byte) []byte
}

// Timestamps is what the site publishes of the time-stamping authority.
type Timestamps struct {
	Certificate []byte // of the root, DER; at /ca/timestamp.cer
	Authority   Timestamper
}

// timestamps serves POST /tsa (RFC 3161 §3.4).
func (s *site) timestamps(mux *http.ServeMux) {
	if s.Timestamps == nil {
		return
	}
	mux.HandleFunc("POST /tsa", func(w http.ResponseWriter, r *http.Request) {
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/timestamp-query" {
			w.Header().Set("Accept-Post", "application/timestamp-query")
			s.refuse(w, r, "timestamp", warifu.Invalid("timestamp-malformed", "what", "Content-Type"))
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, timestamp.MaxRequest+1)) // one octet too many is refused as one
		if err != nil {
			s.refuse(w, r, "timestamp", warifu.Invalid("timestamp-malformed", "what", "body").With(err))
			return
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(s.Timestamps.Authority.Answer(body))
	})
}

func (s *site) refuse(w http.ResponseWriter, r *http.Request, operation string, err error) {
	s.refused(r.Context(), operation, err)
	writeProblem(w, r, err)
}
