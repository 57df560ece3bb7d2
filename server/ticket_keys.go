package server

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"warifu"
	"warifu/attest"
	"warifu/keystore"
)

// Generations of ticket keys: the first is keyTicket, the n-th has its number behind it, and
// beside it in the key folder lies a paper, signed by the one before, that hands the office
// on (attest.NextTicketKey). A key without its paper does not count: a ceremony was cut off.
// The paper is no secret, and the key before is not needed any more once it is written.

// maxTicketKeys bounds the generations of a kind.
const maxTicketKeys = 100

func ticketKeyName(kind warifu.Kind, generation int) string {
	if generation == 1 {
		return keyTicket(kind)
	}
	return keyTicket(kind) + "-" + strconv.Itoa(generation)
}

func (c Config) ticketPaper(kind warifu.Kind, generation int) string {
	return filepath.Join(c.path(c.Keys.Dir), ticketKeyName(kind, generation)+".paper")
}

// ticketPapers reads the papers of a kind, oldest first: one for each generation but the first.
func (c Config) ticketPapers(kind warifu.Kind) (papers [][]byte, err error) {
	for generation := 2; generation <= maxTicketKeys; generation++ {
		paper, err := os.ReadFile(c.ticketPaper(kind, generation))
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, warifu.Invalid("configuration-invalid", "faults", err.Error())
		}
		papers = append(papers, paper)
	}
	return papers, nil
}

// ticketKey opens the newest ticket key of a kind with the papers that lead to it from the
// first, and checks that they do: a chip would refuse what does not fit.
func ticketKey(c Config, keys *keystore.Store, kind warifu.Kind) (crypto.Signer, [][]byte, error) {
	papers, err := c.ticketPapers(kind)
	if err != nil {
		return nil, nil, err
	}
	key, err := keys.Signer(ticketKeyName(kind, len(papers)+1))
	if err != nil {
		return nil, nil, err
	}
	if err := leadsTo(keys, kind, papers, key); err != nil {
		return nil, nil, err
	}
	return key, papers, nil
}

// leadsTo checks each paper under the key before, where that is known: the first key may
// have been taken away.
func leadsTo(keys *keystore.Store, kind warifu.Kind, papers [][]byte, newest crypto.Signer) error {
	var at crypto.PublicKey
	if first, err := keys.Signer(ticketKeyName(kind, 1)); err == nil {
		at = first.Public()
	}
	for i, paper := range papers {
		unfit := func(err error) error {
			return warifu.Invalid("configuration-invalid", "faults", ticketKeyName(kind, i+2)+".paper does not follow from the ticket key before").With(err)
		}
		next, err := attest.PeekNextTicketKey(paper)
		if before, known := at.(*ecdsa.PublicKey); known && err == nil {
			next, err = attest.OpenNextTicketKey(paper, before)
		}
		if err != nil || next.Kind != kind {
			return unfit(err)
		}
		if at, err = x509.ParsePKIXPublicKey(next.PublicKey); err != nil {
			return unfit(err)
		}
	}
	if last, known := at.(*ecdsa.PublicKey); known && !last.Equal(newest.Public()) {
		return warifu.Invalid("configuration-invalid", "faults", "the papers of the "+kind.String()+" authority's ticket keys do not lead to the newest of them")
	}
	return nil
}

// ticketKeys opens the keys that sign kill tickets, with the papers behind which chips that
// pinned older ones obey them.
func (s *Server) ticketKeys() (map[warifu.Kind]crypto.Signer, map[warifu.Kind][][]byte, error) {
	signers, papers := map[warifu.Kind]crypto.Signer{}, map[warifu.Kind][][]byte{}
	for _, kind := range warifu.Kinds {
		var err error
		if signers[kind], papers[kind], err = ticketKey(s.config, s.keys, kind); err != nil {
			return nil, nil, err
		}
	}
	return signers, papers, nil
}

// NextTicketKey is the ceremony that replaces the ticket key of an authority: it makes the
// next one and has the present one sign the paper that hands the office on. Servers that
// are started afterwards sign tickets with the new key, pin it in the chips they write, and
// hand the paper to chips that have an older one. Cut off, it is taken up again.
func NextTicketKey(c Config, kind warifu.Kind, tell func(format string, args ...any)) error {
	passphrase, err := c.Passphrase()
	if err != nil {
		return err
	}
	keys, err := keystore.Open(c.path(c.Keys.Dir), passphrase)
	if err != nil {
		return err
	}
	present, papers, err := ticketKey(c, keys, kind)
	if err != nil {
		return err
	}
	generation := len(papers) + 2
	if generation > maxTicketKeys {
		return warifu.Invalid("configuration-invalid", "faults", "the "+kind.String()+" authority has had too many ticket keys")
	}
	name := ticketKeyName(kind, generation)
	if err := once(keys, name, tell, func() error { _, err := keys.Generate(name, keystore.P256); return err }); err != nil {
		return err
	}
	next, err := keys.Signer(name)
	if err != nil {
		return err
	}
	spki, err := x509.MarshalPKIXPublicKey(next.Public())
	if err != nil {
		return err
	}
	paper, err := attest.NextTicketKey{Kind: kind, PublicKey: spki}.Seal(present)
	if err != nil {
		return err
	}
	if err := writeWhole(c.ticketPaper(kind, generation), paper); err != nil {
		return err
	}
	tell("paper %s: made, signed by %s", filepath.Base(c.ticketPaper(kind, generation)), ticketKeyName(kind, generation-1))
	tell("start every server anew: tickets are signed by %s from then on", name)
	return nil
}
