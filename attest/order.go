package attest

import (
	"encoding/asn1"
	"time"

	"warifu"
)

// OIDCardOrder is the eContentType of a card order; see OIDApplicationDocument.
var OIDCardOrder = asn1.ObjectIdentifier{2, 25, 154071603, 1, 2}

// Verbs of card orders about who wants to be told attributes of the holder: to read what waits,
// and to decide it. They are no verbs of any life.
const (
	VerbConsents warifu.Verb = "consents"
	VerbGrant    warifu.Verb = "consent:grant"
	VerbRefuse   warifu.Verb = "consent:refuse"
)

const contextCardOrder Context = "warifu-card-order-v1"

// CardOrder is what the holder orders with the card and its signing password, on any
// device: the way when the phone is lost, broken or locked (K9, K10). It travels as
// CMS signed by the card's signing key, like an application document.
type CardOrder struct {
	Challenge []byte      // ChallengeLength octets, made for the zero element
	Verb      warifu.Verb // suspend, resume, revoke, VerbContact, or one about attribute requests
	Kinds     []warifu.Kind
	Reason    string    // of a hold: "lost", "repair", "own-wish"; of VerbContact: its ContactDigest; of VerbConsents: "all"; of VerbGrant and VerbRefuse: the request; else empty
	Until     time.Time // of a repair hold, to the second; zero: none
}

type wireCardOrder struct {
	Version   int
	Challenge []byte
	Verb      string `asn1:"utf8"`
	Kinds     []int
	Reason    string `asn1:"utf8"`
	Until     int64  // seconds since 1970; 0 for none
}

// Marshal encodes the order.
func (o CardOrder) Marshal() ([]byte, error) {
	w := wireCardOrder{1, o.Challenge, string(o.Verb), toWireKinds(o.Kinds), o.Reason, 0}
	if !o.Until.IsZero() {
		w.Until = o.Until.Unix()
	}
	return asn1.Marshal(w)
}

// ParseCardOrder decodes and bounds a card order.
func ParseCardOrder(der []byte) (CardOrder, error) {
	var w wireCardOrder
	if err := parseStrict(contextCardOrder, der, &w); err != nil {
		return CardOrder{}, err
	}
	o := CardOrder{Challenge: w.Challenge, Verb: warifu.Verb(w.Verb), Reason: w.Reason}
	var ok bool
	o.Kinds, ok = fromWireKinds(w.Kinds)
	if w.Until > 0 {
		o.Until = time.Unix(w.Until, 0).UTC()
	}
	switch o.Verb {
	case warifu.VerbSuspend, warifu.VerbResume, warifu.VerbRevoke, VerbContact, VerbConsents, VerbGrant, VerbRefuse:
	default:
		ok = false
	}
	if !ok || w.Version != 1 || len(w.Challenge) != ChallengeLength || len(o.Kinds) == 0 || len(w.Reason) > maxText || w.Until < 0 {
		return CardOrder{}, warifu.Invalid("paper-malformed", "paper", string(contextCardOrder))
	}
	return o, nil
}
