package terminal_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/iso7816"
	"warifu/jpki"
	"warifu/sandbox/doctor/terminal"
	"warifu/verify"
)

// own is a terminal as one writes it on package jpki: the good one where nothing is planted,
// and a twin of it that differs in one fault alone.
type own struct {
	verifier *verify.Verifier
	clock    warifu.Clock
	limit    time.Duration // of one command
	fault    string
}

// Try implements terminal.Subject.
func (o *own) Try(ctx context.Context, chip iso7816.Transmitter, p terminal.Person) (accepted bool, said string, err error) {
	var out strings.Builder
	if o.fault == "waits for a chip forever" && chip == nil {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return false, "", ctx.Err()
	}
	if chip == nil {
		return false, "no card", nil
	}
	if p, is := chip.(iso7816.Powered); is && o.fault != "leaves power" {
		defer p.PowerOff()
	}
	who, err := o.transaction(ctx, limited{chip, o.limit, &out, o.fault}, p, &out)
	if ctx.Err() != nil {
		return false, out.String(), ctx.Err()
	}
	if err != nil {
		fmt.Fprintln(&out, err)
		return false, out.String(), nil
	}
	fmt.Fprintln(&out, "welcome", who)
	return true, out.String(), nil
}

func (o *own) transaction(ctx context.Context, chip iso7816.Transmitter, p terminal.Person, out *strings.Builder) (string, error) {
	token, err := jpki.Select(ctx, chip)
	if err != nil {
		return "", err
	}
	label := token.Label()
	if o.fault != "takes any token" && label != jpki.LabelCard {
		return "", errors.New("an unknown token")
	}
	if o.fault == "sends what is no business" {
		_, _ = iso7816.Send(ctx, chip, iso7816.Command{INS: 0xCA, P1: 0x00, P2: 0x42, Ne: 256})
	}
	if left, err := token.TriesLeft(ctx, warifu.Authentication); o.fault != "spends the last try" && (err != nil || left < 2) {
		return "", fmt.Errorf("%d tries left", left)
	}
	if o.fault == "writes the PIN" {
		fmt.Fprintf(out, "VERIFY %X\n", p.PIN)
		fmt.Fprintf(out, "VERIFY %s\n", p.PIN)
	}
	pin := warifu.NewCardPIN([]byte(p.PIN))
	err = token.VerifyCard(ctx, warifu.Authentication, pin)
	if err != nil && o.fault == "tries again" {
		err = token.VerifyCard(ctx, warifu.Authentication, pin)
	}
	if err != nil {
		return "", err
	}
	return o.proof(ctx, chip, token)
}

func (o *own) proof(ctx context.Context, chip iso7816.Transmitter, token *jpki.Token) (string, error) {
	der, err := token.Certificate(ctx, warifu.Authentication)
	if err != nil {
		return "", err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, 32)
	if o.fault != "asks the same again" {
		_, _ = rand.Read(nonce) // never fails (crypto/rand)
	}
	now := o.clock.Now() // a town's clock stands
	question := attest.Presence{Purpose: "login", ClientID: "own", Origin: "https://own.example", Nonce: nonce, Transaction: "t", Time: now.UTC().Truncate(time.Second)}
	digest := question.Digest()
	signature, err := token.Sign(ctx, warifu.Authentication, jpki.DigestInfoSHA256(digest))
	if o.fault == "signs twice" && err == nil {
		signature, err = token.Sign(ctx, warifu.Authentication, jpki.DigestInfoSHA256(digest))
	}
	if err != nil {
		return "", err
	}
	return o.judged(ctx, question, certificate, signature)
}

// errNotGood is a person who is not let in.
var errNotGood = errors.New("not good")

func (o *own) judged(ctx context.Context, question attest.Presence, c *x509.Certificate, signature []byte) (string, error) {
	r, err := o.verifier.Presence(ctx, question, c, signature, verify.Policy{})
	if err != nil {
		return "", err
	}
	if r.Verdict == verify.Good {
		return c.Subject.CommonName, nil
	}
	if o.fault == "asks for no status" && r.Status.Cert == warifu.StatusRevoked {
		return c.Subject.CommonName, nil
	}
	return "", fmt.Errorf("%w: %w", errNotGood, r.Err())
}

// limited bounds each command, as every terminal has to.
type limited struct {
	iso7816.Transmitter
	limit time.Duration
	out   *strings.Builder
	fault string
}

// Transmit implements iso7816.Transmitter.
func (l limited) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	bounded, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	answer, err := l.Transmitter.Transmit(bounded, command)
	if l.fault == "waits for an answer forever" && errors.Is(err, context.DeadlineExceeded) {
		<-ctx.Done()
	}
	return answer, err
}
