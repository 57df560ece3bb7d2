package oidc_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"warifu/cms"
	"warifu/internal/housetest"
	"warifu/oidc"
	"warifu/store"
)

const taxReturn = `<?xml version="1.0" encoding="UTF-8"?>
<申告 xmlns="urn:example:tax"><金額 通貨="円">1200</金額></申告>
`

// documents are one for each mode.
func documents(t testing.TB) map[string][]byte {
	t.Helper()
	pdf, err := os.ReadFile("../document/testdata/contract.pdf")
	holds(t, err)
	text := []byte("a contract of twelve pages, signed in a train")
	return map[string][]byte{
		oidc.ModeDigest: text, oidc.ModeDigestInfo: text, oidc.ModeCMS: text, oidc.ModeCMSAttached: text, oidc.ModePDF: pdf, oidc.ModeXML: []byte(taxReturn),
	}
}

// R54: what the client gets is what was handed in, signed by whoever logged in, whichever the
// mode; and programs that know nothing of us find it good.
func TestWhatIsHandedInComesBackSignedInEveryMode(t *testing.T) {
	for _, scheme := range []string{"badge", "jp-mobile"} { // P-256 and RSA-2048
		s := newSigning(t, housetest.Options{Scheme: scheme})
		taro := s.phoneOf("taro")
		for mode, document := range documents(t) {
			t.Run(scheme+" phone "+mode, func(t *testing.T) {
				login := "l" + strings.Repeat("p", 20) + fmt.Sprintf("%06x", sha256.Sum256([]byte(mode)))[:6]
				id := s.begun(mode, document, login)
				signed := s.signs(taro, id, login)
				r, err := s.desk.Vouch(t.Context(), s.bank, id, signed, s.nonce())
				holds(t, err)
				if err := r.Err(); err != nil {
					t.Fatal(err)
				}
				s.takes(t, id, login, "phone", mode, document, signed)
			})
			t.Run(scheme+" card "+mode, func(t *testing.T) {
				login := "l" + strings.Repeat("c", 20) + fmt.Sprintf("%06x", sha256.Sum256([]byte(mode)))[:6]
				id := s.begun(mode, document, login)
				s.takes(t, id, login, "card", mode, document, s.cardSigns("taro", id, login))
			})
		}
	}
}

// takes accepts a signature and looks at the result as the client does.
func (s *signing) takes(t *testing.T, id, login, class, mode string, document []byte, signed oidc.Signed) {
	t.Helper()
	accepted, err := s.desk.Accept(t.Context(), s.bank, id, class, signed)
	holds(t, err)
	if accepted.Class != class {
		t.Errorf("accepted as %s", accepted.Class)
	}
	holds(t, s.keep(accepted, login, s.Handle(t, "taro")))
	got := s.opened(id, login)
	sum := sha256.Sum256(document)
	if got.ID != id || got.Mode != mode || got.Class != class || got.Status != "good" || !bytes.Equal(got.Digest, sum[:]) || got.SigningTime.IsZero() || got.StatusTime.IsZero() {
		t.Errorf("told %+v", got)
	}
	bare := mode == oidc.ModeDigest || mode == oidc.ModeDigestInfo
	if bare != (len(got.Certificate) > 0) {
		t.Error("the certificate is told where a bare signature cannot be checked without it, and nowhere else")
	}
	judges[mode](t, s, got, document, signed)
	if again := s.opened(id, login); fmt.Sprint(again) != fmt.Sprint(got) {
		t.Error("fetched again, it is something else")
	}
	_, err = s.desk.Document(t.Context(), s.bank, id)
	refusedAs(t, "the document afterwards", "sign-transaction-over", err)
}

// judges are other people's programs, one for each mode.
var judges = map[string]func(t *testing.T, s *signing, got told, document []byte, signed oidc.Signed){
	oidc.ModeDigest: bareIsGood, oidc.ModeDigestInfo: bareIsGood,
	oidc.ModeCMS: func(t *testing.T, s *signing, got told, document []byte, _ oidc.Signed) {
		out := judgedBy(t, "openssl", "cms", "-verify", "-inform", "DER", "-in", onDisk(t, got.Signature), "-content", onDisk(t, document), "-binary", "-noverify", "-out", onDisk(t, nil))
		if !strings.Contains(out, "erification successful") {
			t.Error(out)
		}
	},
	oidc.ModeCMSAttached: func(t *testing.T, s *signing, got told, document []byte, _ oidc.Signed) {
		content := onDisk(t, nil)
		judgedBy(t, "openssl", "cms", "-verify", "-inform", "DER", "-in", onDisk(t, got.Signature), "-binary", "-noverify", "-out", content)
		if inside, err := os.ReadFile(content); err != nil || !bytes.Equal(inside, document) {
			t.Errorf("inside is %q, %v", inside, err)
		}
	},
	oidc.ModePDF: func(t *testing.T, s *signing, got told, document []byte, _ oidc.Signed) {
		if !bytes.HasPrefix(got.Document, document) {
			t.Error("the file is another")
		}
		out := judgedBy(t, "pdfsig", "-nocert", onDisk(t, got.Document))
		if strings.Count(out, "Signature is Valid") != 1 || !strings.Contains(out, "Total document signed") {
			t.Error(out)
		}
	},
	oidc.ModeXML: func(t *testing.T, s *signing, got told, _ []byte, signed oidc.Signed) {
		c := onDisk(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed.Certificate}))
		out := judgedBy(t, "xmlsec1", "--verify", "--pubkey-cert-pem", c, "--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties", onDisk(t, got.Document))
		if !strings.Contains(out, "OK") {
			t.Error(out)
		}
	},
}

func bareIsGood(t *testing.T, s *signing, got told, document []byte, _ oidc.Signed) {
	c, err := x509.ParseCertificate(got.Certificate)
	holds(t, err)
	holds(t, cms.CheckSignature(c.PublicKey, sha256.Sum256(document), got.Signature))
	public := judgedBy(t, "openssl", "x509", "-inform", "DER", "-in", onDisk(t, got.Certificate), "-noout", "-pubkey")
	out := judgedBy(t, "openssl", "dgst", "-sha256", "-verify", onDisk(t, []byte(public)), "-signature", onDisk(t, got.Signature), onDisk(t, document))
	if !strings.Contains(out, "Verified OK") {
		t.Error(out)
	}
}

func onDisk(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f")
	holds(t, os.WriteFile(path, b, 0o600))
	return path
}

// judgedBy runs another judge, which must be content, where it is installed.
func judgedBy(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// B.11: the holder reads who had what signed, in the same transaction as the signature.
func TestASignatureStandsInTheHoldersLedger(t *testing.T) {
	s := newSigning(t, housetest.Options{})
	taro := s.phoneOf("taro")
	id := s.begun(oidc.ModeCMS, []byte("a contract"), signLogin)
	accepted, err := s.desk.Accept(t.Context(), s.bank, id, "", s.signs(taro, id, signLogin))
	holds(t, err)
	person := s.Handle(t, "taro")
	page, err := s.DeskConfig(t, nil).Ledger.Read(t.Context(), person, 0)
	holds(t, err)
	before := len(page.Lines)
	holds(t, s.keep(accepted, signLogin, person))
	page, err = s.DeskConfig(t, nil).Ledger.Read(t.Context(), person, 0)
	holds(t, err)
	if len(page.Lines) != before+1 {
		t.Fatalf("%d lines more", len(page.Lines)-before)
	}
	e := page.Lines[before].Entry
	if e.What != "signature" || e.By != "bank" || e.Purpose != "契約書　控え" || e.Reference != id || e.Kind != "signature" || e.Class != "phone" || e.Result != "good" {
		t.Errorf("the line says %+v", e)
	}
}

// What was signed and what was not is gone when its time is over, and a login that ended
// takes its document with it.
func TestNothingStaysBehind(t *testing.T) {
	s := newSigning(t, housetest.Options{})
	taro := s.phoneOf("taro")
	signed := s.begun(oidc.ModeCMS, []byte("a contract"), signLogin)
	accepted, err := s.desk.Accept(t.Context(), s.bank, signed, "", s.signs(taro, signed, signLogin))
	holds(t, err)
	holds(t, s.keep(accepted, signLogin, s.Handle(t, "taro")))
	declined := s.begun(oidc.ModeCMS, []byte("another"), anotherLogin)
	s.Write(t, func(tx *store.Tx) error { return s.desk.Ended(tx, anotherLogin) })
	_, err = s.desk.View(t.Context(), s.bank, declined)
	refusedAs(t, "declined", "sign-transaction-unknown", err)
	forgotten, err := s.desk.Begin(t.Context(), s.bank, handed(oidc.ModeCMS, []byte("a third")))
	holds(t, err)
	n, err := s.desk.Purge(t.Context())
	if holds(t, err); n != 0 {
		t.Errorf("%d are purged before their time", n)
	}
	s.Clock.Forward(oidc.ResultLife)
	_, err = s.desk.View(t.Context(), s.bank, forgotten.ID)
	refusedAs(t, "forgotten", "sign-transaction-over", err)
	_, err = s.desk.Result(t.Context(), s.access(signed, signLogin), signed)
	refusedAs(t, "the result", "sign-transaction-unknown", err)
	n, err = s.desk.Purge(t.Context())
	if holds(t, err); n != 2 {
		t.Errorf("%d are purged", n)
	}
	s.Read(t, func(tx *store.Tx) error {
		for _, id := range []string{signed, declined, forgotten.ID} {
			_, err := tx.SignTransaction(id)
			refusedAs(t, id, "sign-transaction-unknown", err)
		}
		return nil
	})
}

// One client fills no disk.
func TestAClientHasOnlySoMuchLyingHere(t *testing.T) {
	s := newSigning(t, housetest.Options{})
	large := make([]byte, oidc.MaxSignDocument)
	for i := range 32 {
		large[0] = byte(i)
		_, err := s.desk.Begin(t.Context(), s.bank, handed(oidc.ModeDigest, large))
		holds(t, err)
	}
	_, err := s.desk.Begin(t.Context(), s.bank, handed(oidc.ModeDigest, []byte("one more")))
	refusedAs(t, "one more", "sign-transactions-too-many", err)
	another := s.bank
	another.ID = "shop"
	_, err = s.desk.Begin(t.Context(), another, handed(oidc.ModeDigest, []byte("another's")))
	holds(t, err)
	s.Clock.Forward(oidc.SignLife)
	_, err = s.desk.Purge(t.Context())
	holds(t, err)
	_, err = s.desk.Begin(t.Context(), s.bank, handed(oidc.ModeDigest, []byte("one more")))
	holds(t, err)
}
