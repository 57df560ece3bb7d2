package attest

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
)

// ConsentSaltLength is the length of a consent's salt in octets.
const ConsentSaltLength = 32

// PurposeLogin is a presence's purpose when somebody logs in at a relying party.
const PurposeLogin = "login"

const consentLabel = "warifu-consent-v1"

// Consent is what a person agreed to when they logged in: to whom, and which attributes
// that party may be told. The nonce of the login's Presence is made of it, so that the
// authentication key's signature covers the consent as the phone showed it, and an answer
// that agrees to one thing is no answer to another. The phone makes it of what it showed and
// of what the person left ticked, the provider of what the answer says was agreed.
type Consent struct {
	Client     string   // who is logged in to
	Origin     string   // scheme://host[:port] of the redirect URI
	Login      string   // the login's identifier
	Attributes []string // agreed to be told, of "name", "address", "birthdate", "gender"; the order does not matter
	Sign       string   // SHA-256 of what is signed with it, 64 hexadecimal digits; "": nothing is
}

// Nonce returns SHA-256("warifu-consent-v1" ‖ 00 ‖ salt ‖ consent), where consent is the JSON
// object {"client","origin","login","attributes","sign"} with its members in this order, the
// attributes sorted, no white space, and nothing escaped that JSON lets stand as it is but
// <, > and & (RFC 8259 §7, encoding/json). The salt is the provider's, ConsentSaltLength octets
// drawn for each login, so that nobody finds out from the nonce what was agreed.
func (c Consent) Nonce(salt []byte) []byte {
	attributes := slices.Clone(c.Attributes)
	if attributes == nil {
		attributes = []string{}
	}
	slices.Sort(attributes)
	text, err := json.Marshal(struct {
		Client     string   `json:"client"`
		Origin     string   `json:"origin"`
		Login      string   `json:"login"`
		Attributes []string `json:"attributes"`
		Sign       string   `json:"sign"`
	}{c.Client, c.Origin, c.Login, attributes, c.Sign})
	if err != nil {
		panic(err) // strings are always JSON
	}
	h := sha256.New()
	h.Write([]byte(consentLabel + "\x00"))
	h.Write(salt)
	h.Write(text)
	return h.Sum(nil)
}
