package relyingparty_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"warifu/relyingparty"
)

var decryption = must1(relyingparty.NewKey())

func (f *fake) transaction(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Name, Mode                   string
		Digest, DigestInfo, Document []byte
	}
	must(f.t, json.NewDecoder(r.Body).Decode(&asked))
	sum := sha256.Sum256(asked.Document)
	said := asked.Digest
	if asked.Mode == "digestinfo" {
		const head = "3031300d060960864801650304020105000420"
		if len(asked.DigestInfo) != 51 || hex.EncodeToString(asked.DigestInfo[:19]) != head {
			f.t.Errorf("DigestInfo %x", asked.DigestInfo)
		}
		said = asked.DigestInfo[19:]
	}
	if string(said) != string(sum[:]) || r.Header.Get("Authorization") != "Bearer access" || f.asked[len(f.asked)-1] != "client_credentials" || asked.Name != "契約書.txt" {
		f.t.Errorf("%+v", asked)
	}
	w.WriteHeader(http.StatusCreated)
	f.json(w, map[string]any{"id": "t-1"})
}

func (f *fake) result(w http.ResponseWriter, r *http.Request) {
	e, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.ECDH_ES_A256KW, Key: decryption.Public()}, nil)
	must(f.t, err)
	plain, err := json.Marshal(map[string]any{"signature": []byte("signed"), "certificate": []byte(r.PathValue("id"))})
	must(f.t, err)
	sealed, err := e.Encrypt(plain)
	must(f.t, err)
	compact, err := sealed.CompactSerialize()
	must(f.t, err)
	_, err = w.Write([]byte(compact))
	must(f.t, err)
}

func TestADocumentIsSignedWithALogin(t *testing.T) {
	f, _ := newFake(t)
	p := f.open(func(c *relyingparty.Config) { c.DecryptionKey = decryption })
	for _, mode := range []string{"", relyingparty.ModeDigestInfo} {
		id, err := p.SignTransaction(t.Context(), relyingparty.Document{Name: "契約書.txt", Content: []byte("甲は乙に"), Mode: mode})
		must(t, err)
		login, err := f.login(p, relyingparty.Wish{Scopes: []string{"sign"}, SignTransaction: id})
		must(t, err)
		if f.pushed.Get("sign_transaction_id") != "t-1" || f.pushed.Get("scope") != "openid sign" || login.SignTransaction != id {
			t.Errorf("%v", f.pushed)
		}
		result, err := p.SignResult(t.Context(), login, id)
		must(t, err)
		if string(result.Signature) != "signed" || string(result.Certificate) != "t-1" {
			t.Errorf("%+v", result)
		}
	}
	login, err := f.login(p, relyingparty.Wish{})
	must(t, err)
	_, err = f.open(nil).SignResult(t.Context(), login, "t-1")
	problem(t, err, "relying-party-config", "DecryptionKey")
	_, err = f.open(func(c *relyingparty.Config) { c.DecryptionKey = key(t) }).SignResult(t.Context(), login, "t-1")
	problem(t, err, "provider-answer", "JWE")
}
