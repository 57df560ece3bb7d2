package lineartest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/anishathalye/porcupine"

	"warifu/internal/postgrestest"
)

func soaking() bool { return os.Getenv("WARIFU_SOAK") == "1" }

// size is how much is done.
type size struct{ rounds, persons, steps, reads int }

func sizeOf() size {
	if soaking() {
		return size{rounds: 8, persons: 6, steps: 60, reads: 300}
	}
	return size{rounds: 1, persons: 4, steps: 40, reads: 100}
}

// What anybody is told of a certificate fits one order of everything that was done.
func TestWhatIsToldOfACertificateIsAlwaysTrue(t *testing.T) {
	for name, on := range map[string]func(*testing.T) *town{
		"SQLite":                  onSQLite,
		"PostgreSQL":              func(t *testing.T) *town { return onPostgreSQL(t, 1) },
		"PostgreSQL, two servers": func(t *testing.T) *town { return onPostgreSQL(t, 2) },
	} {
		t.Run(name, func(t *testing.T) {
			tn, s := on(t), sizeOf()
			for round := range s.rounds {
				h := newHistory(tn.ticks)
				must(t, tn.round(t.Context(), h, round*s.persons, s))
				all, count := h.taken()
				t.Logf("round %d: %d calls\n%s", round+1, len(all), lines(count))
				if said := tn.complaints(); said != "" {
					t.Errorf("the servers complain:\n%s", said)
				}
				if spoils := fits(t, all); spoils != nil {
					draw(t, ofPerson(all, *spoils))
					t.Fatalf("what was told of person %d fits no order of what was done", spoils.Input.(call).person)
				}
			}
		})
	}
}

// ofPerson are the strict operations of one person, and the one that spoils them.
func ofPerson(all []porcupine.Operation, spoils porcupine.Operation) []porcupine.Operation {
	return slices.DeleteFunc(slices.Clone(all), func(o porcupine.Operation) bool {
		return o.Input.(call).person != spoils.Input.(call).person || delayed(o) && o.Return != spoils.Return
	})
}

func lines(count map[string]int) string {
	var out []string
	for what, n := range count {
		out = append(out, fmt.Sprintf("  %5d %s", n, what))
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(a[8:], b[8:]) })
	return strings.Join(out, "\n")
}

func onSQLite(t *testing.T) *town {
	t.Helper()
	dir := memoryDir(t)
	return build(t, 1, func(name string) string { return "sqlite:" + filepath.Join(dir, name+".db") })
}

// onPostgreSQL has one server, or two: what one has confirmed the other must go by, and
// tell of a moment later.
func onPostgreSQL(t *testing.T, servers int) *town {
	t.Helper()
	made := map[string]string{}
	return build(t, servers, func(name string) string {
		if made[name] == "" {
			made[name] = postgrestest.DSN(t)
		}
		return made[name]
	})
}

// round is some persons' whole lives at the same time.
func (tn *town) round(ctx context.Context, h *history, first int, s size) error {
	tn.clock.round()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	shared := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4 * s.persons}}
	defer shared.CloseIdleConnections()
	common := &cache{clock: tn.clock, http: shared, kept: map[string]kept{}}
	failed := make([]error, s.persons)
	var all sync.WaitGroup
	for i := range s.persons {
		r, err := tn.resident(h, first+i)
		if err != nil {
			return err
		}
		all.Go(func() {
			if failed[i] = r.life(ctx, s, shared, common); failed[i] != nil {
				cancel()
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// badLine is the share of calls whose question or answer is lost.
const badLine = 0.06

// life is one person with two phones, a card, a code, operators and a bureau, all at
// work at the same time, while two others look. When all is quiet everything is looked at
// once more.
func (r *resident) life(ctx context.Context, s size, client *http.Client, shared *cache) error {
	r.steps = s.steps
	var hands []func() error
	for id := range 5 {
		c, err := r.client(id, badLine)
		if err != nil {
			return err
		}
		switch id {
		case 0, 1:
			m, err := c.mobile(id)
			if err != nil {
				return err
			}
			hands = append(hands, func() error { return m.live(ctx, s.steps) })
		case 2:
			hands = append(hands, func() error { return c.atTheReader(ctx, s.steps/2) })
		case 3:
			hands = append(hands, func() error { return c.atTheHotline(ctx, s.steps/2) })
		case 4:
			hands = append(hands, func() error { return c.atTheBureau(ctx, s.steps/10*2+1) })
		}
	}
	done := make(chan struct{})
	failed := make([]error, len(hands)+2)
	var all, asking sync.WaitGroup
	for i, work := range hands {
		all.Go(func() { failed[i] = work() })
	}
	last := r.asker(9, shared, client)
	for i := range 2 {
		a := r.asker(10+i, shared, client)
		asking.Go(func() { failed[len(hands)+i] = a.keepAsking(ctx, done, s.reads) })
	}
	all.Wait()
	close(done)
	asking.Wait()
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("person %d: %w", r.number, err)
	}
	for _, one := range r.all() {
		for _, way := range ways {
			if err := last.look(ctx, one, way); err != nil {
				return err
			}
		}
	}
	return nil
}
