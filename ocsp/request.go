package ocsp

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

const (
	// MaxRequest bounds a request in octets.
	MaxRequest = 16 << 10
	// MaxCertIDs bounds the certificates one request may ask about.
	MaxCertIDs = 64
	// MaxNonce is the longest nonce (RFC 9654 §2.1); the shortest has one octet.
	MaxNonce = 128
)

var (
	oidNonce      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidAcceptable = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 4}
	oidLocator    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 7}
	oidPreferred  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 8}
)

// Request is an OCSP request (RFC 6960 §4.1).
type Request struct {
	CertIDs []CertID
	Nonce   []byte // nil when absent
	// CriticalUnknown says that an extension was marked critical that this package
	// does not know; a responder must not answer such a request (RFC 6960 §4.4).
	CriticalUnknown bool
}

func context(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }

func malformedRequest(what string) error {
	return warifu.Invalid("status-request-malformed", "what", what)
}

// ParseRequest reads a request. A signature on it is not looked at, and neither is the
// name of who asks (RFC 9919 §3.1.2): anybody may ask. Of what a client may wish for there is one thing
// here to choose from, so its wishes (RFC 6960 §4.4.3, §4.4.6, §4.4.7) are read and change nothing.
// Errors: TooLarge "status-request-too-large", Invalid "status-request-malformed".
func ParseRequest(der []byte) (*Request, error) {
	if len(der) > MaxRequest {
		return nil, warifu.TooLarge("status-request-too-large")
	}
	in := cryptobyte.String(der)
	var outer, tbs cryptobyte.String
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		return nil, malformedRequest("OCSPRequest")
	}
	if !outer.SkipOptionalASN1(context(0)) || !outer.Empty() {
		return nil, malformedRequest("optionalSignature")
	}
	r := &Request{}
	if err := r.read(tbs); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Request) read(tbs cryptobyte.String) error {
	var list, extensions cryptobyte.String
	var has bool
	var version int
	if !tbs.ReadOptionalASN1Integer(&version, context(0), 0) || version != 0 {
		return malformedRequest("version")
	}
	if !tbs.SkipOptionalASN1(context(1)) || !tbs.ReadASN1(&list, cbasn1.SEQUENCE) || list.Empty() {
		return malformedRequest("requestList")
	}
	for !list.Empty() {
		if len(r.CertIDs) == MaxCertIDs {
			return malformedRequest("too many CertIDs")
		}
		if err := r.readOne(&list); err != nil {
			return err
		}
	}
	if !tbs.ReadOptionalASN1(&extensions, &has, context(2)) || !tbs.Empty() {
		return malformedRequest("requestExtensions")
	}
	if !has {
		return nil
	}
	return r.readExtensions(extensions)
}

func (r *Request) readExtensions(explicit cryptobyte.String) error {
	list, ok := readExtensions(explicit)
	if !ok {
		return malformedRequest("requestExtensions")
	}
	for _, e := range list {
		switch {
		case e.oid.Equal(oidNonce):
			if r.Nonce, ok = readNonce(e.value); !ok {
				return malformedRequest("nonce")
			}
		case e.oid.Equal(oidAcceptable):
			if !acceptsBasic(e.value) {
				return malformedRequest("acceptable responses")
			}
		case e.oid.Equal(oidPreferred):
			if !isPreferred(e.value) {
				return malformedRequest("preferred signature algorithms")
			}
		case e.critical:
			r.CriticalUnknown = true
		}
	}
	return nil
}

func (r *Request) readOne(list *cryptobyte.String) error {
	var one, extensions cryptobyte.String
	var has bool
	if !list.ReadASN1(&one, cbasn1.SEQUENCE) {
		return malformedRequest("Request")
	}
	id, ok := readCertID(&one)
	if !ok {
		return malformedRequest("CertID")
	}
	if !one.ReadOptionalASN1(&extensions, &has, context(0)) || !one.Empty() {
		return malformedRequest("singleRequestExtensions")
	}
	if has {
		list, ok := readExtensions(extensions)
		if !ok {
			return malformedRequest("singleRequestExtensions")
		}
		for _, e := range list {
			switch {
			case e.oid.Equal(oidLocator): // the certificate's own word on who answers; we do, or nobody here
				if !isLocator(e.value) {
					return malformedRequest("service locator")
				}
			case e.critical:
				r.CriticalUnknown = true
			}
		}
	}
	r.CertIDs = append(r.CertIDs, id)
	return nil
}

// Marshal encodes the request, unsigned.
func (r Request) Marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, id := range r.CertIDs {
					b.AddASN1(cbasn1.SEQUENCE, id.add)
				}
			})
			addNonce(b, context(2), r.Nonce)
		})
	})
	return b.Bytes()
}

type extension struct {
	oid      asn1.ObjectIdentifier
	critical bool
	value    cryptobyte.String
}

const maxExtensions = 16

// readExtensions reads the content of an explicitly tagged Extensions; a type may
// stand in it once.
func readExtensions(explicit cryptobyte.String) ([]extension, bool) {
	var list cryptobyte.String
	if !explicit.ReadASN1(&list, cbasn1.SEQUENCE) || !explicit.Empty() || list.Empty() {
		return nil, false
	}
	var out []extension
	for !list.Empty() {
		e, ok := readExtension(&list)
		if !ok || len(out) == maxExtensions {
			return nil, false
		}
		for _, other := range out {
			if other.oid.Equal(e.oid) {
				return nil, false
			}
		}
		out = append(out, e)
	}
	return out, true
}

func readExtension(list *cryptobyte.String) (extension, bool) {
	var e extension
	var body cryptobyte.String
	if !list.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1ObjectIdentifier(&e.oid) {
		return e, false
	}
	if body.PeekASN1Tag(cbasn1.BOOLEAN) && !body.ReadASN1Boolean(&e.critical) {
		return e, false
	}
	ok := body.ReadASN1(&e.value, cbasn1.OCTET_STRING) && body.Empty()
	return e, ok
}

func readNonce(value cryptobyte.String) ([]byte, bool) {
	var nonce cryptobyte.String
	ok := value.ReadASN1(&nonce, cbasn1.OCTET_STRING) && value.Empty() && len(nonce) >= 1 && len(nonce) <= MaxNonce
	return nonce, ok
}

// acceptsBasic reads AcceptableResponses: a client is to be capable of the basic response
// whatever else it accepts (RFC 6960 §4.4.3).
func acceptsBasic(value cryptobyte.String) bool {
	var list cryptobyte.String
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() {
		return false
	}
	basic := false
	for !list.Empty() {
		var oid asn1.ObjectIdentifier
		if !list.ReadASN1ObjectIdentifier(&oid) {
			return false
		}
		basic = basic || oid.Equal(oidBasic)
	}
	return basic
}

// isPreferred reads PreferredSignatureAlgorithms (RFC 6960 §4.4.7.1). Where none of them
// is the responder's it answers with its own (§4.4.7.2.1), so that nothing needs remembering.
func isPreferred(value cryptobyte.String) bool {
	var list cryptobyte.String
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() || list.Empty() {
		return false
	}
	for !list.Empty() {
		var one cryptobyte.String
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) || !one.SkipASN1(cbasn1.SEQUENCE) ||
			!one.Empty() && (!one.SkipASN1(cbasn1.SEQUENCE) || !one.Empty()) {
			return false
		}
	}
	return true
}

// isLocator reads ServiceLocator (RFC 6960 §4.4.6).
func isLocator(value cryptobyte.String) bool {
	var body cryptobyte.String
	return value.ReadASN1(&body, cbasn1.SEQUENCE) && value.Empty() && body.SkipASN1(cbasn1.SEQUENCE) &&
		(body.Empty() || body.SkipASN1(cbasn1.SEQUENCE) && body.Empty())
}

// addNonce writes Extensions holding the nonce alone, or nothing without one.
func addNonce(b *cryptobyte.Builder, tag cbasn1.Tag, nonce []byte) {
	if nonce != nil {
		addExtension(b, tag, oidNonce, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
	}
}

// addExtension adds an explicitly tagged Extensions with one in it, not critical.
func addExtension(b *cryptobyte.Builder, tag cbasn1.Tag, oid asn1.ObjectIdentifier, value cryptobyte.BuilderContinuation) {
	b.AddASN1(tag, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oid)
				b.AddASN1(cbasn1.OCTET_STRING, value)
			})
		})
	})
}
