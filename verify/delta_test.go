package verify_test

import (
	"bytes"
	"errors"
	"math/big"
	"net/http"
	"testing"
	"time"

	"warifu"
	"warifu/crl"
	"warifu/verify"
)

// pressed makes a list of records.
func pressed(t testing.TB, h house, head crl.Head, records ...warifu.StatusRecord) []byte {
	t.Helper()
	var out bytes.Buffer
	err := crl.Write(&out, head, func(add func(warifu.StatusRecord) error) error {
		for _, r := range records {
			if err := add(r); err != nil {
				return err
			}
		}
		return nil
	}, h.authority.certificate, h.authority.key)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func heldRecord(serial *big.Int) warifu.StatusRecord {
	return warifu.StatusRecord{Serial: serial.Bytes(), Status: revokedAt(warifu.ReasonCertificateHold, ago(time.Hour))}
}

func lifted(serial *big.Int) warifu.StatusRecord {
	return warifu.StatusRecord{Serial: serial.Bytes(), Status: good}
}

func head(number, base uint64, at time.Time) crl.Head {
	life := 24 * time.Hour
	if base != 0 {
		life = time.Hour
	}
	return crl.Head{Number: number, Base: base, ThisUpdate: at, NextUpdate: at.Add(life)}
}

func TestADeltaHandedInIsHeldAgainstItsList(t *testing.T) {
	h := world()[phoneSignature]
	c := h.holder.certificate
	n := c.SerialNumber
	full := pressed(t, h, head(7, 0, ago(2*time.Hour)), heldRecord(n))
	empty := pressed(t, h, head(7, 0, ago(2*time.Hour)))
	lift := pressed(t, h, head(9, 7, ago(time.Minute)), lifted(n))
	v := verify.New(trust(t), nil, clock)
	ask := func(full, delta []byte) *verify.Result {
		return must(t)(v.Certificate(t.Context(), c, verify.Policy{Status: verify.RawDelta{Full: full, Delta: delta}}))
	}
	wantBad(t, "the list alone", ask(full, nil), "certificate-suspended")
	r := ask(full, lift)
	wantGood(t, "lifted since", r)
	if !r.StatusTime.Equal(ago(time.Minute)) || r.StatusSource != "crl handed in" {
		t.Error(r.StatusTime, r.StatusSource)
	}
	wantBad(t, "held since", ask(empty, pressed(t, h, head(9, 7, ago(time.Minute)), heldRecord(n))), "certificate-suspended")
	for problem, pair := range map[string][2][]byte{
		"crl-is-delta":        {lift, lift},                                                             // a delta taken as base
		"crl-not-delta":       {full, pressed(t, h, head(9, 0, ago(time.Minute)))},                      // a base as delta
		"crl-delta-mismatch":  {full, pressed(t, h, head(9, 8, ago(time.Minute)), lifted(n))},           // a delta of another base
		"crl-stale":           {full, pressed(t, h, head(9, 7, ago(90*time.Minute)), lifted(n))},        // an old delta
		"crl-signature":       {full, pressed(t, forged()[phoneSignature], head(9, 7, now), lifted(n))}, // a forger's
		"crl-issuer-mismatch": {full, pressed(t, world()[phoneAuthentication], head(9, 7, now), lifted(n))},
		"crl-malformed":       {full, lift[:len(lift)-1]},
	} {
		wantUnknown(t, problem, ask(pair[0], pair[1]), problem)
	}
	wantUnknown(t, "a delta in a list's place", must(t)(v.Certificate(t.Context(), c, verify.Policy{Status: verify.RawCRL(lift)})), "crl-is-delta")
}

// kiosk is a CRL client before a server whose lists the test changes.
type kiosk struct {
	*verify.CRLClient
	t           *testing.T
	h           house
	verifier    *verify.Verifier
	present     time.Time
	full, delta []byte
	fetched     map[string]int
	down        bool
}

func newKiosk(t *testing.T) *kiosk {
	k := &kiosk{CRLClient: &verify.CRLClient{Deltas: true}, t: t, h: world()[phoneSignature], present: now, fetched: map[string]int{}}
	k.Address = served(t, func(w http.ResponseWriter, r *http.Request) {
		k.fetched[r.URL.Path]++
		w.Header().Set("Content-Type", "application/pkix-crl")
		switch {
		case k.down:
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/delta":
			_, _ = w.Write(k.delta)
		default:
			_, _ = w.Write(k.full)
		}
	})
	k.verifier = verify.New(trust(t), k.CRLClient, warifu.ClockFunc(func() time.Time { return k.present }))
	return k
}

func (k *kiosk) press(number uint64, records ...warifu.StatusRecord) {
	h := head(number, 0, k.present)
	h.Freshest = k.Address + "/delta"
	k.full = pressed(k.t, k.h, h, records...)
}

func (k *kiosk) pressDelta(number, base uint64, records ...warifu.StatusRecord) {
	k.delta = pressed(k.t, k.h, head(number, base, k.present), records...)
}

// ask judges the holder's certificate after a wait.
func (k *kiosk) ask(wait time.Duration) *verify.Result {
	k.t.Helper()
	k.present = k.present.Add(wait)
	return must(k.t)(k.verifier.Certificate(k.t.Context(), k.h.holder.certificate, verify.Policy{}))
}

func (k *kiosk) wantFetched(what string, full, delta int) {
	k.t.Helper()
	if k.fetched["/"] != full || k.fetched["/delta"] != delta {
		k.t.Errorf("%s: %v fetched, want %d full lists and %d deltas", what, k.fetched, full, delta)
	}
}

func TestTheCRLClientFetchesDeltas(t *testing.T) {
	k := newKiosk(t)
	n := k.h.holder.certificate.SerialNumber
	k.press(7)
	k.pressDelta(7, 6)
	wantGood(t, "at first", k.ask(0))
	wantGood(t, "kept", k.ask(30*time.Second))
	k.wantFetched("kept", 1, 0)
	wantGood(t, "nothing made since", k.ask(time.Minute))
	k.wantFetched("nothing made since", 1, 1)
	k.pressDelta(8, 6, heldRecord(n))
	r := k.ask(2 * time.Minute)
	wantBad(t, "held since", r, "certificate-suspended")
	k.wantFetched("held since", 1, 2)
	wantBad(t, "kept with its delta", k.ask(10*time.Second), "certificate-suspended")
	k.pressDelta(9, 7, lifted(n))
	wantGood(t, "lifted", k.ask(2*time.Minute))
	k.wantFetched("lifted", 1, 3)
	k.pressDelta(8, 6, heldRecord(n)) // an old one once more
	wantGood(t, "an older delta tells nothing new", k.ask(2*time.Minute))
	k.press(12, heldRecord(n))
	k.pressDelta(13, 10)
	wantBad(t, "a delta on a later list", k.ask(2*time.Minute), "certificate-suspended")
	k.wantFetched("a delta on a later list", 2, 5)
	k.delta = k.full
	wantBad(t, "a full list where the delta should be", k.ask(2*time.Minute), "certificate-suspended")
	k.wantFetched("a full list where the delta should be", 3, 6)
	k.press(11)
	wantBad(t, "an older list tells nothing new", k.ask(2*time.Minute), "certificate-suspended")
}

func TestTheCRLClientGoesOnOfflineOnlyWhenTold(t *testing.T) {
	k := newKiosk(t)
	k.Deltas = false
	k.press(7)
	wantGood(t, "at first", k.ask(0))
	k.down = true
	wantUnknown(t, "not told", k.ask(2*time.Minute), "status-unavailable")
	k.Offline = true
	r := k.ask(time.Hour)
	wantGood(t, "told", r)
	if r.StatusAge() != time.Hour+2*time.Minute {
		t.Error(r.StatusAge())
	}
	bounded := must(t)(k.verifier.Certificate(t.Context(), k.h.holder.certificate, verify.Policy{MaxStatusAge: time.Hour}))
	wantUnknown(t, "older than the policy bears", bounded, "status-answer-stale")
	wantUnknown(t, "past its nextUpdate", k.ask(24*time.Hour), "status-unavailable")
}

func TestAForgedListIsNotKeptAndMakesNothingGood(t *testing.T) {
	k := newKiosk(t)
	k.Offline = true
	k.press(7)
	wantGood(t, "at first", k.ask(0))
	k.full = pressed(t, forged()[phoneSignature], head(8, 0, now))
	k.delta = pressed(t, forged()[phoneSignature], head(8, 7, now))
	r := k.ask(2 * time.Minute)
	wantUnknown(t, "forged", r, "crl-signature")
	if errors.Is(r.Err(), &warifu.Error{Problem: "status-unavailable"}) {
		t.Error(r.Err())
	}
}
