package verify_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/ocsp"
	"warifu/profile"
	"warifu/verify"
)

// A bank checks the detached signature of an application form. In real life the
// authority's certificate comes from a file of the bank's own, the status from the
// responder the certificate names, and the clock is warifu.SystemClock{}.
func ExampleVerifier_Document() {
	authority, form, signature := exampleDocument()

	var trust verify.Trust
	if err := trust.Add(profile.ClassPhone, warifu.Signature, authority); err != nil {
		panic(err)
	}
	checker := said{status: good, at: now} // verify.OCSPClient{}
	v := verify.New(trust, checker, clock) // warifu.SystemClock{}

	result, err := v.Document(context.Background(), signature, form, verify.Policy{
		Attributes: []verify.Attribute{verify.Name, verify.BirthDate},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(result.Verdict, result.Class, result.Status.Cert)
	fmt.Println(result.Attributes.Name, result.Attributes.BirthDate, result.Attributes.Address == "")

	changed := append(bytes.Clone(form), "振込先を変更"...)
	result, err = v.Document(context.Background(), signature, changed, verify.Policy{})
	if err != nil {
		panic(err)
	}
	fmt.Println(result.Verdict, result.Reasons[0].Problem)
	// Output:
	// good phone good
	// 山田　太郎 319800217 true
	// bad signature-content-mismatch
}

// A site that asked a question checks the answer against its own values, none of
// which it takes from the claimant. The same answer is worth nothing at another site.
func ExampleVerifier_Presence() {
	h := world()[phoneAuthentication]
	var trust verify.Trust
	if err := trust.Add(profile.ClassPhone, warifu.Authentication, h.authority.certificate); err != nil {
		panic(err)
	}
	v := verify.New(trust, said{status: good, at: now}, clock)

	question := attest.Presence{
		Purpose: "login", ClientID: "bank", Origin: "https://bank.example",
		Nonce: []byte("sixteen random octets"), Transaction: "7f3a", Time: now,
	}
	digest := question.Digest()
	signature, err := h.holder.key.Sign(rand.Reader, digest[:], crypto.SHA256) // in the phone
	if err != nil {
		panic(err)
	}

	result, _ := v.Presence(context.Background(), question, h.holder.certificate, signature, verify.Policy{})
	fmt.Println(result.Verdict)
	question.Origin = "https://not-the-bank.example"
	result, _ = v.Presence(context.Background(), question, h.holder.certificate, signature, verify.Policy{})
	fmt.Println(result.Verdict, result.Reasons[0].Problem)
	// Output:
	// good
	// bad signature-invalid
}

// A contract carries a timestamp of two days ago. The phone was reported lost that
// morning and found at noon: today its certificate is good again, and what somebody
// signed with it in between is not.
func ExampleVerifier_WithHistory() {
	authority, form, signature := exampleDocument()
	kept := exampleHistory() // der, err := verify.HistoryClient{}.Fetch(…)

	var trust verify.Trust
	if err := trust.Add(profile.ClassPhone, warifu.Signature, authority); err != nil {
		panic(err)
	}
	today := said{status: good, at: now}                                      // verify.OCSPClient{}
	v := verify.New(trust, today, clock).WithHistory(verify.RawHistory(kept)) // verify.HistoryClient{}

	for _, timestamp := range []time.Time{
		time.Date(2026, 3, 30, 8, 30, 0, 0, time.UTC),  // before the phone was lost
		time.Date(2026, 3, 30, 10, 0, 0, 0, time.UTC),  // while it was on hold
		time.Date(2026, 3, 30, 12, 30, 0, 0, time.UTC), // after it was found
	} {
		result, err := v.Document(context.Background(), signature, form, verify.Policy{At: timestamp})
		if err != nil {
			panic(err)
		}
		fmt.Println(result.Verdict, result.Err())
	}
	// Output:
	// good <nil>
	// bad certificate-was-suspended since="2026-03-30T09:00:00Z" until="2026-03-30T12:00:00Z"
	// good <nil>
}

// What was not checked is never good: here nobody could be asked for the status.
func ExampleResult_Err() {
	h := world()[cardSignature]
	var trust verify.Trust
	if err := trust.Add(profile.ClassCard, warifu.Signature, h.authority.certificate); err != nil {
		panic(err)
	}
	result, _ := verify.New(trust, nil, clock).Certificate(context.Background(), h.holder.certificate, verify.Policy{})
	fmt.Println(result.Verdict, result.Err())
	// Output: unknown status-not-checked
}

func exampleDocument() (authority *x509.Certificate, form, signature []byte) {
	h := world()[phoneSignature]
	form = []byte("口座開設申込書\n")
	prepared, err := cms.Prepare(cms.OIDData, form, h.holder.certificate, nil, now, true)
	if err != nil {
		panic(err)
	}
	digest := prepared.Digest()
	value, err := h.holder.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		panic(err)
	}
	signature, err = prepared.Finish(value)
	if err != nil {
		panic(err)
	}
	return h.authority.certificate, form, signature
}

// exampleHistory is what the responder says of the same holder.
func exampleHistory() []byte {
	h := world()[phoneSignature]
	der, err := ocsp.SignHistory(ocsp.History{
		CertID: ocsp.NewCertID(crypto.SHA256, h.authority.certificate, h.holder.certificate.SerialNumber),
		AsOf:   now, Active: time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC),
		Holds: []ocsp.Interval{{From: time.Date(2026, 3, 30, 9, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 30, 12, 0, 0, 0, time.UTC)}},
	}, h.responder.certificate, h.responder.key)
	if err != nil {
		panic(err)
	}
	return der
}
