package phones

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"warifu"
	"warifu/sandbox/doorway"
	"warifu/text"
)

// An event is a word to every open screen of one phone, over GET /phones/{id}/events
// (server-sent events). Its data is JSON: text, the sentence in the screen's language; to, an
// address at this place; done and all, of progress. The names are
//
//	notice    something to know (R42): the screen shows a bubble with the sentence and a way there
//	prompt    somebody asks something now: likewise, told at once to who cannot see
//	progress  what is under way has come further
//	moved     what the screen waited for has happened: a screen that waits goes on to that address
//
// A screen that subscribes with ?waits=1 when nothing is under way (any more) is told so at
// once by moved, so that nothing is missed between the page and its stream.
type event struct {
	Name      string
	Key       string // of the catalogue; empty: no sentence
	Params    map[string]string
	Done, All int
	To        string
}

// Bounds of a phone's stream.
const (
	maxScreens  = 32 // open at once on one phone
	waitingFor  = 64 // events that a slow screen may lag behind
	streamPulse = 15 * time.Second
)

// hub hands events to a phone's open screens.
type hub struct {
	mu   sync.Mutex
	all  map[chan event]bool
	stop context.CancelFunc // of who listens to the server's notices meanwhile
}

// publish tells every open screen; one that lags too far misses it.
func (h *hub) publish(e event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.all {
		select {
		case c <- e:
		default:
		}
	}
}

// join adds a screen, and has listen run while there is any.
func (h *hub) join(listen func(context.Context)) (chan event, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.all) >= maxScreens {
		return nil, warifu.TooMany("app-screens-too-many")
	}
	if h.all == nil {
		h.all = map[chan event]bool{}
	}
	if len(h.all) == 0 {
		var ctx context.Context
		ctx, h.stop = context.WithCancel(context.Background())
		go listen(ctx)
	}
	c := make(chan event, waitingFor)
	h.all[c] = true
	return c, nil
}

func (h *hub) leave(c chan event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.all, c)
	if len(h.all) == 0 {
		h.stop()
	}
}

// events is the stream of one open screen.
func (p *Phones) events(w http.ResponseWriter, r *http.Request) {
	o, err := p.find(r.PathValue("id"))
	if err != nil {
		doorway.Refuse(w, err)
		return
	}
	c, err := o.hub.join(func(ctx context.Context) { p.listen(ctx, o) })
	if err != nil {
		doorway.Refuse(w, err)
		return
	}
	defer o.hub.leave(c)
	if r.FormValue("waits") == "" {
		go p.missed(r.Context(), o, c)
	}
	out := http.NewResponseController(w)
	_ = out.SetWriteDeadline(time.Time{}) // a stream has no end of its own
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	lang := doorway.Lang(r)
	if r.FormValue("waits") != "" && !o.hand.busy() {
		c <- event{Name: "moved"}
	}
	if to := p.prompts.of(o.handset.ID, p.config.Clock.Now()); to != "" { // it came while no screen was open
		c <- promptEvent(to)
	}
	_, _ = fmt.Fprint(w, ": here\n\n")
	pulse := time.NewTicker(streamPulse)
	defer pulse.Stop()
	for out.Flush() == nil {
		select {
		case <-r.Context().Done():
			return
		case <-pulse.C:
			_, err = fmt.Fprint(w, ":\n\n")
		case e := <-c:
			err = e.write(w, lang)
		}
		if err != nil {
			return
		}
	}
}

func (e event) write(w http.ResponseWriter, lang text.Lang) error {
	data := struct {
		Text string `json:"text,omitempty"`
		Done int    `json:"done,omitempty"`
		All  int    `json:"all,omitempty"`
		To   string `json:"to,omitempty"`
	}{Done: e.Done, All: e.All, To: e.To}
	if e.Key != "" {
		data.Text = text.Sentence(e.Key, lang, e.Params)
	}
	b, err := json.Marshal(data)
	if err == nil {
		_, err = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", e.Name, b)
	}
	return err
}

// listen hears the server's notices for the phone (R42) while one of its screens is open, and
// shows them unless its holder does not allow that (R43). A notice carries an application's
// identifier alone; what has become of it is asked.
func (p *Phones) listen(ctx context.Context, o *owned) {
	again := time.NewTicker(2 * time.Second)
	defer again.Stop()
	for ctx.Err() == nil {
		_ = o.app.Notices(ctx, nil, func(application string) { p.notice(ctx, o, application) })
		select {
		case <-ctx.Done():
		case <-again.C:
		}
	}
}

func (p *Phones) notice(ctx context.Context, o *owned, application string) {
	if state, err := o.app.State(); err != nil || state.Quiet {
		return
	}
	a, err := p.config.Server.Application(ctx, application)
	if err != nil {
		a.State = "" // there is news all the same
	}
	o.hub.publish(noticeOf(o, a.State))
}

// noticeOf is the notice of what became of an application.
func noticeOf(o *owned, state warifu.ApplicationState) event {
	e := event{Name: "notice", Key: "app.notice.other", To: "/phones/" + o.handset.ID + "/application"}
	switch state {
	case warifu.ApplicationIssued:
		e.Key, e.To = "app.notice.issued", "/phones/"+o.handset.ID+"/register"
	case warifu.ApplicationRejected:
		e.Key = "app.notice.rejected"
	}
	return e
}

// missed tells a screen that opens what came while none was open, or while one screen followed
// another: certificates that wait to be registered.
func (p *Phones) missed(ctx context.Context, o *owned, screen chan<- event) {
	state, err := o.app.State()
	if err != nil || state.Quiet || state.Application == "" || state.Personalized {
		return
	}
	a, err := p.config.Server.Application(ctx, state.Application)
	if err != nil || a.State != warifu.ApplicationIssued || a.Held {
		return
	}
	select {
	case screen <- noticeOf(o, a.State):
	default: // it lags behind, and is told enough
	}
}
