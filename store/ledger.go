package store

import (
	"context"
	"time"

	"warifu"
)

// Ledger is one certification authority's memory: what it wrote down before it
// signed and what it signed. It is a database of its own, with its own
// credentials and its own Sealer, and every row is a link of a chain (chain.go).
// Rows are only ever added. The attributes in to-be-signed octets and
// certificates lie sealed under a key for each application document; the chain
// goes over their digests, so erasing a person does not break it.
type Ledger struct {
	engine engine
	seal   Sealer
}

// OpenLedger opens a database that MigrateLedger has made ready; errors as Open.
func OpenLedger(ctx context.Context, dsn string, seal Sealer) (*Ledger, error) {
	e, err := ledgerSchema.open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	return &Ledger{engine: e, seal: seal}, nil
}

// Close waits for transactions under way and closes the database.
func (l *Ledger) Close() error { return l.engine.close() }

// ledgerTx is one transaction of the ledger.
type ledgerTx struct {
	*work
	vault *vault
	end   *Head // of the chain, once this transaction has lengthened it
}

// write runs fn in a durable transaction and moves the head of the chain last.
func (l *Ledger) write(ctx context.Context, fn func(*ledgerTx) error) error {
	return translate(l.engine.write(ctx, func(w *work) error {
		tx := l.begin(w)
		if err := fn(tx); err != nil {
			return err
		}
		return tx.saveHead()
	}))
}

func (l *Ledger) begin(w *work) *ledgerTx {
	return &ledgerTx{work: w, vault: &vault{w: w, seal: l.seal}}
}

// Intend writes down intents, all in one durable commit, before anything is
// signed. The answers are in order. Where the same document, kind and public key
// were intended before, the answer is that intent, with its certificate if one is
// recorded, and nothing is written: a retry signs the same octets again. Conflict
// "document-seen" answers another key for a document and kind that has one,
// Conflict "key-seen" a key that another document or kind has, Conflict
// "serial-seen" a serial number or index that is taken. The error beside the answers
// says that nothing was written at all.
func (l *Ledger) Intend(ctx context.Context, intents []warifu.Intent) ([]warifu.IntentResult, error) {
	var results []warifu.IntentResult
	err := l.write(ctx, func(tx *ledgerTx) error {
		results = make([]warifu.IntentResult, len(intents))
		for i, in := range intents {
			standing, err := tx.intend(in)
			if tx.failed != nil {
				return tx.failed
			}
			results[i] = warifu.IntentResult{Intent: standing, Err: err}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// intend writes the intent, or says what stands in its way. The four things that must
// be new (key, document and kind, serial number, index) are unique in the table, so only
// where the row does not go in has anybody to ask why.
func (tx *ledgerTx) intend(in warifu.Intent) (warifu.Intent, error) {
	in.CreatedAt = canonical(in.CreatedAt)
	if added, err := tx.add(in); added || err != nil {
		return in, err
	}
	standing, err := tx.intents(`WHERE i.public_key = $1 OR (i.document = $2 AND i.kind = $3) OR i.serial = $4 OR i.place = $5
		ORDER BY i.created_at, i.serial`, in.PublicKey[:], in.Document[:], int64(in.Kind), in.Serial, int64(in.Index))
	if err != nil {
		return warifu.Intent{}, err
	}
	for _, s := range standing {
		sameDocument := s.Document == in.Document && s.Kind == in.Kind
		switch {
		case sameDocument && s.PublicKey == in.PublicKey:
			return s, nil
		case sameDocument:
			return warifu.Intent{}, warifu.Conflict("document-seen")
		case s.PublicKey == in.PublicKey:
			return warifu.Intent{}, warifu.Conflict("key-seen")
		}
	}
	if len(standing) == 0 {
		return warifu.Intent{}, tx.fail(errRaced)
	}
	return warifu.Intent{}, warifu.Conflict("serial-seen")
}

// add writes the intent unless one that it would be the same as stands already.
func (tx *ledgerTx) add(in warifu.Intent) (bool, error) {
	tbs := warifu.DigestOf(in.TBS)
	n, err := tx.exec(`INSERT INTO intents (serial, kind, document, public_key, place, tbs, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT DO NOTHING`,
		in.Serial, int64(in.Kind), in.Document[:], in.PublicKey[:], int64(in.Index), tbs[:], micros(in.CreatedAt))
	if err != nil || n == 0 {
		return false, err
	}
	if _, err := tx.vault.putFirst(in.Document, in.TBS); err != nil {
		return false, tx.fail(err)
	}
	return true, tx.link(whatIntent, in.Serial, intentContent(in, tbs))
}

// Record writes down signed certificates, all in one durable commit. It is a
// compare-and-set: the same octets again are fine, others for a serial that has a
// certificate are Conflict "certificate-recorded", a serial without an intent is
// NotFound "serial-unknown"; then nothing at all is written.
func (l *Ledger) Record(ctx context.Context, issued []warifu.IssuedCertificate) error {
	return l.write(ctx, func(tx *ledgerTx) error {
		for _, c := range issued {
			if err := tx.record(c); err != nil {
				return err
			}
		}
		return nil
	})
}

func (tx *ledgerTx) record(c warifu.IssuedCertificate) error {
	var document, recorded warifu.Digest
	var wrapped []byte
	found, err := tx.one(`SELECT i.document, c.certificate, k.wrapped FROM intents i LEFT JOIN certificates c ON c.serial = i.serial
		LEFT JOIN data_keys k ON k.owner = i.document WHERE i.serial = $1`, []any{c.Serial}, fixed{document[:]}, fixed{recorded[:]}, &wrapped)
	digest := warifu.DigestOf(c.Certificate)
	switch {
	case err != nil:
		return err
	case !found:
		return warifu.NotFound("serial-unknown")
	case recorded == digest:
		return nil
	case !recorded.IsZero():
		return warifu.Conflict("certificate-recorded")
	}
	if wrapped != nil { // erased since: put makes another
		if _, err := tx.vault.unwrap(document, wrapped); err != nil {
			return tx.fail(err)
		}
	}
	if _, err := tx.vault.put(document, c.Certificate); err != nil {
		return tx.fail(err)
	}
	if _, err := tx.exec(`INSERT INTO certificates (serial, certificate) VALUES ($1, $2)`, c.Serial, digest[:]); err != nil {
		return err
	}
	return tx.link(whatCertificate, c.Serial, certificateContent(c.Serial, digest))
}

// unfinishedPage bounds one answer of Unfinished.
const unfinishedPage = 1000

// Unfinished returns the next intents behind one (zero: from the beginning) that were
// written before an instant and have no certificate, oldest first, at most a thousand: they
// count as issued, and are to be signed or revoked. None are left when none comes.
func (l *Ledger) Unfinished(ctx context.Context, before time.Time, behind warifu.Intent) ([]warifu.Intent, error) {
	serial := behind.Serial
	if serial == nil {
		serial = []byte{} // NULL would be behind nothing
	}
	var out []warifu.Intent
	err := l.engine.read(ctx, func(w *work) (err error) {
		out, err = l.begin(w).intents(`WHERE i.created_at < $1 AND (i.created_at > $2 OR i.created_at = $2 AND i.serial > $3) AND i.created_at >= $2
			AND c.serial IS NULL ORDER BY i.created_at, i.serial LIMIT $4`, micros(before), micros(behind.CreatedAt), serial, unfinishedPage)
		return err
	})
	return out, err
}

// Lookup returns the intent with that serial, with its certificate if recorded, or
// NotFound "serial-unknown".
func (l *Ledger) Lookup(ctx context.Context, serial []byte) (warifu.Intent, error) {
	var out []warifu.Intent
	err := l.engine.read(ctx, func(w *work) (err error) {
		out, err = l.begin(w).intents(`WHERE i.serial = $1`, serial)
		return err
	})
	if err == nil && len(out) == 0 {
		err = warifu.NotFound("serial-unknown")
	}
	if err != nil {
		return warifu.Intent{}, err
	}
	return out[0], nil
}

// Erase destroys the octets that belong to an application document. What was
// intended and signed stays provable by digest; the octets are gone.
func (l *Ledger) Erase(ctx context.Context, document warifu.Digest) error {
	return l.write(ctx, func(tx *ledgerTx) error { return tx.vault.erase(document) })
}

// intents reads intents with their octets; TBS and Certificate are nil after Erase.
func (tx *ledgerTx) intents(where string, args ...any) ([]warifu.Intent, error) {
	type row struct {
		intent           warifu.Intent
		tbs, certificate warifu.Digest
	}
	rows, err := list(tx.work, func(s scanner) (row, error) {
		var r row
		var place int64
		in := &r.intent
		err := s.Scan(&in.Serial, &in.Kind, fixed{in.Document[:]}, fixed{in.PublicKey[:]}, &place, fixed{r.tbs[:]},
			instant{&in.CreatedAt}, fixed{r.certificate[:]})
		in.Index = uint64(place)
		return r, err
	}, `SELECT i.serial, i.kind, i.document, i.public_key, i.place, i.tbs, i.created_at, c.certificate
		FROM intents i LEFT JOIN certificates c ON c.serial = i.serial `+where, args...)
	if err != nil {
		return nil, err
	}
	out := make([]warifu.Intent, len(rows))
	for i, r := range rows {
		out[i] = r.intent
		if out[i].TBS, err = tx.octets(r.tbs); err != nil {
			return nil, err
		}
		if out[i].Certificate, err = tx.octets(r.certificate); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// octets opens a blob; nil for none and for an erased one.
func (tx *ledgerTx) octets(digest warifu.Digest) ([]byte, error) {
	if digest.IsZero() {
		return nil, nil
	}
	plain, err := tx.vault.get(digest)
	if e := warifu.ProblemOf(err); e != nil && e.Code == warifu.CodeNotFound {
		return nil, nil
	}
	return plain, err
}
