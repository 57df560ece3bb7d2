package verify

import (
	"crypto/sha256"
	"encoding/json"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

const (
	// MaxEvidence bounds a record in octets, as Marshal writes it.
	MaxEvidence = 4 << 20

	maxStamps       = 64
	evidenceVersion = 1
)

// Marshal returns the record as DER:
//
//	EvidenceRecord ::= SEQUENCE {
//	   core    SEQUENCE {
//	      version      INTEGER (1),
//	      form         UTF8String,             -- "cms", "pdf", "xml", "digest"
//	      document, covered, signed, signature, certificate,
//	      timestamp, imprint, authority, ocsp, crl, history
//	                   OCTET STRING },          -- each; empty where there is none
//	   stamps  SEQUENCE OF OCTET STRING }
func (e *Evidence) Marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { e.add(b, len(e.Stamps)) })
	out, err := b.Bytes()
	if err == nil && len(out) > MaxEvidence {
		err = warifu.TooLarge("evidence-too-large")
	}
	return out, err
}

// add writes the record with the first stamps of its time-stamps.
func (e *Evidence) add(b *cryptobyte.Builder, stamps int) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(evidenceVersion)
		b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(e.Subject.Form)) })
		for _, octets := range e.parts() {
			b.AddASN1OctetString(*octets)
		}
	})
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, token := range e.Stamps[:stamps] {
			b.AddASN1OctetString(token)
		}
	})
}

// parts lists the octet strings of the core in their order.
func (e *Evidence) parts() []*[]byte {
	s := &e.Subject
	document, covered, imprint := s.Document[:], s.Covered[:], s.Imprint[:]
	return []*[]byte{&document, &covered, &s.Signed, &s.Signature, &s.Certificate, &s.Timestamp, &imprint, &e.Authority, &e.OCSP, &e.CRL, &e.History}
}

// imprint is what the time-stamp with that index is over.
func (e *Evidence) imprint(index int) [sha256.Size]byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { e.add(b, index) })
	der, err := b.Bytes()
	if err != nil { // only lengths beyond 4 GiB make it fail
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(der)
}

// ParseEvidence reads what Marshal wrote. Errors: Invalid "evidence-malformed" with
// parameter "what", TooLarge "evidence-too-large".
func ParseEvidence(der []byte) (*Evidence, error) {
	if len(der) > MaxEvidence {
		return nil, warifu.TooLarge("evidence-too-large")
	}
	malformed := func(what string) error { return warifu.Invalid("evidence-malformed", "what", what) }
	in := cryptobyte.String(der)
	var body, core, stamps, form cryptobyte.String
	var version int
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1(&core, cbasn1.SEQUENCE) || !core.ReadASN1Integer(&version) || version != evidenceVersion ||
		!core.ReadASN1(&form, cbasn1.UTF8String) {
		return nil, malformed("version")
	}
	e := &Evidence{Subject: Subject{Form: Form(form)}}
	for _, into := range e.parts() {
		var octets cryptobyte.String
		if !core.ReadASN1(&octets, cbasn1.OCTET_STRING) {
			return nil, malformed("core")
		}
		fixed := len(*into) // the three digests have their length already
		if fixed > 0 && len(octets) != fixed {
			return nil, malformed("digest")
		}
		if fixed > 0 {
			copy(*into, octets)
			continue
		}
		if len(octets) > 0 {
			*into = octets
		}
	}
	if !core.Empty() || !body.ReadASN1(&stamps, cbasn1.SEQUENCE) || !body.Empty() {
		return nil, malformed("core")
	}
	for !stamps.Empty() {
		var token cryptobyte.String
		if len(e.Stamps) == maxStamps || !stamps.ReadASN1(&token, cbasn1.OCTET_STRING) {
			return nil, malformed("stamps")
		}
		e.Stamps = append(e.Stamps, token)
	}
	return e, nil
}

// exported is a record as a file that people may open.
type exported struct {
	Notice map[string]string `json:"notice"`
	ID     string            `json:"id"`
	Form   Form              `json:"form"`
	// Document is SHA-256 of the document it is about, in hexadecimal.
	Document string `json:"document"`
	Record   []byte `json:"record"`
}

// Export writes the record as JSON with a notice of what it is.
func (e *Evidence) Export() ([]byte, error) {
	der, err := e.Marshal()
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(exported{
		Notice: map[string]string{
			"ja": "この記録には署名した方の氏名などが含まれます。個人情報として取り扱ってください。",
			"en": "This record names the person who signed. Treat it as a personal document.",
		},
		ID: e.ID().String(), Form: e.Subject.Form, Document: warifu.Digest(e.Subject.Document).String(), Record: der,
	}, "", "  ")
}

// Import reads what Export wrote. What stands beside the record is for people; only the
// record counts. Errors as ParseEvidence.
func Import(file []byte) (*Evidence, error) {
	if len(file) > 2*MaxEvidence {
		return nil, warifu.TooLarge("evidence-too-large")
	}
	var in exported
	if err := json.Unmarshal(file, &in); err != nil {
		return nil, warifu.Invalid("evidence-malformed", "what", "JSON").With(err)
	}
	return ParseEvidence(in.Record)
}
