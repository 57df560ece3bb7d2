package reader_test

import (
	"context"
	"io"
	"net"
	"testing"

	"warifu/internal/towntest"
	"warifu/iso7816"
	"warifu/profile"
	"warifu/sandbox/reader"
)

// A chip of another program dials in to the terminal's own virtual reader.
func TestAChipDialsInToAVirtualReader(t *testing.T) {
	town := towntest.New(t)
	card, err := town.Bureau.Card("taro")
	if err != nil {
		t.Fatal(err)
	}
	v := reader.VPCD("127.0.0.1:0")
	t.Cleanup(func() { _ = v.Close() })
	address, err := v.Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	nobody, err := net.Dial("tcp", address) // a port scan is no chip
	if err != nil {
		t.Fatal(err)
	}
	if err := nobody.Close(); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- iso7816.ServeVPCD(context.Background(), address, card, card.ATR()) }()
	if _, err := reader.Prove(t.Context(), v, touch(town, profile.ClassCard, "1217")); err != nil {
		t.Error(err)
	}
	if err := <-served; err != io.EOF {
		t.Errorf("the tap's end: %v", err)
	}
	if _, err := reader.VPCD("192.0.2.1:1").Tap(t.Context()); slug(err) != "reader-unreachable" {
		t.Errorf("an address that is not ours: %v", err)
	}
}

// Whatever octets the other end of the stream sends, the tap ends in a named problem.
func FuzzVirtualChip(f *testing.F) {
	town := towntest.New(f)
	f.Add([]byte{0, 2, 0x3B, 0x00, 0, 2, 0x90, 0x00})
	f.Add([]byte{0xFF, 0xFF})
	f.Add([]byte{0, 1, 0x3B, 0, 3, 0, 0x61, 0x10, 0, 2, 0x6C, 0x20})
	f.Fuzz(func(t *testing.T, octets []byte) {
		here, there := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, there) }()
		go func() { _, _ = there.Write(octets); _ = there.Close() }()
		client := iso7816.NewVPCDClient(here)
		chip := reader.Bounded(piped{client, here}, reader.CommandLimit)
		_, err := reader.Prove(t.Context(), once{chip}, touch(town, profile.ClassCard, "1217"))
		if err == nil || slug(err) == "internal" || slug(err) == "" {
			t.Errorf("%x: %v", octets, err)
		}
	})
}

type piped struct {
	*iso7816.VPCDClient
	conn net.Conn
}

func (p piped) Close() error { return p.conn.Close() }

type once struct{ chip reader.Chip }

func (o once) Tap(context.Context) (reader.Chip, error) { return o.chip, nil }
