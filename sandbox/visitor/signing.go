package visitor

import (
	"bytes"
	"context"
	"net/http"

	"warifu"
	"warifu/relyingparty"
)

// Signer is a provider that has documents signed on the way of a login.
type Signer interface {
	Provider
	SignTransaction(ctx context.Context, d relyingparty.Document) (id string, err error)
	SignResult(ctx context.Context, login *relyingparty.Login, id string) (relyingparty.Signed, error)
}

// AskSignature hands a document to the provider and returns the address at which its signature
// is given; the answer arrives with the purpose and reference. demand is a class that must
// sign (relyingparty.DemandPhone or DemandCard) or "".
func (v *Visitors) AskSignature(w http.ResponseWriter, r *http.Request, purpose, reference string, d relyingparty.Document, demand string) (address string, err error) {
	signer, ok := v.config.Provider.(Signer)
	if !ok {
		return "", warifu.Unavailable("visitor-no-signatures")
	}
	id, err := signer.SignTransaction(r.Context(), d)
	if err != nil {
		return "", err
	}
	wish := relyingparty.Wish{Scopes: []string{"sign"}, SignTransaction: id}
	if demand != "" {
		wish.ACR = []string{demand}
	}
	return v.Begin(w, r, purpose, reference, wish)
}

// Signature is a document that was signed, and what the verification service says of it.
type Signature struct {
	File    []byte // the CMS, or the signed PDF or XML file
	Checked Checked
}

// TakeSignature fetches what was signed on the way of an arrival and has it checked: it is of
// the document that was shown, and good now. Errors: Refused "visitor-signature-other" for
// another document, "visitor-certificate-dead" where the certificate was revoked or
// suspended, "visitor-signature-refused" for any other verdict but good.
func (v *Visitors) TakeSignature(ctx context.Context, a Arrival, d relyingparty.Document, checks Checks, policy Policy, purpose string) (Signature, error) {
	signer, ok := v.config.Provider.(Signer)
	if !ok {
		return Signature{}, warifu.Unavailable("visitor-no-signatures")
	}
	signed, err := signer.SignResult(ctx, a.Login, a.Login.SignTransaction)
	if err != nil {
		return Signature{}, err
	}
	q := Question{Form: d.Mode, Policy: policy, Purpose: purpose}
	file := signed.Document
	if d.Mode == relyingparty.ModeCMS {
		file, q.Signature, q.Document = signed.Signature, signed.Signature, d.Content
	} else {
		q.Document = signed.Document
	}
	// An update is appended to a PDF file: what was shown stands unchanged before it.
	if d.Mode == relyingparty.ModePDF && !bytes.HasPrefix(signed.Document, d.Content) {
		return Signature{}, warifu.Refused("visitor-signature-other")
	}
	checked, err := checks.Check(ctx, q)
	if err != nil {
		return Signature{}, err
	}
	switch {
	case checked.Verdict == "good":
		return Signature{file, checked}, nil
	case checked.Status.Status == "revoked":
		return Signature{}, warifu.Refused("visitor-certificate-dead")
	}
	return Signature{}, warifu.Refused("visitor-signature-refused", "reason", checked.Reason())
}
