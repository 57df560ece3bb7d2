package store

import (
	"fmt"
	"strings"
	"time"

	"warifu"
)

// This file says how the house's words lie in columns.

// micros is an instant as BIGINT microseconds since 1970; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// instant is the inverse of micros, in UTC.
type instant struct{ t *time.Time }

// Scan implements sql.Scanner.
func (i instant) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("store: instant from %T", v)
	}
	*i.t = time.Time{}
	if n != 0 {
		*i.t = time.UnixMicro(n).UTC()
	}
	return nil
}

// octets is a digest or element identifier as BYTEA; the zero value is NULL.
func octets(b []byte) any {
	for _, o := range b {
		if o != 0 {
			return b
		}
	}
	return nil
}

// fixed scans BYTEA of exactly len(into) octets, and NULL as zeros.
type fixed struct{ into []byte }

// Scan implements sql.Scanner.
func (f fixed) Scan(v any) error {
	clear(f.into)
	if v == nil {
		return nil
	}
	b, ok := v.([]byte)
	if !ok || len(b) != len(f.into) {
		return fmt.Errorf("store: %d octets wanted, %T of %d had", len(f.into), v, len(b))
	}
	copy(f.into, b)
	return nil
}

// digests scans the concatenation of digests.
type digests struct{ into *[]warifu.Digest }

// Scan implements sql.Scanner.
func (d digests) Scan(v any) error {
	*d.into = nil
	b, ok := v.([]byte)
	if v != nil && (!ok || len(b)%len(warifu.Digest{}) != 0) {
		return fmt.Errorf("store: %T is no list of digests", v)
	}
	for ; len(b) > 0; b = b[len(warifu.Digest{}):] {
		*d.into = append(*d.into, warifu.Digest(b[:len(warifu.Digest{})]))
	}
	return nil
}

func joinDigests(list []warifu.Digest) []byte {
	out := make([]byte, 0, len(list)*len(warifu.Digest{}))
	for _, d := range list {
		out = append(out, d[:]...)
	}
	return out
}

// kinds scans "signature,authentication".
type kinds struct{ into *[]warifu.Kind }

// Scan implements sql.Scanner.
func (k kinds) Scan(v any) error {
	*k.into = nil
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("store: kinds from %T", v)
	}
	for _, name := range strings.Split(s, ",") {
		kind, err := warifu.ParseKind(name)
		if err != nil {
			return err
		}
		*k.into = append(*k.into, kind)
	}
	return nil
}

func joinKinds(list []warifu.Kind) string {
	names := make([]string, len(list))
	for i, k := range list {
		names[i] = k.String()
	}
	return strings.Join(names, ",")
}

// canonical is t as it comes back from a column: microseconds, UTC.
func canonical(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
