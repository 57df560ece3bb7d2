package housetest_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"warifu"
	"warifu/internal/housetest"
	"warifu/registration"
)

// listener hears what Check complains of instead of failing.
type listener struct {
	*testing.T
	said []string
}

func (l *listener) Errorf(format string, args ...any) {
	l.said = append(l.said, fmt.Sprintf(format, args...))
}

// spoil runs a statement past the store, as somebody with the database would.
func spoil(t *testing.T, h *housetest.House, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(h.DSN, "sqlite:")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// Check sees what is wrong: each invariant broken by hand, once.
func TestCheckSeesEachBrokenInvariant(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*testing.T, *housetest.House, string)
		says  string
	}{
		"an application that is gone": {func(_ *testing.T, h *housetest.House, _ string) { h.Accepted("a-nobody") }, "accepted and is gone"},
		"a certificate for nobody": {func(t *testing.T, h *housetest.House, _ string) {
			s := housetest.Submission(h.Phone(t).Draft(t, "hanako"))
			statement, err := h.Cards.Statement(t.Context(), signer(t, s.Document), identity(t, s.Document))
			if err != nil {
				t.Fatal(err)
			}
			e := registration.Evidence{Document: s.Document, Attestation: s.Attestation, Chain: s.Chain, SecretsSet: s.SecretsSet, Statement: statement,
				CardAuthentication: s.CardAuthentication, CardStatus: status(t, h, s)}
			if o := h.Issuers[warifu.Signature].Issue(t.Context(), []registration.Evidence{e}); o[0].Err != nil {
				t.Fatal(o[0].Err)
			}
		}, "a document nobody accepted"},
		"a move without its line": {func(t *testing.T, h *housetest.House, id string) {
			spoil(t, h, `DELETE FROM audit WHERE verb = 'activate'`)
		}, "has no audit line"},
		"a state without its move": {func(t *testing.T, h *housetest.House, id string) {
			spoil(t, h, `PRAGMA foreign_keys = OFF`, `DROP TRIGGER credentials_forward`, `UPDATE credentials SET state = 'held', cert_status = 2, status_reason = 6 WHERE kind = 1`)
		}, "its moves say otherwise"},
		"a revoked one that is good": {func(t *testing.T, h *housetest.House, id string) {
			h.Phone(t).Own(t, "taro")
			h.Check(t)
			spoil(t, h, `DROP TRIGGER credentials_status`, `UPDATE credentials SET cert_status = 1, status_reason = 0 WHERE state = 'superseded'`)
		}, "is good again"},
		"two devices of one person": {func(t *testing.T, h *housetest.House, id string) {
			spoil(t, h, `UPDATE credentials SET element = x'00112233445566778899AABBCCDDEEFF' WHERE kind = 1`)
		}, "two devices"},
		"a certificate too many": {func(t *testing.T, h *housetest.House, id string) {
			spoil(t, h, `UPDATE applications SET kinds = (SELECT min(kinds, 'authentication') FROM applications) WHERE 1`)
		}, "not applied for"},
		"a status that is told too early": {func(t *testing.T, h *housetest.House, id string) {
			h.Phone(t).Issue(t, "hanako")
			spoil(t, h, `DROP TRIGGER credentials_status`, `UPDATE credentials SET cert_status = 1 WHERE state = 'pending'`)
		}, "is pending and its status good"},
	} {
		t.Run(name, func(t *testing.T) {
			h := housetest.New(t, housetest.Options{})
			a := h.Phone(t).Own(t, "taro")
			h.Check(t)
			c.spoil(t, h, a.ID)
			l := &listener{T: t}
			h.Check(l)
			if all := strings.Join(l.said, "\n"); !strings.Contains(all, c.says) {
				t.Errorf("it says %q, want %q", all, c.says)
			}
		})
	}
}
