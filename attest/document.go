package attest

import (
	"encoding/asn1"
	"reflect"

	"warifu"
	"warifu/signed"
)

// OIDApplicationDocument is the eContentType of the application document: our own
// arc under 2.25 (a UUID, ITU-T X.667), because a signature over it has one
// meaning only and must never be asked for by anybody else (design §3.1).
var OIDApplicationDocument = asn1.ObjectIdentifier{2, 25, 154071603, 1, 1}

// contextDocument names the document in errors; it is signed as CMS, not in an envelope.
const contextDocument Context = "warifu-application-document-v1"

// Key is a public key made inside a chip, with the kind it is for.
type Key struct {
	Kind      warifu.Kind
	PublicKey []byte // SubjectPublicKeyInfo, DER
}

// Document is the application document (design §3.1): what the card signs.
type Document struct {
	Challenge   []byte // ChallengeLength octets, from the server
	Element     warifu.ElementID
	Model       string // catalogue identifier of the device model
	OSBuild     string
	AppVersion  int
	Keys        []Key         // one or two, in order of kind; these are the kinds applied for (R34)
	Attestation warifu.Digest // SHA-256 of the attestation envelope
	Consent     string        // version of the consent text ticked (R35)
	Scheme      string        // scheme and version, "jp-mobile/1"
}

type wireKey struct {
	Kind      int
	PublicKey []byte
}

type wireDocument struct {
	Version     int
	Challenge   []byte
	Element     []byte
	Model       string `asn1:"utf8"`
	OSBuild     string `asn1:"utf8"`
	AppVersion  int
	Keys        []wireKey
	Attestation []byte
	Consent     string `asn1:"utf8"`
	Scheme      string `asn1:"utf8"`
}

const maxText = 128 // characters octets of any text field of a paper

// Marshal encodes the document.
func (d Document) Marshal() ([]byte, error) {
	return asn1.Marshal(wireDocument{
		Version: 1, Challenge: d.Challenge, Element: d.Element[:], Model: d.Model, OSBuild: d.OSBuild,
		AppVersion: d.AppVersion, Keys: toWireKeys(d.Keys), Attestation: d.Attestation[:],
		Consent: d.Consent, Scheme: d.Scheme,
	})
}

// Kinds lists the kinds applied for.
func (d Document) Kinds() []warifu.Kind { return kindsOf(d.Keys) }

// ParseDocument decodes and bounds an application document; errors as parseStrict
// and "paper-malformed" for a field out of bounds.
func ParseDocument(der []byte) (Document, error) { return documents.Of(der) }

var documents = signed.NewRead(parseDocument)

func parseDocument(der []byte) (Document, error) {
	var w wireDocument
	if err := parseStrict(contextDocument, der, &w); err != nil {
		return Document{}, err
	}
	d := Document{Challenge: w.Challenge, Model: w.Model, OSBuild: w.OSBuild, AppVersion: w.AppVersion, Consent: w.Consent, Scheme: w.Scheme}
	keys, ok := fromWireKeys(w.Keys)
	d.Keys = keys
	for _, s := range []string{w.Model, w.OSBuild, w.Consent, w.Scheme} {
		ok = ok && len(s) <= maxText
	}
	ok = ok && w.Version == 1 && len(w.Challenge) == ChallengeLength && len(w.Keys) > 0 &&
		copyExact(d.Element[:], w.Element) && copyExact(d.Attestation[:], w.Attestation) && w.AppVersion >= 0
	if !ok {
		return Document{}, warifu.Invalid("paper-malformed", "paper", string(contextDocument))
	}
	return d, nil
}

func toWireKeys(keys []Key) []wireKey {
	out := make([]wireKey, len(keys))
	for i, k := range keys {
		out[i] = wireKey{int(k.Kind), k.PublicKey}
	}
	return out
}

// fromWireKeys refuses unknown kinds, repeated or disordered kinds and oversized keys.
func fromWireKeys(in []wireKey) ([]Key, bool) {
	out := make([]Key, 0, len(in))
	last := 0
	for _, k := range in {
		if k.Kind <= last || k.Kind > int(warifu.Authentication) || len(k.PublicKey) == 0 || len(k.PublicKey) > 1024 {
			return nil, false
		}
		last = k.Kind
		out = append(out, Key{warifu.Kind(k.Kind), k.PublicKey})
	}
	return out, true
}

func kindsOf(keys []Key) []warifu.Kind {
	out := make([]warifu.Kind, len(keys))
	for i, k := range keys {
		out[i] = k.Kind
	}
	return out
}

func copyExact(dst, src []byte) bool { return copy(dst, src) == len(dst) && len(src) == len(dst) }

// marshalValue encodes what v points to.
func marshalValue(v any) ([]byte, error) { return asn1.Marshal(reflect.ValueOf(v).Elem().Interface()) }
