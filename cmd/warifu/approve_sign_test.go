package main

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"warifu"
	"warifu/relyingparty"
	"warifu/sandbox/doorway"
)

// notary is a relying party that has documents signed, with the client that developers copy
// from.
type notary struct {
	site   *httptest.Server
	party  *relyingparty.Party
	dir    string   // where results go
	states sync.Map // the parameter "state" → what belongs into the cookie and the transaction
}

type notaryState struct{ cookie, transaction string }

// notaries are those of each script.
var notaries sync.Map // *testscript.TestScript → *notary

func newNotary(server, dir string) (*notary, error) {
	n := &notary{dir: dir}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /callback", n.callback)
	n.site = httptest.NewServer(mux)
	sign, err := relyingparty.NewKey()
	if err != nil {
		return nil, err
	}
	decrypt, err := relyingparty.NewKey()
	if err != nil {
		return nil, err
	}
	wish := map[string]any{
		"name": map[string]string{"ja": "試験の公証人", "en": "Test Notary"}, "redirectUris": []string{n.site.URL + "/callback"},
		"jwks": json.RawMessage(relyingparty.JWKS(sign, decrypt)), "scopes": []string{"name", "sign"},
	}
	var out struct{ ID, Issuer string }
	if err := doorway.NewClient(server).Post(context.Background(), "/api/v1/clients", wish, &out); err != nil {
		return nil, err
	}
	n.party, err = relyingparty.Open(context.Background(), relyingparty.Config{
		Issuer: out.Issuer, ClientID: out.ID, Key: sign, DecryptionKey: (*ecdsa.PrivateKey)(decrypt), RedirectURI: n.site.URL + "/callback",
	})
	return n, err
}

// hand hands a document in and returns where the browser is sent.
func (n *notary) hand(mode, name string, content []byte, scopes ...string) (string, error) {
	ctx := context.Background()
	id, err := n.party.SignTransaction(ctx, relyingparty.Document{Name: name, Content: content, Mode: mode})
	if err != nil {
		return "", err
	}
	return n.begin(id, scopes...)
}

func (n *notary) begin(transaction string, scopes ...string) (string, error) {
	b, err := n.party.Begin(context.Background(), relyingparty.Wish{Scopes: append([]string{"sign"}, scopes...), SignTransaction: transaction})
	if err != nil {
		return "", err
	}
	n.states.Store("last", notaryState{b.State, transaction})
	return b.URL, nil
}

// callback tells in one line what the provider said, and writes what was signed to "result"
// and "certificate".
func (n *notary) callback(w http.ResponseWriter, r *http.Request) {
	said, err := n.finish(r)
	if err != nil {
		said = warifu.ProblemOf(err).Problem + " " + err.Error()
	}
	fmt.Fprintln(w, "notary:", said)
}

func (n *notary) finish(r *http.Request) (string, error) {
	kept, _ := n.states.LoadAndDelete("last")
	s, _ := kept.(notaryState)
	login, err := n.party.Finish(r.Context(), r.URL.Query(), s.cookie)
	if err != nil {
		return "", err
	}
	result, err := n.party.SignResult(r.Context(), login, s.transaction)
	if err != nil {
		return "", err
	}
	again, err := n.party.SignResult(r.Context(), login, s.transaction)
	if err != nil || string(again.Signature) != string(result.Signature) {
		return "", fmt.Errorf("fetched again it is something else: %v", err)
	}
	file := result.Signature
	if len(file) == 0 {
		file = result.Document
	}
	for name, b := range map[string][]byte{"result": file, "certificate": result.Certificate} {
		if err := os.WriteFile(n.dir+"/"+name, b, 0o600); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("class=%s activation=%s signature=%v certificate=%v document=%v", login.Class, login.Activation, len(result.Signature) > 0, len(result.Certificate) > 0, len(result.Document) > 0), nil
}

// handIn is the script command "notary …":
//
//	notary hand MODE FILE [scope …]  have a file signed; the browser goes as far as the provider's page
//	notary again                     take the same document to another login
func handIn(ts *testscript.TestScript, neg bool, args []string) {
	kept, had := notaries.Load(ts)
	if !had {
		n, err := newNotary(ts.Getenv("WARIFU_SERVER"), ts.Getenv("WORK"))
		ts.Check(err)
		ts.Defer(func() { n.site.Close(); notaries.Delete(ts) })
		notaries.Store(ts, n)
		kept = n
	}
	n := kept.(*notary)
	var to string
	var err error
	switch args[0] {
	case "hand":
		to, err = n.hand(args[1], args[2], []byte(ts.ReadFile(args[2])), args[3:]...)
	case "again":
		last, _ := n.states.Load("last")
		to, err = n.begin(last.(notaryState).transaction)
	default:
		ts.Fatalf("notary %s", args[0])
	}
	if neg {
		if err == nil {
			ts.Fatalf("it was taken")
		}
		return
	}
	ts.Check(err)
	v := visitOf(ts)
	ts.Check(v.browser.open(to))
	if args[0] == "hand" {
		v.arrived(ts)
	}
}
