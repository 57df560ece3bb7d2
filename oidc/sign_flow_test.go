package oidc_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/jpki"
	"warifu/oidc"
	"warifu/phone"
)

// notary is a town in which documents are signed: the bank may ask for signatures, the shop
// may not.
type notary struct {
	*town
	desk  *oidc.SignDesk
	opens any // the bank's key for results
}

func newNotary(t *testing.T) *notary {
	t.Helper()
	w := &notary{town: newTown(t, housetest.Options{})}
	key := newKey(t)
	w.opens = key
	c := w.clients[bank]
	c.Scopes = append(slices.Clone(c.Scopes), "sign")
	c.JWKS.Keys = append(slices.Clone(c.JWKS.Keys), jose.JSONWebKey{Key: key.Public(), KeyID: "results", Use: "enc"})
	w.clients[bank] = c
	w.desk = oidc.NewSignDesk(oidc.SignConfig{
		Store: w.Store, Ledger: w.config.Ledger, Verifier: w.config.Verifier, Chips: w.Registrar, Cards: w.config.Cards, Clock: w.Clock,
		Keys: func(ctx context.Context, c oidc.Client) ([]jose.JSONWebKey, error) {
			return w.provider.ClientKeys(ctx, c)
		},
	})
	w.config.Signing = w.desk
	w.open()
	return w
}

// hands hands a document in with the bank's own token, as it does over HTTP.
func (w *notary) hands(document string) string {
	w.t.Helper()
	own := w.do(http.MethodPost, tokenURL, w.by(bank, "grant_type", "client_credentials", "scope", "sign"), nil).tokens()
	a, err := w.provider.Access(ctx, own.access)
	must(w.t, err)
	begun, err := w.desk.Begin(ctx, a.Client, handed(oidc.ModeDigest, []byte(document)))
	must(w.t, err)
	return begun.ID
}

// wish is the bank's authorization request for a signature.
func (w *notary) wish(id string, more ...string) url.Values {
	return w.ask(bank, append([]string{"scope", "openid sign name", "sign_transaction_id", id}, more...)...)
}

// signature is a phone's over the document of a login, and the chip's word for it.
func (w *notary) signature(p *housetest.Phone, q oidc.Question, agreed ...string) *oidc.Signed {
	w.t.Helper()
	secret := warifu.NewActivationSecret([]byte(housetest.Secrets.Signature))
	open := func() *jpki.Token {
		token, err := jpki.Select(ctx, p.App.Element)
		must(w.t, err)
		must(w.t, token.VerifyPhone(ctx, warifu.Signature, secret))
		return token
	}
	token := open()
	certificate, err := token.Certificate(ctx, warifu.Signature)
	must(w.t, err)
	var digest warifu.Digest
	must(w.t, digest.UnmarshalText([]byte(q.Sign.Digest)))
	out := &oidc.Signed{Certificate: certificate, Element: p.App.Device.Element.String()}
	out.Signature, err = token.Sign(ctx, warifu.Signature, jpki.DigestInfoSHA256(digest))
	must(w.t, err)
	nonce := attest.Consent{Client: q.Client.ID, Origin: q.Client.Origin, Login: q.Login, Attributes: agreed, Sign: q.Sign.Digest}.Nonce(q.Salt)
	out.Request, err = open().Element().DeviceRequest(ctx, oidc.SignPurpose, warifu.DigestOf(out.Signature).String(), nonce)
	must(w.t, err)
	return out
}

func (w *notary) question(login string) oidc.Question {
	w.t.Helper()
	q, err := w.provider.Question(ctx, login, oidc.WayApp)
	must(w.t, err)
	return q
}

// signs answers a login with the signing password alone.
func (w *notary) signs(login string, agreed ...string) (oidc.Answered, error) {
	w.t.Helper()
	return w.provider.Answer(ctx, login, oidc.Answer{Agreed: agreed, Activation: oidc.ActivationPassword, Signed: w.signature(w.phone, w.question(login), agreed...)})
}

// redeems goes on from an answer to the tokens.
func (w *notary) redeems(at tab, a oidc.Answered) answerOf {
	w.t.Helper()
	u, err := url.Parse(a.Return)
	must(w.t, err)
	redirect, err := w.provider.Finish(ctx, at.login, at.cookie, u.Query().Get("return"))
	must(w.t, err)
	u, err = url.Parse(redirect)
	must(w.t, err)
	return w.exchange(bank, u.Query().Get("code"))
}

// R54: who signs is logged in by it, as the same person as with the PIN, and the ID token
// says how.
func TestWhoSignsIsLoggedInByThePasswordAlone(t *testing.T) {
	w := newNotary(t)
	id := w.hands("a contract")
	at := w.begin(w.wish(id))
	q := w.question(at.login)
	if q.Sign == nil || q.Sign.ID != id || q.Sign.Name == "" || q.Sign.Mode != oidc.ModeDigest || q.Sign.Size != len("a contract") {
		t.Fatalf("asked %+v", q.Sign)
	}
	octets, err := w.provider.Document(ctx, at.login)
	if must(t, err); string(octets) != "a contract" {
		t.Errorf("the document is %q", octets)
	}
	answered, err := w.signs(at.login, "name")
	must(t, err)
	tokens := w.redeems(at, answered).tokens()
	claims := w.claims(tokens.id)
	if claims["warifu_class"] != "phone" || claims["warifu_activation"] != "password" {
		t.Errorf("the ID token says %v", claims)
	}
	if usual := w.claims(w.login(w.ask(bank)).id); usual["sub"] != claims["sub"] || usual["warifu_activation"] != "pin" {
		t.Errorf("with the PIN it is somebody else: %v", usual)
	}
	if info := w.userinfo(tokens.access).json(); info["name"] == nil || info["sub"] != claims["sub"] {
		t.Errorf("told %v", info)
	}
	a, err := w.provider.Access(ctx, tokens.access)
	must(t, err)
	sealed, err := w.desk.Result(ctx, a, id)
	must(t, err)
	jwe, err := jose.ParseEncryptedCompact(string(sealed), []jose.KeyAlgorithm{jose.ECDH_ES_A256KW}, []jose.ContentEncryption{jose.A256GCM})
	must(t, err)
	plain, err := jwe.Decrypt(w.opens)
	must(t, err)
	var r told
	if must(t, json.Unmarshal(plain, &r)); r.ID != id || r.Status != "good" || len(r.Signature) == 0 {
		t.Errorf("the result says %s", plain)
	}
	var said []string
	for _, e := range w.lines() {
		said = append(said, e.What+" "+e.Kind)
	}
	for _, line := range []string{"login signature", "signature signature", "login authentication"} {
		if !slices.Contains(said, line) {
			t.Errorf("no line %q in %q", line, said)
		}
	}
}

// The exact errors of a request that names no document of this client's that waits.
func TestARequestForASignatureNamesAnOpenDocumentOfItsClient(t *testing.T) {
	w := newNotary(t)
	w.clients["RP00000003"] = oidc.Client{
		ID: "RP00000003", Name: w.clients[bank].Name, RedirectURIs: []string{"https://other.example/callback"}, JWKS: w.clients[bank].JWKS, Scopes: []string{"sign"},
	}
	used, old := w.hands("a contract"), w.hands("an old one")
	at := w.begin(w.wish(used))
	for what, c := range map[string]struct {
		ask  url.Values
		to   string
		code string
	}{
		"used":                   {w.wish(used), bankBack, "invalid_request"},
		"unknown":                {w.wish("00000000-0000-4000-8000-000000000000"), bankBack, "invalid_request"},
		"no identifier":          {w.wish("", "-sign_transaction_id", ""), bankBack, "invalid_request"},
		"an empty one":           {w.wish(""), bankBack, "invalid_request"},
		"without the scope":      {w.wish(old, "scope", "openid name"), bankBack, "invalid_request"},
		"another client's":       {w.ask("RP00000003", "scope", "openid sign", "sign_transaction_id", old), "https://other.example/callback", "invalid_request"},
		"a client that may not":  {w.ask(shop, "scope", "openid sign", "sign_transaction_id", old), shopBack, "invalid_scope"},
		"with prompt none":       {w.wish(old, "prompt", "none"), bankBack, "login_required"},
		"an identifier too long": {w.wish(string(make([]byte, 200))), bankBack, "invalid_request"},
	} {
		if got := w.do(http.MethodGet, authURL, c.ask, nil).back(c.to).Get("error"); got != c.code {
			t.Errorf("%s: %q, want %q", what, got, c.code)
		}
	}
	if _, err := w.signs(at.login); err != nil { // the login that has it is none the worse
		t.Error(err)
	}
	signed := w.do(http.MethodGet, authURL, w.wish(used), nil).back(bankBack)
	if signed.Get("error") != "invalid_request" {
		t.Errorf("signed already: %v", signed)
	}
	w.Clock.Forward(oidc.SignLife)
	if got := w.do(http.MethodGet, authURL, w.wish(old), nil).back(bankBack).Get("error"); got != "invalid_request" {
		t.Errorf("expired: %q", got)
	}
}

// Nothing is signed or logged in that was not agreed to.
func TestAnswersThatSignSomethingElseAreRefused(t *testing.T) {
	w := newNotary(t)
	hanako := w.Phone(t)
	hanako.Own(t, "hanako")
	first, second := w.begin(w.wish(w.hands("a contract"))), w.begin(w.wish(w.hands("a contract")))
	plain := w.begin(w.ask(bank))
	q := w.question(first.login)
	word := w.signature(w.phone, q)
	bare := &oidc.Signed{Certificate: word.Certificate, Signature: word.Signature}
	withPIN := func(q oidc.Question, s *oidc.Signed) oidc.Answer {
		k := openPhone(t, w.phone)
		p := q.Presence
		p.Nonce = attest.Consent{Client: q.Client.ID, Origin: q.Client.Origin, Login: q.Login, Sign: q.Sign.Digest}.Nonce(q.Salt)
		signature, err := k.token.Sign(ctx, warifu.Authentication, jpki.DigestInfoSHA256(p.Digest()))
		must(t, err)
		return oidc.Answer{Certificate: k.certificate, Signature: signature, Activation: oidc.ActivationPIN, Signed: s}
	}
	theirs := w.signature(hanako, q)
	theirs.Element, theirs.Request = "", nil
	for what, c := range map[string]struct {
		login string
		a     oidc.Answer
		slug  string
	}{
		"the word of another login":       {second.login, oidc.Answer{Activation: oidc.ActivationPassword, Signed: word}, "device-request-other"},
		"agreeing to more":                {first.login, oidc.Answer{Activation: oidc.ActivationPassword, Agreed: []string{"name"}, Signed: word}, "device-request-other"},
		"a signature and nobody there":    {first.login, oidc.Answer{Activation: oidc.ActivationPassword, Signed: bare}, "login-answer-malformed"},
		"somebody there, nothing signed":  {first.login, func() oidc.Answer { a := withPIN(q, nil); return a }(), "login-answer-malformed"},
		"the PIN and another's signature": {first.login, withPIN(q, theirs), "signed-other-person"},
		"a consent without the document":  {first.login, func() oidc.Answer { a := openPhone(t, w.phone).answers(t, q); a.Signed = bare; return a }(), "login-presence-bad"},
		"a signature nobody asked for":    {plain.login, oidc.Answer{Activation: oidc.ActivationPassword, Signed: word}, "login-answer-malformed"},
	} {
		_, err := w.provider.Answer(ctx, c.login, c.a)
		refusedAs(t, what, c.slug, err)
	}
	a, err := w.provider.Answer(ctx, first.login, withPIN(q, bare)) // both secrets: sound, and one more than needed
	must(t, err)
	if claims := w.claims(w.redeems(first, a).tokens().id); claims["warifu_activation"] != "pin" {
		t.Errorf("the ID token says %v", claims)
	}
	_, err = w.provider.Answer(ctx, first.login, withPIN(q, bare))
	refusedAs(t, "twice", "login-over", err)
	card := w.begin(w.wish(w.hands("for the card"), "acr_values", "urn:warifu:class:card"))
	_, err = w.signs(card.login)
	refusedAs(t, "a phone where the card is demanded", "login-demands-card", err)
}

// A login that ends takes its document with it, and a phone that is revoked on the way gives
// no result.
func TestWhatEndsOnTheWayGivesNothing(t *testing.T) {
	w := newNotary(t)
	id := w.hands("declined")
	at := w.begin(w.wish(id))
	must(t, w.provider.Decline(ctx, at.login))
	_, err := w.desk.View(ctx, w.clients[bank], id)
	refusedAs(t, "declined", "sign-transaction-unknown", err)

	id = w.hands("cancelled")
	at = w.begin(w.wish(id))
	_, err = w.provider.Cancel(ctx, at.login, at.cookie)
	must(t, err)
	_, err = w.desk.View(ctx, w.clients[bank], id)
	refusedAs(t, "cancelled", "sign-transaction-unknown", err)

	id = w.hands("too late")
	at = w.begin(w.wish(id))
	w.Clock.Forward(oidc.LoginLife + time.Second)
	_, err = w.provider.Question(ctx, at.login, oidc.WayApp)
	refusedAs(t, "the login has expired", "login-over", err)

	id = w.hands("revoked on the way")
	at = w.begin(w.wish(id))
	answered, err := w.signs(at.login)
	must(t, err)
	_, err = w.phone.App.Revoke(ctx, warifu.Kinds[:], phone.Secret{Kind: warifu.Signature, Typed: housetest.Secrets.Signature})
	must(t, err)
	u, err := url.Parse(answered.Return)
	must(t, err)
	redirect, err := w.provider.Finish(ctx, at.login, at.cookie, u.Query().Get("return"))
	if err == nil {
		u, err = url.Parse(redirect)
		must(t, err)
		if code := u.Query().Get("code"); code != "" {
			w.exchange(bank, code).refuses(http.StatusBadRequest, "invalid_grant")
		}
	}
}
