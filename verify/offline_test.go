package verify_test

import (
	"bytes"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/offline"
	"warifu/verify"
)

// packed is a pack of the house in which these serial numbers were issued, the first
// of them revoked and the second held.
func packed(t testing.TB, h house, number, base uint64, at time.Time, revoked, held, others []*big.Int) []byte {
	t.Helper()
	keyer := offline.NewKeyer(h.authority.certificate)
	keys := func(serials []*big.Int) (out []offline.Key) {
		for _, s := range serials {
			out = append(out, keyer.Key(s.Bytes()))
		}
		return out
	}
	filter, ok := offline.Build(keys(revoked), slices.Values(append(keys(held), keys(others)...)))
	if !ok {
		t.Fatal("no filter")
	}
	der, err := offline.Sign(&offline.Pack{
		Issuer: keyer.Issuer(), Number: number, Base: base, ProducedAt: at, CoveredTo: at.Add(-time.Minute), NextUpdate: at.Add(6 * time.Hour),
		Filter: filter, Held: offline.ListOf(keys(held)),
	}, h.responder.certificate, h.responder.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestAPackTellsStatusWithoutALine(t *testing.T) {
	h := world()[phoneSignature]
	good, bad, held, young := h.holder, h.issue(ago(time.Hour), now.AddDate(1, 0, 0)), h.issue(ago(time.Hour), now.AddDate(1, 0, 0)), h.issue(now, now.AddDate(1, 0, 0))
	serial := func(p party) []*big.Int { return []*big.Int{p.certificate.SerialNumber} }
	var o verify.Offline
	v := verify.New(trust(t), &o, clock)
	ask := func(p party, policy verify.Policy) *verify.Result {
		return must(t)(v.Certificate(t.Context(), p.certificate, policy))
	}
	wantUnknown(t, "no pack", ask(good, verify.Policy{}), "offline-pack-absent")
	first := packed(t, h, 5, 0, ago(time.Hour), serial(bad), serial(held), serial(good))
	if err := o.Take(first, h.authority.certificate, now); err != nil {
		t.Fatal(err)
	}
	// Issued an hour ago, the three others are younger than the pack covers.
	wantGood(t, "good", ask(good, verify.Policy{}))
	wantUnknown(t, "younger than the pack", ask(bad, verify.Policy{}), "offline-not-covered")
	wantUnknown(t, "too old for this policy", ask(good, verify.Policy{MaxStatusAge: time.Minute}), "status-answer-stale")

	second := packed(t, h, 6, 5, now, serial(bad), serial(held), serial(good))
	if err := o.Take(second, h.authority.certificate, now); err != nil {
		t.Fatal(err)
	}
	wantGood(t, "good", ask(good, verify.Policy{MaxStatusAge: time.Minute}))
	wantBad(t, "revoked", ask(bad, verify.Policy{}), "certificate-revoked")
	wantBad(t, "held", ask(held, verify.Policy{}), "certificate-suspended")
	wantUnknown(t, "issued now", ask(young, verify.Policy{}), "offline-not-covered")
	if r := ask(good, verify.Policy{}); r.StatusSource != "offline pack" || !r.StatusTime.Equal(now) {
		t.Errorf("source %q at %v", r.StatusSource, r.StatusTime)
	}

	for what, c := range map[string]struct {
		der  []byte
		h    house
		want string
	}{
		"an older one":                {first, h, "offline-pack-older"},
		"a delta on another":          {packed(t, h, 9, 4, now, nil, nil, serial(good)), h, "offline-base-absent"},
		"another authority's":         {second, world()[cardSignature], "offline-pack-mismatch"},
		"a forger's of the same name": {packed(t, forged()[phoneSignature], 9, 0, now, nil, nil, serial(good)), h, "offline-pack-mismatch"},
		"rubbish":                     {[]byte{1, 2, 3}, h, "offline-pack-malformed"},
	} {
		if err := o.Take(c.der, c.h.authority.certificate, now); err == nil || problem(err) != c.want {
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
	}
}

func problem(err error) string { return warifu.ProblemOf(err).Problem }

// seen hands one reader's numbers to the next, as over a restart.
func seen(t *testing.T, from, to *verify.Offline) {
	t.Helper()
	var file bytes.Buffer
	if err := from.WriteNumbers(&file); err != nil {
		t.Fatal(err)
	}
	if err := to.ReadNumbers(&file); err != nil {
		t.Fatal(err)
	}
}

func TestAnOlderPackIsRefusedOverARestart(t *testing.T) {
	h := world()[phoneSignature]
	serial := []*big.Int{h.holder.certificate.SerialNumber}
	issuer := h.authority.certificate
	old, whole := packed(t, h, 4, 0, ago(2*time.Hour), nil, nil, serial), packed(t, h, 5, 0, ago(time.Hour), nil, nil, serial)
	delta := packed(t, h, 6, 5, now, serial, nil, nil) // revoked since
	var before, after verify.Offline
	for _, der := range [][]byte{old, whole, delta} {
		if err := before.Take(der, issuer, now); err != nil {
			t.Fatal(err)
		}
	}
	seen(t, &before, &after)
	v := verify.New(trust(t), &after, clock)
	ask := func() *verify.Result {
		return must(t)(v.Certificate(t.Context(), h.holder.certificate, verify.Policy{}))
	}
	if err := after.Take(old, issuer, now); problem(err) != "offline-pack-older" {
		t.Errorf("an old pack after a restart: %v", err)
	}
	if err := after.Take(whole, issuer, now); err != nil {
		t.Fatal(err)
	}
	wantUnknown(t, "the base without the delta that was seen", ask(), "offline-pack-older")
	if err := after.Take(delta, issuer, now); err != nil {
		t.Fatal(err)
	}
	wantBad(t, "with it", ask(), "certificate-revoked")
	if err := after.Take(packed(t, h, 7, 0, now, nil, nil, serial), issuer, now); err != nil {
		t.Fatal(err)
	}
	wantGood(t, "a newer whole pack", ask())

	for _, rubbish := range []string{"x", "00 1 1\n", strings.Repeat("00", 32) + " 2 1\n", strings.Repeat("00", 32) + " 1 1 \n", strings.Repeat("a", 1<<20)} {
		if err := after.ReadNumbers(strings.NewReader(rubbish)); problem(err) != "offline-numbers-malformed" {
			t.Errorf("%.80q: %v", rubbish, err)
		}
	}
}

func FuzzReadNumbers(f *testing.F) {
	f.Add(strings.Repeat("0a", 32) + " 3 7\n")
	f.Fuzz(func(t *testing.T, file string) {
		var o verify.Offline
		if o.ReadNumbers(strings.NewReader(file)) != nil {
			return
		}
		var again bytes.Buffer
		var p verify.Offline
		if o.WriteNumbers(&again) != nil || p.ReadNumbers(&again) != nil {
			t.Fatal("what was read is written and not read again")
		}
	})
}

func TestPacksThatCannotBeBelievedAreRefusedForTheirReason(t *testing.T) {
	h := world()[phoneSignature]
	issuer, serial := h.authority.certificate, []*big.Int{h.holder.certificate.SerialNumber}
	good := packed(t, h, 5, 0, now, nil, nil, serial)
	for what, c := range map[string]struct {
		der  []byte
		at   time.Time
		want string
	}{
		"made tomorrow":                       {packed(t, h, 5, 0, now.AddDate(0, 0, 1), nil, nil, serial), now, "offline-pack-future"},
		"whose responder has ended":           {good, h.responder.certificate.NotAfter.Add(time.Second), "status-responder-unauthorized"},
		"cut short":                           {good[:len(good)-7], now, "offline-pack-malformed"},
		"with something behind it":            {append(bytes.Clone(good), 0), now, "offline-pack-malformed"},
		"that claims more octets than it has": {[]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x06}, now, "offline-pack-malformed"},
		"larger than any":                     {make([]byte, offline.MaxPack+1), now, "offline-too-large"},
	} {
		var o verify.Offline
		if err := o.Take(c.der, issuer, c.at); err == nil || problem(err) != c.want {
			t.Errorf("a pack %s: %v, want %s", what, err, c.want)
		}
	}
	for i := range good {
		broken := bytes.Clone(good)
		broken[i] ^= 4
		var o verify.Offline
		if o.Take(broken, issuer, now) == nil {
			t.Fatalf("octet %d changed and nobody noticed", i)
		}
	}
	var o verify.Offline // too old for everybody: past its nextUpdate
	if err := o.Take(packed(t, h, 5, 0, ago(7*time.Hour), nil, nil, serial), issuer, now); err != nil {
		t.Fatal(err)
	}
	v := verify.New(trust(t), &o, clock)
	wantUnknown(t, "stale", must(t)(v.Certificate(t.Context(), h.holder.certificate, verify.Policy{})), "status-answer-stale")
}

// service serves one whole pack and the updates on it, as a server does.
type service struct{ whole, delta []byte }

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	der := s.whole
	if strings.HasSuffix(r.URL.Path, "/delta") {
		p, err := offline.Parse(s.whole)
		if err != nil || r.URL.Query().Get("from") != strconv.FormatUint(p.Number, 10) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if der = s.delta; der == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
	w.Header().Set("Content-Type", "application/cms")
	_, _ = w.Write(der)
}

func TestAReaderFetchesWhatItLacks(t *testing.T) {
	h := world()[phoneSignature]
	issuer, serial := h.authority.certificate, []*big.Int{h.holder.certificate.SerialNumber}
	s := &service{whole: packed(t, h, 5, 0, ago(time.Hour), nil, nil, serial)}
	site := httptest.NewServer(s)
	defer site.Close()
	var o verify.Offline
	for _, step := range []struct {
		what         string
		whole, delta []byte
		want         [2]uint64
	}{
		{"the first", s.whole, nil, [2]uint64{5, 0}},
		{"nothing newer", s.whole, nil, [2]uint64{5, 0}},
		{"an update", s.whole, packed(t, h, 6, 5, now, serial, nil, nil), [2]uint64{5, 6}},
		{"the next whole one", packed(t, h, 8, 0, now, nil, nil, serial), nil, [2]uint64{8, 0}},
	} {
		s.whole, s.delta = step.whole, step.delta
		if err := o.Fetch(t.Context(), nil, site.URL+"/offline/signature", issuer, now); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		var got [2]uint64
		whole, delta := o.Packs(issuer)
		got[0] = whole.Number
		if delta != nil {
			got[1] = delta.Number
		}
		if got != step.want {
			t.Errorf("%s: %v, want %v", step.what, got, step.want)
		}
	}
	s.whole = packed(t, h, 7, 0, now, nil, nil, serial) // another server's, an older one
	if err := o.Fetch(t.Context(), nil, site.URL+"/offline/signature", issuer, now); problem(err) != "offline-pack-older" {
		t.Errorf("an older one: %v", err)
	}
	s.whole, s.delta = packed(t, h, 9, 0, now, nil, nil, serial), packed(t, h, 10, 9, now, serial, nil, nil)
	var fresh verify.Offline
	if err := fresh.Fetch(t.Context(), nil, site.URL+"/offline/signature", issuer, now); err != nil {
		t.Fatal(err)
	}
	if _, delta := fresh.Packs(issuer); delta == nil || delta.Number != 10 {
		t.Error("who has nothing yet is not brought up to date")
	}
	site.Close()
	if err := o.Fetch(t.Context(), nil, site.URL+"/offline/signature", issuer, now); problem(err) != "status-unavailable" {
		t.Errorf("with nobody there: %v", err)
	}
}
