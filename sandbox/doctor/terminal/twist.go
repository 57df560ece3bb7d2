package terminal

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"time"

	"warifu/iso7816"
	"warifu/jpki"
)

// on does something at the first command of a step and leaves all others to the chip.
func on(s step, do twist) func() twist {
	return func() twist {
		return func(ctx context.Context, at int, now step, command []byte, sound answer) ([]byte, error) {
			if now != s {
				return sound()
			}
			return do(ctx, at, now, command, sound)
		}
	}
}

// says answers with octets that are none of the chip's.
func says(octets ...byte) twist {
	return func(context.Context, int, step, []byte, answer) ([]byte, error) { return octets, nil }
}

// torn is a chip that is taken away before it answers.
func torn(context.Context, int, step, []byte, answer) ([]byte, error) {
	return nil, iso7816.ErrRemoved
}

// tornAfter is one that is taken away at the command after the first of a step.
func tornAfter(s step) func() twist {
	return func() twist {
		gone := false
		return func(_ context.Context, _ int, now step, _ []byte, sound answer) ([]byte, error) {
			if gone {
				return nil, iso7816.ErrRemoved
			}
			gone = now == s
			return sound()
		}
	}
}

// slow takes its time over every answer.
func slow(length time.Duration) func() twist {
	return func() twist {
		return func(ctx context.Context, _ int, _ step, _ []byte, sound answer) ([]byte, error) {
			timer := time.NewTimer(length)
			defer timer.Stop()
			select {
			case <-timer.C:
				return sound()
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}
}

// silent never answers.
func silent(ctx context.Context, _ int, _ step, _ []byte, _ answer) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// reads changes what READ BINARY of one file returns: change gets the file as it is.
func reads(file jpki.FileID, change func([]byte) []byte) func(w *watched) twist {
	return func(w *watched) twist {
		var once sync.Once
		var content []byte
		return func(ctx context.Context, _ int, s step, command []byte, sound answer) ([]byte, error) {
			if s != stepRead || w.current() != file {
				return sound()
			}
			c, err := iso7816.ParseCommand(command)
			if err != nil {
				return sound()
			}
			once.Do(func() { content = change(whole(ctx, w.chip)) })
			offset := int(c.P2)
			if c.P1&0x80 == 0 {
				offset |= int(c.P1) << 8
			}
			if offset >= len(content) {
				return []byte{0x6B, 0x00}, nil
			}
			part := content[offset:min(offset+max(c.Ne, 1), len(content))]
			return append(bytes.Clone(part), 0x90, 0x00), nil
		}
	}
}

// maxFile bounds a file of a chip in octets.
const maxFile = 8 << 10

// whole reads the current file of a chip.
func whole(ctx context.Context, chip iso7816.Transmitter) (out []byte) {
	for len(out) < maxFile {
		part, err := iso7816.Send(ctx, chip, iso7816.Command{INS: insRead, P1: byte(len(out) >> 8), P2: byte(len(out)), Ne: 256})
		if err != nil || len(part) == 0 {
			return out
		}
		out = append(out, part...)
	}
	return out
}

// replay is a chip that answers every question with the signature it gave to the first.
type replay struct {
	mu    sync.Mutex
	first []byte
}

func (r *replay) twist() twist {
	return on(stepSign, func(_ context.Context, _ int, _ step, _ []byte, sound answer) ([]byte, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		answered, err := sound()
		if r.first == nil && err == nil {
			r.first = bytes.Clone(answered)
		}
		if err != nil {
			return nil, err
		}
		return r.first, nil
	})()
}

// stranger is a certificate of an authority that nobody trusts, with the key's owner made to
// look like that of the given one.
func stranger(der []byte) []byte {
	old, err := x509.ParseCertificate(der)
	if err != nil {
		return der
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return der
	}
	issuer := &x509.Certificate{Subject: old.Issuer, RawSubject: old.RawIssuer}
	template := &x509.Certificate{
		SerialNumber: new(big.Int).Set(old.SerialNumber), Subject: pkix.Name{}, RawSubject: old.RawSubject,
		NotBefore: old.NotBefore, NotAfter: old.NotAfter, KeyUsage: old.KeyUsage, ExtKeyUsage: old.ExtKeyUsage,
		PolicyIdentifiers: old.PolicyIdentifiers, OCSPServer: old.OCSPServer, CRLDistributionPoints: old.CRLDistributionPoints,
	}
	made, err := x509.CreateCertificate(rand.Reader, template, issuer, old.PublicKey, key)
	if err != nil {
		return der
	}
	return made
}
