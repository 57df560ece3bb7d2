package provision

import (
	"warifu"
	"warifu/globalplatform"
	"warifu/jpki"
)

// Keys finds the static keys of one chip's supplementary security domain.
type Keys interface {
	Element(id warifu.ElementID) (globalplatform.StaticKeys, error)
}

// Deriver derives a key from the operator's master key: SP 800-108 in counter mode with CMAC
// (globalplatform.Diversify). A keystore does it without showing either.
type Deriver func(label string, context []byte, bits int) (globalplatform.Key, error)

// Element implements Keys: each chip has keys of its own, and no list of them is kept.
func (d Deriver) Element(id warifu.ElementID) (globalplatform.StaticKeys, error) {
	out := globalplatform.StaticKeys{Bits: jpki.DomainKeyBits}
	for _, k := range []struct {
		label string
		key   *globalplatform.Key
	}{{jpki.LabelDomainENC, &out.ENC}, {jpki.LabelDomainMAC, &out.MAC}, {jpki.LabelDomainDEK, &out.DEK}} {
		key, err := d(k.label, id[:], jpki.DomainKeyBits)
		if err != nil {
			return out, err
		}
		*k.key = key
	}
	return out, nil
}
