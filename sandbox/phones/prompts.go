package phones

import (
	"context"
	"sync"
	"time"

	"warifu"
	"warifu/phone"
)

// promptLife is how long a prompt waits for a screen of its phone to be opened. A login that
// is over by then says so itself.
const promptLife = 5 * time.Minute

// prompts are the logins that wait on the phones: the latest of each. The zero value is ready.
type prompts struct {
	mu      sync.Mutex
	waiting map[string]prompt // by phone
}

// prompt is a login that was put before a phone: the address of its screen.
type prompt struct {
	To string
	At time.Time
}

// put has a login wait on a phone.
func (p *prompts) put(id, to string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting == nil {
		p.waiting = map[string]prompt{}
	}
	p.waiting[id] = prompt{to, now}
}

// of is what waits on a phone, for a screen that is opened only now; "" for nothing.
func (p *prompts) of(id string, now time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w, there := p.waiting[id]; there && now.Sub(w.At) < promptLife {
		return w.To
	}
	return ""
}

// answered takes a login off every phone: it waits for nobody any more.
func (p *prompts) answered(to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, w := range p.waiting {
		if w.To == to || w.To == to+"?phone="+id {
			delete(p.waiting, id)
		}
	}
}

// Prompt puts a login before a phone: a screen of it that is open anywhere says so at once,
// and so does one that is opened in the next minutes. Errors: "phone-unknown",
// "approve-link-malformed".
func (p *Phones) Prompt(_ context.Context, id string, in Link) error {
	o, err := p.find(id)
	if err != nil {
		return err
	}
	path := PagePath(in.Link, p.config.Server)
	if path == "" {
		if _, err := phone.ParseLoginLink(in.Link); err != nil {
			return err
		}
		return warifu.Invalid("approve-link-malformed")
	}
	to := "/approve" + path + "?phone=" + id
	p.prompts.put(id, to, p.config.Clock.Now())
	o.hub.publish(promptEvent(to))
	return nil
}

// promptEvent is the word of a login to the open screens of a phone.
func promptEvent(to string) event { return event{Name: "prompt", Key: "my.approve.prompt", To: to} }
