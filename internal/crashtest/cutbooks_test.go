package crashtest_test

import (
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"warifu"
)

// copied is a dead server's databases, copied as they lie, so that looking at them mends
// nothing before the next start does. PostgreSQL is looked at where it stands.
func (tn *town) copied(t *testing.T) databases {
	t.Helper()
	dir := besides(t)
	lift := func(dsn string) string {
		path, ok := strings.CutPrefix(dsn, "sqlite:")
		if !ok {
			return dsn
		}
		to := filepath.Join(dir, filepath.Base(path))
		for _, tail := range []string{"", "-wal"} {
			octets, err := os.ReadFile(path + tail)
			if tail != "" && os.IsNotExist(err) {
				continue
			}
			must(t, err)
			must(t, os.WriteFile(to+tail, octets, 0o600))
		}
		return "sqlite:" + to
	}
	out := databases{registration: lift(tn.db.registration), ledgers: map[warifu.Kind]string{}}
	for kind, dsn := range tn.db.ledgers {
		out.ledgers[kind] = lift(dsn)
	}
	return out
}

// never are what no server's books ever say, at whatever statement it died: each query
// counts the rows that break a rule of docs/design.md §3 or of the house.
var never = map[string]string{
	"a move without its audit line": `SELECT COUNT(*) FROM moves m WHERE verb <> 'begin' AND NOT EXISTS
		(SELECT 1 FROM audit a WHERE a.subject = m.subject AND a.verb = m.verb AND a.at = m.at)`,
	"an audit line without its move": `SELECT COUNT(*) FROM audit a WHERE verb IN (SELECT verb FROM life_arrows) AND NOT EXISTS
		(SELECT 1 FROM moves m WHERE a.subject = m.subject AND a.verb = m.verb AND a.at = m.at)`,
	"a state that is not its last move's": `SELECT COUNT(*) FROM credentials c WHERE step <> (SELECT MAX(seq) FROM moves m WHERE m.life = 'credential' AND m.subject = c.id)`,
	"an application without a line":       `SELECT COUNT(*) FROM applications p WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.subject = p.id AND a.verb = 'apply')`,
	"a hold without its line":             `SELECT COUNT(*) FROM holds h WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.subject = h.subject AND a.verb = 'hold' AND a.at = h.put_at)`,
	"a hold that vanished": `SELECT COUNT(*) FROM holds h WHERE lifted_at <> 0 AND NOT EXISTS
		(SELECT 1 FROM audit a WHERE a.subject = h.subject AND a.at = h.lifted_at)
		AND NOT EXISTS (SELECT 1 FROM audit a JOIN life_arrows v ON v.verb = a.verb WHERE a.subject = h.subject AND v.to_state NOT IN ('active', 'held', 'issued') AND v.verb <> 'begin')`,
	"a held credential that nothing holds": `SELECT COUNT(*) FROM credentials c WHERE state = 'held' AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.subject = c.id AND h.lifted_at = 0)`,
	"a hold on what is not held":           `SELECT COUNT(*) FROM holds h JOIN credentials c ON c.id = h.subject WHERE h.lifted_at = 0 AND c.state <> 'held'`,
	"a hold on an ended application":       `SELECT COUNT(*) FROM holds h JOIN applications p ON p.id = h.subject WHERE h.lifted_at = 0 AND p.state NOT IN ('submitted', 'issued')`,
	"a status that is not the state's": `SELECT COUNT(*) FROM credentials WHERE cert_status <>
		CASE state WHEN 'pending' THEN 0 WHEN 'active' THEN 1 WHEN 'expired' THEN cert_status ELSE 2 END OR state = 'held' AND status_reason <> 6 OR state = 'revoked' AND status_reason = 6`,
	"a status that the feed has not": `SELECT COUNT(*) FROM credentials c LEFT JOIN (SELECT kind, serial, MAX(number) AS newest FROM status_feed GROUP BY kind, serial) AS n
		ON n.kind = c.kind AND n.serial = c.serial LEFT JOIN status_feed f ON f.number = n.newest
		WHERE c.state NOT IN ('pending', 'expired') AND (f.number IS NULL OR f.cert_status <> c.cert_status OR f.status_reason <> c.status_reason)`,
	"something revoked that was good again": `SELECT COUNT(*) FROM
		(SELECT kind, serial, MIN(number) AS ended FROM status_feed WHERE cert_status = 2 AND status_reason <> 6 GROUP BY kind, serial) AS e
		JOIN (SELECT kind, serial, MAX(number) AS good FROM status_feed WHERE cert_status = 1 OR status_reason = 6 GROUP BY kind, serial) AS g
		ON g.kind = e.kind AND g.serial = e.serial AND g.good > e.ended`,
	"a gap in the feed":                       `SELECT value - (SELECT COUNT(*) FROM status_feed) FROM counters WHERE name = 'status_feed'`,
	"two live credentials of one kind":        `SELECT COUNT(*) FROM (SELECT person FROM credentials WHERE state IN ('active', 'held') GROUP BY person, kind HAVING COUNT(*) > 1) AS twice`,
	"one person's credentials on two phones":  `SELECT COUNT(*) FROM (SELECT person FROM credentials WHERE state IN ('active', 'held') GROUP BY person HAVING COUNT(DISTINCT element) > 1) AS twice`,
	"a live credential without its phone":     `SELECT COUNT(*) FROM credentials c JOIN applications p ON p.id = c.application WHERE c.state IN ('active', 'held') AND p.state <> 'personalized'`,
	"a pending credential of what is over":    `SELECT COUNT(*) FROM credentials c JOIN applications p ON p.id = c.application WHERE c.state = 'pending' AND p.state <> 'issued'`,
	"a kill ticket for what lives":            `SELECT COUNT(*) FROM kill_tickets t JOIN credentials c ON c.id = t.credential WHERE c.state NOT IN ('revoked', 'superseded', 'expired')`,
	"a settled ticket without its receipt":    `SELECT COUNT(*) FROM kill_tickets WHERE settled_at <> 0 AND receipt IS NULL`,
	"a receipt without its line":              `SELECT COUNT(*) FROM kill_tickets t WHERE receipt IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.subject = t.credential AND a.verb = 'kill')`,
	"a receipt that is not kept":              `SELECT COUNT(*) FROM kill_tickets t WHERE receipt IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sealed s WHERE s.digest = t.receipt)`,
	"a confirmation without its two lines":    `SELECT COUNT(*) FROM hotline_proposals p WHERE confirmed_at <> 0 AND (SELECT COUNT(DISTINCT a.verb) FROM audit a WHERE a.subject = p.receipt AND a.verb IN ('propose', 'confirm')) < 2`,
	"a proposal without its line":             `SELECT COUNT(*) FROM hotline_proposals p WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.subject = p.receipt AND a.verb = 'propose')`,
	"a suspension code of what was not given": `SELECT COUNT(*) FROM suspension_codes s JOIN applications p ON p.id = s.application WHERE p.state <> 'personalized'`,
}

// neverSaid fails the test for every rule that the books break.
func neverSaid(t *testing.T, db *sql.DB) {
	t.Helper()
	for what, query := range never {
		if n := count(t, db, query); n != 0 {
			t.Errorf("the books say %d times: %s", n, what)
		}
	}
}

// told is what the books of a town with one holder say, in one line: the open
// application, what lives on which phone, whether that phone was written and has a code,
// and how many tickets are out and settled since the base.
func (l *holderLife) told(t *testing.T, db *sql.DB) string {
	t.Helper()
	parts := append(l.openOnes(t, db), l.liveOnes(t, db)...)
	parts = append(parts, fmt.Sprintf("tickets %d/%d",
		count(t, db, `SELECT COUNT(*) FROM kill_tickets WHERE settled_at = 0`),
		count(t, db, `SELECT COUNT(*) FROM kill_tickets WHERE settled_at <> 0`)-l.settled))
	return strings.Join(parts, ", ")
}

func (l *holderLife) openOnes(t *testing.T, db *sql.DB) (out []string) {
	t.Helper()
	for _, r := range rowsOf(t, db, `SELECT id, element, state, '' FROM applications WHERE state IN ('submitted', 'issued')`) {
		out = append(out, r[2]+"@"+l.names[r[1]]+holdsOn(t, db, r[0]))
	}
	return out
}

func (l *holderLife) liveOnes(t *testing.T, db *sql.DB) (out []string) {
	t.Helper()
	apps := map[string]string{}
	for _, r := range rowsOf(t, db, `SELECT id, element, state, application FROM credentials WHERE state IN ('active', 'held') ORDER BY kind`) {
		kind := "sig"
		if count(t, db, `SELECT kind FROM credentials WHERE id = '`+r[0]+`'`) == int(warifu.Authentication) {
			kind = "auth"
		}
		out = append(out, kind+"@"+l.names[r[1]]+" "+r[2]+holdsOn(t, db, r[0]))
		apps[r[3]] = r[1]
	}
	for app := range apps {
		if count(t, db, `SELECT COUNT(*) FROM written_chips WHERE application = '`+app+`'`) == 1 {
			out = append(out, "written")
		}
		if count(t, db, `SELECT COUNT(*) FROM suspension_codes WHERE application = '`+app+`'`) == 1 {
			out = append(out, "code")
		}
	}
	return out
}

// holdsOn lists the reasons that hold a subject, " [lost repair]"; "" for none.
func holdsOn(t *testing.T, db *sql.DB, subject string) string {
	t.Helper()
	var reasons []string
	for _, r := range rowsOf(t, db, `SELECT reason, subject, '', '' FROM holds WHERE lifted_at = 0 AND subject = '`+subject+`' ORDER BY reason`) {
		reasons = append(reasons, r[0])
	}
	if reasons == nil {
		return ""
	}
	return "[" + strings.Join(reasons, " ") + "]"
}

// rowsOf reads four columns: three texts and, second, octets or a text.
func rowsOf(t *testing.T, db *sql.DB, query string) (out [][4]string) {
	t.Helper()
	rows, err := db.Query(query)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var r [4]string
		var second []byte
		must(t, rows.Scan(&r[0], &second, &r[2], &r[3]))
		r[1] = hex.EncodeToString(second)
		out = append(out, r)
	}
	must(t, rows.Err())
	return slices.Clip(out)
}
