package store

import (
	"fmt"
	"strings"
	"time"

	"warifu"
)

// AuditQuestion is what an auditor looks for; zero fields ask for nothing.
type AuditQuestion struct {
	From, Until time.Time // of the line: from the first on, before the second
	Actor       string
	Verb        warifu.Verb
	Subjects    []string // any of them
	Cause       string
	Before      string // the ID of a line: only lines written before it (keyset)
}

// maxSubjects bounds one question: what one secure element has had on it.
const maxSubjects = 100

// SearchAudit returns up to limit lines that fit, the newest first.
func (tx *Tx) SearchAudit(q AuditQuestion, limit int) ([]Line, error) {
	var where []string
	var args []any
	ask := func(condition string, value any) {
		args = append(args, value)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if !q.From.IsZero() {
		ask("at >= $%d", micros(q.From))
	}
	if !q.Until.IsZero() {
		ask("at < $%d", micros(q.Until))
	}
	if q.Actor != "" {
		ask("actor = $%d", q.Actor)
	}
	if q.Verb != "" {
		ask("verb = $%d", string(q.Verb))
	}
	if q.Cause != "" {
		ask("cause = $%d", q.Cause)
	}
	if q.Before != "" {
		ask("id < $%d", q.Before)
	}
	if len(q.Subjects) > 0 {
		var of []string
		for _, s := range q.Subjects[:min(len(q.Subjects), maxSubjects)] {
			args = append(args, s)
			of = append(of, fmt.Sprintf("$%d", len(args)))
		}
		where = append(where, "subject IN ("+strings.Join(of, ", ")+")")
	}
	sql := `SELECT ` + lineColumns + ` FROM audit`
	if len(where) > 0 {
		sql += ` WHERE ` + strings.Join(where, " AND ")
	}
	args = append(args, limit)
	return list(tx.work, scanLine, sql+fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args)), args...)
}

// UnauditedMoves counts all changes of applications' and credentials' states, and those of
// them that have no audit line: each was written with one (Tx.Audit), so that a lack says that
// a line was taken away. The beginning of a life is not a change.
func (tx *Tx) UnauditedMoves() (all, lacking int64, err error) {
	_, err = tx.one(`SELECT COUNT(*), COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM audit a WHERE a.subject = m.subject AND a.verb = m.verb AND a.at = m.at) THEN 0 ELSE 1 END), 0)
		FROM moves m WHERE m.seq > 0 AND m.life IN ('application', 'credential')`, nil, &all, &lacking)
	return all, lacking, err
}
