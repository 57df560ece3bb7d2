package offline_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/ocsp"
	"warifu/offline"
	"warifu/profile"
	"warifu/status"
)

// plainSerials has the index stand in the serial number as it is.
type plainSerials struct{}

func (plainSerials) Index(serial []byte) (uint64, bool) {
	if len(serial) != 9 || serial[0] != 0x42 {
		return 0, false
	}
	return binary.BigEndian.Uint64(serial[1:]), true
}

func serialOf(index int) []byte { return binary.BigEndian.AppendUint64([]byte{0x42}, uint64(index)) }

// life is one certificate as the plain register has it.
type life struct {
	entry       offline.Entry
	certificate *x509.Certificate
}

// plainRegister is an authority's whole record in memory, with its clock.
type plainRegister struct {
	house
	now    time.Time
	number uint64
	lives  []*life
	away   bool // Number fails
}

func (r *plainRegister) Now() time.Time { return r.now }

func (r *plainRegister) Number(context.Context, time.Time) (uint64, error) {
	if r.away {
		return 0, errors.New("away")
	}
	r.number++
	return r.number, nil
}

func (r *plainRegister) View(_ context.Context, f func(offline.Census) error) error {
	return f(func(add func(offline.Entry) error) error {
		for _, l := range r.lives {
			if err := add(l.entry); err != nil {
				return err
			}
		}
		return nil
	})
}

// Status implements status.Source.
func (r *plainRegister) Status(_ context.Context, kind warifu.Kind, serial []byte) (warifu.StatusRecord, bool, error) {
	index, _ := plainSerials{}.Index(serial)
	if index >= uint64(len(r.lives)) {
		return warifu.StatusRecord{}, false, nil
	}
	return warifu.StatusRecord{Kind: kind, Serial: serial, Status: r.lives[index].entry.Status}, true, nil
}

func (r *plainRegister) publisher() *offline.Publisher {
	p := offline.NewPublisher(r.issuer, r, func() (*x509.Certificate, crypto.Signer, error) { return r.responder, r.key, nil }, plainSerials{}, r)
	p.StatusLists = "https://authority.example/offline/signature/status-list"
	return p
}

// issue issues a certificate now. Its notBefore is the beginning of the day in Japan or,
// on the authority's first day, the authority's.
func (r *plainRegister) issue(days int) *life {
	y, m, d := r.now.In(profile.Japan).Date()
	begin := time.Date(y, m, d, 0, 0, 0, 0, profile.Japan)
	if r.issuer.NotBefore.After(begin) {
		begin = r.issuer.NotBefore
	}
	serial := serialOf(len(r.lives))
	l := &life{
		entry:       offline.Entry{Serial: serial, Issued: r.now, NotAfter: r.now.AddDate(0, 0, days).Truncate(time.Second)},
		certificate: &x509.Certificate{SerialNumber: new(big.Int).SetBytes(serial), NotBefore: begin},
	}
	l.certificate.NotAfter = l.entry.NotAfter
	r.lives = append(r.lives, l)
	return l
}

func (l *life) set(s warifu.Status) { l.entry.Status = s }

var (
	good = warifu.Status{Cert: warifu.StatusGood}
	held = warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold, RevokedAt: now}
	gone = warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonKeyCompromise, RevokedAt: now}
)

// told is what a reader of the newest that can be had finds.
func (r *plainRegister) told(t fataler, p *offline.Publisher) func(*x509.Certificate) warifu.Status {
	read := func(d offline.Document) *offline.SignedPack {
		s, err := offline.Parse(d.Octets)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(r.issuer, r.now); err != nil {
			t.Fatal(err)
		}
		return s
	}
	published := p.Current()
	full := read(published.Full)
	if published.Delta == nil {
		return func(c *x509.Certificate) warifu.Status { return full.Status(nil, c) }
	}
	delta := read(*published.Delta)
	return func(c *x509.Certificate) warifu.Status { return delta.Status(&full.Pack, c) }
}

type fataler interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

// ask asks an OCSP responder over the register about everything that was ever issued.
func (r *plainRegister) ask(t fataler) []warifu.Status {
	responder := status.NewResponder(warifu.Signature, r.issuer, r, func() (status.Delegate, error) {
		return status.Delegate{Certificate: r.responder, Key: r.key}, nil
	}, r)
	var out []warifu.Status
	for some := range slices.Chunk(r.lives, 8) {
		var q ocsp.Request
		for _, l := range some {
			q.CertIDs = append(q.CertIDs, ocsp.NewCertID(crypto.SHA256, r.issuer, l.certificate.SerialNumber))
		}
		der, err := q.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		answer, err := ocsp.ParseResponse(responder.Answer(context.Background(), der))
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range some {
			single, err := answer.Find(r.issuer, l.certificate.SerialNumber)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, single.Status)
		}
	}
	return out
}

// same compares what a pack tells with what OCSP told: a pack tells no time, and no
// reason but a hold's.
func same(pack, asked warifu.Status) bool {
	return pack.Cert == asked.Cert && (pack.Reason == warifu.ReasonCertificateHold) == (asked.Reason == warifu.ReasonCertificateHold)
}

func TestPacksAnswerAsOCSPDoesForWhatTheyCoverAndUnknownForAllElse(t *testing.T) {
	h := newHouse(t)
	rapid.Check(t, func(t *rapid.T) {
		r := &plainRegister{house: h, now: now}
		p := r.publisher()
		p.Life = 240 * time.Hour
		pick := func(t *rapid.T) *life {
			if len(r.lives) == 0 {
				t.Skip("nobody yet")
			}
			return r.lives[rapid.IntRange(0, len(r.lives)-1).Draw(t, "who")]
		}
		arrow := func(s warifu.Status, from ...warifu.Status) func(*rapid.T) {
			return func(t *rapid.T) {
				if l := pick(t); slices.Contains(from, l.entry.Status) {
					l.set(s)
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"issue":    func(t *rapid.T) { r.issue(rapid.IntRange(1, 12).Draw(t, "days")) },
			"activate": arrow(good, warifu.Status{}),
			"suspend":  arrow(held, good, warifu.Status{}),
			"resume":   arrow(good, held),
			"revoke":   arrow(gone, good, held, warifu.Status{}),
			"wait": func(t *rapid.T) {
				r.now = r.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "hours")) * time.Hour / 2)
			},
			"restart": func(*rapid.T) { p = r.publisher() },
			"publish": func(t *rapid.T) {
				if r.now.After(r.responder.NotAfter.Add(-time.Hour)) {
					t.Skip("the responder has ended")
				}
				made, err := p.Round(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				if !made {
					return
				}
				tell, asked := r.told(t, p), r.ask(t)
				for i, l := range r.lives {
					got := tell(l.certificate)
					if l.certificate.NotAfter.Before(r.now.Truncate(time.Second)) {
						if got.Cert != warifu.StatusUnknown {
							t.Fatalf("certificate %d has expired: %+v", i, got)
						}
						continue
					}
					if !same(got, asked[i]) {
						t.Fatalf("certificate %d of %v at %v: the pack says %+v, OCSP %+v", i, l.certificate.NotBefore, r.now, got, asked[i])
					}
				}
				for i := range 3 { // what is issued from now on
					l := r.issue(9)
					l.set([]warifu.Status{good, held, gone}[i])
					if got := tell(l.certificate); got.Cert != warifu.StatusUnknown {
						t.Fatalf("a certificate issued after the pack: %+v", got)
					}
				}
			},
		})
	})
}
