package server

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"

	"github.com/BurntSushi/toml"

	"warifu"
	"warifu/ledger"
	"warifu/oidc"
	"warifu/verification"
)

// PartyWish is a relying party that is to get a key.
type PartyWish struct {
	ID                             string
	Name                           ledger.Name
	Attributes                     []string
	PerMinute, PerDay, MaxWebhooks int
	// Client is what it says of itself where people log in there; nil: nobody does.
	Client *ClientWish
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
	var more bytes.Buffer
	if err := toml.NewEncoder(&more).Encode(partiesFile{[]partyEntry{w.entry(key)}}); err != nil {
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

// entry is the wish as the file has it; key "": it asks the verification service nothing.
func (w PartyWish) entry(key string) partyEntry {
	e := partyEntry{ID: w.ID, Name: w.Name, Attributes: w.Attributes, PerMinute: w.PerMinute, PerDay: w.PerDay, Webhooks: w.MaxWebhooks, Client: w.Client.entry()}
	if key != "" {
		e.Key = warifu.DigestOf([]byte(key)).String()
	}
	return e
}

// GivenParty is a relying party with a given key, or with none ("").
type GivenParty struct {
	Key string
	PartyWish
}

// PartiesFile is a file of relying parties with given keys, for the sandbox.
func PartiesFile(all []GivenParty) ([]byte, error) {
	var f partiesFile
	for _, g := range all {
		f.Party = append(f.Party, g.entry(g.Key))
	}
	var out bytes.Buffer
	err := toml.NewEncoder(&out).Encode(f)
	return out.Bytes(), err
}

// partyEntry is one relying party as the file has it. Without a key it only has people log
// in; without [party.client] it only asks the verification service.
type partyEntry struct {
	ID         string       `toml:"id"`
	Name       ledger.Name  `toml:"name"`
	Key        string       `toml:"key_sha256,omitempty"`
	Attributes []string     `toml:"attributes,omitempty"`
	PerMinute  int          `toml:"per_minute,omitempty"`
	PerDay     int          `toml:"per_day,omitempty"`
	Webhooks   int          `toml:"webhooks,omitempty"`
	Client     *clientEntry `toml:"client,omitempty"`
}

type partiesFile struct {
	Party []partyEntry `toml:"party"`
}

// parties is what the file says: who may ask the verification service, and where people
// may log in.
type parties struct {
	asking  []verification.Party
	clients map[string]oidc.Client
}

// parties reads the configured file.
func (c Config) parties() (parties, error) {
	if c.Parties.File == "" {
		return parties{}, nil
	}
	b, err := os.ReadFile(c.path(c.Parties.File))
	if err != nil {
		return parties{}, warifu.Invalid("configuration-invalid", "faults", "[parties] file: "+err.Error())
	}
	return parseParties(b)
}

// parseParties reads a file of relying parties.
func parseParties(b []byte) (parties, error) {
	out := parties{clients: map[string]oidc.Client{}}
	invalid := func(fault string) error {
		return warifu.Invalid("configuration-invalid", "faults", "[parties] file: "+fault)
	}
	var file partiesFile
	meta, err := toml.NewDecoder(bytes.NewReader(b)).Decode(&file)
	if err != nil {
		return parties{}, invalid("it is no TOML that is understood")
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return parties{}, invalid("unknown field " + unknown[0].String())
	}
	seen := map[string]bool{}
	for _, e := range file.Party {
		client, is, err := e.client()
		if err != nil {
			return parties{}, err
		}
		if is {
			out.clients[e.ID] = client
		}
		if seen[e.ID] {
			return parties{}, warifu.Invalid("parties-invalid", "party", e.ID, "fault", "id twice")
		}
		seen[e.ID] = true
		if is && e.Key == "" {
			continue
		}
		p, err := e.party(invalid)
		if err != nil {
			return parties{}, err
		}
		out.asking = append(out.asking, p)
	}
	_, err = verification.NewParties(out.asking)
	return out, err
}

// party is the entry as the verification service knows it.
func (e partyEntry) party(invalid func(string) error) (verification.Party, error) {
	p := verification.Party{ID: e.ID, Name: e.Name, PerMinute: e.PerMinute, PerDay: e.PerDay, Webhooks: e.Webhooks}
	digest, err := hex.DecodeString(e.Key)
	if err != nil || len(digest) != len(p.Key) {
		return p, invalid("key_sha256 of " + e.ID + " is not 64 hexadecimal digits")
	}
	copy(p.Key[:], digest)
	if p.Attributes, err = verification.ParseAttributes(e.Attributes); err != nil {
		return p, invalid("attributes of " + e.ID)
	}
	return p, nil
}
