package world

import (
	"warifu/ledger"
	"warifu/sandbox/bank"
	"warifu/server"
)

// BankKey is the sandbox bank's key at the verification service: it protects nothing.
const BankKey = "sandbox-bank"

// partiesFile names the sandbox's relying parties.
func partiesFile() ([]byte, error) {
	return server.PartiesFile(map[string]server.PartyWish{BankKey: {
		ID: bank.ClientID, Name: ledger.Name{Japanese: "見本銀行", English: "Sample Bank"},
		Attributes: []string{"name", "address", "birthDate", "gender"},
	}})
}
