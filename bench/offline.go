package main

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math"
	"math/big"
	"runtime"
	"syscall"
	"time"

	"warifu"
	"warifu/offline"
	"warifu/profile"
)

// issuedOffline is how many certificates the pack speaks of.
const issuedOffline = 10_000_000

// register is an authority that issued so many certificates, of which the first share is
// revoked; the serial numbers are those of phones, in no order.
type register struct {
	serials profile.SerialCipher
	revoked int
}

func (register) Number(context.Context, time.Time) (uint64, error) { return 1, nil }

func (r register) View(_ context.Context, f func(offline.Census) error) error {
	long := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return f(func(add func(offline.Entry) error) error {
		for i := range issuedOffline {
			e := offline.Entry{Serial: r.serials.Serial(uint64(i)), Status: warifu.Status{Cert: warifu.StatusGood}, Issued: long}
			if i < r.revoked {
				e.Status = warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonKeyCompromise, RevokedAt: long}
			}
			if err := add(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// packs are the size of a pack of ten million certificates beside what information theory
// demands, a token status list before it is signed and a revocation list of the same
// state; what it costs to make, and to look a certificate up.
func packs(ctx context.Context, b *bench) ([]Row, error) {
	var rows []Row
	for _, percent := range []int{1, 5} {
		found, err := pack(ctx, b, percent)
		rows = append(rows, found...)
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

func pack(ctx context.Context, b *bench, percent int) ([]Row, error) {
	now := time.Date(2026, 6, 10, 3, 0, 0, 0, time.UTC)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	issuer, err := authorityOf(key, now)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher([]byte("sixteen octets!!"))
	if err != nil {
		return nil, err
	}
	serials, err := profile.NewSerialCipher(1, block)
	if err != nil {
		return nil, err
	}
	r := register{serials, issuedOffline / 100 * percent}
	signer := func() (*x509.Certificate, crypto.Signer, error) { return issuer, key, nil }
	p := offline.NewPublisher(issuer, r, signer, serials, warifu.ClockFunc(func() time.Time { return now }))
	b.say("  a pack of %d certificates, %d %% revoked", issuedOffline, percent)
	began := processTime()
	if _, err := p.Round(ctx); err != nil {
		return nil, err
	}
	took := processTime() - began
	octets := p.Current().Full.Octets
	share := float64(percent) / 100
	bound := issuedOffline * (-share*math.Log2(share) - (1-share)*math.Log2(1-share)) / 8
	list, err := statusListSize(share)
	if err != nil {
		return nil, err
	}
	crl, err := crlSize(r, issuer, key, now)
	if err != nil {
		return nil, err
	}
	lookup, err := lookupTime(octets, r)
	if err != nil {
		return nil, err
	}
	of := fmt.Sprintf("offline pack, 10,000,000 issued, %d %% revoked: ", percent)
	size := plain(of+"size", float64(len(octets))/1000, "kB")
	return []Row{
		size.against("information theory", bound/1000).ratioAtMost(1.15),
		size.against("2-bit status list, zlib", float64(list)/1000),
		size.against("CRL", float64(crl)/1000),
		plain(of+"making", took.Seconds(), "s of CPU"),
		plain(of+"looking one up, its key computed", lookup, "ns"),
	}, nil
}

func authorityOf(key *ecdsa.PrivateKey, now time.Time) (*x509.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(9, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte{1},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// processTime is the CPU time of this process.
func processTime() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// statusListSize is that of a list with two bits for each certificate and none to spare,
// the revoked ones anywhere in it.
func statusListSize(share float64) (int, error) {
	list := make([]byte, issuedOffline/4)
	limit := uint32(share * (1 << 32))
	draw := make([]byte, 4*4)
	source, err := aes.NewCipher([]byte("sixteen octets!!"))
	if err != nil {
		return 0, err
	}
	counter := make([]byte, 16)
	for i := range list {
		for at := 0; at < 8; at++ {
			counter[at] = byte(i >> (8 * at))
		}
		source.Encrypt(draw, counter)
		for j := range 4 {
			if n := uint32(draw[4*j])<<24 | uint32(draw[4*j+1])<<16 | uint32(draw[4*j+2])<<8 | uint32(draw[4*j+3]); n < limit {
				list[i] |= 1 << (2 * j)
			}
		}
	}
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err != nil {
		return 0, err
	}
	if _, err := w.Write(list); err != nil {
		return 0, err
	}
	err = w.Close()
	return out.Len(), err
}

// crlSize is that of a list with a reason for each, as the standard library writes it.
func crlSize(r register, issuer *x509.Certificate, key *ecdsa.PrivateKey, now time.Time) (int, error) {
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.AddDate(0, 0, 1)}
	for i := range r.revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: new(big.Int).SetBytes(r.serials.Serial(uint64(i))), RevocationTime: now, ReasonCode: 1})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, issuer, key)
	runtime.GC()
	return len(der), err
}

// lookupTime is what one lookup takes in nanoseconds, every hundredth certificate asked;
// a wrong answer is an error.
func lookupTime(octets []byte, r register) (float64, error) {
	p, err := offline.Parse(octets)
	if err != nil {
		return 0, err
	}
	const step = 100
	serials := make([][]byte, 0, issuedOffline/step)
	for i := 0; i < issuedOffline; i += step {
		serials = append(serials, r.serials.Serial(uint64(i)))
	}
	keyer := offline.KeyerOf(p.Issuer)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := threadTime()
	wrong := 0
	for n, serial := range serials {
		if p.Filter.Revoked(keyer.Key(serial)) != (n*step < r.revoked) {
			wrong++
		}
	}
	took := threadTime() - began
	if wrong > 0 {
		return 0, fmt.Errorf("%d wrong answers", wrong)
	}
	return float64(took.Nanoseconds()) / float64(len(serials)), nil
}
