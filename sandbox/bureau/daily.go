package bureau

import (
	"encoding/hex"

	"warifu"
	"warifu/events"
	"warifu/sandbox/person"
)

// Advance tells what the clock alone has brought since it was last asked: certificates
// whose day has come, and persons who have turned fifteen. It returns how many events
// that made. It may be called at any time and as often as one likes; a pull calls it too.
func (b *Bureau) Advance() (int, error) {
	told := 0
	for _, id := range b.ids() {
		h, err := b.find(id)
		if err != nil {
			return told, err
		}
		n, err := b.advance(h)
		told += n
		if err != nil {
			return told, err
		}
	}
	return told, nil
}

// advance does it for one person. The names of these events say what they are about, so
// that none is told twice.
func (b *Bureau) advance(h *holder) (int, error) {
	due, err := b.dueOf(h)
	if err != nil {
		return 0, err
	}
	told := 0
	for _, p := range due {
		if b.told(p.ID) {
			continue
		}
		if err := b.post(p); err != nil {
			return told, err
		}
		told++
	}
	return told, nil
}

// dueOf lists what the clock has brought to one person so far.
func (b *Bureau) dueOf(h *holder) ([]posting, error) {
	r, now := h.now.Load(), b.config.Clock.Now()
	p, err := h.person()
	if err != nil || (r != nil && !r.Died.IsZero()) {
		return nil, err
	}
	var due []posting
	if !p.MaySign(p.CertificatesIssued) && p.MaySign(now) {
		e := events.Event{Type: events.Turned15, At: person.DateOf(p.Birth).AddDate(person.SigningAge, 0, 0)}
		due = append(due, posting{"turned-15-" + h.id, b.about(h, e, nil)})
	}
	if r == nil {
		return due, nil
	}
	for _, c := range r.onChip() {
		if !c.final() && now.After(c.parsed.NotAfter) {
			e := events.Event{Type: events.Expired, At: c.parsed.NotAfter}
			due = append(due, posting{"expired-" + c.Kind.String() + "-" + hex.EncodeToString(c.serial()), b.about(h, e, []*certificate{c})})
		}
	}
	return due, nil
}

func damaged(file string) *warifu.Error { return warifu.Unavailable("world-damaged", "file", file) }
