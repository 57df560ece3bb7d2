package server

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"

	"github.com/BurntSushi/toml"

	"warifu"
	"warifu/ledger"
)

// PartyWish is a relying party that is to get a key.
type PartyWish struct {
	ID                             string
	Name                           ledger.Name
	Attributes                     []string
	PerMinute, PerDay, MaxWebhooks int
}

// partyKeyOctets is how long a relying party's key is: 256 bits.
const partyKeyOctets = 32

// AddParty gives a relying party a key, writes its entry behind those of the configured file
// and returns the key, which is kept nowhere: the file has its SHA-256. A server that runs
// takes it up within a minute. Errors: Invalid "configuration-invalid" where no file is
// configured, "parties-invalid" for an entry that may not be.
func AddParty(c Config, w PartyWish) (key string, err error) {
	if c.Parties.File == "" {
		return "", warifu.Invalid("configuration-invalid", "faults", "[parties] file is missing")
	}
	file := c.path(c.Parties.File)
	before, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err == nil {
		if _, err := c.parties(); err != nil {
			return "", err
		}
	}
	octets := make([]byte, partyKeyOctets)
	_, _ = rand.Read(octets) // never fails (crypto/rand)
	key = base64.RawURLEncoding.EncodeToString(octets)
	entry := partyEntry{
		ID: w.ID, Name: w.Name, Key: warifu.DigestOf([]byte(key)).String(), Attributes: w.Attributes,
		PerMinute: w.PerMinute, PerDay: w.PerDay, Webhooks: w.MaxWebhooks,
	}
	var more bytes.Buffer
	if err := toml.NewEncoder(&more).Encode(partiesFile{[]partyEntry{entry}}); err != nil {
		return "", err
	}
	whole := append(bytes.TrimRight(before, "\n"), '\n')
	if len(before) == 0 {
		whole = nil
	}
	whole = append(whole, more.Bytes()...)
	if _, err := parseParties(whole); err != nil {
		return "", err
	}
	return key, writeWhole(file, whole)
}

// PartiesFile is a file of relying parties with given keys, for the sandbox.
func PartiesFile(keys map[string]PartyWish) ([]byte, error) {
	var f partiesFile
	for key, w := range keys {
		f.Party = append(f.Party, partyEntry{ID: w.ID, Name: w.Name, Key: warifu.DigestOf([]byte(key)).String(), Attributes: w.Attributes})
	}
	var out bytes.Buffer
	err := toml.NewEncoder(&out).Encode(f)
	return out.Bytes(), err
}
