package chip

import (
	"bytes"

	"warifu/globalplatform"
	"warifu/iso7816"
	"warifu/jpki"
)

// moduleJPKI names the code of the JPKI application, from which INSTALL makes the instance.
var moduleJPKI = append([]byte{0xF0}, "WARIFU-JPKI"...)

// install answers INSTALL: the target of the STORE DATA commands that follow, or the JPKI
// instance anew after it was deleted (GPCS §11.5).
func (d *domain) install(c iso7816.Command) ([]byte, error) {
	in, err := globalplatform.ParseInstall(c)
	if err != nil {
		return nil, err
	}
	switch in.For {
	case globalplatform.InstallForPersonalize:
		return nil, d.aim(in.Application)
	case globalplatform.InstallForInstall | globalplatform.InstallForMakeSelectable:
		return []byte{0x00}, d.instantiate(in)
	}
	return nil, iso7816.SWWrongParameters
}

// aim chooses what STORE DATA speaks to: the supplementary domain personalizes the JPKI
// application, the issuer domain keeps the access rules.
func (d *domain) aim(aid []byte) error {
	d.target, d.blocks = nil, globalplatform.StoreBlocks{}
	owned, there := jpki.AID, d.element.state.available()
	if d.kind == issuerDomain {
		owned, there = jpki.AIDAccessRules, true
	}
	if !bytes.Equal(aid, owned) {
		return iso7816.SWReferenceNotFound
	}
	if !there {
		return iso7816.SWConditions
	}
	d.target = owned
	return nil
}

func (d *domain) instantiate(in globalplatform.Install) error {
	if !bytes.Equal(in.Module, moduleJPKI) || !bytes.Equal(in.Application, jpki.AID) {
		return iso7816.SWReferenceNotFound
	}
	return d.element.change(func(s *elementState) error {
		if s.Application != 0 {
			return iso7816.SWConditions
		}
		s.Application = globalplatform.ApplicationSelectable
		return nil
	})
}

// delete removes the JPKI instance with every key in it, live and shadow (GPCS §11.2).
func (d *domain) delete(c iso7816.Command) ([]byte, error) {
	aid, err := iso7816.ParseTLV(c.Data, 0x4F)
	if err != nil {
		return nil, iso7816.SWWrongData
	}
	if !bytes.Equal(aid, jpki.AID) {
		return nil, iso7816.SWReferenceNotFound
	}
	return []byte{0x00}, d.element.change(func(s *elementState) error {
		if s.Application == 0 {
			return iso7816.SWReferenceNotFound
		}
		s.Application, s.Live, s.Shadow = 0, heldSlots{}, heldSlots{}
		return nil
	})
}

// setStatus moves a life-cycle state (GPCS §11.10): the chip's by the maker alone, the JPKI
// instance's lock by either domain.
func (d *domain) setStatus(c iso7816.Command) error {
	switch c.P1 {
	case globalplatform.RegistryIssuerDomain:
		if d.kind != issuerDomain {
			return iso7816.SWSecurityStatus
		}
		return d.element.change(func(s *elementState) error {
			next := globalplatform.CardState(c.P2)
			if !s.Card.Allows(next) {
				return iso7816.SWWrongData
			}
			s.Card = next
			return nil
		})
	case globalplatform.RegistryApplications:
		return d.setApplicationStatus(c)
	}
	return iso7816.SWWrongParameters
}

func (d *domain) setApplicationStatus(c iso7816.Command) error {
	return d.element.change(func(s *elementState) error {
		state := &s.Application
		if d.kind == issuerDomain && bytes.Equal(c.Data, jpki.AIDDomain) {
			state = &s.Domain
		} else if !bytes.Equal(c.Data, jpki.AID) || s.Application == 0 {
			return iso7816.SWReferenceNotFound
		}
		next := globalplatform.ApplicationState(c.P2)
		if *state^next != globalplatform.ApplicationLocked { // PERSONALIZED comes with ACTIVATE
			return iso7816.SWWrongData
		}
		*state = next
		return nil
	})
}

// getStatus answers the registry in the TLV form (GPCS §11.4.3.1): the issuer domain sees the
// chip, the supplementary one what is under it.
func (d *domain) getStatus(c iso7816.Command) ([]byte, error) {
	prefix, err := iso7816.ParseTLV(c.Data, 0x4F)
	if err != nil || c.P2 != 0x02 {
		return nil, iso7816.SWWrongParameters
	}
	s := d.element.state
	var out []byte
	entry := func(aid []byte, state byte) {
		if state != 0 && bytes.HasPrefix(aid, prefix) {
			out = append(out, iso7816.MakeTLV(0xE3, iso7816.MakeTLV(0x4F, aid), iso7816.MakeTLV(0x9F70, []byte{state}))...)
		}
	}
	switch {
	case c.P1 == globalplatform.RegistryIssuerDomain && d.kind == issuerDomain:
		entry(jpki.AIDIssuerDomain, byte(s.Card))
	case c.P1 == globalplatform.RegistryApplications:
		if d.kind == issuerDomain {
			entry(jpki.AIDAccessRules, byte(globalplatform.ApplicationSelectable))
		}
		entry(jpki.AIDDomain, byte(s.Domain))
		entry(jpki.AID, byte(s.Application))
	default:
		return nil, iso7816.SWWrongParameters
	}
	if out == nil {
		return nil, iso7816.SWReferenceNotFound
	}
	return out, nil
}

// cardRecognition is the card recognition data of GPCS appendix H.2: GPCS 2.3, identified by
// its issuer's keys, SCP03 with i=70.
var cardRecognition = iso7816.MakeTLV(0x66, iso7816.MakeTLV(0x73,
	iso7816.MakeTLV(0x06, []byte{0x2A, 0x86, 0x48, 0x86, 0xFC, 0x6B, 0x01}),
	iso7816.MakeTLV(0x60, iso7816.MakeTLV(0x06, []byte{0x2A, 0x86, 0x48, 0x86, 0xFC, 0x6B, 0x02, 0x02, 0x03})),
	iso7816.MakeTLV(0x63, iso7816.MakeTLV(0x06, []byte{0x2A, 0x86, 0x48, 0x86, 0xFC, 0x6B, 0x03})),
	iso7816.MakeTLV(0x64, iso7816.MakeTLV(0x06, []byte{0x2A, 0x86, 0x48, 0x86, 0xFC, 0x6B, 0x04, 0x03, 0x70})),
))

// cardData answers what anybody who can select a domain may know: the recognition data and
// the key information template (GPCS §11.3.3).
func (d *domain) cardData(c iso7816.Command) ([]byte, error) {
	switch uint16(c.P1)<<8 | uint16(c.P2) {
	case 0x0066:
		return cardRecognition, nil
	case 0x00E0:
		keys, version := d.element.personality.IssuerKeys, byte(issuerKeyVersion)
		if d.kind == supplementaryDomain {
			keys, version = d.element.personality.DomainKeys, domainKeyVersion
		}
		var out []byte
		for id := byte(1); id <= 3; id++ {
			out = iso7816.AppendTLV(out, 0xC0, []byte{id, version, 0x88, byte(len(keys.ENC))}) // 88: AES
		}
		return iso7816.MakeTLV(0xE0, out), nil
	}
	return nil, iso7816.SWReferenceNotFound
}
