package chip

import "warifu/iso7816"

// IssuerAID names the issuer security domain, which is current after power-on
// (docs/card-facts.md §1.1).
var IssuerAID = []byte{0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00}

// issuer is the card's issuer security domain as far as an outsider meets it: GET DATA.
type issuer struct {
	data map[uint16][]byte
}

func (i *issuer) aid() []byte { return IssuerAID }
func (i *issuer) enter(bool)  {}
func (i *issuer) leave()      {}

// process implements instance. SELECT of anything below finds nothing, as on the real
// card: `00 A4 00 00` is 6A86 and any file 6A82.
func (i *issuer) process(c iso7816.Command) ([]byte, error) {
	if err := plainClass(c.CLA); err != nil {
		return nil, err
	}
	switch c.INS {
	case insSelect:
		if c.CLA != 0x00 || len(c.Data) == 0 {
			return nil, iso7816.SWWrongParameters
		}
		return nil, iso7816.SWFileNotFound
	case insGetData:
		return i.getData(c)
	case insReadBinary, insReadRecord, insVerify:
		return nil, iso7816.SWNoCurrentEF
	}
	return nil, iso7816.SWInstructionUnsupported
}

func (i *issuer) getData(c iso7816.Command) ([]byte, error) {
	value, ok := i.data[uint16(c.P1)<<8|uint16(c.P2)]
	if !ok {
		return nil, iso7816.SWReferenceNotFound
	}
	if c.Ne == 0 {
		return nil, iso7816.SWWrongLength
	}
	return value[:min(len(value), c.Ne)], nil
}
