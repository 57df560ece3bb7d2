package oidc

import (
	"bytes"
	"context"
	"crypto/x509"
	"slices"
	"time"

	"warifu"
	"warifu/cms"
	"warifu/document"
	"warifu/ledger"
	"warifu/profile"
	"warifu/store"
	"warifu/verify"
)

// claimSkew is how far the signer's claim of the time may lie outside the transaction's life.
const claimSkew = 5 * time.Minute

// judged is a signature that was found good.
type judged struct {
	*verify.Result
	transaction store.SignTransaction
	name        string
	signed      Signed
	at          time.Time
}

// judge checks that what was signed is the transaction's document, in its mode, by a signature
// credential that is good now.
func (d *SignDesk) judge(ctx context.Context, client Client, transaction string, s Signed) (judged, error) {
	j := judged{signed: s, at: d.Clock.Now()}
	var octets []byte
	err := d.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if j.transaction, err = d.open(tx, client, transaction); err != nil {
			return err
		}
		if j.name, err = tx.SignName(j.transaction); err == nil {
			octets, err = tx.SignOctets(j.transaction)
		}
		return err
	})
	if err != nil {
		return j, err
	}
	// Judged now, whatever a time-stamp in it says: it is accepted now. What is now needs no
	// history, which tells whole seconds and would turn away who signs in the one in which the
	// certificate came into use.
	p := verify.Policy{At: j.at, History: noHistory{}, MaxMessage: MaxSignDocument + cms.MaxPaper}
	if j.Result, err = d.signature(ctx, j.transaction, octets, s, p); err != nil {
		return j, err
	}
	if err := j.Err(); err != nil {
		return j, err
	}
	// What a signed file carries is believed about its signer; whether the certificate is good
	// now is asked of whoever knows.
	now, err := d.Verifier.Certificate(ctx, j.Certificate, verify.Policy{Kind: warifu.Signature})
	if err == nil {
		err = now.Err()
	}
	if err != nil {
		return j, err
	}
	j.Result.Status, j.StatusTime, j.StatusSource = now.Status, now.StatusTime, now.StatusSource
	return j, nil
}

// noHistory is nobody's.
type noHistory struct{}

// Holds implements verify.History.
func (noHistory) Holds(context.Context, *x509.Certificate, *x509.Certificate, time.Time) (verify.Past, error) {
	return verify.Past{}, warifu.NotFound("status-history-absent")
}

// signature judges what was signed by its mode.
func (d *SignDesk) signature(ctx context.Context, t store.SignTransaction, octets []byte, s Signed, p verify.Policy) (*verify.Result, error) {
	certificate, err := x509.ParseCertificate(s.Certificate)
	if err != nil {
		return nil, warifu.Invalid("signed-malformed", "what", "certificate").With(err)
	}
	var r *verify.Result
	switch t.Mode {
	case ModeDigest, ModeDigestInfo:
		r, err = d.Verifier.Digest(ctx, t.Digest, certificate, s.Signature, p)
	case ModeCMS, ModeCMSAttached:
		r, err = d.message(ctx, t, octets, s, p)
	case ModePDF:
		r, err = d.pdf(ctx, octets, s, p)
	default:
		if err = document.XMLSigned(s.Document, octets); err == nil {
			r, err = d.Verifier.XML(ctx, s.Document, p)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case inDocument(t.Mode) == (len(s.Signature) > 0) || inDocument(t.Mode) == (len(s.Document) == 0):
		return nil, warifu.Invalid("signed-malformed", "what", t.Mode)
	case r.Certificate != nil && !r.Certificate.Equal(certificate):
		return nil, warifu.Refused("signed-certificate-other")
	case !r.SigningTime.IsZero() && (r.SigningTime.Before(t.At.Add(-claimSkew)) || r.SigningTime.After(d.Clock.Now().Add(claimSkew))):
		return nil, warifu.Refused("signed-at-another-time") // a signature of another day, on the same document
	}
	return r, nil
}

// inDocument reports whether a mode puts the signature into the document.
func inDocument(mode string) bool { return mode == ModePDF || mode == ModeXML }

func (d *SignDesk) message(ctx context.Context, t store.SignTransaction, octets []byte, s Signed, p verify.Policy) (*verify.Result, error) {
	m, err := cms.ParseWithin(s.Signature, p.MaxMessage)
	if err != nil {
		return nil, err
	}
	if m.Detached != (t.Mode == ModeCMS) {
		return nil, warifu.Invalid("signed-malformed", "what", t.Mode)
	}
	return d.Verifier.Document(ctx, s.Signature, octets, p)
}

func (d *SignDesk) pdf(ctx context.Context, octets []byte, s Signed, p verify.Policy) (*verify.Result, error) {
	field, err := document.PDFSigned(s.Document, octets)
	if err != nil {
		return nil, err
	}
	results, err := d.Verifier.PDF(ctx, s.Document, p)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(results, func(r *verify.PDFResult) bool { return r.Field == field })
	if i < 0 {
		return nil, warifu.Invalid("signed-malformed", "what", "field "+field)
	}
	return results[i].Result, nil
}

// Vouch implements Signing.
func (d *SignDesk) Vouch(ctx context.Context, client Client, transaction string, s Signed, nonce []byte) (*verify.Result, error) {
	element, err := warifu.ParseElementID(s.Element)
	if err != nil || d.Chips == nil {
		return nil, warifu.Invalid("signed-malformed", "what", "element").With(err)
	}
	given, err := d.Chips.Gave(ctx, element, s.Request, SignPurpose, s.digest().String(), nonce)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(given, warifu.Signature) {
		return nil, warifu.Unauthenticated("secret-not-verified", "kind", warifu.Signature.String())
	}
	j, err := d.judge(ctx, client, transaction, s)
	if err != nil {
		return nil, err
	}
	// The chip speaks for the key that lies in it and for no other.
	return j.Result, d.Store.Read(ctx, func(tx *store.Tx) error {
		if j.Class != profile.ClassPhone {
			return warifu.Refused("signed-other-chip")
		}
		c, err := tx.CredentialBySerial(warifu.Signature, j.Certificate.SerialNumber.Bytes())
		if err == nil && c.Element != element {
			err = warifu.Refused("signed-other-chip")
		}
		return err
	})
}

// digest is what the chip's word names the signature by: SHA-256 of the bare signature or the
// CMS message, or of the signed document.
func (s Signed) digest() warifu.Digest {
	return warifu.DigestOf(slices.Concat(s.Signature, s.Document))
}

// Accept implements Signing.
func (d *SignDesk) Accept(ctx context.Context, client Client, transaction, class string, s Signed) (Accepted, error) {
	j, err := d.judge(ctx, client, transaction, s)
	if err != nil {
		return Accepted{}, err
	}
	out := Accepted{Class: j.Class.String()}
	if class != "" && class != out.Class {
		return Accepted{}, warifu.Refused("signed-class", "class", class)
	}
	whose, err := d.holder(ctx, j)
	if err != nil {
		return Accepted{}, err
	}
	record, err := j.record()
	if err != nil {
		return Accepted{}, err
	}
	out.Keep = func(tx *store.Tx, login string, person warifu.Digest) error {
		signer, err := whose(tx)
		if err != nil {
			return err
		}
		if signer != person {
			return warifu.Refused("signed-other-person")
		}
		done, err := tx.FinishSignTransaction(transaction, login, record, j.at, j.at.Add(ResultLife))
		if err != nil {
			return err
		}
		if !done {
			return warifu.Conflict("sign-transaction-over")
		}
		return d.Ledger.Append(tx, person, ledger.Entry{
			At: j.at, By: client.ID, Name: client.Name, What: ledger.Signed, Purpose: j.name, Class: j.Class.String(), Kind: j.Kind.String(),
			Result: j.Verdict.String(), Reference: transaction,
		})
	}
	return out, nil
}

// holder finds out whose the signature credential is. Of a card the bureau is asked, before
// any transaction.
func (d *SignDesk) holder(ctx context.Context, j judged) (func(tx *store.Tx) (warifu.Digest, error), error) {
	if j.Class == profile.ClassPhone {
		return func(tx *store.Tx) (warifu.Digest, error) {
			c, err := tx.CredentialBySerial(warifu.Signature, j.Certificate.SerialNumber.Bytes())
			return c.Person, err
		}, nil
	}
	if d.Cards == nil {
		return nil, warifu.Refused("signed-class", "class", ClassPhone)
	}
	statement, err := d.Cards.Card(ctx, j.Certificate.Raw)
	if err != nil {
		return nil, err
	}
	card, has := statement.Of(warifu.Signature)
	if !has || !bytes.Equal(card.Serial, j.Certificate.SerialNumber.Bytes()) {
		return nil, warifu.Refused("signed-certificate-other")
	}
	return func(*store.Tx) (warifu.Digest, error) { return statement.Person, nil }, nil
}
