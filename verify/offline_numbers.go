package verify

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"

	"warifu"
)

// maxNumbers bounds the authorities whose numbers are kept.
const maxNumbers = 1024

// WriteNumbers writes down which packs were the newest that were seen, a line of ASCII for
// each authority: SHA-256 of its public key, the number of the newest whole pack, and that
// of the newest of any. The file must be replaced in one stroke, and must be as safe as
// the packs' reader wants to be: who can put back both can put back time.
func (o *Offline) WriteNumbers(w io.Writer) error {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, issuer := range slices.SortedFunc(maps.Keys(o.issuer), func(a, b [32]byte) int { return slices.Compare(a[:], b[:]) }) {
		seen := o.issuer[issuer].seen
		if _, err := fmt.Fprintf(w, "%x %d %d\n", issuer, seen.whole, seen.newest); err != nil {
			return err
		}
	}
	return nil
}

// ReadNumbers reads what WriteNumbers wrote. From then on no older pack is taken, and
// where the newest was a delta nothing is answered before it has been taken again, or
// something newer. Error: Invalid "offline-numbers-malformed", and nothing is changed.
func (o *Offline) ReadNumbers(r io.Reader) error {
	lines, read := bufio.NewScanner(r), map[[32]byte]numbers{}
	for lines.Scan() {
		var name string
		var n numbers
		_, err := fmt.Sscanf(lines.Text(), "%64s %d %d", &name, &n.whole, &n.newest)
		issuer, wrong := hex.DecodeString(name)
		if err != nil || wrong != nil || len(issuer) != 32 || n.whole == 0 || n.newest < n.whole || len(read) == maxNumbers ||
			fmt.Sprintf("%x %d %d", issuer, n.whole, n.newest) != lines.Text() {
			return warifu.Invalid("offline-numbers-malformed")
		}
		read[[32]byte(issuer)] = n
	}
	if err := lines.Err(); err != nil {
		return warifu.Invalid("offline-numbers-malformed").With(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.issuer == nil {
		o.issuer = map[[32]byte]shelf{}
	}
	for issuer, n := range read {
		s := o.issuer[issuer]
		s.seen.whole, s.seen.newest = max(s.seen.whole, n.whole), max(s.seen.newest, n.newest)
		o.issuer[issuer] = s
	}
	return nil
}
