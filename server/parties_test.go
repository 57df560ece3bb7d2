package server_test

import (
	"os"
	"strings"
	"testing"

	"warifu"
	"warifu/ledger"
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
