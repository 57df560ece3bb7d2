package status_test

import (
	"crypto/aes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/crl"
	"warifu/profile"
)

func dealt(t testing.TB, n int) profile.Partitions {
	t.Helper()
	block, err := aes.NewCipher([]byte{1, 15: 0})
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.NewPartitions(n, block)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func point(n int) string { return fmt.Sprintf("http://127.0.0.1:8400/crl/signature/%d.crl", n) }

// split is a press with three partial lists.
func split(t testing.TB) *press {
	p := newPress(t)
	p.Partitions, p.Points = dealt(t, 3), point
	return p
}

// parts returns the partial lists.
func (p *press) parts() (out []*crl.List) {
	p.t.Helper()
	for n := range p.Partitions.Len() {
		out = append(out, p.parse(p.PartList(p.t.Context(), n)))
	}
	return out
}

// TestEachCertificateIsOnItsOwnPartAndOnTheFullList also holds that the parts together are
// the full list, of one number and one instant.
func TestEachCertificateIsOnItsOwnPartAndOnTheFullList(t *testing.T) {
	p := split(t)
	for n := range byte(40) {
		p.source.set(n, held(now), now.AddDate(1, 0, 0))
	}
	full, _ := p.pair()
	if full.PointNamed || len(full.Freshest) != 1 || full.Len() != 40 {
		t.Errorf("the full list: %v %v %d", full.Points, full.Freshest, full.Len())
	}
	count := 0
	for part, l := range p.parts() {
		if len(l.Points) != 1 || l.Points[0] != point(part) || l.Number.Cmp(full.Number) != 0 || !l.ThisUpdate.Equal(full.ThisUpdate) || len(l.Freshest) != 0 || l.Base != nil {
			t.Errorf("%d: %v %v %v", part, l.Points, l.Number, l.Freshest)
		}
		count += l.Len()
		for n := range byte(40) {
			_, listed := l.Lookup(serial(n))
			if listed != (p.Partitions.Of(serial(n)) == part) {
				t.Errorf("%d on %d: %v", n, part, listed)
			}
		}
	}
	if count != 40 {
		t.Errorf("%d entries on all parts", count)
	}
	p.source.set(7, good, now.AddDate(1, 0, 0)) // lifted: gone from both
	p.pair()
	if _, listed := p.parts()[p.Partitions.Of(serial(7))].Lookup(serial(7)); listed {
		t.Error("lifted, and still on its part")
	}
}

func TestAPartIsNoFullListForOthers(t *testing.T) {
	p := split(t)
	p.source.set(1, held(now), now.AddDate(1, 0, 0))
	full, delta := p.pair()
	own := p.Partitions.Of(serial(1))
	if _, err := crl.Combine(p.parts()[own], delta); warifu.ProblemOf(err).Problem != "crl-delta-mismatch" {
		t.Error("the full list's delta was applied to a part:", err)
	}
	if len(full.Points) != 0 {
		t.Error("the full list covers one point only")
	}
}

// TestAllListsAreSwappedInTogether reads while lists are made, on a register that changes
// between each two: whoever reads the full list and a part later sees a part no older.
func TestAllListsAreSwappedInTogether(t *testing.T) {
	p := split(t)
	p.source.set(1, held(now), now.AddDate(1, 0, 0))
	p.pair()
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for {
				full, err := p.List(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				before, _ := crl.Parse(full)
				for n := range p.Partitions.Len() {
					der, err := p.PartList(t.Context(), n)
					if err != nil {
						t.Error(err)
						return
					}
					if part, err := crl.Parse(der); err != nil || part.Number.Cmp(before.Number) < 0 {
						t.Error("a part older than the full list before it", err)
					}
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for n := range byte(20) {
		p.source.set(n, held(now), now.AddDate(1, 0, 0))
		if err := p.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	readers.Wait()
}

func TestAPartThatIsNotThereIsNotFound(t *testing.T) {
	p := split(t)
	for _, n := range []int{-1, 3} {
		if _, err := p.PartList(t.Context(), n); warifu.ProblemOf(err).Problem != "status-list-unknown" || p.Part(n) != nil {
			t.Error(n, err)
		}
	}
	w := httptest.NewRecorder()
	p.Part(2).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/crl/signature/2.crl", nil))
	if der, _ := p.PartList(t.Context(), 2); w.Code != http.StatusOK || w.Body.String() != string(der) || w.Header().Get("Content-Type") != "application/pkix-crl" {
		t.Error(w.Code, w.Header())
	}
	p.source.down = errDown
	p.present = p.present.Add(p.Life + time.Hour)
	w = httptest.NewRecorder()
	p.Part(2).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/crl/signature/2.crl", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Error(w.Code)
	}
}
