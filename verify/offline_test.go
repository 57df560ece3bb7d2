package verify_test

import (
	"math/big"
	"slices"
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
