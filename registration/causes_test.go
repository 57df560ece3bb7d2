package registration_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/registration"
	"warifu/store"
)

// flat lists the identifiers of a tree's lines.
func flat(c registration.Cause) []string {
	out := []string{c.ID}
	for _, e := range c.Effects {
		out = append(out, flat(e)...)
	}
	return out
}

// causes are the trees in which a subject stands.
func causes(t *testing.T, h *housetest.House, subject string) []registration.Cause {
	t.Helper()
	out, err := registration.Causes(t.Context(), h.Store, subject)
	must(t, err)
	return out
}

// Everything that became of a person's credentials and open application because of one
// thing that happened to the card (K14) is one tree, found from any of them, whether the
// event told of it or a sweep found it.
func TestEachCascadeIsOneTreeOfCauses(t *testing.T) {
	all := append(slices.Clone(cases), cases[0])
	expired := &all[len(all)-1]
	expired.name, expired.happens = "expired", func(t *testing.T, h *housetest.House) {
		t.Helper()
		v, err := h.Bureau.Show(who)
		must(t, err)
		h.Clock.To(v.Certificates[0].Certificate.NotAfter.Add(time.Second))
	}
	for _, c := range all {
		for _, by := range []string{"follow", "sweep"} {
			t.Run(c.name+", "+by, func(t *testing.T) {
				h := housetest.New(t, housetest.Options{})
				a := h.Phone(t).Own(t, who)
				if c.name == "expired" { // so that the application is still open then
					h.Clock.To(credentials(t, h, a.ID)[0].NotAfter.Add(-time.Hour))
				}
				next := h.Phone(t).Issue(t, who)
				for _, f := range c.before {
					f(t, h)
					catchUp(t, h)
				}
				_, last := linesAfter(t, h, "")
				h.Clock.Forward(time.Minute)
				c.happens(t, h)
				if by == "follow" {
					catchUp(t, h)
				} else {
					sweep(t, h)
				}
				lines, _ := linesAfter(t, h, last)
				roots := wantTrees(t, h, lines, by)
				if want := map[bool]int{false: 1, true: 2}[c.name == "expired" && by == "follow"]; len(roots) != want { // the two certificates' days are two events
					t.Errorf("%d trees, want %d", len(roots), want)
				}
				changed := []string{next.ID}
				for _, credential := range credentials(t, h, a.ID) {
					if !strings.HasPrefix(c.credentials, "revoked affiliationChanged") || credential.Kind == warifu.Signature {
						changed = append(changed, credential.ID) // a move leaves the authentication credential alone
					}
				}
				if c.application == warifu.ApplicationWithdrawn {
					for _, credential := range credentials(t, h, next.ID) {
						changed = append(changed, credential.ID)
					}
				}
				for _, subject := range changed {
					standsIn(t, h, subject, roots)
				}
			})
		}
	}
}

// wantTrees checks that the lines are whole trees whose roots have the verb, and returns
// these roots.
func wantTrees(t *testing.T, h *housetest.House, lines []store.Line, verb string) (roots []string) {
	t.Helper()
	var got, want []string
	for _, l := range lines {
		want = append(want, l.ID)
		if string(l.Verb) != verb {
			continue
		}
		trees := causes(t, h, l.ID)
		if len(trees) != 1 || trees[0].ID != l.ID || len(trees[0].Effects) == 0 {
			t.Fatalf("the trees of %+v: %+v", l, trees)
		}
		roots, got = append(roots, l.ID), append(got, flat(trees[0])...)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d lines are in the trees, %d were written", len(got), len(want))
	}
	return roots
}

// standsIn checks that a subject stands in one of the trees with these roots.
func standsIn(t *testing.T, h *housetest.House, subject string, roots []string) {
	t.Helper()
	if !slices.ContainsFunc(causes(t, h, subject), func(c registration.Cause) bool { return slices.Contains(roots, c.ID) }) {
		t.Errorf("%s does not stand in the tree", subject)
	}
}

// Nothing follows from a fifteenth birthday: one may now have a signing certificate put on
// the card, and nothing here was made with it.
func TestNothingFollowsFromAFifteenthBirthday(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	v, err := h.Bureau.Show("ren")
	must(t, err)
	_, last := linesAfter(t, h, "")
	h.Clock.To(v.Person.Birth.AddDate(15, 0, 1))
	catchUp(t, h)
	if n, err := h.Registrar.Followed(t.Context()); err != nil || n == 0 {
		t.Fatalf("no event was followed: %d, %v", n, err)
	}
	sweep(t, h)
	if lines, _ := linesAfter(t, h, last); len(lines) != 0 {
		t.Errorf("%+v", lines)
	}
	_, err = registration.Causes(t.Context(), h.Store, "card-event-1")
	wantProblem(t, err, "audit-nothing")
}

func TestARuleIsNamedWhereNoLineIsTheCause(t *testing.T) {
	h, c := owned(t)
	until := h.Clock.Now().Add(time.Hour)
	do(t, h, c.ID, func(tx *store.Tx, c store.Credential) (store.Credential, bool, error) {
		return h.Registrar.PutHold(tx, c, warifu.HoldRepair, until, "test", "")
	})
	h.Clock.To(until.Add(time.Second))
	_, err := h.Registrar.EndRepairHolds(t.Context())
	must(t, err)
	trees := causes(t, h, c.ID)
	if last := trees[len(trees)-1]; last.Rule != "K5" || last.Verb != "lift" || len(last.Effects) != 1 || last.Effects[0].Verb != warifu.VerbResume {
		t.Errorf("%+v", last)
	}
}
