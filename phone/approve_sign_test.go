package phone_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/internal/housetest"
	"warifu/jpki"
	"warifu/phone"
)

// desk plays the server of a login with a document.
type desk struct {
	*provider
	document []byte
	problem  string // refuses the document
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/v1/logins/"+login+"/document" {
		d.provider.ServeHTTP(w, r)
		return
	}
	if d.problem != "" {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusConflict)
		_ = json.NewEncoder(w).Encode(map[string]string{"type": "urn:warifu:problem:" + d.problem})
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(d.document)
}

// wish makes the login ask for a document in a mode.
func (d *desk) wish(mode string, document []byte) {
	sum := sha256.Sum256(document)
	d.document = document
	d.question.Sign = &phone.SignWish{ID: "t", Name: "携帯電話の契約書　控え", Mode: mode, Digest: hex.EncodeToString(sum[:]), Size: int64(len(document))}
	d.question.Presence.Nonce = d.question.Consent(d.question.Attributes).Nonce(d.question.Salt)
}

func signing(t *testing.T) (*housetest.House, *housetest.Phone, *desk) {
	t.Helper()
	h, p, provider := asking(t)
	d := &desk{provider: provider}
	p.App.Server = serve(t, d.ServeHTTP)
	provider.origin = p.App.Server.Origin()
	provider.back = provider.origin + "/login/" + login + "/done?return=x"
	return h, p, d
}

var passwordTyped = phone.Unlock{Typed: housetest.Secrets.Signature}

// R54: the password alone. What it opens is the signature, and the chip's own word that it
// was given for this signature and this consent; the authentication key says nothing.
func TestTheSigningPasswordAloneSignsAndAnswers(t *testing.T) {
	_, p, d := signing(t)
	contract := []byte("a contract of twelve pages")
	for _, mode := range []string{phone.ModeDigest, phone.ModeDigestInfo, phone.ModeCMS, phone.ModeCMSAttached} {
		d.wish(mode, contract)
		q, err := p.App.Asked(ctx, d.link(phone.WayApp))
		must(t, err)
		w, err := p.App.Wanted(ctx, q)
		must(t, err)
		if string(w.Content) != string(contract) || w.SHA256 != sha256.Sum256(contract) || w.Name != "携帯電話の契約書　控え" || w.Mode != mode {
			t.Errorf("shown: %+v", w)
		}
		_, err = p.App.Approve(ctx, q, phone.Agreement{Attributes: []string{"name"}, Password: passwordTyped})
		must(t, err)
		a := d.answers[len(d.answers)-1]
		if len(a.Certificate)+len(a.Signature) != 0 || a.Activation != phone.ActivationPassword || a.Signed == nil || a.Signed.Element != p.App.Device.Element.String() {
			t.Fatalf("%s: %+v", mode, a)
		}
		certificate, err := x509.ParseCertificate(a.Signed.Certificate)
		must(t, err)
		if mode == phone.ModeDigest || mode == phone.ModeDigestInfo {
			must(t, certificate.CheckSignature(algorithmOf(certificate), contract, a.Signed.Signature))
		} else {
			m, err := cms.Parse(a.Signed.Signature)
			must(t, err)
			if m.Detached != (mode == phone.ModeCMS) {
				t.Errorf("%s: detached %v", mode, m.Detached)
			}
			must(t, m.Verify(contract))
		}
		body, err := attest.Peek(attest.ContextDeviceRequest, a.Signed.Request)
		must(t, err)
		sum := sha256.Sum256(a.Signed.Signature)
		nonce := attest.Consent{Client: "bank", Origin: "https://bank.example", Login: login, Attributes: []string{"name"}, Sign: q.Sign.Digest}.Nonce(q.Salt)
		for _, part := range [][]byte{[]byte("sign"), []byte(hex.EncodeToString(sum[:])), nonce} {
			if !contains(body, part) {
				t.Errorf("%s: the chip's word lacks %q", mode, part)
			}
		}
	}
	if left := tries(t, p.App, warifu.Authentication); left != 3 {
		t.Errorf("%d tries of the PIN left", left)
	}
}

func contains(body, part []byte) bool {
	for i := range len(body) - len(part) + 1 {
		if string(body[i:i+len(part)]) == string(part) {
			return true
		}
	}
	return false
}

// What nobody was shown, or nobody may have signed, is refused before a try is spent.
func TestNothingIsSignedThatWasNotShown(t *testing.T) {
	_, p, d := signing(t)
	application, err := attest.CardOrder{Challenge: make([]byte, attest.ChallengeLength), Verb: warifu.VerbRevoke, Kinds: []warifu.Kind{warifu.Signature}}.Marshal()
	must(t, err)
	chip := p.App.Element
	p.App.Element = untouched(t)
	for what, c := range map[string]struct {
		mode     string
		document []byte
		change   func(*desk)
		slug     string
	}{
		"other octets":            {phone.ModeCMS, []byte("a"), func(d *desk) { d.document = []byte("b") }, "approve-document-other"},
		"another size":            {phone.ModeCMS, []byte("a"), func(d *desk) { d.question.Sign.Size = 2 }, "approve-document-other"},
		"gone":                    {phone.ModeCMS, []byte("a"), func(d *desk) { d.problem = "login-over" }, "login-over"},
		"text as PDF":             {phone.ModePDF, []byte("a"), nil, "pdf-malformed"},
		"text as XML":             {phone.ModeXML, []byte("a"), nil, "xml-malformed"},
		"a card order, bare":      {phone.ModeDigest, application, nil, "sign-document-reserved"},
		"a card order, as CMS":    {phone.ModeCMS, application, nil, "sign-document-reserved"},
		"a reset message":         {phone.ModeDigestInfo, jpki.ResetMessage(p.App.Device.Element, warifu.Signature, make([]byte, 32)), nil, "sign-document-reserved"},
		"half a password":         {phone.ModeCMS, []byte("a"), func(*desk) {}, "secret-format"},
		"a mode there is not":     {"jades", []byte("a"), nil, "approve-malformed"},
		"nothing":                 {phone.ModeCMS, nil, nil, "approve-malformed"},
		"far too large":           {phone.ModeCMS, make([]byte, 8<<20+1), nil, "approve-malformed"},
		"a name that turns text":  {phone.ModeCMS, []byte("a"), func(d *desk) { d.question.Sign.Name = "a\u202efdp" }, "approve-malformed"},
		"a name of several lines": {phone.ModeCMS, []byte("a"), func(d *desk) { d.question.Sign.Name = "a\nb" }, "approve-malformed"},
		"no name":                 {phone.ModeCMS, []byte("a"), func(d *desk) { d.question.Sign.Name = "" }, "approve-malformed"},
	} {
		d.problem = ""
		d.wish(c.mode, c.document)
		if c.change != nil {
			c.change(d)
		}
		q, err := p.App.Asked(ctx, d.link(phone.WayApp))
		if err == nil {
			g := phone.Agreement{Password: passwordTyped}
			if what == "half a password" {
				g.Password.Typed = "HALF"
			}
			_, err = p.App.Approve(ctx, q, g)
		}
		wantProblem(t, what, c.slug, err)
	}
	p.App.Element = chip
	if left := tries(t, p.App, warifu.Signature); left != 5 || len(d.answers) != 0 {
		t.Errorf("%d tries left, %d answers", left, len(d.answers))
	}
	d.question.Sign = nil
	_, err = p.App.Wanted(ctx, d.question)
	wantProblem(t, "no document", "approve-nothing-signed", err)
}

// K14: a wrong password costs a try of the password, and nothing is answered.
func TestAWrongSigningPasswordAnswersNothing(t *testing.T) {
	h, p, d := signing(t)
	d.wish(phone.ModeCMS, []byte("a contract"))
	q, err := p.App.Asked(ctx, d.link(phone.WayApp))
	must(t, err)
	_, err = p.App.Approve(ctx, q, phone.Agreement{Password: phone.Unlock{Typed: "WRONG123"}})
	wantProblem(t, "wrong", "secret-wrong", err)
	_, err = p.App.Approve(ctx, q, phone.Agreement{Unlock: pinTyped})
	wantProblem(t, "the PIN in its place", "secret-format", err)
	h.Clock.Forward(6 * time.Minute)
	_, err = p.App.Approve(ctx, q, phone.Agreement{Password: passwordTyped})
	wantProblem(t, "too late", "approve-expired", err)
	if left := tries(t, p.App, warifu.Signature); left != 4 || len(d.answers) != 0 {
		t.Errorf("%d tries left, %d answers", left, len(d.answers))
	}
}

// What is shown above the password is the text itself, or nothing.
func TestOnlyWhatShowsAsItIsIsShown(t *testing.T) {
	long := strings.Repeat("割", 2000)
	for text, want := range map[string]string{
		"契約書\n一、\t月額　三千円": "契約書\n一、\t月額　三千円", "": "", "a\x00b": "", "\xff\xfe": "", "evil\u202etxt": "", long: strings.Repeat("割", 1365) + "…", "%PDF-1.7": "%PDF-1.7",
	} {
		if got := (phone.Wanted{Mode: phone.ModeCMS, Content: []byte(text)}).Text(); got != want {
			t.Errorf("%.20q is shown as %.20q… (%d)", text, got, len(got))
		}
	}
	if got := (phone.Wanted{Mode: phone.ModePDF, Content: []byte("%PDF-1.7")}).Text(); got != "" {
		t.Errorf("a PDF file is shown as %q", got)
	}
}
