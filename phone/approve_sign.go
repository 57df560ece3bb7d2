package phone

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"warifu"
	"warifu/attest"
	"warifu/jpki"
)

// ActivationPassword is the phone's signing password, or the card's: what opened the key of
// who logged in by signing.
const ActivationPassword = "password"

// The modes in which a relying party may want a document signed.
const (
	ModeDigest      = "digest"       // a bare signature over the document's SHA-256
	ModeDigestInfo  = "digestinfo"   // the same
	ModeCMS         = "cms"          // a message beside the document
	ModeCMSAttached = "cms-attached" // one with the document in it
	ModePDF         = "pdf"          // the PDF file, signed in itself
	ModeXML         = "xml"          // the XML document, signed in itself
)

// signings says how the app signs in each mode. A file that is passed on carries a time-stamp,
// as `warifu phone sign` puts one.
var signings = map[string]Signing{
	ModeDigest: {}, ModeDigestInfo: {}, ModeCMS: {}, ModeCMSAttached: {Form: FormAttached},
	ModePDF: {Form: FormPDF, Timestamp: true}, ModeXML: {Form: FormXML, Timestamp: true},
}

// maxWanted bounds a document that a relying party wants signed, in octets.
const maxWanted = 8 << 20

// wrong reports whether a wish cannot be shown for what it is, or is none that the app knows.
func (w SignWish) wrong() bool {
	_, known := signings[w.Mode]
	return !known || !digestPattern.MatchString(w.Digest) || w.Size <= 0 || w.Size > maxWanted ||
		w.Name == "" || len(w.Name) > maxShown || !utf8.ValidString(w.Name) || strings.TrimSpace(w.Name) != w.Name ||
		strings.ContainsFunc(w.Name, func(r rune) bool { return !unicode.IsPrint(r) && r != '\u3000' })
}

// Wanted is a document that a relying party wants signed, as the app has it in its hands: what
// is shown to the person, and nothing else is signed.
type Wanted struct {
	Name    string
	Mode    string
	Content []byte
	SHA256  [sha256.Size]byte // computed here, over Content
}

// Wanted fetches the document of a login's question and computes its hash itself. Errors:
// "approve-nothing-signed" where there is none; "approve-document-other" for octets that are
// not those the question names; "sign-document-reserved" for what only we ask to have signed (design §5);
// those of package document for a file that cannot be signed in the mode; those of the server.
func (a *App) Wanted(ctx context.Context, q LoginQuestion) (Wanted, error) {
	return wanted(ctx, a.Server, q)
}

// Wanted is App.Wanted for who has a card.
func (e Elsewhere) Wanted(ctx context.Context, q LoginQuestion) (Wanted, error) {
	return wanted(ctx, e.Server, q)
}

func wanted(ctx context.Context, s *Server, q LoginQuestion) (Wanted, error) {
	if q.Sign == nil {
		return Wanted{}, warifu.Conflict("approve-nothing-signed")
	}
	if q.Sign.wrong() {
		return Wanted{}, warifu.Refused("approve-malformed", "part", "sign")
	}
	octets, err := s.octets(ctx, http.MethodGet, "/api/v1/logins/"+q.Login+"/document", "", nil, "application/octet-stream", maxWanted)
	if err != nil {
		return Wanted{}, err
	}
	w := Wanted{Name: q.Sign.Name, Mode: q.Sign.Mode, Content: octets, SHA256: sha256.Sum256(octets)}
	if hex.EncodeToString(w.SHA256[:]) != q.Sign.Digest || int64(len(octets)) != q.Sign.Size {
		return Wanted{}, warifu.Refused("approve-document-other")
	}
	return w, w.check()
}

// check refuses what is not to be signed for anybody: whatever the server let pass.
func (w Wanted) check() error {
	s := signings[w.Mode]
	if s.Form != FormPDF && s.Form != FormXML && attest.Reserved(w.Content) {
		return warifu.Refused("sign-document-reserved")
	}
	return s.check(w.Content)
}

// maxShownText bounds what Text returns, in octets.
const maxShownText = 4 << 10

// Text is the beginning of a document that is a text and shows as what it is, to be shown above
// the password; "" for any other, which a person opens with a program of its kind.
func (w Wanted) Text() string {
	cut := min(len(w.Content), maxShownText)
	for cut < len(w.Content) && cut > maxShownText-utf8.UTFMax && !utf8.RuneStart(w.Content[cut]) {
		cut--
	}
	text := w.Content[:cut]
	strange := func(r rune) bool { return !unicode.IsPrint(r) && !strings.ContainsRune("\u3000\t\r\n", r) }
	if w.Mode == ModePDF || !utf8.Valid(text) || strings.ContainsFunc(string(text), strange) {
		return ""
	}
	if len(text) < len(w.Content) {
		return string(text) + "…"
	}
	return string(text)
}

// signer is a signature key in a phone or in a card that was opened.
type signer struct {
	certificate *x509.Certificate
	sign        func(ctx context.Context, digest [sha256.Size]byte) ([]byte, error)
	stamp       func(ctx context.Context, imprint [sha256.Size]byte) ([]byte, error)
}

// signed signs a document in its mode.
func (w Wanted) signed(ctx context.Context, by signer, at time.Time) (LoginSigned, error) {
	out := LoginSigned{Certificate: by.certificate.Raw}
	var err error
	if w.Mode == ModeDigest || w.Mode == ModeDigestInfo {
		out.Signature, err = by.sign(ctx, w.SHA256)
		return out, err
	}
	s := signings[w.Mode]
	file, err := s.made(ctx, w.Content, by, at)
	if s.Form == FormPDF || s.Form == FormXML {
		out.Document = file
	} else {
		out.Signature = file
	}
	return out, err
}

// digest names what was signed where the chip vouches for it.
func (s LoginSigned) digest() string {
	sum := sha256.Sum256(slices.Concat(s.Signature, s.Document))
	return hex.EncodeToString(sum[:])
}

// signPurpose is the purpose of the chip's word that stands in for the PIN (ADR 0019).
const signPurpose = "sign"

// approveSigning answers a question with a document: the person types the signing password,
// once (R54). The signature key signs the document; that it is the holder who answers this
// question in this way, the chip says itself, with the same password: a signature key answers no
// challenges, and the PIN would be a second secret.
func (a *App) approveSigning(ctx context.Context, q LoginQuestion, agreed []string, g Agreement) (Approved, error) {
	w, err := wanted(ctx, a.Server, q)
	if err != nil {
		return Approved{}, err
	}
	secret, err := a.secretFor(ctx, warifu.Signature, g.Password)
	if err != nil {
		return Approved{}, err
	}
	token, certificate, err := a.openWith(ctx, warifu.Signature, secret, g.Password)
	if err != nil {
		return Approved{}, err
	}
	by := signer{certificate: certificate, stamp: a.Server.Timestamp, sign: func(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
		signature, err := token.Sign(ctx, warifu.Signature, jpki.DigestInfoSHA256(digest))
		return signature, phoneError(err)
	}}
	signed, err := w.signed(ctx, by, a.Clock.Now())
	if err != nil {
		return Approved{}, err
	}
	signed.Element = a.Device.Element.String()
	if signed.Request, err = a.vouch(ctx, secret, signed.digest(), q.Consent(agreed).Nonce(q.Salt)); err != nil {
		return Approved{}, err
	}
	answer := LoginAnswer{Agreed: agreed, Number: g.Number, Activation: ActivationPassword, Signed: &signed}
	if g.Password.Gesture != nil {
		answer.Activation = ActivationScreenLock
	}
	return a.Server.answerLogin(ctx, q, answer)
}

// vouch has the chip say that the signing password was given for one signature and one
// consent, in a selection of its own as with every request (K10).
func (a *App) vouch(ctx context.Context, secret warifu.ActivationSecret, subject string, nonce []byte) ([]byte, error) {
	token, err := jpki.Select(ctx, a.Element)
	if err != nil {
		return nil, phoneError(err)
	}
	if err := token.VerifyPhone(ctx, warifu.Signature, secret); err != nil {
		return nil, phoneError(err)
	}
	request, err := token.Element().DeviceRequest(ctx, signPurpose, subject, nonce)
	return request, phoneError(err)
}

// signWanted has a card sign whose signing password was verified.
func (e Elsewhere) signWanted(ctx context.Context, token *jpki.Token, certificate []byte, w Wanted) (*LoginSigned, error) {
	c, err := x509.ParseCertificate(certificate)
	if err != nil {
		return nil, warifu.Refused("certificate-malformed").With(err)
	}
	by := signer{certificate: c, stamp: e.Server.Timestamp, sign: func(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
		signature, err := token.Sign(ctx, warifu.Signature, jpki.DigestInfoSHA256(digest))
		return signature, cardError(err)
	}}
	signed, err := w.signed(ctx, by, e.Clock.Now())
	return &signed, err
}
