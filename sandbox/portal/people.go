package portal

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"warifu/sandbox/visitor"
)

// Person is who a subject is, as logins told. A later login may tell less: after a move there
// is no signing certificate to tell from until the holder applies anew, and one's own records
// are one's own all the same. It may tell another name, after a marriage.
type Person struct {
	Subject string             `json:"subject"`
	First   visitor.Attributes `json:"first"` // by which the records were opened
	Last    visitor.Attributes `json:"last"`
}

// current is who is logged in, with what the portal knows of them.
func (p *Portal) current(r *http.Request) (visitor.Visitor, error) {
	who, err := p.visitors.Current(r)
	if err != nil {
		return who, err
	}
	known, err := p.person(who)
	who.Attributes = known.Last
	return who, err
}

// person finds a person or writes them down; nobody knows somebody of whom no login ever told.
func (p *Portal) person(who visitor.Visitor) (Person, error) {
	sum := sha256.Sum256([]byte("warifu-sandbox-portal\n" + who.Subject))
	name := hex.EncodeToString(sum[:16])
	known, err := p.people.Get(name)
	switch {
	case err == nil && (who.Needs() != nil || known.Last == who.Attributes):
		return known, nil
	case err == nil:
		return p.people.Change(name, func(k *Person) error {
			k.Last = who.Attributes
			return nil
		})
	case who.Needs() != nil:
		return Person{}, nil
	}
	return p.people.Add(func(int) (string, Person, error) {
		return name, Person{who.Subject, who.Attributes, who.Attributes}, nil
	})
}

// records are a person's own. Error: as Visitor.Needs, where nobody knows who it is.
func (p *Portal) records(who visitor.Visitor) (Records, error) {
	known, err := p.person(who)
	if err != nil {
		return Records{}, err
	}
	return RecordsOf(known.First, p.config.Clock.Now()), who.Needs()
}
