package console

import (
	"context"
	"encoding/hex"
	"regexp"
	"time"

	"warifu"
	"warifu/store"
)

// PageLines is how many lines one page of a search has, ExportLines an export at the most.
const (
	PageLines   = 50
	ExportLines = 10_000
)

// AuditSearch is what an auditor asks for; empty fields ask for nothing.
type AuditSearch struct {
	From, Until          time.Time
	Actor, Verb, Subject string // Subject may be a secure element's identifier: all that was ever on it
	Cause                string
	Before               string // the page's end: the ID of its last line; "" for the newest
}

// Line is one line of the audit trail.
type Line = store.Line

// AuditPage is one page of what was found, the newest first.
type AuditPage struct {
	Lines []Line
	Next  string // of AuditSearch.Before, for the lines before; "": there are none
}

var (
	auditWord = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:+._-]{0,99}$`)
	elementID = regexp.MustCompile(`^[0-9a-fA-F]{32}$`)
)

// check names the field that cannot be: Invalid "console-audit-malformed".
func (q AuditSearch) check() error {
	for _, f := range []struct{ name, value string }{{"actor", q.Actor}, {"verb", q.Verb}, {"subject", q.Subject}, {"cause", q.Cause}, {"before", q.Before}} {
		if f.value != "" && !auditWord.MatchString(f.value) {
			return warifu.Invalid("console-audit-malformed", "field", f.name)
		}
	}
	return nil
}

// Audit searches the audit trail, for auditors. No line has a personal attribute. Errors: Refused
// "console-role", Invalid "console-audit-malformed".
func (d *Desk) Audit(ctx context.Context, by Operator, q AuditSearch) (AuditPage, error) {
	return d.search(ctx, by, q, PageLines)
}

func (d *Desk) search(ctx context.Context, by Operator, q AuditSearch, most int) (out AuditPage, err error) {
	if !by.Is(Auditor) {
		return out, warifu.Refused("console-role", "role", string(by.Role))
	}
	if err := q.check(); err != nil {
		return out, err
	}
	err = d.Store.Read(ctx, func(tx *store.Tx) error {
		out = AuditPage{}
		asked := store.AuditQuestion{From: q.From, Until: q.Until, Actor: q.Actor, Verb: warifu.Verb(q.Verb), Cause: q.Cause, Before: q.Before}
		if q.Subject != "" {
			if asked.Subjects, err = subjects(tx, q.Subject); err != nil {
				return err
			}
		}
		lines, err := tx.SearchAudit(asked, most+1)
		if err != nil {
			return err
		}
		if len(lines) > most {
			lines = lines[:most]
			out.Next = lines[most-1].ID
		}
		out.Lines = lines
		return nil
	})
	return out, err
}

// subjects are what an identifier stands for: itself and, of a secure element, every application and
// credential that was ever on it. Identifiers of credentials have the same form.
func subjects(tx *store.Tx, id string) ([]string, error) {
	out := []string{id}
	if !elementID.MatchString(id) {
		return out, nil
	}
	var element warifu.ElementID
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) != len(element) {
		return out, nil
	}
	copy(element[:], raw)
	applications, err := tx.ApplicationsOfElement(element)
	if err != nil {
		return nil, err
	}
	credentials, err := tx.CredentialsOfElement(element)
	if err != nil {
		return nil, err
	}
	for _, a := range applications {
		out = append(out, a.ID)
	}
	for _, c := range credentials {
		out = append(out, c.ID)
	}
	return out, nil
}

// Export is the whole of a search, as far as its bound, and a line in the audit trail that says so.
// Errors: those of Audit.
func (d *Desk) Export(ctx context.Context, by Operator, q AuditSearch) (AuditPage, error) {
	out, err := d.search(ctx, by, q, ExportLines)
	if err != nil {
		return out, err
	}
	return out, d.Store.Write(ctx, func(tx *store.Tx) error {
		return d.line(tx, by.actor(), verbExport, by.Name, nil)
	})
}

// Chain is one authority's ledger, whose rows are chained by hashes.
type Chain struct {
	Kind  warifu.Kind
	Whole bool
	Rows  int64
	Hash  warifu.Digest // of the last row; kept elsewhere, it proves later that nothing was cut off
}

// Wholeness says whether anything was taken away.
type Wholeness struct {
	At     time.Time
	Chains []Chain
	// Moves counts the changes of state, and Lacking those of them without an audit line.
	Moves, Lacking int64
}

// Wholeness goes through everything from the beginning, for auditors: it takes as long as there are
// rows. Error: Refused "console-role".
func (d *Desk) Wholeness(ctx context.Context, by Operator) (Wholeness, error) {
	out := Wholeness{At: d.Clock.Now()}
	if !by.Is(Auditor) {
		return out, warifu.Refused("console-role", "role", string(by.Role))
	}
	if d.Ledgers != nil {
		var err error
		if out.Chains, err = d.Ledgers(ctx); err != nil {
			return out, err
		}
	}
	err := d.Store.Read(ctx, func(tx *store.Tx) (err error) {
		out.Moves, out.Lacking, err = tx.UnauditedMoves()
		return err
	})
	return out, err
}
