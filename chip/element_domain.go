package chip

import (
	"fmt"

	"warifu/globalplatform"
	"warifu/iso7816"
	"warifu/jpki"
)

// domainKind is which of the chip's two security domains; it indexes the sequence counters.
type domainKind int

const (
	issuerDomain        domainKind = iota // the maker's
	supplementaryDomain                   // the server's
)

// The key version numbers of the two domains (Amendment D: 30 to 3F are SCP03's).
const (
	issuerKeyVersion = 0x30
	domainKeyVersion = 0x31
)

// domain is a security domain on one channel: the on-card end of SCP03 and what may be
// asked through it.
type domain struct {
	element *Element
	kind    domainKind
	name    []byte
	channel *globalplatform.Card
	target  []byte // application that INSTALL [for personalization] named
	blocks  globalplatform.StoreBlocks
	receipt []byte // made by this session, read in two parts
}

func newDomain(e *Element, kind domainKind) *domain {
	d := &domain{element: e, kind: kind, name: jpki.AIDIssuerDomain}
	keys, version := e.personality.IssuerKeys, byte(issuerKeyVersion)
	if kind == supplementaryDomain {
		d.name, keys, version = jpki.AIDDomain, e.personality.DomainKeys, domainKeyVersion
	}
	static, _ := keys.static() // checked by NewElement
	settings := globalplatform.Domain{
		AID: d.name, Keys: static, KeyVersion: version, Parameter: globalplatform.ParameterFull, Sequence: d.sequence,
	}
	id := e.ID()
	copy(settings.Diversification[:], id[:])
	d.channel = globalplatform.NewCard(settings)
	return d
}

// static makes the keys usable.
func (k DomainKeys) static() (globalplatform.StaticKeys, error) {
	out := globalplatform.StaticKeys{Bits: 8 * len(k.ENC)}
	for _, p := range []struct {
		octets []byte
		key    *globalplatform.Key
	}{{k.ENC, &out.ENC}, {k.MAC, &out.MAC}, {k.DEK, &out.DEK}} {
		key, err := globalplatform.NewAESKey(p.octets)
		if err != nil || len(p.octets) != len(k.ENC) {
			return out, fmt.Errorf("security domain key of %d octets", len(p.octets))
		}
		*p.key = key
	}
	return out, nil
}

// sequence advances the domain's counter and saves it before it is used.
func (d *domain) sequence() (uint32, error) {
	err := d.element.change(func(s *elementState) error {
		s.Sequences[d.kind]++
		return nil
	})
	return d.element.state.Sequences[d.kind], err
}

func (d *domain) aid() []byte { return d.name }
func (d *domain) enter(bool)  { d.close() }
func (d *domain) leave()      { d.close() }

func (d *domain) close() {
	d.channel.Close()
	d.target, d.receipt, d.blocks = nil, nil, globalplatform.StoreBlocks{}
}

// process implements instance: the opening of a channel, or a command inside it. Outside of
// one only the issuer domain's card data may be read.
func (d *domain) process(c iso7816.Command) ([]byte, error) {
	if c.INS == globalplatform.InsInitializeUpdate || c.INS == globalplatform.InsExternalAuthenticate {
		if c.INS == globalplatform.InsInitializeUpdate {
			d.close()
		}
		return split(d.channel.Open(c))
	}
	if c.CLA&0x04 == 0 {
		return d.outside(c)
	}
	plain, err := d.channel.Unwrap(c)
	if err != nil {
		d.close()
		return nil, err
	}
	return split(d.channel.Wrap(response(d.inside(plain))))
}

func split(r iso7816.Response) ([]byte, error) {
	if r.SW != iso7816.SWOK {
		return r.Data, r.SW
	}
	return r.Data, nil
}

func (d *domain) outside(c iso7816.Command) ([]byte, error) {
	if d.channel.Level() != 0 {
		d.close() // a bare command in an open channel ends it
		return nil, iso7816.SWSecurityStatus
	}
	if c.CLA == 0x80 && c.INS == globalplatform.InsGetData {
		return d.cardData(c)
	}
	return nil, iso7816.SWSecurityStatus
}

// inside answers a command that came through the channel. Whatever changes or tells of the
// chip asks for C-MAC, C-DECRYPTION and R-MAC.
func (d *domain) inside(c iso7816.Command) ([]byte, error) {
	if c.CLA != 0x80 && c.CLA != 0x00 {
		return nil, iso7816.SWClassUnsupported
	}
	if d.channel.Level()&globalplatform.LevelResponse != globalplatform.LevelResponse {
		return nil, iso7816.SWSecurityStatus
	}
	switch c.INS {
	case globalplatform.InsInstall:
		return d.install(c)
	case globalplatform.InsStoreData:
		return d.storeData(c)
	case globalplatform.InsGetData:
		return d.getData(c)
	case globalplatform.InsGetStatus:
		return d.getStatus(c)
	case globalplatform.InsSetStatus:
		return nil, d.setStatus(c)
	case globalplatform.InsDelete:
		return d.delete(c)
	}
	return nil, iso7816.SWInstructionUnsupported
}

// storeData gathers blocks and hands the whole object to the target application.
func (d *domain) storeData(c iso7816.Command) ([]byte, error) {
	if d.target == nil {
		return nil, iso7816.SWConditions
	}
	object, err := d.blocks.Add(c, jpki.MaxStoredObject)
	if err != nil || object == nil {
		return nil, err
	}
	tlv, rest, err := iso7816.ReadTLV(object)
	if err != nil || len(rest) != 0 {
		return nil, iso7816.SWWrongData
	}
	if string(d.target) == string(jpki.AIDAccessRules) {
		return nil, d.element.storeRule(tlv)
	}
	return nil, d.personalize(tlv)
}

// getData answers what the chip holds, in pieces that fit the channel.
func (d *domain) getData(c iso7816.Command) ([]byte, error) {
	e := d.element
	switch tag := uint16(c.P1)<<8 | uint16(c.P2); {
	case d.kind == issuerDomain:
		return d.cardData(c)
	case tag == jpki.TagLiveHalf:
		return e.state.describe(e.ID(), false).Bytes(), nil
	case tag == jpki.TagShadowHalf:
		return e.state.describe(e.ID(), true).Bytes(), nil
	case tag == jpki.TagReceiptHead && d.receipt != nil:
		return d.receipt[:min(len(d.receipt), jpki.ReceiptHeadLength)], nil
	case tag == jpki.TagReceiptTail && d.receipt != nil:
		return d.receipt[min(len(d.receipt), jpki.ReceiptHeadLength):], nil
	}
	return nil, iso7816.SWReferenceNotFound
}
