package jpki

import (
	"encoding/binary"

	"warifu"
	"warifu/iso7816"
)

// SlotState is one occupied slot as the chip describes it.
type SlotState struct {
	Kind        warifu.Kind
	Algorithm   Algorithm
	SecretSet   bool
	PublicKey   warifu.Digest // SHA-256 of the SubjectPublicKeyInfo
	Certificate warifu.Digest // SHA-256 of the certificate; zero while there is none
}

// SlotHalf is all live slots or all shadow slots: the unit in which the chip answers, so
// that each fits a short response inside the secure channel.
type SlotHalf struct {
	Element warifu.ElementID
	Shadow  bool
	Counter int           // personalizations completed
	Parent  warifu.Digest // SHA-256 of the parent card's SubjectPublicKeyInfo; shadow half only, zero while none is pinned
	// Tickets tells which authorities' ticket keys are pinned (TicketKeysDigest); live half
	// only, zero while there is none.
	Tickets warifu.Digest
	Slots   []SlotState // in order of kind
}

// Slots is what is in a secure element.
type Slots struct{ Live, Shadow SlotHalf }

// Of returns the slot of a kind in one half.
func (h SlotHalf) Of(kind warifu.Kind) (SlotState, bool) {
	for _, s := range h.Slots {
		if s.Kind == kind {
			return s, true
		}
	}
	return SlotState{}, false
}

const (
	tagHalf        iso7816.Tag = 0xE1
	tagSlot        iso7816.Tag = 0xE0
	tagPlace       iso7816.Tag = 0x80
	tagCounter     iso7816.Tag = 0x81
	tagParent      iso7816.Tag = 0x82
	tagElement     iso7816.Tag = 0x83
	tagTickets     iso7816.Tag = 0x84
	tagKind        iso7816.Tag = 0x80
	tagAlgorithm   iso7816.Tag = 0x82
	tagFlags       iso7816.Tag = 0x83
	tagKey         iso7816.Tag = 0x84
	tagCertificate iso7816.Tag = 0x85

	flagSecretSet = 0x01
)

// Bytes encodes one half (docs/secure-element.md §5).
func (h SlotHalf) Bytes() []byte {
	place := byte(0)
	if h.Shadow {
		place = 1
	}
	body := iso7816.AppendTLV(nil, tagPlace, []byte{place})
	body = iso7816.AppendTLV(body, tagCounter, binary.BigEndian.AppendUint16(nil, uint16(h.Counter)))
	if !h.Parent.IsZero() {
		body = iso7816.AppendTLV(body, tagParent, h.Parent[:])
	}
	body = iso7816.AppendTLV(body, tagElement, h.Element[:])
	if !h.Tickets.IsZero() {
		body = iso7816.AppendTLV(body, tagTickets, h.Tickets[:])
	}
	for _, s := range h.Slots {
		body = iso7816.AppendTLV(body, tagSlot, s.bytes())
	}
	return iso7816.MakeTLV(tagHalf, body)
}

func (s SlotState) bytes() []byte {
	flags := byte(0)
	if s.SecretSet {
		flags |= flagSecretSet
	}
	out := iso7816.AppendTLV(nil, tagKind, []byte{byte(s.Kind)})
	out = iso7816.AppendTLV(out, tagAlgorithm, []byte{byte(s.Algorithm)})
	out = iso7816.AppendTLV(out, tagFlags, []byte{flags})
	out = iso7816.AppendTLV(out, tagKey, s.PublicKey[:])
	if !s.Certificate.IsZero() {
		out = iso7816.AppendTLV(out, tagCertificate, s.Certificate[:])
	}
	return out
}

// ParseSlots reads the live half and the shadow half, one after the other.
func ParseSlots(data []byte) (Slots, error) {
	objects, err := iso7816.ParseTLVs(data)
	if err != nil || len(objects) != 2 {
		return Slots{}, slotsMalformed(err)
	}
	var out Slots
	for i, half := range []*SlotHalf{&out.Live, &out.Shadow} {
		if *half, err = parseHalf(objects[i]); err != nil {
			return Slots{}, err
		}
	}
	if out.Live.Shadow || !out.Shadow.Shadow || out.Live.Element != out.Shadow.Element {
		return Slots{}, slotsMalformed(nil)
	}
	return out, nil
}

// ParseSlotHalf reads one half.
func ParseSlotHalf(data []byte) (SlotHalf, error) {
	object, rest, err := iso7816.ReadTLV(data)
	if err != nil || len(rest) != 0 {
		return SlotHalf{}, slotsMalformed(err)
	}
	return parseHalf(object)
}

func parseHalf(object iso7816.TLV) (SlotHalf, error) {
	fields, err := iso7816.ParseTLVs(object.Value)
	if err != nil || object.Tag != tagHalf {
		return SlotHalf{}, slotsMalformed(err)
	}
	var h SlotHalf
	place, _ := iso7816.FindTLV(fields, tagPlace)
	counter, _ := iso7816.FindTLV(fields, tagCounter)
	element, _ := iso7816.FindTLV(fields, tagElement)
	parent, pinned := iso7816.FindTLV(fields, tagParent)
	tickets, obeyed := iso7816.FindTLV(fields, tagTickets)
	if len(place) != 1 || place[0] > 1 || len(counter) != 2 || len(element) != len(h.Element) || pinned && len(parent) != len(h.Parent) || obeyed && len(tickets) != len(h.Tickets) {
		return SlotHalf{}, slotsMalformed(nil)
	}
	h.Shadow, h.Counter = place[0] == 1, int(binary.BigEndian.Uint16(counter))
	copy(h.Element[:], element)
	copy(h.Parent[:], parent)
	copy(h.Tickets[:], tickets)
	for _, f := range fields {
		if f.Tag != tagSlot {
			continue
		}
		s, err := parseSlot(f.Value)
		if err != nil || len(h.Slots) > 0 && h.Slots[len(h.Slots)-1].Kind >= s.Kind {
			return SlotHalf{}, slotsMalformed(err)
		}
		h.Slots = append(h.Slots, s)
	}
	return h, nil
}

func parseSlot(value []byte) (SlotState, error) {
	fields, err := iso7816.ParseTLVs(value)
	if err != nil {
		return SlotState{}, slotsMalformed(err)
	}
	var s SlotState
	kind, _ := iso7816.FindTLV(fields, tagKind)
	algorithm, _ := iso7816.FindTLV(fields, tagAlgorithm)
	flags, _ := iso7816.FindTLV(fields, tagFlags)
	key, _ := iso7816.FindTLV(fields, tagKey)
	certificate, there := iso7816.FindTLV(fields, tagCertificate)
	if len(kind) != 1 || len(algorithm) != 1 || len(flags) != 1 || len(key) != len(s.PublicKey) || there && len(certificate) != len(s.Certificate) {
		return SlotState{}, slotsMalformed(nil)
	}
	s.Kind, s.Algorithm, s.SecretSet = warifu.Kind(kind[0]), Algorithm(algorithm[0]), flags[0]&flagSecretSet != 0
	copy(s.PublicKey[:], key)
	copy(s.Certificate[:], certificate)
	if !s.Kind.Valid() || s.Algorithm > P256 {
		return SlotState{}, slotsMalformed(nil)
	}
	return s, nil
}

func slotsMalformed(err error) error {
	return warifu.Refused("element-malformed", "command", "slots").With(err)
}
