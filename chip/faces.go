package chip

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"io"
	"math/big"

	"warifu"
	"warifu/iso7816"
)

// Files are the transparent files of an application, by identifier in four
// hexadecimal digits ("0001").
type Files map[string][]byte

// maxFile is the furthest READ BINARY reaches: an offset of 15 bits.
const maxFile = 0x7FFF

func (f Files) check(application string, wanted []string) error {
	for _, id := range wanted {
		if n := len(f[id]); n == 0 || n > maxFile {
			return warifu.Invalid("personality-invalid", "field", application+"."+id)
		}
	}
	return nil
}

// The files each 券面 application has (docs/card-facts.md §1.4).
var (
	supportFiles = []string{"0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008"}
	surfaceFiles = []string{"0001", "0002", "0003", "0004", "0005", "0006"}
)

// FaceAuthority signs the files of the 券面 applications. Its card-verifiable
// certificate is in both of them.
type FaceAuthority struct {
	key         crypto.Signer
	keyID       []byte
	certificate []byte
}

// keyIDLength is the length of a key identifier in the 券面 files.
const keyIDLength = 16

// NewFaceAuthority certifies key, an RSA-2048 key, under root, another: the identifiers are
// of 16 octets and the certificate of 568 (docs/card-facts.md §1.4).
func NewFaceAuthority(root crypto.Signer, rootID []byte, key crypto.Signer, keyID []byte) (*FaceAuthority, error) {
	if len(rootID) != keyIDLength || len(keyID) != keyIDLength {
		return nil, warifu.Invalid("personality-invalid", "field", "keyID")
	}
	public, err := publicKeyObjects(key.Public())
	if err != nil {
		return nil, err
	}
	body := iso7816.MakeTLV(tagCertificateBody, rootID, keyID, public)
	signature, err := signFace(root, body)
	if err != nil {
		return nil, err
	}
	certificate := iso7816.MakeTLV(tagCertificate, body, iso7816.MakeTLV(tagCertificateSignature, signature))
	return &FaceAuthority{key: key, keyID: keyID, certificate: certificate}, nil
}

// BuildFaces fills p.Support and p.Surface from p.Holder, p.SupportKey and p.SurfaceKey, as the
// issuer of a card does. What "the bytes before it" of a signature are is public only
// in words; here it is the objects of the same file that stand before the signature.
func (p *CardPersonality) BuildFaces(a *FaceAuthority) error {
	if err := p.Holder.check(); err != nil {
		return err
	}
	support, err := a.support(p.Holder, p.SupportKey)
	if err != nil {
		return err
	}
	surface, err := a.surface(p.Holder, p.SurfaceKey)
	if err != nil {
		return err
	}
	p.Support, p.Surface = support, surface
	return nil
}

// filler is what unused octets of a file hold.
func filler(n int) []byte { return bytes.Repeat([]byte{0xFF}, n) }

// support builds the files of 入力補助.
func (a *FaceAuthority) support(h Holder, key []byte) (Files, error) {
	public, err := facePublicKey("supportKey", key)
	if err != nil {
		return nil, err
	}
	number := append(iso7816.MakeTLV(0xFF10, []byte(h.Number)), filler(2)...)
	attributes := [][]byte{
		iso7816.MakeTLV(0xDF22, []byte(h.Name)),
		iso7816.MakeTLV(0xDF23, []byte(h.Address)),
		iso7816.MakeTLV(0xDF24, []byte(h.Birth)),
		iso7816.MakeTLV(0xDF25, []byte(h.Sex)),
	}
	numberDigest := sha256.Sum256(number)
	attributesDigest := sha256.Sum256(bytes.Join(attributes, nil))
	signature, err := a.signed(0xFF30, 0xDF33, iso7816.MakeTLV(0xDF31, numberDigest[:]), iso7816.MakeTLV(0xDF32, attributesDigest[:]))
	if err != nil {
		return nil, err
	}
	certified, err := a.signed(0xFF50, 0xDF52, iso7816.MakeTLV(0xDF51, public))
	if err != nil {
		return nil, err
	}
	basic := iso7816.MakeTLV(0xFF40,
		iso7816.MakeTLV(0xDF41, []byte{0x01, 0x03, 0x0E, 0x01}),
		iso7816.MakeTLV(0xDF42, a.keyID),
		iso7816.MakeTLV(0xDF43, a.opaque(32), filler(96)))
	return Files{
		"0001": number,
		"0002": withOffsets(attributes),
		"0003": signature,
		"0004": a.certificate,
		"0005": append(basic, filler(basicInformation-len(basic))...),
		"0006": iso7816.MakeTLV(0xA1, public),
		"0007": certified,
		"0008": filler(16),
	}, nil
}

// basicInformation is how many octets of 入力補助's EF 0005 a client demands.
const basicInformation = 256

// surface builds the files of 確認.
func (a *FaceAuthority) surface(h Holder, key []byte) (Files, error) {
	public, err := facePublicKey("surfaceKey", key)
	if err != nil {
		return nil, err
	}
	birth, err := a.signed(0xFF10, 0xDF13, iso7816.MakeTLV(0xDF11, []byte(h.Birth)), iso7816.MakeTLV(0xDF12, public))
	if err != nil {
		return nil, err
	}
	number, err := a.signed(0xFF40, 0xDF43, iso7816.MakeTLV(0xDF41, picture(h.NumberImage)), iso7816.MakeTLV(0xDF42, public))
	if err != nil {
		return nil, err
	}
	face, err := a.face(h, public)
	if err != nil {
		return nil, err
	}
	basic := iso7816.MakeTLV(0xFF30,
		iso7816.MakeTLV(0xDF31, []byte{0x06, 0x03, 0x0E, 0x01}),
		iso7816.MakeTLV(0xDF32, a.keyID),
		iso7816.MakeTLV(0xDF33, []byte{0x01}),
		iso7816.MakeTLV(0xDF34, []byte(h.Municipality)),
		iso7816.MakeTLV(0xDF35, a.keyID, a.opaque(256)))
	return Files{"0001": birth, "0002": face, "0003": basic, "0004": a.certificate, "0005": number, "0006": filler(16)}, nil
}

// face is EF 0002 of 確認: everything printed on the front.
func (a *FaceAuthority) face(h Holder, public []byte) ([]byte, error) {
	objects := [][]byte{
		iso7816.MakeTLV(0xDF22, []byte(h.Birth)),
		iso7816.MakeTLV(0xDF23, []byte(h.Sex)),
		iso7816.MakeTLV(0xDF24, public),
		iso7816.MakeTLV(0xDF25, picture(h.NameImage)),
		iso7816.MakeTLV(0xDF26, picture(h.AddressImage)),
		iso7816.MakeTLV(0xDF27, h.Photo),
	}
	signature, err := signFace(a.key, bytes.Join(objects, nil))
	if err != nil {
		return nil, err
	}
	return withOffsets(append(objects,
		iso7816.MakeTLV(0xDF28, signature),
		iso7816.MakeTLV(0xDF29, []byte(h.Expiry)),
		iso7816.MakeTLV(0xDF2A, picture(h.CodeImage)))), nil
}

// withOffsets is the FF20 file of both applications: a table DF21 of where each object
// begins, counted from the start of the file, and the objects.
func withOffsets(objects [][]byte) []byte {
	body := bytes.Join(objects, nil)
	table := 3 + 2*len(objects) // DF21, its length, the offsets
	header := len(iso7816.MakeTLV(0xFF20, make([]byte, table), body)) - table - len(body)
	offsets, at := []byte(nil), header+table
	for _, o := range objects {
		offsets = binary.BigEndian.AppendUint16(offsets, uint16(at))
		at += len(o)
	}
	return iso7816.MakeTLV(0xFF20, iso7816.MakeTLV(0xDF21, offsets), body)
}

// signed is a file of objects and, last, the authority's signature over them.
func (a *FaceAuthority) signed(outer, signature iso7816.Tag, objects ...[]byte) ([]byte, error) {
	body := bytes.Join(objects, nil)
	value, err := signFace(a.key, body)
	if err != nil {
		return nil, err
	}
	return iso7816.MakeTLV(outer, body, iso7816.MakeTLV(signature, value)), nil
}

// opaque stands where a real card has octets that nobody outside can read.
func (a *FaceAuthority) opaque(n int) []byte {
	out := make([]byte, 0, n+sha256.Size)
	for i := byte(0); len(out) < n; i++ {
		block := sha256.Sum256(append([]byte{i}, a.keyID...))
		out = append(out, block[:]...)
	}
	return out[:n]
}

func signFace(key crypto.Signer, body []byte) ([]byte, error) {
	if k, ok := key.Public().(*rsa.PublicKey); !ok || k.N.BitLen() != 2048 {
		return nil, warifu.Invalid("personality-invalid", "field", "faceAuthority")
	}
	digest := sha256.Sum256(body)
	return key.Sign(rand.Reader, digest[:], crypto.SHA256)
}

// facePublicKey is a key's public half as the 券面 files write it; a card without the key
// shows octets of the right length that belong to nobody.
func facePublicKey(field string, pkcs8 []byte) ([]byte, error) {
	key, err := parseKey(field, pkcs8)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return publicKeyObjects(&rsa.PublicKey{N: new(big.Int).SetBytes(filler(256)), E: 65537})
	}
	return publicKeyObjects(key.Public())
}

// publicKeyObjects is 90 03 exponent, 91 82 0100 modulus: 265 octets.
func publicKeyObjects(public crypto.PublicKey) ([]byte, error) {
	k, ok := public.(*rsa.PublicKey)
	if !ok || k.N.BitLen() != 2048 {
		return nil, warifu.Invalid("personality-invalid", "field", "faceAuthority")
	}
	exponent := []byte{byte(k.E >> 16), byte(k.E >> 8), byte(k.E)}
	return append(iso7816.MakeTLV(0x90, exponent), iso7816.MakeTLV(0x91, k.N.FillBytes(make([]byte, 256)))...), nil
}

// picture is p, or a blank picture of one bit where there is none.
func picture(p []byte) []byte {
	if len(p) > 0 {
		return p
	}
	blank := image.NewPaletted(image.Rect(0, 0, 240, 36), color.Palette{color.White, color.Black})
	var b bytes.Buffer
	if err := png.Encode(io.Writer(&b), blank); err != nil {
		return nil // a bytes.Buffer does not fail
	}
	return b.Bytes()
}
