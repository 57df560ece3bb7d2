package counter

import (
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"

	"crypto/rand"

	"warifu"
	"warifu/sandbox/folder"
	"warifu/sandbox/person"
)

// letterLife is how long the number in a letter serves; maxLetters bounds what is kept of
// them, newest first.
const (
	letterLife = 30 * 24 * time.Hour
	maxLetters = 20
)

// Proxies is the counter as a proxy (代理人) finds it.
type Proxies struct {
	counter *Counter
	clock   warifu.Clock
	letters folder.Folder
	random  io.Reader
}

// Letter is the inquiry (照会書) that the town hall writes to a holder: whoever brings its
// number was sent by them.
type Letter struct {
	Number  string      `json:"number"` // eight digits
	Kind    warifu.Kind `json:"kind"`   // of the secret that is to be unlocked
	Name    string      `json:"name"`
	Address string      `json:"address"`
	At      time.Time   `json:"at"`
	Used    bool        `json:"used"`
}

// NewProxies lets proxies come to the counter; letters lie in the folder.
func NewProxies(c *Counter, clock warifu.Clock, letters folder.Folder, random io.Reader) *Proxies {
	return &Proxies{c, clock, letters, random}
}

func lettersName(id string) string { return id + "-letters.json" }

// Letters returns what was written to a holder, newest first.
func (p *Proxies) Letters(id string) ([]Letter, error) {
	if _, err := p.counter.bureau.Show(id); err != nil {
		return nil, err
	}
	var all []Letter
	_, err := p.letters.ReadJSON(lettersName(id), &all)
	return all, err
}

// Inquire writes to the holder, at the address in the register, that somebody wants a
// secret of their card unlocked. Errors as of Counter.Unlock.
func (p *Proxies) Inquire(id string, kind warifu.Kind) (Letter, error) {
	if !kind.Valid() {
		return Letter{}, warifu.Invalid("kind-unknown", "kind", kind.String())
	}
	if err := p.counter.sound(id, kind); err != nil {
		return Letter{}, err
	}
	view, err := p.counter.bureau.Show(id)
	if err != nil {
		return Letter{}, err
	}
	n, err := rand.Int(p.random, big.NewInt(100_000_000))
	if err != nil {
		return Letter{}, err
	}
	letter := Letter{Number: fmt.Sprintf("%08d", n), Kind: kind, Name: view.Person.Name, Address: view.Person.Address, At: p.clock.Now().UTC()}
	all, err := p.Letters(id)
	if err != nil {
		return Letter{}, err
	}
	all = slices.Insert(all, 0, letter)
	return letter, p.letters.WriteJSON(lettersName(id), all[:min(len(all), maxLetters)])
}

// Unlock gives the card a new secret of the kind as Counter.Unlock does, for a proxy with
// the number of a letter about it that is less than thirty days old; it serves once. For a
// holder under fifteen the number is not asked. Error besides those of Counter.Unlock:
// Refused "letter-unknown".
func (p *Proxies) Unlock(ctx context.Context, id string, kind warifu.Kind, number string, next warifu.CardPIN) error {
	view, err := p.counter.bureau.Show(id)
	if err != nil {
		return err
	}
	if person.Age(view.Person.Birth, p.clock.Now()) < person.SigningAge {
		return p.counter.Unlock(ctx, id, kind, next)
	}
	all, err := p.Letters(id)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(l Letter) bool {
		return !l.Used && l.Kind == kind && p.clock.Now().Sub(l.At) < letterLife && subtle.ConstantTimeCompare([]byte(l.Number), []byte(number)) == 1
	})
	if at < 0 {
		return warifu.Refused("letter-unknown")
	}
	if err := p.counter.Unlock(ctx, id, kind, next); err != nil {
		return err
	}
	all[at].Used = true
	return p.letters.WriteJSON(lettersName(id), all)
}
