package cms

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Detach returns the message without its content, which the signature goes on covering;
// a detached message as it is.
func (m *Message) Detach() ([]byte, error) {
	if m.Detached {
		return bytes.Clone(m.Raw), nil
	}
	rest, err := openContentInfo(m.Raw)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSignedData)
		b.AddASN1(tagExplicit0, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for n := 0; !rest.Empty(); n++ {
					var element cryptobyte.String
					var tag cbasn1.Tag
					if !rest.ReadAnyASN1Element(&element, &tag) {
						b.SetError(malformed("SignedData"))
						return
					}
					if n == 2 { // encapContentInfo, behind version and digestAlgorithms
						b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(m.ContentType) })
						continue
					}
					b.AddBytes(element)
				}
			})
		})
	})
	return b.Bytes()
}
