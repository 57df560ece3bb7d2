package bureau

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"

	"warifu/events"
	"warifu/sandbox/folder"
)

// outbox is the bureau's log of events: each one a file named by its number, sealed
// once, so that every follower sees the same octets for ever. A change of a card carries
// its event in the card's own file (record.Outbox); the event gets its number, on the
// disk, before anybody sees the change. Who is killed between the two finds the event in
// the card's file at the next opening, and its name in the log tells whether it was
// numbered already.
type outbox struct {
	folder folder.Folder
	mu     sync.Mutex
	log    []sealed // log[n] has the number n+1
	known  map[string]bool
	news   chan struct{} // closed when an event is added
}

// posting is an event on its way into the log.
type posting struct {
	ID    string       `json:"id"`    // no other event has it
	Event events.Event `json:"event"` // its number is still 0
}

// sealed is one file of the log.
type sealed struct {
	ID       string `json:"id"`
	Envelope []byte `json:"envelope"`
}

func eventName(number int64) string { return fmt.Sprintf("%012d", number) }

// openEvents reads the log; a number that is missing is damage, since followers have
// been promised that none is.
func (b *Bureau) openEvents(root folder.Folder) (err error) {
	o := &outbox{known: map[string]bool{}, news: make(chan struct{})}
	if o.folder, err = root.Sub("events"); err != nil {
		return err
	}
	names, err := o.folder.Names(".json")
	if err != nil {
		return err
	}
	for i, name := range names {
		var s sealed
		if _, err := o.folder.ReadJSON(name+".json", &s); err != nil {
			return err
		}
		if e, err := events.Open(s.Envelope, b.StatementKey()); err != nil || e.Sequence != int64(i)+1 || name != eventName(e.Sequence) {
			return damaged(name + ".json").With(err)
		}
		o.log, o.known[s.ID] = append(o.log, s), true
	}
	b.outbox = o
	return nil
}

// post gives an event the next number and writes it down; once it is there it stays
// as it is, and posting it again does nothing.
func (b *Bureau) post(p posting) error {
	o := b.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known[p.ID] {
		return nil
	}
	e := p.Event
	e.Sequence = int64(len(o.log)) + 1
	envelope, err := events.Seal(e, b.statement)
	if err != nil {
		return err
	}
	s := sealed{p.ID, envelope}
	if err := o.folder.WriteJSON(eventName(e.Sequence)+".json", s); err != nil {
		return err
	}
	o.log, o.known[p.ID] = append(o.log, s), true
	close(o.news)
	o.news = make(chan struct{})
	return nil
}

// told reports whether the event of that name is in the log.
func (b *Bureau) told(id string) bool {
	b.outbox.mu.Lock()
	defer b.outbox.mu.Unlock()
	return b.outbox.known[id]
}

// Events returns the events after a number, at most limit of them and never more than
// events.MaxBatch; what the clock has brought meanwhile is among them. A limit below one
// means as many as may be.
func (b *Bureau) Events(after int64, limit int) (events.Batch, error) {
	if _, err := b.Advance(); err != nil {
		return events.Batch{}, err
	}
	batch, _ := b.batch(after, limit)
	return batch, nil
}

// batch is Events without asking the clock, and the channel that is closed by the next event.
func (b *Bureau) batch(after int64, limit int) (events.Batch, <-chan struct{}) {
	if limit < 1 || limit > events.MaxBatch {
		limit = events.MaxBatch
	}
	o := b.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	newest := int64(len(o.log))
	out := events.Batch{Events: [][]byte{}, Newest: newest}
	first := min(max(after, 0), newest)
	for _, s := range o.log[first:min(first+int64(limit), newest)] {
		out.Events = append(out.Events, s.Envelope)
	}
	return out, o.news
}

// telling returns the record with an event about its person and some of its certificates.
func (b *Bureau) telling(h *holder, r *record, e events.Event, about []*certificate) (*record, error) {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return nil, err
	}
	n := *r
	n.Outbox = &posting{hex.EncodeToString(id), b.about(h, e, about)}
	return &n, nil
}

// about fills in who and what an event is about.
func (b *Bureau) about(h *holder, e events.Event, about []*certificate) events.Event {
	e.Person = b.handle(h.id)
	for _, c := range about {
		e.Certificates = append(e.Certificates, events.Certificate{Kind: c.Kind, Serial: c.serial()})
	}
	return e
}
