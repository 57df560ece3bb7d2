package trace

import (
	"net/http"
	"strconv"
	"time"

	"warifu"
	"warifu/sandbox/doorway"
)

// Told is what the API answers.
type Told struct {
	Steps []Step `json:"steps"` // newest first
	Last  int64  `json:"last"`  // the newest entry's number: ask on with ?after= this
}

// Routes adds the trace's doors to the desk's: GET /api/trace?after=N tells what came since,
// and with &wait=1 waits for the next entry; DELETE /api/trace forgets.
func (r *Ring) Routes(mux *http.ServeMux) {
	mux.Handle("GET /api/trace", doorway.JSON(r.told))
	mux.Handle("DELETE /api/trace", doorway.JSON(func(http.ResponseWriter, *http.Request) (any, error) {
		r.Clear()
		return struct{}{}, nil
	}))
}

// longest is how long a question with wait=1 is kept waiting, by real time: less than clients
// have patience for.
const longest = 30 * time.Second

func (r *Ring) told(_ http.ResponseWriter, request *http.Request) (any, error) {
	after := int64(0)
	if given := request.URL.Query().Get("after"); given != "" {
		var err error
		if after, err = strconv.ParseInt(given, 10, 64); err != nil || after < 0 {
			return nil, warifu.Invalid("sandbox-request-malformed")
		}
	}
	news := r.News()
	steps := r.Steps(after)
	if len(steps) == 0 && request.URL.Query().Get("wait") != "" {
		late := time.NewTimer(longest)
		defer late.Stop()
		select {
		case <-late.C:
		case <-news:
			steps = r.Steps(after)
		case <-doorway.Ending(request.Context()):
		case <-request.Context().Done():
		}
	}
	out := Told{steps, after}
	for _, s := range steps {
		out.Last = max(out.Last, s.Entries[len(s.Entries)-1].Number)
	}
	return out, nil
}
