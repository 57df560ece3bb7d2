package bureau

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"time"

	"warifu"
	"warifu/sandbox/folder"
	"warifu/sandbox/person"
)

// world is the file in which a world remembers how it began.
type world struct {
	Start     time.Time `json:"start"`
	BaseURL   string    `json:"base_url"`
	HandleKey []byte    `json:"handle_key"` // persons' opaque handles are HMACs under it
}

func (b *Bureau) openWorld(root folder.Folder) error {
	var w world
	there, err := root.ReadJSON("world.json", &w)
	if err != nil {
		return err
	}
	if !there {
		w = world{Start: b.config.Clock.Now().UTC().Truncate(time.Second), BaseURL: b.config.BaseURL, HandleKey: make([]byte, 32)}
		if _, err := rand.Read(w.HandleKey); err != nil {
			return err
		}
		if err := root.WriteJSON("world.json", w); err != nil {
			return err
		}
	}
	b.start, b.handleKey, b.config.BaseURL = w.Start, w.HandleKey, w.BaseURL
	return nil
}

// openKeys opens both authorities at once, since a new world makes two RSA keys.
func (b *Bureau) openKeys(root folder.Folder) (err error) {
	if b.keys, err = root.Sub("keys"); err != nil {
		return err
	}
	var statement crypto.Signer
	var opened [len(warifu.Kinds)]*authority
	steps := []func() error{func() (err error) {
		statement, err = b.keys.Key("statement.key", func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })
		return err
	}}
	for i, kind := range warifu.Kinds {
		steps = append(steps, func() (err error) { opened[i], err = openAuthority(b.keys, kind, b.start, b.config); return err })
	}
	if err := atOnce(steps...); err != nil {
		return err
	}
	b.authorities = map[warifu.Kind]*authority{}
	for i, kind := range warifu.Kinds {
		b.authorities[kind] = opened[i]
	}
	key, ok := statement.(*ecdsa.PrivateKey)
	if !ok {
		return warifu.Unavailable("world-damaged", "file", "statement.key")
	}
	b.statement = key
	return nil
}

// openPersons lists the shipped persons.
func (b *Bureau) openPersons(folder.Folder) error {
	persons, err := person.Shipped(b.start)
	if err != nil {
		return err
	}
	for _, p := range persons {
		b.list(p)
	}
	return nil
}

// openCards reads the cards issued so far, and with them the persons who came later.
func (b *Bureau) openCards(root folder.Folder) (err error) {
	if b.cards, err = root.Sub("cards"); err != nil {
		return err
	}
	if b.chips, err = root.Sub("chips"); err != nil {
		return err
	}
	ids, err := b.cards.Names(".json")
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := b.openCard(id); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bureau) openCard(id string) error {
	file := id + ".json"
	var r record
	if _, err := b.cards.ReadJSON(file, &r); err != nil {
		return err
	}
	for _, c := range r.Certificates {
		if err := c.revive(); err != nil {
			return damaged(file).With(err)
		}
	}
	h := b.holders[id]
	if h == nil {
		p, err := r.Person.Person(b.start)
		if err != nil {
			return damaged(file).With(err)
		}
		h = b.list(p)
	}
	if len(r.Certificates) > 0 {
		h.now.Store(&r)
		b.index(h, &r)
	}
	if r.Outbox != nil { // whoever was stopped before it had a number
		return b.post(*r.Outbox)
	}
	return nil
}
