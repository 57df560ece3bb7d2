package events

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"encoding/asn1"
	"regexp"
	"time"

	"warifu"
	"warifu/attest"
)

// CardReport is the one message that goes the other way: a registration authority tells
// the card bureau that a card was reported lost or stolen in a call about a phone, so that
// one call is enough for the holder. What the bureau makes of it comes back as an Event.
type CardReport struct {
	Person warifu.Digest // the opaque handle of the bureau's own card statements
	// Receipt is the 受付番号 of the call, "0123-4567-8901". The same receipt twice is one
	// report, however often it is sent.
	Receipt string
	At      time.Time // when this report was signed, to the second
}

// ReportLife is how far a report's instant may lie from the clock of whoever opens it: a
// report is signed anew for each try, so that an old one that was kept back is refused.
const ReportLife = 10 * time.Minute

type wireReport struct {
	Version int
	Person  []byte
	Receipt string    `asn1:"printable"`
	At      time.Time `asn1:"generalized"`
}

var receiptForm = regexp.MustCompile(`^[0-9]{4}-[0-9]{4}-[0-9]{4}$`)

// SealReport encodes and signs a report with the authority's report key (P-256). A report
// that OpenReport would refuse is Invalid "paper-malformed".
func SealReport(r CardReport, key crypto.Signer) ([]byte, error) {
	body, err := r.marshal()
	if err != nil {
		return nil, err
	}
	if _, err := parseReport(body); err != nil {
		return nil, err
	}
	return attest.Seal(attest.ContextCardReport, body, key)
}

// OpenReport checks the authority's signature and decodes. Whether the report is fresh is
// for whoever opens it to see (ReportLife). Errors: Invalid "paper-malformed", TooLarge
// "paper-too-large", Refused "paper-signature-invalid".
func OpenReport(envelope []byte, key *ecdsa.PublicKey) (CardReport, error) {
	body, err := attest.Open(attest.ContextCardReport, envelope, key)
	if err != nil {
		return CardReport{}, err
	}
	return parseReport(body)
}

func (r CardReport) marshal() ([]byte, error) {
	body, err := asn1.Marshal(wireReport{version, r.Person[:], r.Receipt, r.At.UTC().Truncate(time.Second)})
	if err != nil {
		return nil, malformedReport().With(err)
	}
	return body, nil
}

// parseReport refuses whatever it would not itself encode to the same octets.
func parseReport(body []byte) (CardReport, error) {
	var w wireReport
	rest, err := asn1.Unmarshal(body, &w)
	if err != nil || len(rest) != 0 {
		return CardReport{}, malformedReport().With(err)
	}
	r := CardReport{Receipt: w.Receipt, At: w.At.UTC()}
	copy(r.Person[:], w.Person)
	if w.Version != version || len(w.Person) != len(r.Person) || r.Person.IsZero() || !receiptForm.MatchString(r.Receipt) {
		return CardReport{}, malformedReport()
	}
	if again, err := r.marshal(); err != nil || !bytes.Equal(again, body) {
		return CardReport{}, malformedReport().With(err)
	}
	return r, nil
}

func malformedReport() *warifu.Error {
	return warifu.Invalid("paper-malformed", "paper", string(attest.ContextCardReport))
}
