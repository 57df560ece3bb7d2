package postgrestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// superuser owns the cluster; the socket lies in a folder only we and root can enter.
const superuser = "warifu"

// script makes the cluster in $1 with the programs in $2, runs it until standard
// input ends, and leaves nothing. Durability is off: no test of ours cuts the power
// under PostgreSQL itself.
const script = `
set -eu
trap 'cd /; rm -rf "$1"' EXIT
trap '' INT TERM HUP
cd "$1"
"$2/initdb" -D data -U ` + superuser + ` -A trust -E UTF8 --locale=C.UTF-8 --no-sync --no-instructions >initdb.log 2>&1
"$2/postgres" -D data -k "$1" -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
	-c max_connections=200 -c shared_buffers=32MB -c log_min_messages=fatal >server.log 2>&1 &
server=$!
cat >/dev/null || true
kill -INT "$server" 2>/dev/null || true
wait "$server" || true
`

// cluster is the one server of this test binary.
type cluster struct {
	folder string
	alive  io.Closer // the write end of the shell's standard input; closing it ends everything
	err    error
}

var (
	theCluster = sync.OnceValue(start)
	databases  atomic.Int64
)

// DSN returns the data source name of a new, empty database, which goes when the
// test ends. Without PostgreSQL's programs the test fails and says what to install;
// with -short it is skipped.
func DSN(tb testing.TB) string {
	tb.Helper()
	if testing.Short() {
		tb.Skip("PostgreSQL: skipped by -short")
	}
	if !canLaunch {
		tb.Skip("PostgreSQL: the tests start it on Unix only")
	}
	c := theCluster()
	if c.err != nil {
		tb.Fatalf("PostgreSQL: %v", c.err)
	}
	name := fmt.Sprintf("warifu_%d", databases.Add(1))
	if err := c.run("CREATE DATABASE " + name); err != nil {
		tb.Fatalf("PostgreSQL: %v", err)
	}
	tb.Cleanup(func() {
		if err := c.run("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			tb.Errorf("PostgreSQL: %v", err)
		}
	})
	return c.dsn(name)
}

func (c *cluster) dsn(database string) string {
	query := url.Values{"host": {c.folder}, "user": {superuser}, "sslmode": {"disable"}}
	return (&url.URL{Scheme: "postgres", Path: "/" + database, RawQuery: query.Encode()}).String()
}

func (c *cluster) run(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.dsn("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

func start() *cluster {
	programs, err := findPrograms()
	if err != nil {
		return &cluster{err: err}
	}
	folder, err := os.MkdirTemp("", "warifu-pg-")
	if err != nil {
		return &cluster{err: err}
	}
	c := &cluster{folder: folder}
	if c.err = c.launch(programs); c.err == nil {
		c.err = c.awaitReady()
	}
	return c
}

// findPrograms returns the folder of initdb and postgres: the newest of Debian's.
func findPrograms() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return "", errors.New("initdb is not installed: apt-get install postgresql")
	}
	return filepath.Dir(slices.Max(found)), nil
}

// awaitReady waits for the first connection; at its end the logs say why there is none.
func (c *cluster) awaitReady() error {
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := c.run("SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline:
			logs := c.logs()
			_ = c.alive.Close()
			return fmt.Errorf("the server did not come up: %w\n%s", err, logs)
		}
	}
}

func (c *cluster) logs() []byte {
	var out bytes.Buffer
	for _, name := range []string{"initdb.log", "server.log"} {
		text, _ := os.ReadFile(filepath.Join(c.folder, name))
		out.Write(text)
	}
	return out.Bytes()
}
