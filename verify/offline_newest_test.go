package verify_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/verify"
)

func TestTheNewestAnswerCountsAndARevocationAlways(t *testing.T) {
	h := world()[phoneSignature]
	held := warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold, RevokedAt: ago(time.Hour)}
	gone := warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonKeyCompromise, RevokedAt: ago(time.Hour)}
	away := said{err: errors.New("away")}
	early := func(s warifu.Status) said { return said{status: s, at: ago(time.Hour)} }
	late := func(s warifu.Status) said { return said{status: s, at: now} }
	for what, c := range map[string]struct {
		all  verify.Newest
		want warifu.Status
	}{
		"lifted since":           {verify.Newest{early(held), late(good)}, good},
		"held since":             {verify.Newest{late(held), early(good)}, held},
		"one is away":            {verify.Newest{away, early(good)}, good},
		"revoked, the old one":   {verify.Newest{early(gone), late(good)}, gone},
		"revoked, the other one": {verify.Newest{late(good), early(gone)}, gone},
	} {
		got, err := c.all.Check(t.Context(), h.holder.certificate, h.authority.certificate, now)
		if err != nil || got.Status != c.want {
			t.Errorf("%s: %+v, %v", what, got.Status, err)
		}
	}
	if _, err := (verify.Newest{away}).Check(t.Context(), h.holder.certificate, h.authority.certificate, now); !errors.Is(err, away.err) {
		t.Errorf("all away: %v", err)
	}
	if _, err := (verify.Newest{}).Check(t.Context(), h.holder.certificate, h.authority.certificate, now); problem(err) != "status-not-checked" {
		t.Errorf("none: %v", err)
	}
}

// A kiosk whose line is down goes on serving: it has the pack of an hour ago, and phones
// hand over an OCSP answer with what they sign. Its policy is that nothing older than a
// day will do. What it has seen lies beside the packs, so that a restart forgets nothing.
func ExampleOffline() {
	authority, form, signature := exampleDocument()
	pack, staple, beside := examplePack()

	var packs verify.Offline
	if err := packs.ReadNumbers(bytes.NewReader(beside)); err != nil { // os.Open("packs/numbers")
		panic(err)
	}
	if err := packs.Take(pack, authority, now); err != nil { // os.ReadFile("packs/signature.pack"), or packs.Fetch(…) over a line
		panic(err)
	}
	var trust verify.Trust
	if err := trust.Add(profile.ClassPhone, warifu.Signature, authority); err != nil {
		panic(err)
	}
	v := verify.New(trust, &packs, clock) // warifu.SystemClock{}

	for _, policy := range []verify.Policy{
		{MaxStatusAge: 24 * time.Hour},
		{MaxStatusAge: 24 * time.Hour, Status: verify.Newest{verify.RawOCSP(staple), &packs}},
		{MaxStatusAge: 10 * time.Minute},
	} {
		result, err := v.Document(context.Background(), signature, form, policy)
		if err != nil {
			panic(err)
		}
		fmt.Println(result.Verdict, result.StatusSource, result.StatusAge())
	}
	var file bytes.Buffer
	if err := packs.WriteNumbers(&file); err != nil { // and replace the file with it
		panic(err)
	}
	// Output:
	// good offline pack 1h0m0s
	// good ocsp handed in 1m0s
	// unknown offline pack 1h0m0s
}

func examplePack() (pack, staple, numbers []byte) {
	h, t := world()[phoneSignature], &testing.T{}
	pack = packed(t, h, 5, 0, now.Add(-time.Hour), nil, nil, []*big.Int{h.holder.certificate.SerialNumber})
	var o verify.Offline
	if err := o.Take(pack, h.authority.certificate, now); err != nil {
		panic(err)
	}
	var file bytes.Buffer
	if err := o.WriteNumbers(&file); err != nil {
		panic(err)
	}
	return pack, answered(t, h, h.responder, h.holder.certificate.SerialNumber, good, now.Add(-time.Minute)), file.Bytes()
}
