package store

import (
	"time"

	"warifu"
)

// MaxSigning bounds what is kept of one sign transaction, document and result each, in octets.
const MaxSigning = maxTogether * MaxBlob / 2

// SignTransaction is a document that a relying party wants signed, and later what came of
// it. What it holds lies in the sealed table under a key of the transaction's own: once the
// key is gone nobody reads it any more, in backups neither.
type SignTransaction struct {
	ID     string
	Client string
	Mode   string
	Digest warifu.Digest // SHA-256 of the document
	Size   int64         // of the document, in octets
	State  string        // "open", "signed"
	Login  string        // what it is signed with; "": nobody has begun
	At     time.Time
	// Expires is until when it may be signed, and of a signed one until when its result may
	// be fetched.
	Expires  time.Time
	SignedAt time.Time

	name  warifu.Digest
	parts []byte // digests of what the document is cut into, or the result once it is signed
}

const signColumns = `id, client, mode, digest, size, state, login, at, expires, signed_at, name, parts`

func scanSignTransaction(s scanner) (t SignTransaction, err error) {
	err = s.Scan(&t.ID, &t.Client, &t.Mode, fixed{t.Digest[:]}, &t.Size, &t.State, &t.Login, instant{&t.At}, instant{&t.Expires}, instant{&t.SignedAt},
		fixed{t.name[:]}, &t.parts)
	return t, err
}

// signOwner names the key of a transaction in the sealed table. No person's handle is made so.
func signOwner(id string) warifu.Digest {
	return warifu.DigestOf(append([]byte("warifu-sign-transaction-v1\x00"), id...))
}

// InsertSignTransaction writes an open one with its name and its document, whose digest and
// size it computes. TooLarge "blob-too-large" beyond MaxSigning.
func (tx *Tx) InsertSignTransaction(t SignTransaction, name string, document []byte) error {
	parts, err := tx.sealParts(t.ID, document)
	if err != nil {
		return err
	}
	called, err := tx.SealBlob(signOwner(t.ID), []byte(name))
	if err != nil {
		return err
	}
	digest := warifu.DigestOf(document)
	_, err = tx.exec(`INSERT INTO sign_transactions (`+signColumns+`) VALUES ($1, $2, $3, $4, $5, 'open', '', $6, $7, 0, $8, $9)`,
		t.ID, t.Client, t.Mode, digest[:], int64(len(document)), micros(t.At), micros(t.Expires), called[:], parts)
	return err
}

// sealParts seals octets in pieces and returns their digests, one behind the other.
func (tx *Tx) sealParts(id string, plain []byte) ([]byte, error) {
	if len(plain) > MaxSigning {
		return nil, warifu.TooLarge("blob-too-large")
	}
	var pieces [][]byte
	for len(plain) > 0 {
		n := min(len(plain), MaxBlob)
		pieces, plain = append(pieces, plain[:n]), plain[n:]
	}
	digests, err := tx.SealBlobs(signOwner(id), pieces)
	out := []byte{}
	for _, d := range digests {
		out = append(out, d[:]...)
	}
	return out, err
}

// SignTransaction returns one by id; NotFound "sign-transaction-unknown".
func (tx *Tx) SignTransaction(id string) (SignTransaction, error) {
	return only(tx.work, warifu.NotFound("sign-transaction-unknown"), scanSignTransaction, `SELECT `+signColumns+` FROM sign_transactions WHERE id = $1`, id)
}

// SignName is what the relying party calls the document; NotFound "blob-unknown" once it is
// signed.
func (tx *Tx) SignName(t SignTransaction) (string, error) {
	name, err := tx.UnsealBlobs(signOwner(t.ID), []warifu.Digest{t.name})
	if err != nil {
		return "", err
	}
	return string(name[0]), nil
}

// SignOctets is the document of an open transaction, and the result of a signed one.
func (tx *Tx) SignOctets(t SignTransaction) ([]byte, error) {
	digests := make([]warifu.Digest, len(t.parts)/len(warifu.Digest{}))
	for i := range digests {
		copy(digests[i][:], t.parts[i*len(digests[i]):])
	}
	pieces, err := tx.UnsealBlobs(signOwner(t.ID), digests)
	if err != nil {
		return nil, err
	}
	out := []byte{}
	for _, p := range pieces {
		out = append(out, p...)
	}
	return out, nil
}

// BindSignTransaction ties an open transaction of the client's to a login, and reports
// whether that is done: not where another login has it already, and not after its end.
func (tx *Tx) BindSignTransaction(id, client, login string, now time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE sign_transactions SET login = $1 WHERE id = $2 AND client = $3 AND login = '' AND state = 'open' AND expires > $4`,
		login, id, client, micros(now))
	return n == 1, err
}

// FinishSignTransaction puts the result in the place of the document, name and all, under a
// key of its own, and reports whether the transaction was still to be signed with that login.
func (tx *Tx) FinishSignTransaction(id, login string, result []byte, at, expires time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE sign_transactions SET state = 'signed', signed_at = $1, expires = $2 WHERE id = $3 AND login = $4 AND login <> '' AND state = 'open' AND expires > $1`,
		micros(at), micros(expires), id, login)
	if err != nil || n == 0 {
		return false, err
	}
	if err := tx.vault().erase(signOwner(id)); err != nil {
		return false, err
	}
	parts, err := tx.sealParts(id, result)
	if err != nil {
		return false, err
	}
	_, err = tx.exec(`UPDATE sign_transactions SET parts = $1 WHERE id = $2`, parts, id)
	return err == nil, err
}

// SignTransactionsBy counts what a client has lying here, and how many octets that is.
func (tx *Tx) SignTransactionsBy(client string) (n, size int64, err error) {
	_, err = tx.one(`SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM sign_transactions WHERE client = $1`, []any{client}, &n, &size)
	return n, size, err
}

// EndSignTransaction takes one away with all it holds, whatever became of it.
func (tx *Tx) EndSignTransaction(id string) error {
	if err := tx.vault().erase(signOwner(id)); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM sign_transactions WHERE id = $1`, id)
	return err
}

// EndSignTransactionOf takes the open one away that was to be signed with a login.
func (tx *Tx) EndSignTransactionOf(login string) error {
	found, err := list(tx.work, scanSignTransaction, `SELECT `+signColumns+` FROM sign_transactions WHERE login = $1 AND login <> '' AND state = 'open'`, login)
	for _, t := range found {
		if err := tx.EndSignTransaction(t.ID); err != nil {
			return err
		}
	}
	return err
}

// PurgeSignTransactions takes away up to limit whose time has passed, and returns how many.
func (tx *Tx) PurgeSignTransactions(now time.Time, limit int) (int, error) {
	over, err := list(tx.work, scanSignTransaction, `SELECT `+signColumns+` FROM sign_transactions WHERE expires <= $1 ORDER BY expires, id LIMIT $2`, micros(now), limit)
	for _, t := range over {
		if err := tx.EndSignTransaction(t.ID); err != nil {
			return 0, err
		}
	}
	return len(over), err
}
