package crashtest_test

import (
	"testing"
	"time"

	"warifu"
)

// breaks are ways of half doing something, each with the rule of never that finds it.
var breaks = map[string]string{
	"a move without its audit line":          `DELETE FROM audit WHERE verb = 'activate'`,
	"an audit line without its move":         `UPDATE audit SET at = at + 1 WHERE verb = 'issue'`,
	"an application without a line":          `DELETE FROM audit WHERE verb = 'apply'`,
	"a hold without its line":                `DELETE FROM audit WHERE verb = 'hold'`,
	"a hold that vanished":                   `UPDATE holds SET lifted_at = 5`,
	"a held credential that nothing holds":   `DELETE FROM holds`,
	"a hold on what is not held":             `UPDATE holds SET subject = (SELECT id FROM credentials WHERE state <> 'held') WHERE id = (SELECT MIN(id) FROM holds)`,
	"a status that is not the state's":       `DROP TRIGGER credentials_status; UPDATE credentials SET cert_status = 1 WHERE state = 'held'`,
	"a status that the feed has not":         `DELETE FROM status_feed WHERE number = (SELECT MAX(number) FROM status_feed)`,
	"a gap in the feed":                      `UPDATE counters SET value = value + 1 WHERE name = 'status_feed'`,
	"something revoked that was good again":  `UPDATE status_feed SET cert_status = 2, status_reason = 1 WHERE number = 1`,
	"one person's credentials on two phones": `UPDATE credentials SET element = x'00' WHERE kind = 1`,
	"a receipt without its line":             `INSERT INTO kill_tickets SELECT id, kind, 99, 1, x'00', 1 FROM credentials LIMIT 1`,
	"a receipt that is not kept":             `INSERT INTO kill_tickets SELECT id, kind, 99, 1, x'00', 1 FROM credentials LIMIT 1`,
	"a kill ticket for what lives":           `INSERT INTO kill_tickets SELECT id, kind, 99, 1, NULL, 0 FROM credentials LIMIT 1`,
}

func TestTheRulesFindWhatIsHalfDone(t *testing.T) {
	t.Parallel()
	tn := settle(t, places["sqlite"])
	c := &cutter{holderLife: beginLife(t, tn)}
	p := tn.start(t)
	must(t, patiently(t.Context(), c.applies("A")))
	must(t, patiently(t.Context(), c.fetches("A")))
	_, err := c.phones["A"].app.Suspend(t.Context(), []warifu.Kind{warifu.Signature}, time.Time{}, signing)
	must(t, err)
	p.stop(t)
	neverSaid(t, c.live)
	for rule, done := range breaks {
		db := bare(t, tn.copied(t).registration)
		_, err := db.Exec(done)
		must(t, err)
		if count(t, db, never[rule]) == 0 {
			t.Errorf("nobody finds %s", rule)
		}
	}
}
