package bureau_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"warifu"
	"warifu/attest"
	"warifu/crl"
	"warifu/ocsp"
	"warifu/sandbox/bureau"
)

func serve(t *testing.T, b *bureau.Bureau) string {
	t.Helper()
	s := httptest.NewServer(http.StripPrefix("/bureau", b.Handler()))
	t.Cleanup(s.Close)
	return s.URL + "/bureau"
}

func fetch(t *testing.T, method, url, contentType string, body []byte) (int, []byte) {
	t.Helper()
	r, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer
}

func TestStatementsOverHTTP(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	url := serve(t, b)
	certificate := of(t, issued(t, b, "taro"), warifu.Signature).Certificate.Raw
	nonce := warifu.DigestOf([]byte("document"))
	ask := func(body string) (int, []byte) {
		return fetch(t, http.MethodPost, url+"/statements", "application/json", []byte(body))
	}
	question, _ := json.Marshal(map[string]any{"certificate": certificate, "nonce": nonce})
	status, answer := ask(string(question))
	var out struct{ Statement []byte }
	if err := json.Unmarshal(answer, &out); status != http.StatusOK || err != nil {
		t.Fatalf("%d %s", status, answer)
	}
	if s, err := attest.OpenCardStatement(out.Statement, b.StatementKey()); err != nil || s.Nonce != nonce {
		t.Errorf("%+v %v", s, err)
	}
	for name, c := range map[string]struct {
		body    string
		status  int
		problem string
	}{
		"no JSON":             {"{", 422, "sandbox-request-malformed"},
		"a field too many":    {`{"certificate":"","nonce":"","why":1}`, 422, "sandbox-request-malformed"},
		"no nonce":            {`{"certificate":"MA=="}`, 422, "bureau-request-malformed"},
		"no certificate":      {`{"certificate":"MA==","nonce":"` + nonce.String() + `"}`, 422, "bureau-request-malformed"},
		"a certificate a MiB": {`{"certificate":"` + strings.Repeat("A", 1<<20) + `"}`, 413, "sandbox-request-too-large"},
	} {
		status, answer := ask(c.body)
		if status != c.status || !bytes.Contains(answer, []byte("urn:warifu:problem:"+c.problem)) {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
}

func TestStatementsAboutManyCardsOverHTTP(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	url := serve(t, b)
	nonce := warifu.DigestOf([]byte("round"))
	taro, hanako := of(t, issued(t, b, "taro"), warifu.Signature).Certificate, of(t, issued(t, b, "hanako"), warifu.Signature).Certificate
	if err := b.Suspend("hanako"); err != nil {
		t.Fatal(err)
	}
	ask := func(serials [][]byte) (int, []byte) {
		question, _ := json.Marshal(map[string]any{"serials": serials, "nonce": nonce})
		return fetch(t, http.MethodPost, url+"/statements/many", "application/json", question)
	}
	status, answer := ask([][]byte{hanako.SerialNumber.Bytes(), {1, 2, 3}, taro.SerialNumber.Bytes()})
	var out struct{ Statements []byte }
	if err := json.Unmarshal(answer, &out); status != http.StatusOK || err != nil {
		t.Fatalf("%d %s", status, answer)
	}
	s, err := attest.OpenCardStatements(out.Statements, b.StatementKey())
	if err != nil || s.Nonce != nonce || !s.ProducedAt.Equal(start) || len(s.Cards) != 3 || len(s.Cards[1].Certificates) != 0 || !s.Cards[1].Person.IsZero() {
		t.Fatalf("%+v %v", s, err)
	}
	for i, certificate := range map[int]*x509.Certificate{0: hanako, 2: taro} {
		alone := statement(t, b, certificate.Raw, nonce)
		if s.Cards[i].Person != alone.Person || !reflect.DeepEqual(s.Cards[i].Certificates, alone.Certificates) {
			t.Errorf("%+v, and alone %+v", s.Cards[i], alone)
		}
	}
	for what, serials := range map[string][][]byte{"none": nil, "one too many": make([][]byte, attest.MaxStatements+1)} {
		if status, answer := ask(serials); status != 422 || !bytes.Contains(answer, []byte("bureau-request-malformed")) {
			t.Errorf("%s: %d %s", what, status, answer)
		}
	}
}

func TestOCSPByPostAndGetWithBothDigests(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	url := serve(t, b)
	issuer := b.Authority(warifu.Authentication)
	for id, want := range map[string]warifu.Status{
		"taro": {Cert: warifu.StatusGood},
		"mika": {Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold},
		"shin": {Cert: warifu.StatusRevoked, Reason: warifu.ReasonCessationOfOperation},
		"":     {Cert: warifu.StatusUnknown},
	} {
		serial := big.NewInt(1)
		if id != "" {
			serial = of(t, issued(t, b, id), warifu.Authentication).Certificate.SerialNumber
		}
		for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
			request, err := ocsp.Request{CertIDs: []ocsp.CertID{ocsp.NewCertID(hash, issuer, serial)}, Nonce: []byte("0123456789abcdef")}.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			_, posted := fetch(t, http.MethodPost, url+"/ocsp/authentication", "application/ocsp-request", request)
			_, got := fetch(t, http.MethodGet, url+"/ocsp/authentication/"+escape(request), "", nil)
			for _, der := range [][]byte{posted, got} {
				checkAnswer(t, b, der, serial, want)
			}
		}
	}
	if _, answer := fetch(t, http.MethodPost, url+"/ocsp/signature", "application/ocsp-request", []byte("x")); !bytes.Equal(answer, ocsp.ErrorResponse(ocsp.MalformedRequest)) {
		t.Errorf("garbage got %x", answer)
	}
}

func escape(request []byte) string {
	return strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D").Replace(base64.StdEncoding.EncodeToString(request))
}

func checkAnswer(t *testing.T, b *bureau.Bureau, der []byte, serial *big.Int, want warifu.Status) {
	t.Helper()
	issuer := b.Authority(warifu.Authentication)
	r, err := ocsp.ParseResponse(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Verify(issuer, start); err != nil {
		t.Fatal(err)
	}
	single, err := r.Find(issuer, serial)
	if err != nil || single.Status.Cert != want.Cert || single.Status.Reason != want.Reason || string(r.Nonce) != "0123456789abcdef" {
		t.Errorf("%+v %v", single, err)
	}
}

func TestTheListNamesHeldAndRevokedAndNoOthers(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	url := serve(t, b)
	var want []*big.Int
	for _, id := range []string{"taro", "mika", "shin"} {
		c := of(t, issued(t, b, id), warifu.Signature)
		if id != "taro" {
			want = append(want, c.Certificate.SerialNumber)
		}
	}
	_, first := fetch(t, http.MethodGet, url+"/crl/signature.crl", "", nil)
	_, second := fetch(t, http.MethodGet, url+"/crl/signature.crl", "", nil)
	list, err := crl.Parse(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := list.Verify(b.Authority(warifu.Signature), start); err != nil || list.Len() != len(want) {
		t.Errorf("%d entries: %v", list.Len(), err)
	}
	for _, serial := range want {
		if _, listed := list.Lookup(serial.Bytes()); !listed {
			t.Errorf("%x is missing", serial)
		}
	}
	if next, err := crl.Parse(second); err != nil || next.Number.Cmp(list.Number) <= 0 {
		t.Error("lists are not numbered upwards")
	}
}

func TestPagesThatAreNotThere(t *testing.T) {
	url := serve(t, open(t, t.TempDir(), newClock()))
	for _, path := range []string{"/", "/statements", "/crl/signature", "/crl/other.crl", "/ca/../world.json", "/ocsp/other", "/keys/signature.key"} {
		if status, answer := fetch(t, http.MethodGet, url+path, "", nil); status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
}

func FuzzOCSP(f *testing.F) {
	b := open(f, f.TempDir(), newClock())
	request, _ := ocsp.Request{CertIDs: []ocsp.CertID{ocsp.NewCertID(crypto.SHA1, b.Authority(warifu.Signature), big.NewInt(7))}}.Marshal()
	f.Add(request)
	f.Add([]byte{0x30, 0x80})
	f.Fuzz(func(t *testing.T, der []byte) {
		if len(b.OCSP(warifu.Signature, der)) == 0 {
			t.Error("no answer")
		}
	})
}

func FuzzStatementRequest(f *testing.F) {
	b := open(f, f.TempDir(), newClock())
	h := b.Handler()
	f.Add([]byte(`{"certificate":"MA==","nonce":"00"}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/statements", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code < 400 || w.Code >= 500 {
			t.Errorf("%d for %q", w.Code, body)
		}
	})
}

func FuzzStatementsRequest(f *testing.F) {
	b := open(f, f.TempDir(), newClock())
	h := b.Handler()
	f.Add([]byte(`{"serials":["MA=="],"nonce":"0101010101010101010101010101010101010101010101010101010101010101"}`))
	f.Add([]byte(`{"serials":[],"nonce":"00"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/statements/many", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK && (w.Code < 400 || w.Code >= 500) {
			t.Errorf("%d for %q", w.Code, body)
		}
	})
}

// openssl runs the command in dir and returns what it printed.
func openssl(t *testing.T, dir string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	c := exec.Command(path, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Logf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func put(t *testing.T, dir, name, block string, der []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: block, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The clock of this world is the machine's own, since openssl has no other.
func TestOpenSSLVerifiesCardsByListAndByOCSP(t *testing.T) {
	b := open(t, t.TempDir(), warifu.SystemClock{})
	url, dir := serve(t, b), t.TempDir()
	put(t, dir, "root.pem", "CERTIFICATE", b.Authority(warifu.Signature).Raw)
	for id, want := range map[string][2]string{
		"taro": {"card.pem: OK", "card.pem: good"},
		"mika": {"certificate revoked", "Reason: certificateHold"},
		"shin": {"certificate revoked", "Reason: cessationOfOperation"},
		"goro": {"certificate has expired", "card.pem: good"},
	} {
		put(t, dir, "card.pem", "CERTIFICATE", of(t, issued(t, b, id), warifu.Signature).Certificate.Raw)
		_, list := fetch(t, http.MethodGet, url+"/crl/signature.crl", "", nil)
		put(t, dir, "list.pem", "X509 CRL", list)
		out := openssl(t, dir, "verify", "-x509_strict", "-CAfile", "root.pem", "-CRLfile", "list.pem", "-crl_check", "card.pem")
		if !strings.Contains(out, want[0]) {
			t.Errorf("%s by list: %s", id, out)
		}
		for _, digest := range []string{"-sha1", "-sha256"} {
			out = openssl(t, dir, "ocsp", digest, "-issuer", "root.pem", "-cert", "card.pem", "-url", url+"/ocsp/signature", "-CAfile", "root.pem")
			if !strings.Contains(out, want[1]) || !strings.Contains(out, "Response verify OK") {
				t.Errorf("%s by OCSP: %s", id, out)
			}
		}
	}
}
