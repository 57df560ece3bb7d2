package bureau

import (
	"warifu"
)

// HolderOf returns the person on whose card the certificate with the serial number is or
// was: what a municipality sees when a card is touched. NotFound "person-unknown".
func (b *Bureau) HolderOf(kind warifu.Kind, serial []byte) (View, error) {
	_, h := b.findCertificate(kind, serial)
	if h == nil {
		return View{}, warifu.NotFound("person-unknown")
	}
	return b.Show(h.id)
}

// HolderNamed returns the person with the handle of card statements. NotFound "person-unknown".
func (b *Bureau) HolderNamed(handle warifu.Digest) (View, error) {
	for _, id := range b.ids() {
		if b.handle(id) == handle {
			return b.Show(id)
		}
	}
	return View{}, warifu.NotFound("person-unknown")
}
