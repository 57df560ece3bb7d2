package bureau

import (
	"crypto"
	"crypto/x509"

	"warifu/chip"
	"warifu/sandbox/person"
)

// body is the plastic: what is printed on the card and what its applications beside
// JPKI hold. It lasts as long as the card, over renewals of the certificates.
type body struct {
	Serial       string     `json:"serial"`        // fifteen digits, of the common application
	SecurityCode string     `json:"security_code"` // four digits, printed on the face
	Key          []byte     `json:"key"`           // PKCS#8, of the applications beside JPKI
	Support      chip.Files `json:"support"`
	Surface      chip.Files `json:"surface"`
}

// newBody prints and signs a card for the person.
func (b *Bureau) newBody(p person.Person) (body, error) {
	var out body
	var err error
	if out.Serial, err = randomDigits(15); err != nil {
		return body{}, err
	}
	if out.SecurityCode, err = randomDigits(4); err != nil {
		return body{}, err
	}
	key, err := b.config.NewKey()
	if err != nil {
		return body{}, err
	}
	if out.Key, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return body{}, err
	}
	return b.print(out, p)
}

// print puts the register's entry on a card, anew or over an older one.
func (b *Bureau) print(y body, p person.Person) (body, error) {
	faces, err := b.faces()
	if err != nil {
		return body{}, err
	}
	printed := y.personality(p)
	if err := printed.BuildFaces(faces); err != nil {
		return body{}, err
	}
	y.Support, y.Surface = printed.Support, printed.Surface
	return y, nil
}

// faces opens the authority that signs the 券面 applications' files; a new world makes
// its two keys when the first card is issued.
func (b *Bureau) faces() (*chip.FaceAuthority, error) {
	b.facesOnce.Lock()
	defer b.facesOnce.Unlock()
	if b.faceAuthority != nil {
		return b.faceAuthority, nil
	}
	newKey := func() (crypto.Signer, error) { return b.config.NewKey() }
	var root, key crypto.Signer
	err := atOnce(
		func() (err error) { root, err = b.keys.Key("face-root.key", newKey); return err },
		func() (err error) { key, err = b.keys.Key("face.key", newKey); return err },
	)
	if err != nil {
		return nil, err
	}
	b.faceAuthority, err = chip.NewFaceAuthority(root, []byte("WARIFU-FACE-ROOT"), key, []byte("WARIFU-FACE-0001"))
	return b.faceAuthority, err
}

// personality is what the plastic gives to the chip.
func (y body) personality(p person.Person) chip.CardPersonality {
	return chip.CardPersonality{
		TokenSerial: "0" + y.Serial,
		Holder: chip.Holder{
			Number: p.Number, Name: p.Name, Address: p.Address, Birth: p.Birth.In(person.Tokyo).Format("20060102"),
			Sex: p.Sex.ChipCode(), Expiry: p.CardExpires().In(person.Tokyo).Format("20060102"),
			SecurityCode: y.SecurityCode, Serial: y.Serial, Municipality: p.Municipality.Code,
		},
		SupportPIN: string(p.PINs.Text.Reveal()), ResidentPIN: string(p.PINs.Register.Reveal()), CommonPIN: string(p.PINs.Register.Reveal()),
		SupportKey: y.Key, SurfaceKey: y.Key, CommonKey: y.Key,
		Support: y.Support, Surface: y.Surface,
	}
}
