package server_test

import (
	"os"
	"strings"
	"testing"

	"warifu"
	"warifu/ledger"
	"warifu/relyingparty"
	"warifu/server"
)

// A key is told once and lies nowhere; entries follow one another, and a name is given once.
func TestARelyingPartyIsGivenAKeyThatIsKeptNowhere(t *testing.T) {
	p := newPremises(t)
	c := p.config
	c.Parties.File = p.path("parties.toml")
	wish := server.PartyWish{ID: "bank", Name: ledger.Name{Japanese: "銀行", English: "Bank"}, Attributes: []string{"name"}}
	key, err := server.AddParty(c, wish)
	must(t, err)
	wish.ID = "shop"
	other, err := server.AddParty(c, wish)
	must(t, err)
	b, err := os.ReadFile(c.Parties.File)
	must(t, err)
	if len(key) < 43 || key == other || strings.Contains(string(b), key) || !strings.Contains(string(b), warifu.DigestOf([]byte(key)).String()) || strings.Count(string(b), "[[party]]") != 2 {
		t.Errorf("%s", b)
	}
	_, err = server.AddParty(c, wish)
	fault(t, err, "parties-invalid", "shop")
	wish.ID, wish.Attributes = "clinic", []string{"blood"}
	_, err = server.AddParty(c, wish)
	fault(t, err, "configuration-invalid", "clinic")
	c.Parties.File = ""
	_, err = server.AddParty(c, wish)
	fault(t, err, "configuration-invalid", "parties")
}

// People log in where an entry says so; such a party needs no key for asking.
func TestARelyingPartyThatPeopleLogInToStandsInTheFile(t *testing.T) {
	p := newPremises(t)
	c := p.config
	c.Parties.File = p.path("parties.toml")
	key, err := relyingparty.NewKey()
	must(t, err)
	byValue := &server.ClientWish{RedirectURIs: []string{"https://bank.example/callback"}, JWKS: relyingparty.JWKS(key), Scopes: []string{"name"}, BirthdateFormat: "compact"}
	byAddress := &server.ClientWish{RedirectURIs: []string{"http://127.0.0.1:3000/callback"}, LoopbackPort: true, JWKSURI: "https://shop.example/jwks.json", Sector: "mall"}
	_, err = server.AddParty(c, server.PartyWish{ID: "bank", Name: ledger.Name{Japanese: "銀行", English: "Bank"}, Client: byValue})
	must(t, err)
	given, err := server.PartiesFile([]server.GivenParty{{PartyWish: server.PartyWish{ID: "shop", Name: ledger.Name{Japanese: "店", English: "Shop"}, Client: byAddress}}})
	must(t, err)
	b, err := os.ReadFile(c.Parties.File)
	must(t, err)
	must(t, os.WriteFile(c.Parties.File, append(b, given...), 0o600))
	bank, err := server.ClientOf(c, "bank")
	must(t, err)
	shop, err := server.ClientOf(c, "shop")
	must(t, err)
	if len(bank.JWKS.Keys) != 1 || bank.BirthdateFormat != "compact" || bank.Scopes[0] != "name" || shop.JWKSURI != byAddress.JWKSURI || !shop.LoopbackPort || shop.Sector != "mall" || shop.Name.English != "Shop" {
		t.Errorf("%+v\n%+v", bank, shop)
	}
	_, err = server.ClientOf(c, "clinic")
	fault(t, err, "client-unknown", "")
	bad := *byValue
	bad.RedirectURIs = []string{"http://bank.example/"}
	_, err = server.AddParty(c, server.PartyWish{ID: "other", Name: ledger.Name{Japanese: "他", English: "Other"}, Client: &bad})
	fault(t, err, "client-invalid", "redirect_uris")
	bad = *byValue
	bad.JWKS = []byte("{}")
	_, err = server.AddParty(c, server.PartyWish{ID: "other", Name: ledger.Name{Japanese: "他", English: "Other"}, Client: &bad})
	fault(t, err, "client-keys-invalid", "")
}
