package main

import (
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"warifu"
	"warifu/crl"
)

// lists measures what it costs a whole server to make the revocation lists of an
// authority whose certificates are all revoked: the full one and its parts, from its
// database to the last octet at the client, and the most memory that the process had meanwhile.
func lists(ctx context.Context, b *bench) ([]Row, error) {
	at := b.site("lists", "badge")
	h, err := open(ctx, at)
	if err != nil {
		return nil, err
	}
	defer h.close()
	began := time.Now()
	if err := h.revokeAll(ctx, b.listed); err != nil {
		return nil, err
	}
	b.say("  %d revoked certificates loaded in %.0f s", b.listed, time.Since(began).Seconds())
	if err := h.withoutPacks(); err != nil {
		return nil, err
	}
	if err := h.begin(ctx, at); err != nil {
		return nil, err
	}
	h.client.Timeout = 10 * time.Minute
	if err := h.server.rest(ctx); err != nil {
		return nil, err
	}
	before, err := h.server.cpu()
	if err != nil {
		return nil, err
	}
	held, err := h.server.memory()
	if err != nil {
		return nil, err
	}
	began = time.Now()
	size, err := h.checkLists(ctx, b.listed)
	if err != nil {
		return nil, err
	}
	wall := time.Since(began)
	after, err := h.server.cpu()
	if err != nil {
		return nil, err
	}
	b.say("  %d MiB before", int(held))
	most, err := h.server.most()
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("lists of %d entries: ", b.listed)
	cpu, memory := plain(name+"CPU, full and parts, made and fetched", (after-before).Seconds(), "s"), plain(name+"warifud, resident at most", most, "MiB")
	if b.listed == 1_000_000 { // what the goals speak of
		cpu, memory = cpu.below(10), memory.below(128)
	}
	return []Row{cpu, memory, plain(name+"real time", wall.Seconds(), "s"), plain(name+"full list", float64(size)/(1<<20), "MiB")}, nil
}

// withoutPacks leaves out what is published for those without a line, which is measured by
// itself.
func (h *house) withoutPacks() error {
	f, err := os.OpenFile(h.config(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("\n[offline]\noff = true\n")
	return errors.Join(err, f.Close())
}

// revokeAll writes the rows of so many revoked signature certificates past the server.
func (h *house) revokeAll(ctx context.Context, n int) error {
	db, err := sql.Open("sqlite", "file:"+h.database()+"?_pragma=synchronous(OFF)&_pragma=cache_size(-262144)")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	insert, err := tx.PrepareContext(ctx, `INSERT INTO credentials (id, step, state, application, person, element, kind, serial, public_key, certificate, reason,
		cert_status, status_reason, status_at, not_after, begun_at, activated_at, ended_at) VALUES (?, 0, 'revoked', ?, ?, ?, 1, ?, ?, NULL, 1, 2, 1, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	cipher, err := h.keys.Symmetric("serial-signature")
	if err != nil {
		return err
	}
	now, end := time.Now().UnixMicro(), cardsEnd.UnixMicro()
	for i := range uint64(n) {
		serial := make([]byte, 17)
		serial[0] = byte(warifu.Signature)
		binary.BigEndian.PutUint64(serial[1:], i)
		cipher.Block().Encrypt(serial[1:], serial[1:])
		id := fmt.Sprintf("c%031d", i)
		d := paperOf('k', i)
		if _, err := insert.ExecContext(ctx, id, id, d[:], d[:16], serial, d[:], now, end, now, now, now); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return err
}

// checkLists fetches the full list, which has it made with its parts, and one part, and
// checks that each is whole. It returns the full list's size in octets.
func (h *house) checkLists(ctx context.Context, want int) (int, error) {
	full, err := h.list(ctx, "/crl/signature.crl")
	if err != nil {
		return 0, err
	}
	part, err := h.list(ctx, "/crl/signature/0.crl")
	if err != nil {
		return 0, err
	}
	if full.Len() != want || part.Len() < want/32 || part.Len() > want/8 || part.Number.Cmp(full.Number) != 0 {
		return 0, fmt.Errorf("%d entries, and %d on a part, of %d", full.Len(), part.Len(), want)
	}
	return len(full.Raw), nil
}

func (h *house) list(ctx context.Context, path string) (*crl.List, error) {
	der, err := os.ReadFile(filepath.Join(h.dir, "signature.cer"))
	if err != nil {
		return nil, err
	}
	authority, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.origin+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := h.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	der, err = io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return nil, errors.Join(err, errors.New(path+": "+response.Status))
	}
	l, err := crl.Parse(der)
	if err != nil {
		return nil, err
	}
	return l, l.Verify(authority, time.Now())
}

// rest waits until the process has given back what its start took (deriving the key store's
// key takes 64 MiB), a minute at most, and has the largest resident set counted from then on.
func (p *process) rest(ctx context.Context) error {
	for range 60 {
		if held, err := p.memory(); err != nil || held < 64 {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0)
}

// most is the largest resident set that the process had since rest, in MiB.
func (p *process) most() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kB, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kB / 1024, err
		}
	}
	return 0, errors.New("/proc/PID/status has no VmHWM")
}
