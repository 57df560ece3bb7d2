package iso7816_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"warifu/iso7816"
)

// echo is a chip that answers what it was asked and counts the reader's power.
type echo struct{ off, resets int }

func (e *echo) Transmit(_ context.Context, command []byte) ([]byte, error) {
	if command[1] == 0xEE {
		return nil, iso7816.ErrRemoved
	}
	return append(bytes.Clone(command), 0x90, 0x00), nil
}

func (e *echo) PowerOff() { e.off++ }
func (e *echo) Reset()    { e.resets++ }

var testATR = []byte{0x3B, 0x00}

// connect puts a chip at the other end of a pipe and returns the reader's side, and
// what the chip's side ended with.
func connect(t *testing.T, chip iso7816.Transmitter) (*iso7816.VPCDClient, net.Conn, func() error) {
	t.Helper()
	reader, inside := net.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- iso7816.AnswerVPCD(context.Background(), inside, chip, testATR) }()
	t.Cleanup(func() { _ = reader.Close() })
	return iso7816.NewVPCDClient(reader), reader, func() error { _ = reader.Close(); return <-ended }
}

// docs/card-facts.md §3: only the ATR control is answered; anything longer is an APDU.
func TestVirtualReaderSpeaksToTheChip(t *testing.T) {
	chip := new(echo)
	client, _, end := connect(t, chip)
	if err := client.PowerOn(); err != nil {
		t.Fatal(err)
	}
	if err := client.Reset(); err != nil {
		t.Fatal(err)
	}
	atr, err := client.ATR()
	if err != nil || !bytes.Equal(atr, testATR) {
		t.Fatalf("%X, %v", atr, err)
	}
	out, err := client.Transmit(context.Background(), []byte{0, 0xA4, 0, 0})
	if err != nil || !bytes.Equal(out, []byte{0, 0xA4, 0, 0, 0x90, 0}) {
		t.Fatalf("%X, %v", out, err)
	}
	if _, err := client.Transmit(context.Background(), []byte{4}); !errors.Is(err, iso7816.ErrMalformed) {
		t.Errorf("a control went out as a command: %v", err)
	}
	if err := client.PowerOff(); err != nil {
		t.Fatal(err)
	}
	if err := end(); !errors.Is(err, io.EOF) {
		t.Errorf("ended with %v", err)
	}
	if chip.resets != 1 || chip.off != 2 { // the second when the reader went away
		t.Errorf("%d resets, %d times off", chip.resets, chip.off)
	}
}

func TestATornChipEndsTheConversation(t *testing.T) {
	client, _, end := connect(t, new(echo))
	if _, err := client.Transmit(context.Background(), []byte{0, 0xEE, 0, 0}); !errors.Is(err, iso7816.ErrRemoved) {
		t.Errorf("the reader heard %v", err)
	}
	if err := end(); !errors.Is(err, iso7816.ErrRemoved) {
		t.Errorf("the chip ended with %v", err)
	}
}

func TestAnEmptyMessageIsNoMessage(t *testing.T) {
	_, reader, end := connect(t, new(echo))
	if _, err := reader.Write([]byte{0, 0}); err != nil {
		t.Fatal(err)
	}
	if err := end(); !errors.Is(err, iso7816.ErrMalformed) {
		t.Errorf("ended with %v", err)
	}
}

func TestServingStopsWithItsContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- iso7816.ServeVPCD(ctx, listener.Addr().String(), new(echo), testATR) }()
	reader, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	if _, err := iso7816.NewVPCDClient(reader).ATR(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

// duplex reads from one side and writes to another.
type duplex struct {
	io.Reader
	io.Writer
}

func (duplex) Close() error { return nil }

func FuzzVPCD(f *testing.F) {
	f.Add([]byte{0, 1, 4, 0, 4, 0, 0xA4, 0, 0, 0, 1, 0})
	f.Add([]byte{0, 0})
	f.Add([]byte{0xFF, 0xFF, 1})
	f.Add([]byte{0, 2, 0, 0xEE})
	f.Fuzz(func(t *testing.T, b []byte) {
		var out bytes.Buffer
		err := iso7816.AnswerVPCD(context.Background(), duplex{bytes.NewReader(b), &out}, new(echo), testATR)
		if err == nil {
			t.Fatal("a stream that ends is not a good end")
		}
		client := iso7816.NewVPCDClient(duplex{bytes.NewReader(b), io.Discard})
		_, _ = client.ATR()
		_, _ = client.Transmit(context.Background(), []byte{0, 0, 0, 0})
	})
}
