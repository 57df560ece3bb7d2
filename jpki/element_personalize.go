package jpki

import (
	"warifu"
	"warifu/iso7816"
)

// The data objects of personalization (docs/secure-element.md §5): a server stores them
// through the supplementary security domain, inside its secure channel, and reads what the
// chip holds with GET DATA of the same channel.
const (
	TagWriteCertificate iso7816.Tag = 0xBF31
	TagWriteParent      iso7816.Tag = 0xBF32
	TagMakeReceipt      iso7816.Tag = 0xBF33
	TagActivate         iso7816.Tag = 0xBF35
	TagWriteTicketKeys  iso7816.Tag = 0xBF36

	TagLiveHalf    uint16 = 0xDF30
	TagShadowHalf  uint16 = 0xDF31
	TagReceiptHead uint16 = 0xDF33 // the first ReceiptHeadLength octets of the receipt
	TagReceiptTail uint16 = 0xDF34 // the rest
)

// ReceiptHeadLength is where the chip cuts a receipt, so that each part fits a short
// response inside the secure channel at every level.
const ReceiptHeadLength = 224

// MaxStoredObject bounds one data object of personalization.
const MaxStoredObject = 2*maxCertificate + 64

// The labels and the length with which the supplementary domain's static keys are derived
// for each chip from the operator's master key; the context is the element's identifier
// (docs/secure-element.md §3).
const (
	LabelDomainENC = "warifu-ssd-enc"
	LabelDomainMAC = "warifu-ssd-mac"
	LabelDomainDEK = "warifu-ssd-dek"
	DomainKeyBits  = 256
)

// Tags inside the objects.
const (
	TagObjectKind        iso7816.Tag = 0x80 // WRITE CERTIFICATE
	TagObjectCertificate iso7816.Tag = 0x81
	TagObjectAuthority   iso7816.Tag = 0x82
	TagObjectValue       iso7816.Tag = 0x80 // WRITE PARENT, MAKE RECEIPT
	TagObjectSlot        iso7816.Tag = 0xE0 // ACTIVATE
	TagSlotKind          iso7816.Tag = tagKind
	TagSlotCertificate   iso7816.Tag = tagCertificate
	TagTicketKey         iso7816.Tag = 0xE0 // WRITE TICKET KEYS
	TagTicketKind        iso7816.Tag = 0x80
	TagTicketValue       iso7816.Tag = 0x81
)

// WriteCertificate puts a certificate, and the one of its authority where given, into the
// shadow slot whose key it certifies.
func WriteCertificate(kind warifu.Kind, certificate, authority []byte) []byte {
	value := iso7816.AppendTLV(nil, TagObjectKind, []byte{byte(kind)})
	value = iso7816.AppendTLV(value, TagObjectCertificate, certificate)
	if len(authority) > 0 {
		value = iso7816.AppendTLV(value, TagObjectAuthority, authority)
	}
	return iso7816.MakeTLV(TagWriteCertificate, value)
}

// WriteParent pins the parent card's signature key (SubjectPublicKeyInfo) to the shadow slots.
func WriteParent(spki []byte) []byte {
	return iso7816.MakeTLV(TagWriteParent, iso7816.MakeTLV(TagObjectValue, spki))
}

// WriteTicketKeys pins the authorities' ticket keys (SubjectPublicKeyInfo, P-256), by kind: the
// keys whose kill tickets the chip obeys from then on. A kind without one keeps what it has.
func WriteTicketKeys(keys map[warifu.Kind][]byte) []byte {
	return iso7816.MakeTLV(TagWriteTicketKeys, ticketKeys(keys))
}

func ticketKeys(keys map[warifu.Kind][]byte) []byte {
	var value []byte
	for _, kind := range warifu.Kinds {
		if spki, ok := keys[kind]; ok {
			entry := iso7816.AppendTLV(nil, TagTicketKind, []byte{byte(kind)})
			value = iso7816.AppendTLV(value, TagTicketKey, iso7816.AppendTLV(entry, TagTicketValue, spki))
		}
	}
	return value
}

// TicketKeysDigest is how a chip tells which ticket keys it has: SHA-256 of the value of the
// object that would pin them all, zero for none.
func TicketKeysDigest(keys map[warifu.Kind][]byte) warifu.Digest {
	if len(keys) == 0 {
		return warifu.Digest{}
	}
	return warifu.DigestOf(ticketKeys(keys))
}

// ParseTicketKeys is the inverse of WriteTicketKeys for the object's value; the keys are not
// looked into. Errors are status words.
func ParseTicketKeys(value []byte) (map[warifu.Kind][]byte, error) {
	objects, err := iso7816.ParseTLVs(value)
	if err != nil || len(objects) == 0 || len(objects) > len(warifu.Kinds) {
		return nil, iso7816.SWWrongData
	}
	out := map[warifu.Kind][]byte{}
	for _, o := range objects {
		fields, err := iso7816.ParseTLVs(o.Value)
		kind, _ := iso7816.FindTLV(fields, TagTicketKind)
		spki, _ := iso7816.FindTLV(fields, TagTicketValue)
		if err != nil || o.Tag != TagTicketKey || len(fields) != 2 || len(kind) != 1 || !warifu.Kind(kind[0]).Valid() || len(spki) == 0 {
			return nil, iso7816.SWWrongData
		}
		out[warifu.Kind(kind[0])] = spki
	}
	if len(out) != len(objects) {
		return nil, iso7816.SWWrongData
	}
	return out, nil
}

// MakeReceipt has the chip sign what its shadow slots hold, for the application with this digest.
func MakeReceipt(application warifu.Digest) []byte {
	return iso7816.MakeTLV(TagMakeReceipt, iso7816.MakeTLV(TagObjectValue, application[:]))
}

// Activate makes the shadow slots live, if they hold exactly these certificates; where they
// are live already it changes nothing and succeeds.
func Activate(certificates map[warifu.Kind]warifu.Digest) []byte {
	var value []byte
	for _, kind := range warifu.Kinds {
		if digest, ok := certificates[kind]; ok {
			slot := iso7816.AppendTLV(nil, TagSlotKind, []byte{byte(kind)})
			value = iso7816.AppendTLV(value, TagObjectSlot, iso7816.AppendTLV(slot, TagSlotCertificate, digest[:]))
		}
	}
	return iso7816.MakeTLV(TagActivate, value)
}

// ParseActivate is the inverse of Activate; errors are status words.
func ParseActivate(value []byte) (map[warifu.Kind]warifu.Digest, error) {
	objects, err := iso7816.ParseTLVs(value)
	if err != nil || len(objects) == 0 || len(objects) > len(warifu.Kinds) {
		return nil, iso7816.SWWrongData
	}
	out := map[warifu.Kind]warifu.Digest{}
	for _, o := range objects {
		fields, err := iso7816.ParseTLVs(o.Value)
		kind, _ := iso7816.FindTLV(fields, TagSlotKind)
		digest, _ := iso7816.FindTLV(fields, TagSlotCertificate)
		var d warifu.Digest
		if err != nil || o.Tag != TagObjectSlot || len(kind) != 1 || !warifu.Kind(kind[0]).Valid() || len(digest) != len(d) {
			return nil, iso7816.SWWrongData
		}
		copy(d[:], digest)
		out[warifu.Kind(kind[0])] = d
	}
	if len(out) != len(objects) {
		return nil, iso7816.SWWrongData
	}
	return out, nil
}
