package lifetest_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/crl"
	"warifu/events"
	"warifu/internal/housetest"
	"warifu/registration"
)

// mode is how a certification authority behaves.
type mode int

const (
	healthy  mode = iota
	away          // it is not reached
	deaf          // it signs, and its answer is lost
	refusing      // it refuses for good
)

// machine is a house and the plain model beside it.
type machine struct {
	h        *housetest.House
	tally    *tally
	fuse     *fuse
	people   []*person
	phones   []*handset
	apps     []*application
	log      []events.Event // everything the bureau ever said, in order
	papers   [][]byte       // the same, signed
	followed int64          // the number of the last one followed
	drained  time.Time      // when everything due was run last
	down     bool           // the card bureau
	modes    map[warifu.Kind]mode
	full     map[warifu.Kind]*crl.List // held by somebody who fetches deltas
	proofs   []keptProof
	tickets  []keptTicket
	proposal proposal
	steps    int
	drafts   int
}

// everybody is whom a walk draws its people from: ordinary persons, one with five days left,
// one who may renew, one with two years, one about to turn fifteen, one whose card is held.
var everybody = []string{"taro", "hanako", "kaoru", "aoi", "yuki", "kenji", "ren", "mika"}

func newMachine(t *rapid.T, tally *tally, scheme string) *machine {
	m := &machine{tally: tally, h: housetest.New(t, housetest.Options{Scheme: scheme}), modes: map[warifu.Kind]mode{}, full: map[warifu.Kind]*crl.List{}}
	m.fuse = newFuse(t, m.h.DSN)
	names := rapid.Permutation(everybody).Draw(t, "people")
	for _, id := range names[:3] {
		view, err := m.h.Bureau.Show(id)
		must(t, err)
		must(t, m.h.Bureau.Issue(id))
		m.people = append(m.people, &person{id: id, handle: m.h.Handle(t, id), contact: &registration.Contact{
			Reading: view.Person.Kana, BirthDate: view.Person.Birth.In(housetest.Tokyo).Format(time.DateOnly), Telephone: view.Person.Telephone}})
	}
	for range 4 {
		m.phones = append(m.phones, &handset{p: m.h.Phone(t), live: map[warifu.Kind]*slot{}, shadow: map[warifu.Kind]bool{}})
	}
	m.h.Cards.Fault = func(string) error {
		if m.down {
			return housetest.Down("")
		}
		return nil
	}
	for _, kind := range warifu.Kinds {
		m.behave(kind)
	}
	m.listen(t)
	return m
}

// behave lets an authority do as its mode says.
func (m *machine) behave(kind warifu.Kind) {
	m.h.Issuers[kind].Before = func(registration.Evidence) error {
		switch m.modes[kind] {
		case away:
			m.tally.fault("authority away")
			return warifu.Unavailable("signing-failed")
		case refusing:
			m.tally.fault("authority refuses")
			return warifu.Refused("key-not-new")
		}
		return nil
	}
	m.h.Issuers[kind].After = func(_ registration.Evidence, o registration.Outcome) registration.Outcome {
		if m.modes[kind] == deaf && o.Err == nil {
			m.tally.fault("authority's answer lost")
			return registration.Outcome{Err: warifu.Unavailable("ledger-unavailable")}
		}
		return o
	}
}

func must(t housetest.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}

func problem(err error) string {
	if err == nil {
		return ""
	}
	return warifu.ProblemOf(err).Problem
}

func expect(t *rapid.T, what string, err error, want string) {
	t.Helper()
	if problem(err) != want {
		t.Fatalf("%s: got %v, want %q", what, err, want)
	}
}

func (m *machine) saw(what string) { m.tally.saw(what) }

// listen reads what the bureau has said; the clock may have brought something too.
func (m *machine) listen(t *rapid.T) {
	batch, err := m.h.Bureau.Events(int64(len(m.log)), 0)
	must(t, err)
	for _, envelope := range batch.Events {
		e, err := events.Open(envelope, m.h.Bureau.StatementKey())
		must(t, err)
		m.log, m.papers = append(m.log, e), append(m.papers, envelope)
	}
}

// truth is the state of a card's certificate at the bureau, and its end.
func (m *machine) truth(kind warifu.Kind, p parent) (warifu.Status, time.Time) {
	record, found := m.h.Bureau.Status(kind, p.serial)
	if !found {
		return warifu.Status{}, p.notAfter
	}
	return record.Status, p.notAfter
}

// onCard is what a person's card carries now.
func (m *machine) onCard(who *person) map[warifu.Kind]parent {
	view, err := m.h.Bureau.Show(who.id)
	if err != nil {
		panic(err)
	}
	out := map[warifu.Kind]parent{}
	for _, c := range view.Certificates {
		out[c.Kind] = parent{
			serial: c.Certificate.SerialNumber.Bytes(), certificate: warifu.DigestOf(c.Certificate.Raw),
			key: warifu.DigestOf(c.Certificate.RawSubjectPublicKeyInfo), notAfter: c.Certificate.NotAfter,
		}
	}
	return out
}

func secretOf(kind warifu.Kind) string {
	if kind == warifu.Signature {
		return housetest.Secrets.Signature
	}
	return housetest.Secrets.Authentication
}

// pick draws one of a list by its place, so that a failing walk reads well.
func pick[T any](t *rapid.T, of []T, what string) T {
	return of[rapid.IntRange(0, len(of)-1).Draw(t, what)]
}

func (m *machine) who(t *rapid.T) *person { return pick(t, m.people, "person") }

func (m *machine) which(t *rapid.T) *handset { return pick(t, m.phones, "phone") }

func (m *machine) some(t *rapid.T) *application {
	if len(m.apps) == 0 {
		t.Skip("nobody has applied")
	}
	return pick(t, m.apps, "application")
}

// busy draws a phone that carries keys, where there is one.
func (m *machine) busy(t *rapid.T) *handset {
	with := slices.DeleteFunc(slices.Clone(m.phones), func(on *handset) bool { return len(on.live) == 0 })
	if len(with) == 0 {
		t.Skip("no phone carries a key")
	}
	return pick(t, with, "phone")
}

func (m *machine) kindsOf(t *rapid.T) []warifu.Kind {
	return rapid.SampledFrom([][]warifu.Kind{warifu.Kinds[:], warifu.Kinds[:], {warifu.Signature}, {warifu.Authentication}}).Draw(t, "kinds")
}

func one(t *rapid.T, in int, what string) bool { return rapid.IntRange(0, in-1).Draw(t, what) == 0 }

// onPhone draws kinds that lie in a phone's chip.
func onPhone(t *rapid.T, on *handset) []warifu.Kind {
	there := slices.Sorted(maps.Keys(on.live))
	if len(there) > 1 && one(t, 3, "one kind") {
		return []warifu.Kind{rapid.SampledFrom(there).Draw(t, "kind")}
	}
	return there
}

// Trouble.

// attempt is how an operation between a phone or reader and the server went.
type attempt struct {
	err   error
	hurt  bool // something was done to it
	said  []housetest.Exchanged
	fused bool // a transaction may have been cut
	lit   bool // one of those that nobody is told of may have been
}

// did reports whether the server answered a request to such a path with success, whoever
// heard the answer.
func (a attempt) did(path string) bool {
	return slices.ContainsFunc(a.said, func(e housetest.Exchanged) bool {
		return e.Handled && e.Status < 400 && strings.HasSuffix(e.Path, path)
	})
}

// try runs an operation of at most so many exchanges, and now and then has something happen to it.
func (m *machine) try(t *rapid.T, exchanges int, op func(ctx context.Context) error) attempt {
	ctx, giveUp := context.WithCancel(context.Background())
	defer giveUp()
	switch rapid.IntRange(0, 9).Draw(t, "trouble") {
	case 0, 1:
		mishap := rapid.SampledFrom(housetest.Mishaps).Draw(t, "mishap")
		m.h.Wire.Arm(t, mishap, rapid.IntRange(0, exchanges-1).Draw(t, "exchange"), giveUp)
		err := op(ctx)
		said, hit := m.h.Wire.Disarm()
		if hit {
			m.tally.fault("message " + mishap.String())
		}
		return attempt{err: err, hurt: hit, said: said}
	case 2:
		m.fuse.light(t, rapid.IntRange(0, 24).Draw(t, "statement"))
		a := m.quietly(t, op)
		if a.fused = m.fuse.out(t); a.fused || problem(a.err) == "internal" {
			a.hurt = true
			m.tally.fault("transaction cut at a statement")
		}
		return a
	}
	return m.quietly(t, op)
}

func (m *machine) quietly(t *rapid.T, op func(ctx context.Context) error) attempt {
	ctx, giveUp := context.WithCancel(context.Background())
	defer giveUp()
	m.h.Wire.Arm(t, housetest.NoMishap, 0, giveUp)
	err := op(ctx)
	said, _ := m.h.Wire.Disarm()
	return attempt{err: err, said: said}
}

// judgeAttempt holds an attempt against the prediction and reports whether it took effect.
func (a attempt) took(t *rapid.T, what, path, want string) bool {
	t.Helper()
	done := a.did(path)
	switch {
	case want != "" && done:
		t.Fatalf("%s was done, want %q", what, want)
	case want != "" && !a.hurt, want == "" && !a.hurt && a.err != nil:
		expect(t, what, a.err, want)
	case want == "" && !a.hurt && !done:
		t.Fatalf("%s succeeded and nothing was said to the server", what)
	}
	return done
}
