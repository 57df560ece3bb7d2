package ocsp

import (
	"bytes"
	"crypto"
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Form is a way of writing the CertIDs of one issuer: the digest, and whether its
// algorithm has NULL parameters or none. An answer repeats it, so that answers to two forms
// differ.
type Form uint8

// NumForms is how many forms there are; they count from zero.
const NumForms = 4

// Forms recognizes the commonest question there is, the one of RFC 9919 §3.1: about one
// certificate of one issuer, and nothing else. It is safe for several goroutines.
type Forms struct {
	before [NumForms][]byte // a CertID's content up to its serial number
}

// NewForms makes the recognizer of questions about the issuer's certificates.
func NewForms(issuer *x509.Certificate) *Forms {
	f := &Forms{}
	for i := range f.before {
		hash, oid := crypto.SHA256, oidSHA256
		if i >= NumForms/2 {
			hash, oid = crypto.SHA1, oidSHA1
		}
		name, key := issuerHashes(hash, issuer)
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid)
			if i%2 == 0 {
				b.AddASN1NULL()
			}
		})
		b.AddASN1OctetString(name)
		b.AddASN1OctetString(key)
		f.before[i] = b.BytesOrPanic()
	}
	return f
}

// Recognize reads such a question. It takes nothing that ParseRequest would refuse or
// would read otherwise; what it does not take ParseRequest has to read. The serial number (big-endian,
// no sign octet) lies in the question. Nothing is allocated.
func (f *Forms) Recognize(question []byte) (form Form, serial []byte, ok bool) {
	const depth = 5 // OCSPRequest, TBSRequest, requestList, Request, CertID
	in := question
	for range depth {
		// Five short headers around fewer than 128 octets: DER has no other way to write it.
		if len(in) < 2 || in[0] != 0x30 || in[1] >= 0x80 || int(in[1]) != len(in)-2 {
			return 0, nil, false
		}
		in = in[2:]
	}
	for i, before := range f.before {
		if rest, found := bytes.CutPrefix(in, before); found {
			serial, ok = serialOf(rest)
			return Form(i), serial, ok
		}
	}
	return 0, nil, false
}

// serialOf reads an INTEGER that is everything there is.
func serialOf(in []byte) ([]byte, bool) {
	if len(in) < 3 || in[0] != 0x02 || int(in[1]) != len(in)-2 || in[2] >= 0x80 {
		return nil, false
	}
	in = in[2:]
	if in[0] == 0 {
		if in = in[1:]; len(in) > 0 && in[0] < 0x80 {
			return nil, false // not the shortest
		}
	}
	return in, len(in) <= maxSerial
}
