package verify_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"fmt"

	"warifu"
	"warifu/attest"
	"warifu/cms"
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
