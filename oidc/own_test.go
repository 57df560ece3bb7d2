package oidc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/oidc"
	"warifu/store"
)

// own takes a login at the house to its code.
func (w *town) own() string {
	w.t.Helper()
	u, err := url.Parse(w.provider.OwnAddress("a state", challengeOf(verifier), "en"))
	must(w.t, err)
	return w.code(u.Query())
}

func TestAHolderSignsInAtTheHouseItself(t *testing.T) {
	w := newTown(t, housetest.Options{})
	code := w.own()
	session, err := w.provider.EnterOwn(ctx, code, verifier)
	must(t, err)
	who, err := w.provider.Own(ctx, session)
	must(t, err)
	if who.Person.IsZero() || who.Class != "phone" || who.Activation != "pin" || !who.Ends.Equal(w.Clock.Now().Truncate(time.Second).Add(oidc.OwnLife)) {
		t.Errorf("%+v", who)
	}
	var inDirectory warifu.Digest
	must(t, w.Store.Read(ctx, func(tx *store.Tx) error {
		all, err := tx.CredentialsOfElement(w.phone.Record.Element)
		if err == nil {
			inDirectory = all[0].Person
		}
		return err
	}))
	if who.Person != inDirectory {
		t.Error("it is somebody else")
	}
	_, err = w.open().Own(ctx, session) // another server on the same database
	must(t, err)
	must(t, w.provider.LeaveOwn(ctx, session))
	must(t, w.provider.LeaveOwn(ctx, session))
	_, err = w.provider.Own(ctx, session)
	wants(t, err, "own-session-over")
}

func TestASessionAtTheHouseEndsByItself(t *testing.T) {
	w := newTown(t, housetest.Options{})
	session, err := w.provider.EnterOwn(ctx, w.own(), verifier)
	must(t, err)
	w.Clock.Forward(oidc.OwnLife)
	_, err = w.provider.Own(ctx, session)
	wants(t, err, "own-session-over")
}

func TestWhatIsNoSessionOfTheHouseOpensNothing(t *testing.T) {
	w := newTown(t, housetest.Options{})
	code := w.own()
	_, err := w.provider.EnterOwn(ctx, code, strings.Repeat("x", 43))
	wants(t, err, "oidc-code-invalid")
	foreign := w.code(w.ask(bank))
	_, err = w.provider.EnterOwn(ctx, foreign, verifier)
	wants(t, err, "oidc-code-invalid")
	session, err := w.provider.EnterOwn(ctx, code, verifier)
	must(t, err)
	_, err = w.provider.EnterOwn(ctx, code, verifier) // a second time: somebody has seen the code
	wants(t, err, "oidc-code-invalid")
	_, err = w.provider.Own(ctx, session)
	wants(t, err, "own-session-over")
	tokens := w.exchange(bank, foreign).tokens()
	for _, s := range []string{"", "x", session + "A", tokens.access, tokens.refresh} {
		_, err := w.provider.Own(ctx, s)
		wants(t, err, "own-session-over")
		must(t, w.provider.LeaveOwn(ctx, s))
	}
	// Nobody can be the house at the token endpoint: it has no keys.
	w.clients[oidc.OwnClient] = oidc.Client{ID: oidc.OwnClient, RedirectURIs: []string{housetest.Origin + oidc.OwnPath}}
	w.keys[oidc.OwnClient] = newKey(t)
	if a := w.exchange(oidc.OwnClient, w.own()); a.Code != http.StatusUnauthorized {
		t.Errorf("%d %s", a.Code, a.Body)
	}
}
