package ledger

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"time"

	"warifu"
	"warifu/store"
)

// Name is what a relying party is called, in both languages.
type Name struct {
	Japanese string `json:"ja" toml:"ja"`
	English  string `json:"en" toml:"en"`
}

// What a relying party did.
const (
	Signed       = "signature"         // had a signature checked
	LoggedIn     = "login"             // had an answer to a login checked
	Asked        = "certificate"       // asked about a certificate alone
	CheckedAgain = "again"             // had a signature checked once more, from its evidence
	History      = "history"           // asked when a certificate was on hold
	Wished       = "attributes-wished" // asked to be told attributes
	Told         = "attributes-told"   // was told attributes
	Subscribed   = "subscription"      // asked to be told when the status changes
	Notified     = "status-told"       // was told that it changed
)

// Entry is one line of a holder's ledger.
type Entry struct {
	At        time.Time `json:"at"`                // when it was asked
	By        string    `json:"by"`                // the relying party's identifier
	Name      Name      `json:"name"`              // and name
	What      string    `json:"what"`              // one of the constants
	Purpose   string    `json:"purpose,omitempty"` // what for, in the relying party's words
	Class     string    `json:"class,omitempty"`   // "card" or "phone"
	Kind      string    `json:"kind,omitempty"`    // "signature" or "authentication"
	Result    string    `json:"result"`            // "good", "bad", "unknown"; of attributes, their names
	Reasons   []string  `json:"reasons,omitempty"` // slugs, where it was not good
	Reference string    `json:"reference,omitempty"`
	// Late is when a node that was cut off handed the entry in; zero: it was written at once.
	Late time.Time `json:"late,omitzero"`
}

// record is what is sealed: an entry with its salt.
type record struct {
	Salt  []byte `json:"salt"`
	Entry Entry  `json:"entry"`
}

const saltOctets = 32

// Ledger keeps every holder's.
type Ledger struct {
	store *store.Store
	clock warifu.Clock
	keep  time.Duration
}

// New makes a ledger that keeps entries that long (the scheme's ledger_keep).
func New(s *store.Store, keep time.Duration, clock warifu.Clock) *Ledger {
	return &Ledger{store: s, clock: clock, keep: keep}
}

// Append writes an entry into a person's ledger within the transaction of what it tells of.
func (l *Ledger) Append(tx *store.Tx, person warifu.Digest, e Entry) error {
	e.At = e.At.UTC()
	salt := make([]byte, saltOctets)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	plain, err := json.Marshal(record{salt, e})
	if err != nil {
		return err
	}
	head, err := tx.CheckedHead(person)
	if err != nil {
		return err
	}
	commitment, err := tx.SealBlob(person, plain)
	if err != nil {
		return err
	}
	seq := head.Seq + 1
	return tx.AppendChecked(store.Checked{Person: person, Seq: seq, Commitment: commitment, Chain: link(head.Chain, seq, commitment), At: l.clock.Now()})
}

const chainLabel = "warifu-ledger-v1"

// link is the chain's next value.
func link(before warifu.Digest, seq int64, commitment warifu.Digest) warifu.Digest {
	b := append([]byte(chainLabel), before[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	return warifu.DigestOf(append(b, commitment[:]...))
}

// purgePage is how many persons one transaction purges.
const purgePage = 100

// Purge takes away what is older than may be kept, and returns how many entries that was.
func (l *Ledger) Purge(ctx context.Context) (int, error) {
	before, total := l.clock.Now().Add(-l.keep), 0
	for {
		persons, purged := 0, 0
		err := l.store.Write(ctx, func(tx *store.Tx) error {
			purged = 0
			old, err := tx.CheckedBefore(before, purgePage)
			persons = len(old)
			for _, person := range old {
				if err != nil {
					return err
				}
				var n int64
				n, err = tx.PurgeChecked(person, before)
				purged += int(n)
			}
			return err
		})
		if total += purged; err != nil || persons < purgePage {
			return total, err
		}
	}
}
