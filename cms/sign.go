package cms

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"time"
)

// Sign makes an attached message of the content with a key that is at hand, as the
// papers of authorities and responders are made: no others travel along, and no time is
// claimed. Errors as Prepare and Prepared.Finish, and the key's own.
func Sign(contentType asn1.ObjectIdentifier, content []byte, certificate *x509.Certificate, key crypto.Signer) ([]byte, error) {
	prepared, err := Prepare(contentType, content, certificate, nil, time.Time{}, false)
	if err != nil {
		return nil, err
	}
	digest := prepared.Digest()
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return prepared.Finish(signature)
}
