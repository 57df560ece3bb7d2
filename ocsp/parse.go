package ocsp

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

// MaxResponse bounds a response in octets.
const MaxResponse = 64 << 10

const maxCertificates = 4

// Response is a successful response. Nothing in it is to be believed before Verify.
type Response struct {
	Singles              []Single
	ProducedAt           time.Time
	Nonce                []byte            // nil when absent
	ResponderCertificate *x509.Certificate // the delegated responder that came along; nil: none did
	Raw                  []byte

	responderName []byte // byName: DER Name
	responderKey  []byte // byKey: SHA-1 of the key's bits
	certificates  []*x509.Certificate
	tbsDigest     [sha256.Size]byte
	algorithm     asn1.ObjectIdentifier
	signature     []byte
}

func malformedResponse(what string) error {
	return warifu.Invalid("status-answer-malformed", "what", what)
}

// ParseResponse reads a response. Errors: Invalid "status-answer-malformed", TooLarge
// "status-answer-too-large", and for a response that is not successful Unavailable
// "status-refused" with its status.
func ParseResponse(der []byte) (*Response, error) {
	if len(der) > MaxResponse {
		return nil, warifu.TooLarge("status-answer-too-large")
	}
	in := cryptobyte.String(der)
	var outer, explicit, typed, basic cryptobyte.String
	var status int
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Enum(&status) {
		return nil, malformedResponse("OCSPResponse")
	}
	if ResponseStatus(status) != Successful {
		return nil, warifu.Unavailable("status-refused", "answer", ResponseStatus(status).String())
	}
	if !outer.ReadASN1(&explicit, context(0)) || !outer.Empty() || !explicit.ReadASN1(&typed, cbasn1.SEQUENCE) || !explicit.Empty() ||
		!typed.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidBasic) || !typed.ReadASN1(&basic, cbasn1.OCTET_STRING) || !typed.Empty() {
		return nil, malformedResponse("responseBytes")
	}
	r := &Response{Raw: der}
	if err := r.readBasic(basic); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Response) readBasic(in cryptobyte.String) error {
	var body, tbs, explicit, list cryptobyte.String
	var signature asn1.BitString
	var has bool
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1Element(&tbs, cbasn1.SEQUENCE) {
		return malformedResponse("BasicOCSPResponse")
	}
	r.tbsDigest = sha256.Sum256(tbs)
	if !r.readAlgorithm(&body) || !body.ReadASN1BitString(&signature) || signature.BitLength%8 != 0 {
		return malformedResponse("signature")
	}
	r.signature = signature.Bytes
	if !body.ReadOptionalASN1(&explicit, &has, context(0)) || !body.Empty() {
		return malformedResponse("certs")
	}
	if has && (!explicit.ReadASN1(&list, cbasn1.SEQUENCE) || !explicit.Empty()) {
		return malformedResponse("certs")
	}
	if err := r.readCertificates(list); err != nil {
		return err
	}
	if err := r.readResponseData(tbs); err != nil {
		return err
	}
	r.findResponder()
	return nil
}

// readAlgorithm reads the signature's AlgorithmIdentifier; RSA has NULL parameters
// or none, ECDSA none.
func (r *Response) readAlgorithm(in *cryptobyte.String) bool {
	var body, null cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1ObjectIdentifier(&r.algorithm) {
		return false
	}
	return body.Empty() || (body.ReadASN1(&null, cbasn1.NULL) && null.Empty() && body.Empty())
}

func (r *Response) readCertificates(list cryptobyte.String) error {
	for !list.Empty() {
		var der cryptobyte.String
		if !list.ReadASN1Element(&der, cbasn1.SEQUENCE) || len(r.certificates) == maxCertificates {
			return malformedResponse("certs")
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return warifu.Invalid("status-answer-malformed", "what", "certificate").With(err)
		}
		r.certificates = append(r.certificates, c)
	}
	return nil
}

func (r *Response) readResponseData(element cryptobyte.String) error {
	var tbs, list, extensions cryptobyte.String
	var has bool
	var version int
	if !element.ReadASN1(&tbs, cbasn1.SEQUENCE) || !tbs.ReadOptionalASN1Integer(&version, context(0), 0) || version != 0 {
		return malformedResponse("version")
	}
	if !r.readResponderID(&tbs) {
		return malformedResponse("responderID")
	}
	if !readTime(&tbs, &r.ProducedAt) {
		return malformedResponse("producedAt")
	}
	if !tbs.ReadASN1(&list, cbasn1.SEQUENCE) || list.Empty() {
		return malformedResponse("responses")
	}
	for !list.Empty() {
		if len(r.Singles) == MaxCertIDs {
			return malformedResponse("too many answers")
		}
		s, what := readSingle(&list)
		if what != "" {
			return malformedResponse(what)
		}
		r.Singles = append(r.Singles, s)
	}
	if !tbs.ReadOptionalASN1(&extensions, &has, context(1)) || !tbs.Empty() {
		return malformedResponse("responseExtensions")
	}
	if has {
		return r.readExtensions(extensions)
	}
	return nil
}

func (r *Response) readExtensions(explicit cryptobyte.String) error {
	list, ok := readExtensions(explicit)
	if !ok {
		return malformedResponse("responseExtensions")
	}
	for _, e := range list {
		switch {
		case e.oid.Equal(oidNonce):
			if r.Nonce, ok = readNonce(e.value); !ok {
				return malformedResponse("nonce")
			}
		case e.critical:
			return malformedResponse("unknown critical extension")
		}
	}
	return nil
}

func (r *Response) readResponderID(tbs *cryptobyte.String) bool {
	var explicit, name, key cryptobyte.String
	if tbs.PeekASN1Tag(context(1)) {
		ok := tbs.ReadASN1(&explicit, context(1)) && explicit.ReadASN1Element(&name, cbasn1.SEQUENCE) && explicit.Empty()
		r.responderName = name
		return ok
	}
	ok := tbs.ReadASN1(&explicit, context(2)) && explicit.ReadASN1(&key, cbasn1.OCTET_STRING) && explicit.Empty() && len(key) == 20
	r.responderKey = key
	return ok
}

// readSingle reads one SingleResponse; what names the part that is malformed.
func readSingle(list *cryptobyte.String) (s Single, what string) {
	var one, explicit, extensions cryptobyte.String
	var has bool
	var ok bool
	if !list.ReadASN1(&one, cbasn1.SEQUENCE) {
		return s, "SingleResponse"
	}
	if s.CertID, ok = readCertID(&one); !ok {
		return s, "CertID"
	}
	if s.Status, ok = readStatus(&one); !ok {
		return s, "certStatus"
	}
	if !readTime(&one, &s.ThisUpdate) {
		return s, "thisUpdate"
	}
	if !one.ReadOptionalASN1(&explicit, &has, context(0)) || (has && (!readTime(&explicit, &s.NextUpdate) || !explicit.Empty())) {
		return s, "nextUpdate"
	}
	if !one.ReadOptionalASN1(&extensions, &has, context(1)) || !one.Empty() {
		return s, "singleExtensions"
	}
	if has {
		list, ok := readExtensions(extensions)
		if !ok {
			return s, "singleExtensions"
		}
		for _, e := range list {
			switch {
			case e.oid.Equal(oidArchive):
				value := cryptobyte.String(e.value)
				if !readTime(&value, &s.Archive) || !value.Empty() {
					return s, "archive cutoff"
				}
			case e.critical:
				return s, "unknown critical extension"
			}
		}
	}
	return s, ""
}

func readStatus(in *cryptobyte.String) (warifu.Status, bool) {
	var body, explicit cryptobyte.String
	var tag cbasn1.Tag
	var has bool
	s := warifu.Status{}
	if !in.ReadAnyASN1(&body, &tag) {
		return s, false
	}
	switch tag {
	case cbasn1.Tag(0).ContextSpecific():
		s.Cert = warifu.StatusGood
		return s, body.Empty()
	case cbasn1.Tag(2).ContextSpecific():
		return s, body.Empty()
	case context(1):
		s.Cert = warifu.StatusRevoked
		if !readTime(&body, &s.RevokedAt) || !body.ReadOptionalASN1(&explicit, &has, context(0)) || !body.Empty() {
			return s, false
		}
		if has {
			var reason int
			ok := explicit.ReadASN1Enum(&reason) && explicit.Empty() && reason >= 0 && reason <= int(warifu.ReasonAACompromise)
			s.Reason = warifu.Reason(reason) //nolint:gosec // bounded on the line above
			return s, ok && s.Reason.Valid()
		}
		return s, true
	}
	return s, false
}

// readTime reads a GeneralizedTime in Z, to the second.
func readTime(in *cryptobyte.String, t *time.Time) bool {
	var element cryptobyte.String
	if !in.ReadASN1Element(&element, cbasn1.GeneralizedTime) {
		return false
	}
	const length = 2 + len("YYYYMMDDHHMMSSZ")
	return len(element) == length && element[length-1] == 'Z' && element.ReadASN1GeneralizedTime(t)
}

// Find returns the answer about the issuer's certificate with that serial number.
// Errors: Refused "status-answer-mismatch" when there is none, Invalid
// "status-answer-malformed" when there are two that differ.
func (r *Response) Find(issuer *x509.Certificate, serial *big.Int) (Single, error) {
	var found *Single
	for i := range r.Singles {
		if !r.Singles[i].CertID.Names(issuer, serial) {
			continue
		}
		if found != nil && found.Status != r.Singles[i].Status {
			return Single{}, malformedResponse("two answers about one certificate")
		}
		found = &r.Singles[i]
	}
	if found == nil {
		return Single{}, warifu.Refused("status-answer-mismatch")
	}
	return *found, nil
}
