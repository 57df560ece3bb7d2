package server

import (
	"context"

	"warifu"
	"warifu/store"
)

// Certify writes down a credential under the authority's serial number with that index,
// which is in use, and returns its id and the number.
func (s *Server) Certify(ctx context.Context, kind warifu.Kind, index uint64) (id string, serial []byte, err error) {
	serials, err := s.serials(kind)
	if err != nil {
		return "", nil, err
	}
	id, serial = s.store.NewID(), serials.Serial(index)
	of := func(what string) warifu.Digest { return warifu.DigestOf([]byte(what + id)) }
	now := s.clock.Now()
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		err := tx.InsertApplication(store.Application{
			ID: id, Document: of("document"), Person: of("person"), Element: warifu.ElementID{1}, Model: "m", OSBuild: "b",
			Kinds: []warifu.Kind{kind}, Scheme: "badge/1", Consent: "c", SubmittedAt: now, DueAt: now, State: warifu.ApplicationSubmitted,
		})
		if err != nil {
			return err
		}
		return tx.InsertCredential(store.Credential{ID: id, Application: id, Person: of("person"), Element: warifu.ElementID{1}, Kind: kind,
			Serial: serial, PublicKey: of("key"), NotAfter: now.AddDate(1, 0, 0)}, now)
	})
	if err != nil {
		return "", nil, err
	}
	return id, serial, s.Move(ctx, id, warifu.VerbActivate)
}

// Move moves a credential.
func (s *Server) Move(ctx context.Context, id string, verb warifu.Verb) error {
	return s.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.MoveCredential(id, verb, warifu.ReasonKeyCompromise, s.clock.Now()); err != nil {
			return err
		}
		return tx.Audit(store.Line{At: s.clock.Now(), Verb: verb, Subject: id})
	})
}

// Told is what the statuses in memory say, and nobody else.
func (s *Server) Told(ctx context.Context, kind warifu.Kind, serial []byte) (warifu.CertStatus, error) {
	r, _, err := s.statuses.Set(kind).Status(ctx, kind, serial)
	return r.Status.Cert, err
}

// StatusHead is the newest number of the feed in memory.
func (s *Server) StatusHead() int64 { return s.statuses.Head() }

// WriteSnapshots is writeSnapshots for tests.
func (s *Server) WriteSnapshots() error { return s.writeSnapshots() }

// FollowStatuses is one round of following.
func (s *Server) FollowStatuses(ctx context.Context) { s.followStatuses(ctx) }
