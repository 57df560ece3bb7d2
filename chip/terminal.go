package chip

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"

	"warifu/iso7816"
	"warifu/jpki"
)

// terminalGate takes the two halves of a terminal's card-verifiable certificate
// (`80 A2 06 C1`, then `80 A2 00 C1`, with EF 0016 current). How a card goes on from
// there is not public; ours checks the signature, answers, and opens nothing
// (docs/card-facts.md §1.5, §5).
type terminalGate struct {
	authority *rsa.PublicKey // of the terminals' CA; nil: no certificate is good
	body      []byte         // the 5F4E object of the first half
}

const (
	tagCertificate          iso7816.Tag = 0x7F21 // ISO/IEC 7816-6 card-verifiable certificate
	tagCertificateBody      iso7816.Tag = 0x5F4E
	tagCertificateSignature iso7816.Tag = 0x5F37
	terminalHeader                      = 5   // 7F21 82 0233
	terminalBody                        = 307 // that header and the 5F4E object
)

func (g *terminalGate) reset() { g.body = nil }

func (a *application) terminalCertificate(c iso7816.Command) ([]byte, error) {
	if a.terminals == nil {
		return nil, iso7816.SWInstructionUnsupported
	}
	if a.current == nil {
		return nil, iso7816.SWNoCurrentEF
	}
	if a.current.id != jpki.FileTerminalCA {
		return nil, iso7816.SWIncompatibleFile
	}
	if c.P2 != 0xC1 {
		return nil, iso7816.SWWrongParameters
	}
	switch c.P1 {
	case 0x06:
		return nil, a.terminals.begin(c.Data)
	case 0x00:
		return nil, a.terminals.end(c.Data)
	}
	return nil, iso7816.SWWrongParameters
}

// begin takes the certificate's header and its body.
func (g *terminalGate) begin(data []byte) error {
	g.body = nil
	if len(data) != terminalBody {
		return iso7816.SWWrongLength
	}
	body := data[terminalHeader:]
	if _, err := iso7816.ParseTLV(body, tagCertificateBody); err != nil {
		return iso7816.SWWrongData
	}
	g.body = body
	return nil
}

// end takes the signature over the body.
func (g *terminalGate) end(data []byte) error {
	body := g.body
	g.body = nil
	if body == nil || g.authority == nil {
		return iso7816.SWConditions
	}
	signature, err := iso7816.ParseTLV(data, tagCertificateSignature)
	if err != nil {
		return iso7816.SWWrongData
	}
	digest := sha256.Sum256(body)
	if rsa.VerifyPKCS1v15(g.authority, crypto.SHA256, digest[:], signature) != nil {
		return iso7816.SWSecurityStatus
	}
	return nil
}
