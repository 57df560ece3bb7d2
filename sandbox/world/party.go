package world

import (
	"slices"

	"warifu/ledger"
	"warifu/sandbox/bank"
	"warifu/sandbox/carrier"
	"warifu/sandbox/cashless"
	"warifu/sandbox/desk"
	"warifu/sandbox/egov"
	"warifu/sandbox/marketplace"
	"warifu/sandbox/portal"
	"warifu/sandbox/tax"
	"warifu/server"
)

// BankKey is the sandbox bank's key at the verification service: it protects nothing.
const BankKey = "sandbox-bank"

// OfficerPassword opens the compliance officer's pages of the bank, for the name "officer".
const OfficerPassword = "sandbox-officer"

// parties are the sandbox's relying parties, one line each: people log in to them (the last
// arguments are the scopes), and who has a key asks the verification service too.
func parties(at desk.Places) []server.GivenParty {
	return []server.GivenParty{
		party(bank.ClientID, BankKey, ledger.Name{Japanese: "見本銀行", English: "Sample Bank"}, at.Bank, "name", "address", "birthdate", "gender", "sign"),
		party(portal.ClientID, PortalKey, ledger.Name{Japanese: "見本ポータル", English: "Sample Portal"}, at.Portal, "name", "birthdate", "sign"),
		party(carrier.ClientID, CarrierKey, ledger.Name{Japanese: "見本モバイル", English: "Sample Mobile"}, at.Carrier, "name", "address", "birthdate", "sign"),
		party(cashless.ClientID, "", ledger.Name{Japanese: "見本ペイ", English: "Sample Pay"}, at.Cashless, "name", "birthdate"),
		party(tax.ClientID, TaxKey, ledger.Name{Japanese: "見本税務署", English: "Sample Tax Office"}, at.Tax, "name", "address", "birthdate", "sign"),
		party(egov.ClientID, EGovKey, ledger.Name{Japanese: "見本e-Gov", English: "Sample e-Gov"}, at.EGov, "name", "birthdate", "sign"),
		{Key: MarketplaceKey, PartyWish: server.PartyWish{ID: marketplace.Name, Name: ledger.Name{Japanese: "見本フリーマーケット", English: "Sample Marketplace"}}},
	}
}

// party is a sample service with the addresses they all have: browsers come back to
// {origin}/callback, and its public keys are at {origin}/jwks.json. The attributes that its
// key allows are those of its scopes.
func party(id, key string, name ledger.Name, origin string, scopes ...string) server.GivenParty {
	p := server.GivenParty{Key: key, PartyWish: server.PartyWish{ID: id, Name: name}}
	if key != "" {
		for _, a := range []struct{ scope, attribute string }{{"name", "name"}, {"address", "address"}, {"birthdate", "birthDate"}, {"gender", "gender"}} {
			if slices.Contains(scopes, a.scope) {
				p.Attributes = append(p.Attributes, a.attribute)
			}
		}
	}
	p.Client = &server.ClientWish{RedirectURIs: []string{origin + "/callback"}, JWKSURI: origin + "/jwks.json", Scopes: scopes}
	return p
}
