package status_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/crl"
	"warifu/status"
)

// content is what a reader finds in a list, or in a list with a delta, by serial number.
func content(each func(func(warifu.StatusRecord) bool)) map[string]warifu.Status {
	out := map[string]warifu.Status{}
	each(func(r warifu.StatusRecord) bool {
		out[string(r.Serial)] = r.Status
		return true
	})
	return out
}

// town is a random world: an authority with certificates, two servers that publish its
// lists, and readers who keep every full list they ever fetched.
type town struct {
	*rapid.T
	source  *register
	servers [2]*press
	kept    []*crl.List
	endings map[byte]time.Time
}

const certificates = 12

func newTown(t *testing.T, r *rapid.T) *town {
	w := &town{T: r, endings: map[byte]time.Time{}}
	for i := range w.servers {
		w.servers[i] = newPress(t)
		w.servers[i].BaseAge = 3 * time.Hour
	}
	w.source = w.servers[0].source
	w.servers[1].source = w.source
	w.servers[1].restart()
	for n := range byte(certificates) {
		w.endings[n] = now.Add(time.Duration(rapid.IntRange(1, 72).Draw(r, "hours of life")) * time.Hour)
	}
	return w
}

func (w *town) server() *press { return w.servers[rapid.IntRange(0, 1).Draw(w.T, "server")] }

// change takes one certificate along its life; a final revocation is final.
func (w *town) change(*rapid.T) {
	n := byte(rapid.IntRange(0, certificates-1).Draw(w.T, "certificate"))
	s := w.source.records[n].Status
	at := w.servers[0].present
	next := []warifu.Status{good, held(at), revoked(warifu.ReasonSuperseded, at), revoked(warifu.ReasonUnspecified, at)}
	switch {
	case s.Cert == warifu.StatusRevoked && s.Reason != warifu.ReasonCertificateHold:
		return
	case s.Cert == warifu.StatusGood:
		next = next[1:]
	case s.Cert == warifu.StatusRevoked:
		next = []warifu.Status{good, next[2]}
	}
	w.source.set(n, rapid.SampledFrom(next).Draw(w.T, "status"), w.endings[n])
}

func (w *town) elsewhere(*rapid.T) { w.source.elsewhere(1) }

func (w *town) wait(*rapid.T) {
	d := rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, 20 * time.Hour}).Draw(w.T, "wait")
	for _, s := range w.servers {
		s.present = s.present.Add(d)
	}
}

func (w *town) restart(*rapid.T) {
	s := w.server()
	age := s.BaseAge
	s.restart()
	s.BaseAge = age
}

// publish makes lists and holds every full list anybody kept, with the new delta where
// it may be applied, against the full list of the same moment and against the model.
func (w *town) publish(*rapid.T) {
	s := w.server()
	s.present = s.present.Add(time.Second)
	w.servers[0].present, w.servers[1].present = s.present, s.present
	if err := s.Refresh(context.Background()); err != nil {
		w.Fatal(err)
	}
	w.kept = append(w.kept, s.parse(s.List(context.Background())))
	delta := s.parse(s.DeltaList(context.Background()))
	full := s.parse(s.List(context.Background()))
	model := map[string]warifu.Status{}
	for n, r := range w.source.records {
		if r.Status.Cert == warifu.StatusRevoked && !w.endings[n].Add(s.Life).Before(full.ThisUpdate) {
			r.Status.RevokedAt = r.Status.RevokedAt.Truncate(time.Second)
			model[string(serial(n))] = r.Status
		}
	}
	if got := content(full.Each); !maps.Equal(got, model) {
		w.Fatalf("the full list has %v, want %v", got, model)
	}
	w.kept = append(w.kept, full)
	if !slices.ContainsFunc(w.kept, func(l *crl.List) bool { return l.Number.Cmp(delta.Base) == 0 }) {
		w.Fatalf("a delta on %v, which was never served", delta.Base)
	}
	for _, l := range w.kept {
		both, err := crl.Combine(l, delta)
		if err != nil {
			continue
		}
		if got := content(both.Each); !maps.Equal(got, model) {
			w.Fatalf("list %v with delta %v on %v has %v, want %v", l.Number, delta.Number, delta.Base, got, model)
		}
	}
}

// TestAnyListWithADeltaIsTheFullListOfThatMoment is RFC 5280 §5.2.4: the same
// information whichever way it is had.
func TestAnyListWithADeltaIsTheFullListOfThatMoment(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newTown(t, r)
		r.Repeat(map[string]func(*rapid.T){
			"change": w.change, "change again": w.change, "elsewhere": w.elsewhere, "wait": w.wait, "restart": w.restart, "publish": w.publish,
		})
		w.publish(r)
	})
}

// TestOpenSSLAppliesDeltasAsWeDo lets another reader judge certificates by a full list
// and a delta; freshestCRL in the list is what makes it look for one.
func TestOpenSSLAppliesDeltasAsWeDo(t *testing.T) {
	p := newPress(t)
	end := now.AddDate(1, 0, 0)
	ca := pemFile(t, "ca.pem", "CERTIFICATE", world().ca.certificate.Raw)
	leaves := map[byte]string{}
	for n := range byte(6) {
		leaves[n+1] = pemFile(t, fmt.Sprintf("%d.pem", n), "CERTIFICATE", world().issue(n+1, "http://127.0.0.1").certificate.Raw)
	}
	p.source.set(2, held(now), end)
	p.source.set(3, held(now), end)
	p.source.set(4, revoked(warifu.ReasonSuperseded, now), end)
	p.source.set(6, held(now), end)
	base := p.parse(p.List(t.Context()))
	steps := []func(){
		func() {},
		func() { p.source.set(2, good, end); p.source.set(1, held(p.present), end) },
		func() {
			p.source.set(3, revoked(warifu.ReasonKeyCompromise, p.present), end)
			p.source.set(5, revoked(0, p.present), end)
		},
		func() { p.source.set(1, good, end); p.source.set(2, held(p.present), end) },
	}
	for i, step := range steps {
		step()
		full, delta := p.pair()
		files := map[string]string{"full": pemFile(t, "full.pem", "X509 CRL", full.Raw), "delta": both(t, base, delta)}
		for n, leaf := range leaves {
			_, listed := full.Lookup(serial(n))
			for how, file := range files {
				out, err := openssl(t, "verify", "-crl_check", "-extended_crl", "-use_deltas", "-attime", strconv.FormatInt(p.present.Unix(), 10), "-CAfile", ca, "-CRLfile", file, leaf)
				if (err != nil) != listed || (listed && !strings.Contains(out, "revoked")) {
					t.Errorf("step %d, %d by %s: %v\n%s", i, n, how, err, out)
				}
			}
		}
	}
	delta := pemFile(t, "delta.pem", "X509 CRL", p.parse(p.DeltaList(t.Context())).Raw)
	if out, err := openssl(t, "verify", "-crl_check", "-extended_crl", "-use_deltas", "-CAfile", ca, "-CRLfile", delta, leaves[6]); err == nil {
		t.Errorf("a delta alone was taken for a list\n%s", out)
	}
	if out, _ := openssl(t, "crl", "-in", delta, "-noout", "-text"); !strings.Contains(out, "Delta CRL Indicator: critical") || !strings.Contains(out, "Certificate Hold") {
		t.Error(out)
	}
}

// both writes the lists into one file.
func both(t *testing.T, lists ...*crl.List) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lists.pem")
	var out []byte
	for _, l := range lists {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: l.Raw})...)
	}
	if err := os.WriteFile(path, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var _ status.Register = (*register)(nil)
