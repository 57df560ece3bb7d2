//go:build linux || freebsd || netbsd || openbsd || dragonfly

package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"

	pcsc "github.com/gballet/go-libpcsclite"

	"warifu"
	"warifu/iso7816"
)

// PCSC is a card reader by its name in PC/SC, or by a part of it that only one reader's name
// has: "" is the only reader. pcscd is reached at its usual socket, or at the one that
// PCSCLITE_CSOCK_NAME names, as its own library has it.
func PCSC(name string) Source { return &pcscd{name: name} }

type pcscd struct {
	name string

	mu     sync.Mutex
	client *pcsc.Client // nil: not asked yet, or lost
	lost   int          // connections given up that hold the card until they answer
}

// socketVariable is pcsc-lite's own (pcscd(8)).
const socketVariable = "PCSCLITE_CSOCK_NAME"

func establish() (*pcsc.Client, error) {
	client, err := pcsc.EstablishContext(os.Getenv(socketVariable), pcsc.ScopeSystem)
	if err != nil {
		return nil, warifu.Unavailable("reader-unreachable", "reader", "pcscd").With(err)
	}
	return client, nil
}

// Readers lists the names of the readers that pcscd has. Unavailable "reader-unreachable"
// where there is no pcscd.
func Readers() ([]string, error) {
	client, err := establish()
	if err != nil {
		return nil, err
	}
	names, err := namesOf(client)
	return names, errors.Join(err, client.ReleaseContext())
}

// namesOf lists the readers' names without the octets of zero that fill up the daemon's fields.
func namesOf(client *pcsc.Client) ([]string, error) {
	padded, err := client.ListReaders()
	if err != nil {
		return nil, warifu.Unavailable("reader-unreachable", "reader", "pcscd").With(err)
	}
	var names []string
	for _, p := range padded {
		name, _, _ := strings.Cut(p, "\x00")
		names = append(names, name)
	}
	return names, nil
}

// find is the one reader that is meant.
func (p *pcscd) find(client *pcsc.Client) (string, error) {
	names, err := namesOf(client)
	if err != nil || slices.Contains(names, p.name) {
		return p.name, err
	}
	var meant []string
	for _, n := range names {
		if strings.Contains(n, p.name) {
			meant = append(meant, n)
		}
	}
	switch len(meant) {
	case 1:
		return meant[0], nil
	case 0:
		return "", warifu.NotFound("reader-unknown", "reader", p.name, "readers", strings.Join(names, ", "))
	}
	return "", warifu.Invalid("reader-ambiguous", "reader", p.name, "readers", strings.Join(meant, ", "))
}

// Tap implements Source. A card that was too slow the last time is waited for until it lets go.
// Further errors: NotFound "reader-unknown", Invalid "reader-ambiguous", Unavailable
// "reader-in-use" where another program has the card to itself, "chip-protocol" for a card that
// does not speak T=1, "chip-slow" where the one from before never answered.
func (p *pcscd) Tap(ctx context.Context) (Chip, error) {
	chip, err := await(ctx, WaitLimit, p.try)
	if err != nil && ctx.Err() == nil && warifu.ProblemOf(err).Problem == "reader-no-card" && p.waiting() {
		err = warifu.Unavailable("chip-slow").With(err)
	}
	return chip, err
}

// try connects once; it reports false while there is no card to be had yet.
func (p *pcscd) try(limited context.Context) (Chip, bool, error) {
	waited := p.waiting() // asked before: what is let go meanwhile may still have stood in the way
	answered := make(chan connected)
	go func() {
		card, err := p.connect()
		select {
		case answered <- connected{card, err}:
		case <-limited.Done(): // nobody waits for it any more
			p.letGo(card)
		}
	}()
	select {
	case <-limited.Done():
		p.giveUp()
		return nil, false, nil
	case c := <-answered:
		if c.err == nil {
			return Bounded(&pcscChip{from: p, card: c.card}, CommandLimit), true, nil
		}
		if waited && codeOf(c.err) == pcsc.ErrSCardSharingViolation {
			return nil, false, nil
		}
		return nil, false, p.refused(c.err)
	}
}

// giveUp drops a connection on which an answer is outstanding; letGo ends it when that came.
func (p *pcscd) giveUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.client = nil
	p.lost++
}

// letGo ends a connection that was given up; card is nil where none was made.
func (p *pcscd) letGo(card *pcsc.Card) {
	if card != nil {
		_ = card.Disconnect(pcsc.UnpowerCard) // nobody is left to be told
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost--
}

// waiting reports whether a connection that was given up still holds the card.
func (p *pcscd) waiting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost > 0
}

type connected struct {
	card *pcsc.Card
	err  error
}

// refused is why no card could be had; nil where there is only none yet.
func (p *pcscd) refused(err error) error {
	var problem *warifu.Error
	switch code := codeOf(err); {
	case errors.As(err, &problem):
		return err
	case code == pcsc.ErrSCardSharingViolation:
		return warifu.Unavailable("reader-in-use", "reader", p.name).With(err)
	case code == pcsc.ErrSCardProtoMismatch:
		return warifu.Unavailable("chip-protocol").With(err)
	case slices.Contains(notThere, code):
		return nil
	}
	p.forget()
	return warifu.Unavailable("reader-unreachable", "reader", p.name).With(err)
}

// notThere is what the daemon answers while no card lies well on the reader.
var notThere = []pcsc.ErrorCode{pcsc.ErrSCardNoSmartCard, pcsc.ErrSCardRemovedCard, pcsc.ErrSCardUnpoweredCard, pcsc.ErrSCardUnresponsiveCard, pcsc.ErrSCardResetCard}

// connect takes the card on the reader for nobody else: what one terminal verified no other
// program may use. T=1 is what the library transmits with, and what these cards speak.
func (p *pcscd) connect() (*pcsc.Card, error) {
	p.mu.Lock()
	client := p.client
	p.mu.Unlock()
	if client == nil {
		var err error
		if client, err = establish(); err != nil {
			return nil, err
		}
		p.mu.Lock()
		p.client = client
		p.mu.Unlock()
	}
	name, err := p.find(client)
	if err != nil {
		p.forget() // a daemon that was started anew knows the old connection no more
		return nil, err
	}
	return client.Connect(name, pcsc.ShareExclusive, pcsc.ProtocolT1)
}

// forget drops a connection that is of no use any more; the next tap makes another.
func (p *pcscd) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.client = nil
}

// codeOf reads the daemon's answer out of the library's error, which has it in its words
// alone; SCardSuccess where it has none.
func codeOf(err error) pcsc.ErrorCode {
	var code uint32
	if err == nil {
		return pcsc.SCardSuccess
	}
	if _, scanned := fmt.Sscanf(err.Error(), "invalid return code: %x", &code); scanned != nil {
		return pcsc.SCardSuccess
	}
	return pcsc.ErrorCode(code)
}

type pcscChip struct {
	from *pcscd
	card *pcsc.Card
	lost bool // a command is unanswered: the connection cannot be used, not even to let go
}

// Transmit implements iso7816.Transmitter. The library cannot be interrupted: what answers
// too late answers nobody, and the connection is given up.
func (c *pcscChip) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	type outcome struct {
		response []byte
		err      error
	}
	answered := make(chan outcome)
	go func() {
		response, _, err := c.card.Transmit(command)
		select {
		case answered <- outcome{response, err}:
		case <-ctx.Done():
			c.from.letGo(c.card)
		}
	}()
	select {
	case <-ctx.Done():
		c.lost = true
		c.from.giveUp()
		return nil, ctx.Err()
	case o := <-answered:
		return o.response, removed(o.err)
	}
}

// left is what the daemon answers when the card went away under a command.
var left = append([]pcsc.ErrorCode{pcsc.ErrSCardNotTransacted, pcsc.ErrSCardCommError, pcsc.ErrSCardReaderUnavailable}, notThere...)

// removed says in the house's words that a card is gone.
func removed(err error) error {
	if slices.Contains(left, codeOf(err)) || errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return errors.Join(iso7816.ErrRemoved, err)
	}
	return err
}

// Close takes the card's power and lets go of the reader.
func (c *pcscChip) Close() error {
	if c.lost {
		return nil
	}
	if err := removed(c.card.Disconnect(pcsc.UnpowerCard)); !errors.Is(err, iso7816.ErrRemoved) {
		return err
	}
	return nil
}
