package ledger

import (
	"context"
	"encoding/json"
	"strconv"

	"warifu"
	"warifu/store"
)

// Page is a part of a holder's ledger, in order, with what is needed to check it: what is
// exported is a page.
type Page struct {
	Format string        `json:"format"` // "warifu-ledger-v1"
	After  int64         `json:"after"`  // the number before the first line
	Chain  warifu.Digest `json:"chain"`  // of that number
	Purged int64         `json:"purged"` // lines up to this number were purged: they were older than is kept
	Lines  []Line        `json:"lines"`
	Head   int64         `json:"head"` // the newest number there is; more lines follow where it is greater
}

// Line is one entry as it stands in the chain.
type Line struct {
	Number     int64         `json:"number"`
	Commitment warifu.Digest `json:"commitment"`
	Chain      warifu.Digest `json:"chain"`
	// Record is what the commitment is the SHA-256 of: JSON of a salt and the entry; empty
	// where the holder's key was erased.
	Record []byte `json:"record,omitempty"`
	Entry  *Entry `json:"entry,omitempty"` // the same, to be read
}

const (
	// MaxPage is how many lines a page has at most.
	MaxPage = 200
	// MaxPageOctets bounds a page that is read.
	MaxPageOctets = 4 << 20
)

// Read returns the page of a person's ledger behind a number: 0 for the first there is.
// Internal "checked-broken" where the database does not hold what was written.
func (l *Ledger) Read(ctx context.Context, person warifu.Digest, after int64) (Page, error) {
	page := Page{}
	err := l.store.Read(ctx, func(tx *store.Tx) error {
		head, err := tx.CheckedHead(person)
		if err != nil {
			return err
		}
		page = Page{Format: chainLabel, After: head.Base, Chain: head.BaseChain, Purged: head.Base, Head: head.Seq, Lines: []Line{}}
		if after > head.Base {
			before, err := tx.CheckedAfter(person, after-1, 1)
			if err != nil {
				return err
			}
			if len(before) != 1 || before[0].Seq != after {
				return warifu.NotFound("ledger-line-unknown")
			}
			page.After, page.Chain = after, before[0].Chain
		}
		rows, err := tx.CheckedAfter(person, page.After, MaxPage)
		if err != nil {
			return err
		}
		return page.fill(tx, rows)
	})
	if err != nil {
		return Page{}, err
	}
	if err := page.Check(); err != nil {
		broken := &warifu.Error{Code: warifu.CodeInternal, Problem: "checked-broken"}
		return Page{}, broken.With(err)
	}
	return page, nil
}

func (p *Page) fill(tx *store.Tx, rows []store.Checked) error {
	for _, row := range rows {
		line := Line{Number: row.Seq, Commitment: row.Commitment, Chain: row.Chain}
		plain, err := tx.UnsealBlob(row.Commitment)
		switch {
		case err == nil:
			var r record
			if err := json.Unmarshal(plain, &r); err != nil {
				return err
			}
			line.Record, line.Entry = plain, &r.Entry
		case !warifu.ProblemOf(err).IsCode(warifu.CodeNotFound):
			return err
		}
		p.Lines = append(p.Lines, line)
	}
	return nil
}

// Check computes the chain anew over the page: that every line stands where it says, and
// says what it did when it was written. Invalid "ledger-page-broken" with parameter "line".
func (p Page) Check() error {
	broken := func(number int64) error {
		return warifu.Invalid("ledger-page-broken", "line", strconv.FormatInt(number, 10))
	}
	if p.Format != chainLabel || p.After < 0 || p.After < p.Purged {
		return broken(p.After)
	}
	chain, number := p.Chain, p.After
	for _, line := range p.Lines {
		number++
		chain = link(chain, number, line.Commitment)
		if line.Number != number || line.Chain != chain {
			return broken(number)
		}
		if len(line.Record) > 0 && warifu.DigestOf(line.Record) != line.Commitment {
			return broken(number)
		}
	}
	if number > p.Head || number < p.Head && len(p.Lines) < MaxPage {
		return broken(p.Head)
	}
	return nil
}

// Follows reports whether a page that was kept and this one are of one chain: where they
// have a line in common it is the same.
func (p Page) Follows(older Page) bool {
	at := map[int64]warifu.Digest{older.After: older.Chain}
	for _, line := range older.Lines {
		at[line.Number] = line.Chain
	}
	same := func(number int64, chain warifu.Digest) bool {
		kept, both := at[number]
		return !both || kept == chain
	}
	ok := same(p.After, p.Chain)
	for _, line := range p.Lines {
		ok = ok && same(line.Number, line.Chain)
	}
	return ok
}

// ParsePage reads an exported page and checks it. Entry is taken from what the commitment
// covers, whatever stands beside it. Errors: TooLarge "ledger-page-too-large", Invalid
// "ledger-page-broken".
func ParsePage(b []byte) (Page, error) {
	if len(b) > MaxPageOctets {
		return Page{}, warifu.TooLarge("ledger-page-too-large")
	}
	var p Page
	if err := json.Unmarshal(b, &p); err != nil {
		return Page{}, warifu.Invalid("ledger-page-broken", "line", "0").With(err)
	}
	if err := p.Check(); err != nil {
		return Page{}, err
	}
	for i := range p.Lines {
		line := &p.Lines[i]
		if line.Entry = nil; len(line.Record) == 0 {
			continue
		}
		var r record
		if err := json.Unmarshal(line.Record, &r); err != nil {
			return Page{}, warifu.Invalid("ledger-page-broken", "line", strconv.FormatInt(line.Number, 10)).With(err)
		}
		line.Entry = &r.Entry
	}
	return p, nil
}
