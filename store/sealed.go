package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"slices"

	"warifu"
)

// MaxBlob bounds a sealed blob: twice the largest paper, certificate or CMS there is.
const MaxBlob = 1 << 20

const (
	dataKeyLabel  = "warifu-data-key-v1"
	blobLabel     = "warifu-sealed-v1"
	dataKeyOctets = 32 // AES-256
)

// vault is the sealed table of a database: blobs under AES-256-GCM with a key for
// each owner, itself wrapped by the Sealer. A blob's name is the digest of what it
// holds, and its name and owner are bound into the seal, so that a row moved to
// another name or owner does not open.
type vault struct {
	w    *work
	seal Sealer
	keys map[warifu.Digest]cipher.AEAD // unwrapped in this transaction
}

// put seals plain for its owner and returns its digest; twice is as good as once.
func (v *vault) put(owner warifu.Digest, plain []byte) (warifu.Digest, error) {
	digest := warifu.DigestOf(plain)
	if len(plain) > MaxBlob {
		return digest, warifu.TooLarge("blob-too-large")
	}
	key, err := v.keyFor(owner)
	if err != nil {
		return digest, err
	}
	_, err = v.w.exec(`INSERT INTO sealed (digest, owner, octets) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		digest[:], owner[:], sealBlob(key, digest, owner, plain))
	return digest, err
}

// putFirst is put for an owner who has most likely no key yet.
func (v *vault) putFirst(owner warifu.Digest, plain []byte) (warifu.Digest, error) {
	if _, err := v.newKey(owner); err != nil {
		return warifu.Digest{}, err
	}
	return v.put(owner, plain)
}

func sealBlob(key cipher.AEAD, digest, owner warifu.Digest, plain []byte) []byte {
	nonce := make([]byte, key.NonceSize(), key.NonceSize()+len(plain)+key.Overhead())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return key.Seal(nonce, nonce, plain, blobName(digest, owner))
}

// get opens the blob of that digest, whosever copy is there; NotFound
// "blob-unknown" when it was never sealed or its owners were erased.
func (v *vault) get(digest warifu.Digest) ([]byte, error) {
	var owner warifu.Digest
	var sealed, wrapped []byte
	found, err := v.w.one(`SELECT s.owner, s.octets, k.wrapped FROM sealed s JOIN data_keys k ON k.owner = s.owner
		WHERE s.digest = $1 LIMIT 1`, []any{digest[:]}, fixed{owner[:]}, &sealed, &wrapped)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, warifu.NotFound("blob-unknown")
	}
	key, err := v.unwrap(owner, wrapped)
	if err != nil {
		return nil, err
	}
	return openBlob(key, digest, owner, sealed)
}

func openBlob(aead cipher.AEAD, digest, owner warifu.Digest, sealed []byte) ([]byte, error) {
	damaged := &warifu.Error{Code: warifu.CodeInternal, Problem: "blob-damaged"}
	if len(sealed) < aead.NonceSize() {
		return nil, damaged
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], blobName(digest, owner))
	if err != nil {
		return nil, damaged.With(err)
	}
	if got := warifu.DigestOf(plain); subtle.ConstantTimeCompare(got[:], digest[:]) != 1 {
		return nil, damaged
	}
	return plain, nil
}

// erase destroys an owner's key and blobs. What remains are digests.
func (v *vault) erase(owner warifu.Digest) error {
	delete(v.keys, owner)
	if _, err := v.w.exec(`DELETE FROM sealed WHERE owner = $1`, owner[:]); err != nil {
		return err
	}
	_, err := v.w.exec(`DELETE FROM data_keys WHERE owner = $1`, owner[:])
	return err
}

// keyFor returns the owner's data key, making it at first need.
func (v *vault) keyFor(owner warifu.Digest) (cipher.AEAD, error) {
	if key, ok := v.keys[owner]; ok {
		return key, nil
	}
	var wrapped []byte
	found, err := v.w.one(`SELECT wrapped FROM data_keys WHERE owner = $1`, []any{owner[:]}, &wrapped)
	if err != nil {
		return nil, err
	}
	if found {
		return v.unwrap(owner, wrapped)
	}
	if _, err := v.newKey(owner); err != nil {
		return nil, err
	}
	return v.keys[owner], nil
}

// newKey makes an owner's data key and reports whether it did: not where there is one.
func (v *vault) newKey(owner warifu.Digest) (bool, error) {
	if v.keys[owner] != nil {
		return false, nil
	}
	key := make([]byte, dataKeyOctets)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	wrapped, err := v.seal.Seal(key, keyName(owner))
	if err != nil {
		return false, v.w.fail(err)
	}
	n, err := v.w.exec(`INSERT INTO data_keys (owner, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING`, owner[:], wrapped)
	if err != nil || n == 0 {
		return false, err
	}
	_, err = v.remember(owner, key)
	return true, err
}

// unwrap opens an owner's key, once in a transaction.
func (v *vault) unwrap(owner warifu.Digest, wrapped []byte) (cipher.AEAD, error) {
	if key, ok := v.keys[owner]; ok {
		return key, nil
	}
	key, err := v.seal.Open(wrapped, keyName(owner))
	if err != nil {
		return nil, (&warifu.Error{Code: warifu.CodeInternal, Problem: "blob-damaged"}).With(err)
	}
	return v.remember(owner, key)
}

func (v *vault) remember(owner warifu.Digest, key []byte) (cipher.AEAD, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, (&warifu.Error{Code: warifu.CodeInternal, Problem: "blob-damaged"}).With(err)
	}
	if v.keys == nil {
		v.keys = map[warifu.Digest]cipher.AEAD{}
	}
	v.keys[owner] = aead
	return aead, nil
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func keyName(owner warifu.Digest) []byte { return append([]byte(dataKeyLabel), owner[:]...) }

func blobName(digest, owner warifu.Digest) []byte {
	return slices.Concat([]byte(blobLabel), digest[:], owner[:])
}

// SealBlob puts octets that carry attributes into the sealed table under the
// person's key and returns the digest by which rows refer to them. TooLarge
// "blob-too-large" beyond MaxBlob.
func (tx *Tx) SealBlob(person warifu.Digest, plain []byte) (warifu.Digest, error) {
	return tx.vault().put(person, plain)
}

// SealBlobs is SealBlob for several papers of one person, in one statement.
func (tx *Tx) SealBlobs(person warifu.Digest, plains [][]byte) ([]warifu.Digest, error) {
	return tx.vault().putAll(person, plains)
}

// UnsealBlobs is UnsealBlob for several papers that were sealed for one person, in
// one statement; the octets stand in the order of the digests.
func (tx *Tx) UnsealBlobs(person warifu.Digest, digests []warifu.Digest) ([][]byte, error) {
	return tx.vault().getAll(person, digests)
}

// UnsealBlob returns the octets of that digest: NotFound "blob-unknown" when there
// are none (any more), internal "blob-damaged" when the row or the key is not what
// was written.
func (tx *Tx) UnsealBlob(digest warifu.Digest) ([]byte, error) { return tx.vault().get(digest) }

// ErasePerson destroys a person's key, blobs and contact for good. Applications, moves and
// audit lines remain; they hold no attribute.
func (tx *Tx) ErasePerson(person warifu.Digest) error {
	if _, err := tx.exec(`DELETE FROM contacts WHERE person = $1`, person[:]); err != nil {
		return err
	}
	return tx.vault().erase(person)
}

func (tx *Tx) vault() *vault {
	if tx.sealed == nil {
		tx.sealed = &vault{w: tx.work, seal: tx.store.seal}
	}
	return tx.sealed
}
