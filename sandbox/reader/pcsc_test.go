//go:build linux

package reader_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"warifu/internal/pcsctest"
	"warifu/internal/towntest"
	"warifu/iso7816"
	"warifu/profile"
	"warifu/sandbox/reader"
	"warifu/verify"
)

// pulled is a card that can be pulled out under a command, or answer late.
type pulled struct {
	iso7816.Transmitter
	count, at atomic.Int32 // pulled out at that command, where at is not zero
	late      atomic.Pointer[chan struct{}]
}

func (p *pulled) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if n := p.count.Add(1); p.at.Load() != 0 && n >= p.at.Load() {
		return nil, iso7816.ErrRemoved
	}
	if wait := p.late.Load(); wait != nil {
		<-*wait
	}
	return p.Transmitter.Transmit(ctx, command)
}

// PowerOff and Reset implement iso7816.Powered.
func (p *pulled) PowerOff() { p.Transmitter.(iso7816.Powered).PowerOff() }
func (p *pulled) Reset()    {}

// A card on a real PC/SC reader proves presence as one in the demo does; taken away under a
// command it is a named problem, and the reader serves again.
func TestACardProvesPresenceThroughPCSC(t *testing.T) {
	town := towntest.New(t)
	card, err := town.Bureau.Card("taro")
	if err != nil {
		t.Fatal(err)
	}
	chip := &pulled{Transmitter: card}
	stack := pcsctest.Start(t, pcsctest.Chip{Chip: chip, ATR: card.ATR()})
	t.Setenv("PCSCLITE_CSOCK_NAME", stack.Socket())
	names, err := reader.Readers()
	if err != nil || len(names) == 0 || strings.ContainsRune(names[0], 0) || !strings.Contains(names[0], "Virtual PCD") {
		t.Fatalf("%q, %v", names, err)
	}
	source := reader.PCSC(names[0])
	for _, s := range []reader.Source{source, source, reader.PCSC("PCD 00 00")} { // by its name, once more, and by a part of it
		proof, err := reader.Prove(t.Context(), s, touch(town, profile.ClassCard, "1217"))
		if err != nil {
			t.Fatalf("%v\n%s", err, stack.Log())
		}
		if result, err := town.Verifier.Presence(t.Context(), question(town), proof.Certificate, proof.Signature, verify.Policy{}); err != nil || result.Verdict != verify.Good {
			t.Errorf("%+v, %v", result, err)
		}
	}
	if _, err := reader.Prove(t.Context(), source, touch(town, profile.ClassPhone, "1217")); slug(err) != "not-a-phone" {
		t.Error(err)
	}
	if _, err := reader.PCSC("No such reader").Tap(t.Context()); slug(err) != "reader-unknown" {
		t.Error(err)
	}
	if _, err := reader.PCSC("Virtual PCD").Tap(t.Context()); slug(err) != "reader-ambiguous" {
		t.Error(err)
	}
	holdsAlone(t, source)
	slowOverPCSC(t, town, source, chip)
	chip.at.Store(chip.count.Load() + 4)
	if _, err := reader.Prove(t.Context(), source, touch(town, profile.ClassCard, "1217")); slug(err) != "chip-removed" {
		t.Errorf("torn away: %v\n%s", err, stack.Log())
	}
}

// holdsAlone: what one terminal has opened no other program uses.
func holdsAlone(t *testing.T, source reader.Source) {
	t.Helper()
	held, err := source.Tap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.PCSC("PCD 00 00").Tap(t.Context()); slug(err) != "reader-in-use" {
		t.Errorf("a second terminal: %v", err)
	}
	if err := held.Close(); err != nil {
		t.Error(err)
	}
}

// slowOverPCSC: a card that answers too late is not taken for another program's, but waited for.
func slowOverPCSC(t *testing.T, town *towntest.Town, source reader.Source, chip *pulled) {
	t.Helper()
	wait := make(chan struct{})
	chip.late.Store(&wait)
	held, err := source.Tap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slow := reader.Bounded(held, 50*time.Millisecond)
	if _, err := slow.Transmit(t.Context(), []byte{0, 0xA4, 4, 0x0C}); slug(err) != "chip-slow" {
		t.Errorf("slow: %v", err)
	}
	if err := slow.Close(); err != nil {
		t.Error(err)
	}
	brief, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := source.Tap(brief); slug(err) != "reader-no-card" {
		t.Errorf("while it is slow: %v", err)
	}
	chip.late.Store(nil)
	close(wait)
	if _, err := reader.Prove(t.Context(), source, touch(town, profile.ClassCard, "1217")); err != nil {
		t.Errorf("after a slow one: %v", err)
	}
}

func TestWithoutPCSCTheReaderSaysSo(t *testing.T) {
	t.Setenv("PCSCLITE_CSOCK_NAME", t.TempDir()+"/none")
	if _, err := reader.PCSC("any").Tap(t.Context()); slug(err) != "reader-unreachable" {
		t.Error(err)
	}
	if _, err := reader.Readers(); slug(err) != "reader-unreachable" {
		t.Error(err)
	}
}
