package web

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"warifu"
	"warifu/offline"
)

// maxPackAge is the longest that a cache may keep a pack or a status list: as long as an
// OCSP answer, so that whoever asks for the newest has it within a minute.
const maxPackAge = time.Minute

// withoutALine serves what an authority publishes for those who check without a line:
//
//	/offline/{ca}                          the newest whole pack
//	/offline/{ca}/delta?from=N             what changed since the whole pack of number N
//	/offline/{ca}/status-list              the addresses of the token status lists
//	/offline/{ca}/status-list/{n}          one of them
//	/offline/{ca}/status-list/of/{serial}  where a certificate stands in them
func (s *site) withoutALine(w http.ResponseWriter, r *http.Request, p *offline.Publisher, rest string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		writeProblem(w, r, warifu.Invalid("method-unknown"))
		return
	}
	if p == nil {
		writeProblem(w, r, warifu.NotFound("offline-not-published"))
		return
	}
	number, listed := strings.CutPrefix(rest, "/status-list/")
	serial, of := strings.CutPrefix(number, "of/")
	if listed && of {
		s.listPlace(w, r, p, serial)
		return
	}
	now := p.Current()
	if now == nil || !s.Clock.Now().Before(now.Newest().NextUpdate) {
		writeProblem(w, r, warifu.Unavailable("offline-pack-unavailable"))
		return
	}
	switch {
	case rest == "":
		s.document(w, r, now.Full, "application/cms") // RFC 7193
	case rest == "/delta":
		s.delta(w, r, now)
	case rest == "/status-list":
		s.aggregation(w, r, p, now)
	case listed:
		s.statusList(w, r, now, number)
	default:
		writeProblem(w, r, warifu.NotFound("page-unknown"))
	}
}

// delta answers 204 where nothing newer than the pack that is asked about was made.
func (s *site) delta(w http.ResponseWriter, r *http.Request, now *offline.Published) {
	from, err := strconv.ParseUint(r.URL.Query().Get("from"), 10, 64)
	switch {
	case err != nil:
		writeProblem(w, r, warifu.Invalid("offline-from-malformed"))
	case from != now.Full.Number:
		writeProblem(w, r, warifu.NotFound("offline-delta-absent", "number", strconv.FormatUint(now.Full.Number, 10)))
	case now.Delta == nil:
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
	default:
		s.document(w, r, *now.Delta, "application/cms")
	}
}

// document serves it with its entity tag, conditionally where the request says so.
func (s *site) document(w http.ResponseWriter, r *http.Request, d offline.Document, kind string) {
	now, h := s.Clock.Now(), w.Header()
	keep := max(0, min(maxPackAge, d.NextUpdate.Sub(now))).Truncate(time.Second)
	h.Set("Content-Type", kind)
	h.Set("ETag", d.Tag)
	h.Set("Expires", now.Add(keep).UTC().Format(http.TimeFormat))
	h.Set("Cache-Control", fmt.Sprintf("max-age=%d, public, no-transform, must-revalidate", int(keep.Seconds())))
	http.ServeContent(w, r, "", d.ProducedAt, bytes.NewReader(d.Octets))
}

// aggregation names the lists (draft-ietf-oauth-status-list §9).
func (s *site) aggregation(w http.ResponseWriter, r *http.Request, p *offline.Publisher, now *offline.Published) {
	lists := []string{}
	for _, l := range now.Lists {
		lists = append(lists, p.StatusLists+"/"+strconv.FormatUint(l.Number, 10))
	}
	s.facts(w, r, map[string][]string{"status_lists": lists})
}

func (s *site) statusList(w http.ResponseWriter, r *http.Request, now *offline.Published, number string) {
	at := slices.IndexFunc(now.Lists, func(l offline.Document) bool { return strconv.FormatUint(l.Number, 10) == number })
	if at < 0 {
		writeProblem(w, r, warifu.NotFound("page-unknown"))
		return
	}
	s.document(w, r, now.Lists[at], "application/statuslist+jwt")
}

// listPlace tells where a certificate stands, as the status claim would that an X.509
// certificate has no place for (§6.1). It looks nothing up: the place is in the number.
func (s *site) listPlace(w http.ResponseWriter, r *http.Request, p *offline.Publisher, serial string) {
	octets, err := hex.DecodeString(serial)
	if err != nil || len(octets) > 20 { // RFC 5280 §4.1.2.2
		writeProblem(w, r, warifu.Invalid("offline-serial-malformed"))
		return
	}
	list, index, ours := p.ListPlace(octets)
	if !ours {
		writeProblem(w, r, warifu.NotFound("offline-serial-foreign"))
		return
	}
	type place struct {
		Index uint64 `json:"idx"`
		URI   string `json:"uri"`
	}
	s.facts(w, r, map[string]map[string]place{"status": {"status_list": {index, p.StatusLists + "/" + strconv.FormatUint(list, 10)}}})
}

func (s *site) facts(w http.ResponseWriter, _ *http.Request, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v)
}
