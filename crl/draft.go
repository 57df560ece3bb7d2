package crl

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"io"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

// Spool is where a list lies while it is made and for as long as it is read: a file,
// or memory. What was never written reads as it likes; a Draft does not look at it.
type Spool interface {
	io.WriterAt
	io.ReaderAt
}

// Memory is a Spool in memory. The zero value is empty.
type Memory struct{ octets []byte }

// WriteAt implements io.WriterAt; it never fails.
func (m *Memory) WriteAt(b []byte, at int64) (int, error) {
	if missing := at + int64(len(b)) - int64(len(m.octets)); missing > 0 {
		m.octets = append(m.octets, make([]byte, missing)...)
	}
	return copy(m.octets[at:], b), nil
}

// ReadAt implements io.ReaderAt.
func (m *Memory) ReadAt(b []byte, at int64) (int, error) {
	if at >= int64(len(m.octets)) {
		return 0, io.EOF
	}
	n := copy(b, m.octets[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

const (
	// margin is what a Draft leaves free before the entries: the lengths that stand there
	// are known only when all entries are.
	margin = 4 << 10
	// page is how many octets of entries are held in memory.
	page = 32 << 10
)

// Draft makes one list in a Spool, of any number of entries in the same small piece of
// memory: entries are written as they come, what stands before them (whose lengths
// speak of all of them) into the margin left for it, and the signature is made over
// what is read back. Many drafts may be made of one stream of records. A Draft is used by one
// goroutine until it is signed.
type Draft struct {
	head    Head
	spool   Spool
	pending []byte // entries not in the spool yet
	entries int64  // octets of entries in the spool
	from    int64  // where the signed list begins in the spool
	to      int64  // and ends; 0: not signed
	digest  [sha256.Size]byte
}

// NewDraft begins a list.
func NewDraft(spool Spool, head Head) *Draft { return &Draft{head: head, spool: spool} }

// Head returns what the list says before its entries.
func (d *Draft) Head() Head { return d.head }

// Add adds an entry for the record. Only revoked records are taken; in a delta also
// good ones, whose entry says removeFromCRL. Each serial number stands once. Errors: of
// records that are not for this list, and the spool's.
func (d *Draft) Add(r warifu.StatusRecord) (err error) {
	if d.to != 0 {
		return errors.New("crl: the list is signed")
	}
	if d.pending, err = appendEntry(d.pending, r, d.head); err != nil || len(d.pending) < page {
		return err
	}
	return d.flush()
}

func (d *Draft) flush() error {
	if _, err := d.spool.WriteAt(d.pending, margin+d.entries); err != nil {
		return err
	}
	d.entries += int64(len(d.pending))
	d.pending = d.pending[:0]
	return nil
}

// Sign signs the list with the issuer's key (RSA or P-256, SHA-256). Nothing can be
// added afterwards.
func (d *Draft) Sign(issuer *x509.Certificate, key crypto.Signer) error {
	if d.to != 0 {
		return errors.New("crl: the list is signed")
	}
	algorithm, err := algorithmOf(key.Public())
	if err != nil {
		return err
	}
	if err := d.flush(); err != nil {
		return err
	}
	d.pending = nil
	before, after, err := d.head.frame(algorithm, issuer, d.entries)
	if err != nil {
		return err
	}
	hash := sha256.New()
	hash.Write(before)
	if _, err := io.CopyBuffer(hash, io.NewSectionReader(d.spool, margin, d.entries), make([]byte, page)); err != nil {
		return err
	}
	hash.Write(after)
	tail, err := signature(hash.Sum(nil), algorithm, key)
	if err != nil {
		return err
	}
	d.digest = sha256.Sum256(hash.Sum(tail))
	return d.enclose(before, append(after, tail...))
}

// enclose writes what stands around the entries.
func (d *Draft) enclose(before, after []byte) error {
	before = append(header(cbasn1.SEQUENCE, int64(len(before)+len(after))+d.entries), before...)
	if len(before) > margin {
		return errors.New("crl: the issuer's name is too long")
	}
	from, end := margin-int64(len(before)), margin+d.entries
	if _, err := d.spool.WriteAt(before, from); err != nil {
		return err
	}
	if _, err := d.spool.WriteAt(after, end); err != nil {
		return err
	}
	d.from, d.to = from, end+int64(len(after))
	return nil
}

// signature returns signatureAlgorithm and signatureValue over the digest.
func signature(digest []byte, algorithm asn1.ObjectIdentifier, key crypto.Signer) ([]byte, error) {
	signed, err := key.Sign(rand.Reader, digest, crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	addAlgorithm(&b, algorithm)
	b.AddASN1BitString(signed)
	return b.Bytes()
}

// Reader returns a new reader of the signed list's DER; of nothing before Sign.
func (d *Draft) Reader() *io.SectionReader { return io.NewSectionReader(d.spool, d.from, d.to-d.from) }

// Digest is a digest of the whole signed list: two that differ in anything differ in it.
func (d *Draft) Digest() [sha256.Size]byte { return d.digest }
