package verify_test

import (
	"testing"
	"time"

	"warifu"
	"warifu/verify"
)

// A kiosk whose line is down goes on with what the signer handed over, for as long as its own
// policy says and no longer.
func TestAStapledAnswerIsBelievedForAsLongAsThePolicySays(t *testing.T) {
	h := world()[phoneSignature]
	v := verify.New(trust(t), nil, clock)
	answer := answered(t, h, h.responder, h.holder.certificate.SerialNumber, good, now.Add(-40*time.Minute))
	judge := func(s verify.Stapled) *verify.Result {
		return must(t)(v.Certificate(t.Context(), h.holder.certificate, verify.Policy{Status: s, MaxStatusAge: s.MaxAge}))
	}
	wantGood(t, "within the policy", judge(verify.Stapled{OCSP: answer, MaxAge: time.Hour}))
	wantUnknown(t, "beyond the policy", judge(verify.Stapled{OCSP: answer, MaxAge: 30 * time.Minute}), "status-answer-stale")
	wantUnknown(t, "beyond nextUpdate, with no policy", judge(verify.Stapled{OCSP: answer}), "status-answer-stale")
	fresh := answered(t, h, h.responder, h.holder.certificate.SerialNumber, good, now.Add(-6*time.Minute))
	wantUnknown(t, "a policy narrower than nextUpdate", judge(verify.Stapled{OCSP: fresh, MaxAge: 5 * time.Minute}), "status-answer-stale")
	lost := answered(t, h, h.responder, h.holder.certificate.SerialNumber, revokedAt(warifu.ReasonCertificateHold, now.Add(-time.Hour)), now.Add(-40*time.Minute))
	wantBad(t, "suspended when it was asked", judge(verify.Stapled{OCSP: lost, MaxAge: time.Hour}), "certificate-suspended")
	other := answered(t, h, world()[phoneAuthentication].responder, h.holder.certificate.SerialNumber, good, now)
	wantUnknown(t, "another authority's responder", judge(verify.Stapled{OCSP: other, MaxAge: time.Hour}), "status-responder-unauthorized")
}
