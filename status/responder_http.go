package status

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"warifu/ocsp"
)

// ServeHTTP implements http.Handler (RFC 6960 appendix A, RFC 9919 §5): POST with the
// request as body, or GET (and HEAD) with its base64 behind Path. It must be reached with the path as
// it came, not through http.ServeMux, which would redirect a GET whose base64 has two
// slashes in a row to another question.
func (o *Responder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var question []byte
	var err error
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		question, err = o.questionOfPath(r.URL.EscapedPath())
	case http.MethodPost:
		if mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(mediaType) != "application/ocsp-request" {
			http.Error(w, "Content-Type must be application/ocsp-request", http.StatusUnsupportedMediaType)
			return
		}
		question, err = io.ReadAll(http.MaxBytesReader(w, r.Body, ocsp.MaxRequest+1))
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, "ask by GET or POST", http.StatusMethodNotAllowed)
		return
	}
	if err != nil {
		o.count(ocsp.MalformedRequest.String())
		writeRefusal(w, ocsp.MalformedRequest)
		return
	}
	a, refusal := o.answer(r.Context(), question, nil)
	if refusal != ocsp.Successful {
		writeRefusal(w, refusal)
		return
	}
	a.write(w, r)
}

// questionOfPath decodes the base64 behind Path: '+' and '/' may stand as they are
// or percent-escaped.
func (o *Responder) questionOfPath(escaped string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(escaped, o.Path+"/")
	if !ok || len(encoded) > 3*ocsp.MaxRequest {
		return nil, errors.New("status: no request in the path")
	}
	plain, err := url.PathUnescape(encoded)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(plain, "\r\n") { // which the decoder would skip
		return nil, errors.New("status: line break in base64")
	}
	return base64.StdEncoding.DecodeString(plain)
}

// writeRefusal sends an error response, which nobody may keep (RFC 9919 §6.2).
func writeRefusal(w http.ResponseWriter, status ocsp.ResponseStatus) {
	w.Header().Set("Content-Type", "application/ocsp-response")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(ocsp.ErrorResponse(status))
}

// write sends the response with the headers of RFC 9919 §5. An answer to a nonce is
// of use to nobody else, one to a POST is not kept by caches anyway, and what is
// unknown now may be in use the next second: the holder who has just personalized a
// phone logs in with it. RFC 9919 §6.2 wants no no-store in a successful answer, so these have a
// max-age of zero.
func (a answered) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/ocsp-response")
	if !a.keep || r.Method == http.MethodPost {
		h.Set("Cache-Control", caching(0))
	} else {
		digest := a.etag()
		tag := `"` + hex.EncodeToString(digest[:]) + `"`
		setCaching(h, tag, a.thisUpdate, a.nextUpdate, a.at)
		if matches(r.Header.Values("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	h.Set("Content-Length", fmt.Sprint(a.length()))
	_, _ = w.Write(a.head)
	_, _ = w.Write(a.tail)
}

// matches reports whether If-None-Match names the tag (RFC 9110 §13.1.2). Times are not
// asked about, two answers may differ within one second.
func matches(given []string, tag string) bool {
	for _, list := range given {
		for one := range strings.SplitSeq(list, ",") {
			if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
				return true
			}
		}
	}
	return false
}

func caching(seconds int) string {
	return fmt.Sprintf("max-age=%d, public, no-transform, must-revalidate", seconds)
}

// mayKeep is how long something may be kept that is over at nextUpdate.
func mayKeep(nextUpdate, now time.Time) time.Duration {
	return max(0, min(MaxAge, nextUpdate.Sub(now))).Truncate(time.Second)
}

// setCaching lets caches keep something true at thisUpdate for MaxAge, but never past
// nextUpdate. Expires says the same as max-age and not nextUpdate, for caches that know nothing else.
func setCaching(h http.Header, tag string, thisUpdate, nextUpdate, now time.Time) {
	keep := mayKeep(nextUpdate, now)
	h.Set("ETag", tag)
	h.Set("Last-Modified", thisUpdate.UTC().Format(http.TimeFormat))
	h.Set("Expires", now.Add(keep).UTC().Format(http.TimeFormat))
	h.Set("Cache-Control", caching(int(keep.Seconds())))
}
