package main

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"warifu"
	"warifu/ocsp"
	"warifu/profile"
)

// The size of the question, and how hard it is asked.
const (
	ocspConnections = 32
	ocspRounds      = 3
	ocspSigned      = 20_000 // answers with a nonce in one round
)

// status answers OCSP from what is kept, beside nginx that serves as many octets from a
// file, and signs on the spot, beside cfssl's responder and signer.
func ocspAnswers(ctx context.Context, b *bench) ([]Row, error) {
	ours, err := b.startResponder(ctx, "ocsp", b.certificates)
	if err != nil {
		return nil, err
	}
	defer ours.stop()
	rows, err := besideNginx(ctx, b, ours)
	if err != nil {
		return nil, err
	}
	theirs, err := b.startResponder(ctx, "cfssl-ocsp", cfsslPool)
	if err != nil {
		return rows, err
	}
	defer theirs.stop()
	signed, err := besideCFSSL(ctx, ours, theirs)
	return append(rows, signed...), err
}

// responder is a process that answers OCSP, and what questions to it are made of.
type responder struct {
	*process
	address      string
	issuer       *x509.Certificate
	certificates int
	serials      profile.SerialCipher
	before       []byte // a question without its serial number
}

// startResponder starts this binary as a responder, on the first processor alone, and
// waits until it has got everything ready.
func (b *bench) startResponder(ctx context.Context, what string, certificates int) (*responder, error) {
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ready := filepath.Join(b.dir, what+".cer")
	p, err := start("taskset", "-c", "0", self, what, address, ready, fmt.Sprint(certificates))
	if err != nil {
		return nil, err
	}
	r := &responder{process: p, address: address, certificates: certificates}
	if r.serials, err = benchSerials(); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	der, err := awaitFile(ctx, ready, 10*time.Minute)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w\n%s", what, err, p.said()), p.stop())
	}
	if r.issuer, err = x509.ParseCertificate(der); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return r, r.prepare()
}

// prepare makes the part of a question that all questions share.
func (r *responder) prepare() error {
	der, err := ocsp.Request{CertIDs: []ocsp.CertID{ocsp.NewCertID(crypto.SHA256, r.issuer, serialNumber(r.serials, 0))}}.Marshal()
	if err != nil {
		return err
	}
	r.before = der[:len(der)-profile.SerialLength]
	return nil
}

// benchSerials are the serial numbers of the measured authority: both processes know them.
func benchSerials() (profile.SerialCipher, error) {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		return profile.SerialCipher{}, err
	}
	return profile.NewSerialCipher(byte(warifu.Signature), block)
}

// awaitFile waits for a file that is put in its place whole.
func awaitFile(ctx context.Context, name string, patience time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		b, err := os.ReadFile(name)
		if err == nil || !errors.Is(err, os.ErrNotExist) {
			return b, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// question is a GET about one of the certificates, drawn anew each time.
func (r *responder) question(buffer []byte, draw uint64) []byte {
	der := append(append(make([]byte, 0, 160), r.before...), r.serials.Serial(draw%uint64(r.certificates))...)
	return appendGET(buffer, "/ocsp/signature/", der)
}

// besideNginx compares kept answers with a file of the same size. Rounds alternate.
func besideNginx(ctx context.Context, b *bench, ours *responder) ([]Row, error) {
	path, err := exec.LookPath("nginx")
	if err != nil {
		return nil, errors.New("nginx is not installed (apt-get install nginx-light)")
	}
	size, err := answerSize(ours)
	if err != nil {
		return nil, err
	}
	nginx, address, err := b.startNginx(path, size)
	if err != nil {
		return nil, err
	}
	defer nginx.stop()
	file := func(buffer []byte, draw uint64) []byte { // as long as a question
		return appendPadded(buffer, len(ours.question(nil, draw)))
	}
	var our, their []float64 // µs of CPU a request
	var ourWall, theirWall []float64
	for range ocspRounds {
		l, err := hammer(ctx, ours.process, ours.address, b.questions, ours.question, size)
		if err != nil {
			return nil, err
		}
		our, ourWall = append(our, l.cpu), append(ourWall, l.wall)
		if l, err = hammer(ctx, nginx, address, b.questions, file, size); err != nil {
			return nil, fmt.Errorf("nginx: %w\n%s", err, nginx.said())
		}
		their, theirWall = append(their, l.cpu), append(theirWall, l.wall)
	}
	memory, err := ours.memory()
	if err != nil {
		return nil, err
	}
	return []Row{
		plain("OCSP, kept: certificates asked about", float64(ours.certificates), ""),
		plain("OCSP, kept: octets of an answer", float64(size), ""),
		plain("OCSP, kept: memory, with every answer", memory, "MiB"),
		plain("OCSP, kept: answers a CPU-second", 1e6/median(our), "/s").against("nginx, a file of that size", 1e6/median(their)).ratioAtLeast(1),
		plain("OCSP, kept: answers a second, one core each", 1e6/median(ourWall), "/s").against("nginx, a file of that size", 1e6/median(theirWall)),
	}, nil
}

func median(of []float64) float64 {
	s := slices.Sorted(slices.Values(of))
	return s[len(s)/2]
}

// answerSize asks about one certificate, checks the answer as a relying party does, and
// returns its size; signatures are one octet longer or shorter.
func answerSize(r *responder) (int, error) {
	der, err := askOnce(r.address, r.question(nil, 1))
	if err != nil {
		return 0, err
	}
	answer, err := ocsp.ParseResponse(der)
	if err != nil {
		return 0, err
	}
	if err := answer.Verify(r.issuer, warifu.SystemClock{}.Now()); err != nil {
		return 0, err
	}
	s, err := answer.Find(r.issuer, serialNumber(r.serials, 1))
	if err == nil && s.Status.Cert != warifu.StatusGood {
		err = fmt.Errorf("the status is %v", s.Status)
	}
	return len(der), err
}

func (b *bench) startNginx(path string, size int) (*process, string, error) {
	address, err := freePort()
	if err != nil {
		return nil, "", err
	}
	dir := filepath.Join(b.dir, "nginx")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, "", err
	}
	content := make([]byte, size)
	_, _ = rand.Read(content)
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "answer"), content, 0o644), os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(fmt.Sprintf(nginxConf, dir, address)), 0o644)); err != nil {
		return nil, "", err
	}
	p, err := start("taskset", "-c", "0", path, "-p", dir, "-e", filepath.Join(dir, "error.log"), "-c", filepath.Join(dir, "nginx.conf"))
	if err != nil {
		return nil, "", err
	}
	for range 500 {
		c, err := net.Dial("tcp", address)
		if err == nil {
			return p, address, c.Close()
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil, "", errors.Join(fmt.Errorf("nginx does not start: %s", p.said()), p.stop())
}

// nginxConf serves one file as fast as nginx can: one worker, its descriptor kept, no log.
const nginxConf = `daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
events { worker_connections 1024; use epoll; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  open_file_cache max=10 inactive=1h;
  open_file_cache_valid 1h;
  default_type application/ocsp-response;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {
    root %s;
    listen %s;
    location = /answer { add_header Cache-Control "max-age=60, public, no-transform, must-revalidate"; }
  }
}
`

// besideCFSSL compares signatures on the spot: ours for a nonce of 32 octets, cfssl's for
// any question, as its responder does not know nonces.
func besideCFSSL(ctx context.Context, ours, theirs *responder) ([]Row, error) {
	nonced := func(buffer []byte, draw uint64) []byte {
		nonce := sha256.Sum256(fmt.Append(nil, draw))
		der, err := ocsp.Request{Nonce: nonce[:], CertIDs: []ocsp.CertID{ocsp.NewCertID(crypto.SHA256, ours.issuer, serialNumber(ours.serials, draw%uint64(ours.certificates)))}}.Marshal()
		if err != nil {
			return nil
		}
		return appendGET(buffer, "/ocsp/signature/", der)
	}
	plainly := func(buffer []byte, draw uint64) []byte {
		der := append(append(make([]byte, 0, 160), theirs.before...), theirs.serials.Serial(draw%uint64(theirs.certificates))...)
		return appendGET(buffer, "/", der)
	}
	var our, their []float64
	for range ocspRounds {
		l, err := hammer(ctx, ours.process, ours.address, ocspSigned, nonced, 0)
		if err != nil {
			return nil, err
		}
		our = append(our, l.cpu)
		if l, err = hammer(ctx, theirs.process, theirs.address, ocspSigned/4, plainly, 0); err != nil {
			return nil, fmt.Errorf("cfssl: %w\n%s", err, theirs.said())
		}
		their = append(their, l.cpu)
	}
	return []Row{plain("OCSP, signed on the spot with a nonce: answers a CPU-second", 1e6/median(our), "/s").
		against("cfssl's responder over its signer, P-256, no nonce", 1e6/median(their)).ratioAtLeast(2)}, nil
}
