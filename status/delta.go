package status

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"warifu"
	"warifu/crl"
)

// maxChanged is after how many changed certificates a new base is better than a
// longer delta.
const maxChanged = 100_000

// sequel is what happened since a base was made. It follows the status feed from
// the base on, so that a round reads only what is new.
type sequel struct {
	base crl.Head
	// settled is the feed's head in the snapshot that the base was made of. The feed is
	// followed from the number told with the base's own, which may be a little less:
	// whatever full list bears a greater number than the base tells all up to there.
	settled  int64
	held     map[string]struct{} // what the base lists as held, by serial number
	position int64               // of the feed: everything up to here is in changed
	changed  map[string]changed
}

// changed is a certificate's newest status, and whether it may stand on the base or
// on a full list made since: only then need its return be told.
type changed struct {
	record warifu.StatusRecord
	listed bool
}

// round is the making of one pair of lists.
type round struct {
	publisher *Publisher
	at        time.Time

	settled int64
	held    map[string]struct{}
	ended   []warifu.StatusRecord // on the base, and expired too long to be on this list
	changes []Change
	reached int64
	broken  bool // the feed does not continue where the sequel stopped
}

var errGap = errors.New("status: the feed has a gap")

// read takes from one snapshot the entries of the full list, which it hands to add,
// and what the delta needs.
func (r *round) read(s Snapshot, add func(warifu.StatusRecord) error) (err error) {
	if r.settled, err = s.Head(); err != nil {
		return err
	}
	if err := s.Revoked(func(record warifu.StatusRecord) error { return r.enter(record, add) }); err != nil {
		return err
	}
	if r.publisher.Freshest == "" || r.publisher.sequel == nil {
		return nil
	}
	r.reached = r.publisher.sequel.position
	err = s.Changes(r.reached, r.note)
	if r.broken = errors.Is(err, errGap) || (err == nil && r.reached != r.settled); r.broken {
		return nil
	}
	return err
}

func (r *round) enter(record warifu.StatusRecord, add func(warifu.StatusRecord) error) error {
	p := r.publisher
	if !p.lists(record, r.at) {
		if p.sequel != nil && p.lists(record, p.sequel.base.ThisUpdate) {
			r.ended = append(r.ended, record)
		}
		return nil
	}
	if p.Freshest != "" && record.Status.Reason == warifu.ReasonCertificateHold {
		r.held[string(record.Serial)] = struct{}{}
	}
	return add(record)
}

// lists reports whether a list of that instant still names a revoked certificate: at
// least one list must, beyond the certificate's end (RFC 5280 §3.3).
func (p *Publisher) lists(r warifu.StatusRecord, at time.Time) bool {
	return r.NotAfter.IsZero() || !r.NotAfter.Add(p.Life).Before(at)
}

func (r *round) note(c Change) error {
	if c.Number != r.reached+1 {
		return errGap
	}
	r.reached = c.Number
	if c.Record.Kind == r.publisher.kind {
		r.changes = append(r.changes, c)
	}
	return nil
}

// follow makes the delta that belongs to the full list of head, nil where nothing
// stands before that list, and renews the base when it is due. feed is the head of the
// feed that was told with the list's number.
func (p *Publisher) follow(ctx context.Context, r *round, head crl.Head, feed int64) (delta *document, err error) {
	if r.broken { // a database that was put back, say: what is known of the past is not its past
		p.sequel = nil
	}
	if s := p.sequel; s != nil {
		s.extend(r)
		of := head
		of.Base, of.Freshest, of.NextUpdate = s.base.Number, "", head.ThisUpdate.Add(p.DeltaLife)
		list := p.draft(of)
		if err = p.deltaRecords(r)(list.Add); err != nil {
			return nil, err
		}
		if delta, err = p.document(ctx, list); err != nil {
			return nil, err
		}
		if r.at.Sub(s.base.ThisUpdate) < p.BaseAge && len(s.changed) <= maxChanged {
			return delta, nil
		}
	}
	p.sequel = &sequel{base: head, settled: r.settled, held: r.held, position: min(feed, r.settled), changed: map[string]changed{}}
	return delta, nil
}

// extend takes in what a round has read.
func (s *sequel) extend(r *round) {
	for _, c := range r.changes {
		serial := string(c.Record.Serial)
		_, held := s.held[serial]
		s.changed[serial] = changed{
			record: c.Record,
			// A change no later than the base's snapshot may have ended a hold that another
			// server's list of about the same moment still shows.
			listed: held || s.changed[serial].listed || c.Record.Status.Cert == warifu.StatusRevoked || c.Number <= s.settled,
		}
	}
	s.position = r.reached
}

// deltaRecords is the content of a delta (RFC 5280 §5.2.4): what is revoked or held
// and was not, or was so otherwise; what is so no longer; and what has been expired
// so long that the full list of the same moment does not name it any more.
func (p *Publisher) deltaRecords(r *round) crl.Records {
	removed := func(record warifu.StatusRecord) warifu.StatusRecord {
		record.Status = warifu.Status{Cert: warifu.StatusGood}
		return record
	}
	return func(add func(warifu.StatusRecord) error) error {
		entries := map[string]warifu.StatusRecord{}
		for serial, c := range p.sequel.changed {
			switch {
			case c.record.Status.Cert == warifu.StatusRevoked:
				if p.lists(c.record, r.at) {
					entries[serial] = c.record
				}
			case c.listed:
				entries[serial] = removed(c.record)
			}
		}
		for _, record := range r.ended {
			entries[string(record.Serial)] = removed(record)
		}
		for _, serial := range slices.Sorted(maps.Keys(entries)) {
			if err := add(entries[serial]); err != nil {
				return err
			}
		}
		return nil
	}
}
