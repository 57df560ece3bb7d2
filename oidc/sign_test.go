package oidc_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/ledger"
	"warifu/oidc"
	"warifu/phone"
	"warifu/store"
	"warifu/timestamp"
	"warifu/verify"
)

const (
	signLogin    = "l" + "abcdefghijklmnopqrstuvwxyz"
	anotherLogin = "l" + "bbcdefghijklmnopqrstuvwxyz"
)

// signing is a house with a desk for documents, one client that may have them signed, and a
// server that plays the rest of the provider to a phone or a reader: it hands out the
// question and catches the answer.
type signing struct {
	*housetest.House
	t        *testing.T
	desk     *oidc.SignDesk
	verifier *verify.Verifier
	bank     oidc.Client
	key      *ecdsa.PrivateKey // opens results
	caught   oidc.Answer
	question phone.LoginQuestion
	content  []byte
	stamps   int64
}

func newSigning(t *testing.T, o housetest.Options) *signing {
	t.Helper()
	s := &signing{House: housetest.New(t, o), t: t}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	holds(t, err)
	s.key = key
	s.bank = oidc.Client{
		ID: "bank", Name: ledger.Name{Japanese: "見本銀行", English: "Sample Bank"}, RedirectURIs: []string{"https://bank.example/callback"}, Scopes: []string{"sign", "name"},
		JWKS: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "seal", Use: "enc"}}},
	}
	c := s.DeskConfig(t, s.Stamps)
	s.verifier = c.Verifier
	s.desk = oidc.NewSignDesk(oidc.SignConfig{
		Store: s.Store, Ledger: c.Ledger, Verifier: c.Verifier, Chips: s.Registrar, Cards: bureauWord{s.House, t}, Clock: s.Clock,
		Keys: func(_ context.Context, c oidc.Client) ([]jose.JSONWebKey, error) { return c.JWKS.Keys, nil },
	})
	return s
}

// bureauWord asks the house's bureau as a server does.
type bureauWord struct {
	house *housetest.House
	t     *testing.T
}

// Card implements oidc.Cards.
func (b bureauWord) Card(ctx context.Context, certificate []byte) (attest.CardStatement, error) {
	envelope, err := b.house.Cards.Statement(ctx, certificate, warifu.DigestOf(certificate))
	if err != nil {
		return attest.CardStatement{}, err
	}
	return attest.OpenCardStatement(envelope, b.house.Config(b.t).StatementKey)
}

func holds(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refusedAs(t testing.TB, what, slug string, err error) {
	t.Helper()
	if err == nil || warifu.ProblemOf(err).Problem != slug {
		t.Errorf("%s: got %v, want %q", what, err, slug)
	}
}

// handed is a document as a relying party hands it in, in the right form for the mode.
func handed(mode string, document []byte) oidc.SignWish {
	sum := sha256.Sum256(document)
	w := oidc.SignWish{Name: "契約書　控え", Mode: mode, Document: document, Digest: sum[:]}
	if mode == oidc.ModeDigestInfo {
		w.Digest, w.DigestInfo = nil, append([]byte("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"), sum[:]...)
	}
	return w
}

// begun hands a document in and ties it to a login.
func (s *signing) begun(mode string, document []byte, login string) string {
	s.t.Helper()
	b, err := s.desk.Begin(s.t.Context(), s.bank, handed(mode, document))
	holds(s.t, err)
	s.bind(b.ID, login)
	return b.ID
}

func (s *signing) bind(id, login string) {
	s.t.Helper()
	s.Write(s.t, func(tx *store.Tx) error { return s.desk.Bind(tx, s.bank, id, login) })
}

// ask makes the question of a login with the document.
func (s *signing) ask(id, login string) {
	s.t.Helper()
	view, err := s.desk.View(s.t.Context(), s.bank, id)
	holds(s.t, err)
	s.content, err = s.desk.Document(s.t.Context(), s.bank, id)
	holds(s.t, err)
	now := s.Clock.Now()
	q := phone.LoginQuestion{
		Login: login, Scopes: []string{"openid", "sign"}, Attributes: []string{"name"}, Salt: bytes.Repeat([]byte{7}, 32), Way: phone.WayApp, Expires: now.Add(5 * time.Minute),
		Sign: &phone.SignWish{ID: view.ID, Name: view.Name, Mode: view.Mode, Digest: view.Digest, Size: int64(view.Size)},
	}
	q.Client.ID, q.Client.Origin, q.Client.Name.Ja, q.Client.Name.En = s.bank.ID, "https://bank.example", s.bank.Name.Japanese, s.bank.Name.English
	q.Presence = phone.Question{Purpose: "login", ClientID: s.bank.ID, Origin: q.Client.Origin, Transaction: login, Time: now, Nonce: q.Consent(q.Attributes).Nonce(q.Salt)}
	s.question = q
}

// nonce is what the answer's consent amounts to: nothing was agreed to be told.
func (s *signing) nonce() []byte { return s.question.Consent(nil).Nonce(s.question.Salt) }

// ServeHTTP plays the server.
func (s *signing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	switch path := r.URL.Path; {
	case path == "/api/v1/logins/"+s.question.Login:
		_ = json.NewEncoder(w).Encode(s.question)
	case strings.HasSuffix(path, "/document"):
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(s.content)
	case strings.HasSuffix(path, "/answer"):
		a, err := oidc.ParseAnswer(r.Body)
		if err != nil {
			s.t.Errorf("the answer: %v", err)
		}
		s.caught = a
		_, _ = io.WriteString(w, "{}")
	case path == "/tsa":
		body, _ := io.ReadAll(r.Body)
		request, err := timestamp.ParseRequest(body)
		if err != nil {
			s.t.Errorf("the time-stamp: %v", err)
			return
		}
		s.stamps++
		answer, err := s.House.Stamps.Signer.Answer(request, s.Clock.Now(), big.NewInt(s.stamps))
		if err != nil {
			s.t.Errorf("the time-stamp: %v", err)
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(answer)
	default:
		s.t.Errorf("asked for %s", path)
	}
}

func (s *signing) server() *phone.Server {
	s.t.Helper()
	server, err := phone.NewServer("http://sign.test", &http.Client{Transport: housetest.InProcess{Handler: s}})
	holds(s.t, err)
	return server
}

// phoneOf is a person's phone with its certificates, which speaks to the server of the test.
func (s *signing) phoneOf(who string) *housetest.Phone {
	s.t.Helper()
	p := s.Phone(s.t)
	p.Own(s.t, who)
	p.App.Server = s.server()
	return p
}

// signs has a phone answer the question about a document, with the signing password alone.
func (s *signing) signs(p *housetest.Phone, id, login string) oidc.Signed {
	s.t.Helper()
	s.ask(id, login)
	_, err := p.App.Approve(s.t.Context(), s.question, phone.Agreement{Password: phone.Unlock{Typed: housetest.Secrets.Signature}})
	holds(s.t, err)
	if s.caught.Signed == nil {
		s.t.Fatal("nothing was signed")
	}
	return *s.caught.Signed
}

// cardSigns is signs with a person's card at a reader, which takes both its secrets.
func (s *signing) cardSigns(who, id, login string) oidc.Signed {
	s.t.Helper()
	s.ask(id, login)
	pins, card := s.PINs(s.t, who), s.Card(s.t, who)
	defer card.PowerOff()
	at := phone.Elsewhere{Server: s.server(), Scheme: s.Scheme, Clock: s.Clock}
	_, err := at.Approve(s.t.Context(), s.question, phone.CardAgreement{
		Card: card, PIN: string(pins.Authentication.Reveal()), Password: string(pins.Signature.Reveal()),
	})
	holds(s.t, err)
	if s.caught.Signed == nil || len(s.caught.Certificate) == 0 {
		s.t.Fatal("nothing was signed, or nobody was there")
	}
	return *s.caught.Signed
}

// keep writes an accepted signature down for whoever logged in.
func (s *signing) keep(a oidc.Accepted, login string, person warifu.Digest) error {
	s.t.Helper()
	return s.Store.Write(s.t.Context(), func(tx *store.Tx) error { return a.Keep(tx, login, person) })
}

func (s *signing) access(id, login string) oidc.Access {
	return oidc.Access{Client: s.bank, Scopes: []string{"openid", "sign"}, Login: login, SignTransaction: id}
}

// told is the content of a sealed result.
type told struct {
	ID, Mode, Status, Class                  string
	Digest, Signature, Certificate, Document []byte
	SigningTime, StatusTime                  time.Time
}

// opened fetches a result and opens it with the client's key, as the client would.
func (s *signing) opened(id, login string) (r told) {
	s.t.Helper()
	sealed, err := s.desk.Result(s.t.Context(), s.access(id, login), id)
	holds(s.t, err)
	jwe, err := jose.ParseEncryptedCompact(string(sealed), []jose.KeyAlgorithm{jose.ECDH_ES_A256KW}, []jose.ContentEncryption{jose.A256GCM})
	holds(s.t, err)
	if jwe.Header.KeyID != "seal" {
		s.t.Errorf("the key is named %q", jwe.Header.KeyID)
	}
	plain, err := jwe.Decrypt(s.key)
	holds(s.t, err)
	holds(s.t, json.Unmarshal(plain, &r))
	return r
}
