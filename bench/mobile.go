package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// withHours writes a shipped scheme with other hours to a file and returns its name.
func (b *bench) withHours(scheme, hours string) (string, error) {
	text, err := os.ReadFile(filepath.Join("..", "scheme", "files", scheme+".toml"))
	if err != nil {
		return "", err
	}
	head, rest, _ := strings.Cut(string(text), "[hours]")
	_, tail, _ := strings.Cut(rest, "\n[") // the next table
	file := filepath.Join(b.dir, scheme+"-bench.toml")
	return file, os.WriteFile(file, []byte(head+"[hours]\nzone = \"Asia/Tokyo\"\n"+hours+"\n["+tail), 0o600)
}

// mobileApplications are few: a chip makes two RSA-2048 keys for each.
const mobileApplications = 40

// mobile is what the default scheme costs, whose certificates are signed with RSA-2048.
func mobile(ctx context.Context, b *bench) ([]Row, error) {
	scheme, err := b.withHours("jp-mobile", "always = true")
	if err != nil {
		return nil, err
	}
	at := b.site("mobile", scheme)
	h, err := open(ctx, at)
	if err != nil {
		return nil, err
	}
	defer h.close()
	applicants, err := h.prepare(ctx, 0, mobileApplications)
	if err != nil {
		return nil, err
	}
	if err := h.begin(ctx, at); err != nil {
		return nil, err
	}
	records, err := h.books()
	if err != nil {
		return nil, err
	}
	defer records.db.Close()
	if _, err := h.issue(ctx, records, applicants[:8], 0); err != nil { // warm
		return nil, err
	}
	s, err := h.issue(ctx, records, applicants[8:], 16)
	if err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	signing := cost(func() { _, _ = rsa.SignPKCS1v15(nil, key, crypto.SHA256, make([]byte, 32)) })
	return []Row{
		plain("issuance, jp-mobile: CPU of a certificate", s.each(), "µs").against("of it the RSA-2048 signature", float64(signing)/float64(time.Microsecond)),
	}, nil
}
