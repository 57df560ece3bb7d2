package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"warifu"
)

// The chain of a ledger: entry n carries
//
//	SHA-256("warifu-ledger-v1" ‖ hash of entry n-1 ‖ n ‖ what ‖ content)
//
// where the hash before the first is zeros, n is eight octets, and what and each
// field of the content go with their length in front. So a row that was changed,
// taken out or slipped in is found by whoever walks the chain, and one that was
// cut from the end by whoever kept a Head.

const (
	chainLabel      = "warifu-ledger-v1"
	whatIntent      = "intent"
	whatCertificate = "certificate"
)

// Head is the end of a ledger's chain. Kept elsewhere, it proves later that
// nothing before it was changed or cut off.
type Head struct {
	Seq  int64
	Hash warifu.Digest
}

// link appends an entry to the chain.
func (tx *ledgerTx) link(what string, serial, content []byte) error {
	if tx.end == nil {
		h, err := tx.head()
		if err != nil {
			return err
		}
		tx.end = &h
	}
	*tx.end = tx.end.after(what, content)
	_, err := tx.exec(`INSERT INTO entries (seq, what, serial, hash) VALUES ($1, $2, $3, $4)`,
		tx.end.Seq, what, serial, tx.end.Hash[:])
	return err
}

func (tx *ledgerTx) saveHead() error {
	if tx.end == nil {
		return nil
	}
	_, err := tx.exec(`INSERT INTO head (one, seq, hash) VALUES (1, $1, $2)
		ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, hash = excluded.hash`, tx.end.Seq, tx.end.Hash[:])
	return err
}

func (tx *ledgerTx) head() (Head, error) {
	var h Head
	_, err := tx.one(`SELECT seq, hash FROM head WHERE one = 1`, nil, &h.Seq, fixed{h.Hash[:]})
	return h, err
}

// after is the head once an entry is added.
func (h Head) after(what string, content []byte) Head {
	d := sha256.New()
	d.Write([]byte(chainLabel))
	d.Write(h.Hash[:])
	next := Head{Seq: h.Seq + 1}
	d.Write(binary.BigEndian.AppendUint64(nil, uint64(next.Seq)))
	d.Write(framed([]byte(what), content))
	d.Sum(next.Hash[:0])
	return next
}

// intentContent is every field of an intent, in order; tbs is the digest of its octets.
func intentContent(in warifu.Intent, tbs warifu.Digest) []byte {
	numbers := []byte{byte(in.Kind)}
	numbers = binary.BigEndian.AppendUint64(numbers, in.Index)
	numbers = binary.BigEndian.AppendUint64(numbers, uint64(micros(in.CreatedAt)))
	return framed(in.Serial, numbers, in.Document[:], in.PublicKey[:], tbs[:])
}

// certificateContent names the certificate that was recorded for a serial.
func certificateContent(serial []byte, certificate warifu.Digest) []byte {
	return framed(serial, certificate[:])
}

// framed joins fields, each with its length in front.
func framed(fields ...[]byte) []byte {
	var out []byte
	for _, f := range fields {
		out = binary.BigEndian.AppendUint32(out, uint32(len(f)))
		out = append(out, f...)
	}
	return out
}

// Size returns how many entries the chain has.
func (l *Ledger) Size(ctx context.Context) (int64, error) {
	h, err := l.Head(ctx)
	return h.Seq, err
}

// Head returns the end of the chain; zero for an empty ledger.
func (l *Ledger) Head(ctx context.Context) (Head, error) {
	var h Head
	err := l.engine.read(ctx, func(w *work) (err error) {
		h, err = l.begin(w).head()
		return err
	})
	return h, err
}

const chainPage = 1000

// VerifyChain walks the whole chain on one snapshot and checks that every entry
// follows from the one before and from its row, that no row is outside the chain,
// and that it ends at the head. It returns that head, or internal "ledger-broken" with the
// first entry that does not fit.
func (l *Ledger) VerifyChain(ctx context.Context) (Head, error) {
	var at Head
	err := l.engine.read(ctx, func(w *work) error {
		tx := l.begin(w)
		end, err := tx.head()
		if err != nil {
			return err
		}
		if at, err = tx.walk(); err != nil {
			return err
		}
		if at != end {
			return broken(at.Seq+1, "head")
		}
		return tx.nothingOutside(at.Seq)
	})
	return at, err
}

func (tx *ledgerTx) walk() (Head, error) {
	var at Head
	for {
		page, err := tx.entriesAfter(at.Seq)
		if err != nil {
			return at, err
		}
		for _, e := range page {
			next := at.after(e.what, e.content)
			if e.seq != next.Seq || e.hash != next.Hash {
				return at, broken(next.Seq, e.what)
			}
			at = next
		}
		if len(page) < chainPage {
			return at, nil
		}
	}
}

// nothingOutside compares the number of rows with the number of entries: each
// entry names a row, and (serial, what) is unique among them.
func (tx *ledgerTx) nothingOutside(entries int64) error {
	var rows int64
	_, err := tx.one(`SELECT (SELECT COUNT(*) FROM intents) + (SELECT COUNT(*) FROM certificates)`, nil, &rows)
	if err == nil && rows != entries {
		err = broken(entries+1, "row")
	}
	return err
}

func broken(seq int64, what string) error {
	return &warifu.Error{Code: warifu.CodeInternal, Problem: "ledger-broken",
		Params: map[string]string{"entry": fmt.Sprint(seq), "what": what}}
}

// entry is one link with the content its row gives now.
type entry struct {
	seq     int64
	what    string
	hash    warifu.Digest
	content []byte
}

func (tx *ledgerTx) entriesAfter(seq int64) ([]entry, error) {
	return list(tx.work, scanEntry, `SELECT e.seq, e.what, e.hash, i.serial, i.kind, i.place, i.created_at, i.document,
		i.public_key, i.tbs, c.certificate FROM entries e LEFT JOIN intents i ON i.serial = e.serial
		LEFT JOIN certificates c ON c.serial = e.serial WHERE e.seq > $1 ORDER BY e.seq LIMIT $2`, seq, chainPage)
}

func scanEntry(s scanner) (entry, error) {
	var e entry
	var in warifu.Intent
	var kind, place, created *int64
	var tbs, certificate warifu.Digest
	err := s.Scan(&e.seq, &e.what, fixed{e.hash[:]}, &in.Serial, &kind, &place, &created, fixed{in.Document[:]},
		fixed{in.PublicKey[:]}, fixed{tbs[:]}, fixed{certificate[:]})
	if err != nil || kind == nil {
		return e, err // no intent has this serial: the empty content will not fit
	}
	in.Kind, in.Index = warifu.Kind(*kind), uint64(*place)
	if err := (instant{&in.CreatedAt}).Scan(*created); err != nil {
		return e, err
	}
	e.content = intentContent(in, tbs)
	if e.what == whatCertificate {
		e.content = certificateContent(in.Serial, certificate)
	}
	return e, nil
}
