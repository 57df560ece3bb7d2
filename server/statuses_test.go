package server_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // to spoil the feed past the store

	"warifu"
	"warifu/server"
)

// said is a server's log.
func said() (*bytes.Buffer, *slog.Logger) {
	b := &bytes.Buffer{}
	return b, slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// tells checks what the memory of a server says.
func tells(t *testing.T, s *server.Server, serial []byte, want warifu.CertStatus) {
	t.Helper()
	if got, err := s.Told(t.Context(), warifu.Signature, serial); got != want || err != nil {
		t.Errorf("it says %v, %v, want %v", got, err, want)
	}
}

const anew = "counted anew"

func TestAStartBeginsWithTheSnapshotAndTheFeedSince(t *testing.T) {
	p := newPremises(t)
	p.furnish(t)
	s := p.open(t, server.Options{})
	id, serial, err := s.Certify(t.Context(), warifu.Signature, 77)
	must(t, err)
	tells(t, s, serial, warifu.StatusGood)
	must(t, s.WriteSnapshots())
	must(t, s.Move(t.Context(), id, warifu.VerbSuspend))
	tells(t, s, serial, warifu.StatusRevoked)
	must(t, s.Close()) // without a further snapshot, as in a crash

	log, to := said()
	s = p.open(t, server.Options{Log: to})
	tells(t, s, serial, warifu.StatusRevoked)
	if strings.Contains(log.String(), anew) || s.StatusHead() != 2 {
		t.Errorf("at %d: %s", s.StatusHead(), log)
	}
	must(t, s.Close())

	whole, err := os.ReadFile(p.path("status-signature.snapshot"))
	must(t, err)
	for what, octets := range map[string][]byte{"torn": whole[:len(whole)-40], "empty": nil, "of the other authority": otherKind(whole)} {
		p.write(t, "status-signature.snapshot", octets)
		log, to := said()
		s = p.open(t, server.Options{Log: to})
		tells(t, s, serial, warifu.StatusRevoked)
		if !strings.Contains(log.String(), anew) {
			t.Errorf("%s: %s", what, log)
		}
		must(t, s.Close())
	}
}

func otherKind(snapshot []byte) []byte {
	out := bytes.Clone(snapshot)
	out[5] = byte(warifu.Authentication)
	return out
}

// A registration database that was restored from a backup ends before the snapshot, or has
// gone on otherwise: the snapshot of what is no more is not believed.
func TestASnapshotNewerThanTheDatabaseIsNotBelieved(t *testing.T) {
	p := newPremises(t)
	p.furnish(t)
	s := p.open(t, server.Options{})
	id, serial, err := s.Certify(t.Context(), warifu.Signature, 5)
	must(t, err)
	must(t, s.Close())
	backup, err := os.ReadFile(p.path("registration.db"))
	must(t, err)
	s = p.open(t, server.Options{})
	must(t, s.Move(t.Context(), id, warifu.VerbSuspend))
	must(t, s.WriteSnapshots())
	must(t, s.Close())
	snapshot, err := os.ReadFile(p.path("status-signature.snapshot"))
	must(t, err)
	p.write(t, "registration.db", backup)
	for _, moved := range []bool{false, true} { // in the second round the restored database has a number 2 of its own
		p.write(t, "status-signature.snapshot", snapshot)
		log, to := said()
		s = p.open(t, server.Options{Log: to})
		tells(t, s, serial, warifu.StatusGood)
		if !strings.Contains(log.String(), anew) {
			t.Errorf("moved on %v: %s", moved, log)
		}
		if !moved {
			_, _, err := s.Certify(t.Context(), warifu.Authentication, 6)
			must(t, err)
		}
		must(t, s.Close())
	}
}

func TestAGapInTheFeedIsAnAlarmAndIsMended(t *testing.T) {
	p := newPremises(t)
	p.furnish(t)
	log, to := said()
	s := p.open(t, server.Options{Log: to})
	_, serial, err := s.Certify(t.Context(), warifu.Signature, 5)
	must(t, err)
	db, err := sql.Open("sqlite", "file:"+p.path("registration.db")+"?_pragma=busy_timeout(5000)")
	must(t, err)
	defer db.Close()
	for _, statement := range []string{
		`UPDATE counters SET value = value + 2 WHERE name = 'status_feed'`,
		fmt.Sprintf(`INSERT INTO status_feed (number, kind, serial, cert_status, status_reason, status_at, not_after, at) VALUES (3, 1, x'%x', 2, 6, 0, 0, 0)`, serial),
	} {
		_, err := db.ExecContext(t.Context(), statement)
		must(t, err)
	}
	s.FollowStatuses(t.Context())
	tells(t, s, serial, warifu.StatusGood) // what the credential's own row says
	if s.StatusHead() != 3 || !strings.Contains(log.String(), "number 3 where 2 should come") {
		t.Errorf("at %d: %s", s.StatusHead(), log)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://warifu.test/metrics", nil))
	for _, line := range []string{"warifu_status_broken_total 1", "warifu_status_age_seconds 0", "warifu_status_feed_number 3"} {
		if !strings.Contains(w.Body.String(), line) {
			t.Errorf("the metrics do not say %s", line)
		}
	}
}

func TestTheLimitOfTheStatusesIsBounded(t *testing.T) {
	p := newPremises(t)
	for _, wrong := range []string{"9s", "11m", "-1s"} {
		p.write(t, "wrong.toml", []byte(p.file()+"\n[status]\nlimit = \""+wrong+"\"\n"))
		_, err := server.ReadConfig(p.path("wrong.toml"))
		fault(t, err, "configuration-invalid", "[status] limit")
	}
}
