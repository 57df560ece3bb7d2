package chip

import (
	"crypto/x509"

	"warifu"
	"warifu/attest"
	"warifu/globalplatform"
	"warifu/iso7816"
	"warifu/jpki"
)

// personalize takes one data object of docs/secure-element.md §5. Each is all or nothing
// and may be repeated.
func (d *domain) personalize(object iso7816.TLV) error {
	if !d.element.state.available() {
		return iso7816.SWConditions
	}
	switch object.Tag {
	case jpki.TagWriteCertificate:
		return d.element.writeCertificate(object.Value)
	case jpki.TagWriteParent:
		return d.element.writeParent(object.Value)
	case jpki.TagMakeReceipt:
		return d.makeReceipt(object.Value)
	case jpki.TagWriteTicketKeys:
		return d.element.writeTicketKeys(object.Value)
	case jpki.TagActivate:
		return d.element.activate(object.Value)
	}
	return iso7816.SWWrongData
}

// writeCertificate puts a certificate into the shadow slot whose key it is over.
func (e *Element) writeCertificate(value []byte) error {
	fields, err := iso7816.ParseTLVs(value)
	if err != nil {
		return iso7816.SWWrongData
	}
	number, _ := iso7816.FindTLV(fields, jpki.TagObjectKind)
	certificate, _ := iso7816.FindTLV(fields, jpki.TagObjectCertificate)
	authority, _ := iso7816.FindTLV(fields, jpki.TagObjectAuthority)
	if len(number) != 1 || !warifu.Kind(number[0]).Valid() {
		return iso7816.SWWrongData
	}
	return e.change(func(s *elementState) error {
		held := s.Shadow.of(warifu.Kind(number[0]))
		if held == nil {
			return iso7816.SWConditions
		}
		if !certifies(certificate, held.PublicKey) {
			return iso7816.SWWrongData
		}
		held.Certificate, held.Authority = certificate, authority
		return nil
	})
}

// writeParent pins the parent card's signature key to every shadow slot.
func (e *Element) writeParent(value []byte) error {
	spki, err := iso7816.ParseTLV(value, jpki.TagObjectValue)
	if err != nil {
		return iso7816.SWWrongData
	}
	if _, err := x509.ParsePKIXPublicKey(spki); err != nil {
		return iso7816.SWWrongData
	}
	return e.change(func(s *elementState) error {
		if s.Shadow.empty() {
			return iso7816.SWConditions
		}
		s.Shadow.all(func(_ warifu.Kind, held *heldSlot) bool { held.Parent = spki; return true })
		return nil
	})
}

// makeReceipt signs what the shadow slots hold, all of them complete.
func (d *domain) makeReceipt(value []byte) error {
	d.receipt = nil
	s, e := d.element.state, d.element
	out := attest.Receipt{Element: e.ID(), Counter: s.Counter + 1}
	application, err := iso7816.ParseTLV(value, jpki.TagObjectValue)
	if err != nil || len(application) != len(out.Application) {
		return iso7816.SWWrongData
	}
	copy(out.Application[:], application)
	complete := s.Shadow.all(func(kind warifu.Kind, held *heldSlot) bool {
		out.Parent = warifu.DigestOf(held.Parent)
		out.Slots = append(out.Slots, attest.Slot{
			Kind: kind, PublicKey: warifu.DigestOf(held.PublicKey), Certificate: warifu.DigestOf(held.Certificate),
		})
		return held.complete()
	})
	if !complete || len(out.Slots) == 0 {
		return iso7816.SWConditions
	}
	d.receipt, err = finish(out.Seal(e.attestation))
	return err
}

// activate makes the shadow slots live when they hold exactly the certificates named, and
// destroys every key that was live before, of whichever kind: the newest personalization is
// all there is (K14). When those certificates are live already it is done.
func (e *Element) activate(value []byte) error {
	wanted, err := jpki.ParseActivate(value)
	if err != nil {
		return err
	}
	if e.state.Live.hold(wanted) {
		return nil
	}
	return e.change(func(s *elementState) error {
		kinds := 0
		complete := s.Shadow.all(func(_ warifu.Kind, held *heldSlot) bool { kinds++; return held.complete() })
		if !complete || kinds != len(wanted) || !s.Shadow.hold(wanted) {
			return iso7816.SWConditions
		}
		s.Live, s.Shadow = s.Shadow, heldSlots{}
		s.Counter++
		s.Application = globalplatform.ApplicationPersonalized
		return nil
	})
}

// hold reports whether the half has every certificate named.
func (h *heldSlots) hold(certificates map[warifu.Kind]warifu.Digest) bool {
	for kind, digest := range certificates {
		if held := h.of(kind); held == nil || !held.holds(digest) {
			return false
		}
	}
	return true
}
