package verification

import (
	"crypto/subtle"
	"regexp"
	"slices"

	"warifu"
	"warifu/ledger"
	"warifu/verify"
)

// Party is a relying party, by the key it was given.
type Party struct {
	ID   string        // lower-case letters, digits, dots and hyphens: what holders' ledgers name
	Name ledger.Name   // what people call it
	Key  warifu.Digest // SHA-256 of the key; the key itself is kept nowhere
	// Attributes are those it may ask for; none where the operator allows none.
	Attributes []verify.Attribute
	PerMinute  int // questions a minute; zero: DefaultPerMinute
	PerDay     int // questions a day of 24 hours; zero: DefaultPerDay
	Webhooks   int // subscriptions at one time; zero: DefaultWebhooks
}

// Limits of a party whose entry names none.
const (
	DefaultPerMinute = 600
	DefaultPerDay    = 100_000
	DefaultWebhooks  = 10_000
)

// Parties are all who may ask; the zero value lets nobody in.
type Parties struct{ all []Party }

// partyID is the operator's word for a party, or the identifier of a registered client.
var partyID = regexp.MustCompile(`^([a-z0-9][a-z0-9.-]{0,39}|RP[0-9]{8})$`)

const maxName = 200

// NewParties checks a list. Invalid "parties-invalid" names the entry and what is wrong.
func NewParties(list []Party) (Parties, error) {
	ids, keys := map[string]bool{}, map[warifu.Digest]bool{}
	out := slices.Clone(list)
	for i := range out {
		p, fault := &out[i], ""
		switch {
		case !partyID.MatchString(p.ID):
			fault = "id"
		case ids[p.ID]:
			fault = "id twice"
		case p.Name.Japanese == "" || p.Name.English == "" || len(p.Name.Japanese)+len(p.Name.English) > maxName:
			fault = "name"
		case p.Key == warifu.Digest{}:
			fault = "key"
		case keys[p.Key]:
			fault = "key twice"
		case p.PerMinute < 0 || p.PerDay < 0 || p.Webhooks < 0:
			fault = "limit"
		}
		if fault != "" {
			return Parties{}, warifu.Invalid("parties-invalid", "party", p.ID, "fault", fault)
		}
		ids[p.ID], keys[p.Key] = true, true
		p.PerMinute, p.PerDay, p.Webhooks = or(p.PerMinute, DefaultPerMinute), or(p.PerDay, DefaultPerDay), or(p.Webhooks, DefaultWebhooks)
	}
	return Parties{out}, nil
}

func or(n, standard int) int {
	if n == 0 {
		return standard
	}
	return n
}

// find returns whose key it is, looking at every party whatever it finds.
func (p Parties) find(key string) (Party, bool) {
	digest := warifu.DigestOf([]byte(key))
	at := -1
	for i := range p.all {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(p.all[i].Key[:], digest[:]), i, at)
	}
	if at < 0 || key == "" {
		return Party{}, false
	}
	return p.all[at], true
}

// named returns the party with that identifier.
func (p Parties) named(id string) (Party, bool) {
	i := slices.IndexFunc(p.all, func(q Party) bool { return q.ID == id })
	if i < 0 {
		return Party{}, false
	}
	return p.all[i], true
}

// attributeNames are the attributes as they are written.
var attributeNames = map[verify.Attribute]string{
	verify.Name: "name", verify.Address: "address", verify.BirthDate: "birthDate", verify.Gender: "gender",
}

// ParseAttributes reads names of attributes, each once. Invalid "attribute-unknown".
func ParseAttributes(names []string) ([]verify.Attribute, error) {
	var out []verify.Attribute
	for _, name := range names {
		found := verify.Attribute(0)
		for _, a := range verify.AllAttributes {
			if attributeNames[a] == name {
				found = a
			}
		}
		if found == 0 || slices.Contains(out, found) {
			return nil, warifu.Invalid("attribute-unknown", "known", "name, address, birthDate, gender")
		}
		out = append(out, found)
	}
	slices.Sort(out)
	return out, nil
}

// NamesOf is the inverse of ParseAttributes.
func NamesOf(list []verify.Attribute) []string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = attributeNames[a]
	}
	return out
}
