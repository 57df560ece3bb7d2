package iso7816_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"warifu/iso7816"
)

func octets(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ISO/IEC 7816-4 §5.1: the four cases, short and extended.
func TestCommandCases(t *testing.T) {
	for _, c := range []struct {
		rule, octets string
		data, ne     int
		extended     bool
	}{
		{"case 1", "00200080", 0, 0, false},
		{"case 2 short", "00B0000004", 0, 4, false},
		{"case 2 short, 00 is 256", "00B0000000", 0, 256, false},
		{"case 3 short", "00A4020C02 0006", 2, 0, false},
		{"case 4 short", "802A008003 010203 00", 3, 256, false},
		{"case 2 extended", "00B00000 000000", 0, 65536, true},
		{"case 3 extended", "80A206C1 000002 0102", 2, 0, true},
		{"case 4 extended", "80A206C1 000002 0102 0100", 2, 256, true},
	} {
		t.Run(c.rule, func(t *testing.T) {
			got, err := iso7816.ParseCommand(octets(t, c.octets))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Data) != c.data || got.Ne != c.ne || got.Extended != c.extended {
				t.Fatalf("%d data, Ne %d, extended %v", len(got.Data), got.Ne, got.Extended)
			}
			again, err := got.Bytes()
			if err != nil || !bytes.Equal(again, octets(t, c.octets)) {
				t.Fatalf("%X, %v", again, err)
			}
		})
	}
}

func TestWhatIsNoCommandIsRefused(t *testing.T) {
	for _, s := range []string{"", "00A404", "00A4040C 03 0102", "00A4040C 01 010203", "00B00000 0000", "00B00000 000000 00", "00B00000 000003 0102"} {
		if _, err := iso7816.ParseCommand(octets(t, s)); !errors.Is(err, iso7816.ErrMalformed) {
			t.Errorf("%q: %v", s, err)
		}
	}
	if _, err := (iso7816.Command{Ne: -1}).Bytes(); err == nil {
		t.Error("a negative Ne was written")
	}
}

func TestCommandsSurviveTheWire(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := iso7816.Command{
			CLA: rapid.Byte().Draw(r, "cla"), INS: rapid.Byte().Draw(r, "ins"),
			P1: rapid.Byte().Draw(r, "p1"), P2: rapid.Byte().Draw(r, "p2"),
			Data: rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(r, "data"),
			Ne:   rapid.SampledFrom([]int{0, 1, 255, 256, 257, 65536}).Draw(r, "ne"),
		}
		b, err := c.Bytes()
		if err != nil {
			r.Fatal(err)
		}
		got, err := iso7816.ParseCommand(b)
		if err != nil {
			r.Fatal(err)
		}
		if got.INS != c.INS || got.Ne != c.Ne || !bytes.Equal(got.Data, c.Data) {
			r.Fatalf("%+v became %+v", c, got)
		}
	})
}

// queue answers one prepared response after another.
func queue(responses ...string) iso7816.Transmitter {
	return iso7816.TransmitterFunc(func(context.Context, []byte) ([]byte, error) {
		if len(responses) == 0 {
			return nil, iso7816.ErrRemoved
		}
		next := responses[0]
		responses = responses[1:]
		return hex.DecodeString(next)
	})
}

// ISO/IEC 7816-4 §5.3.4: 61xx and 6Cxx are followed.
func TestSendFollowsWhatTheChipHasMoreToSay(t *testing.T) {
	ctx := context.Background()
	data, err := iso7816.Send(ctx, queue("01026102", "03049000"), iso7816.Command{INS: 0xB0, Ne: 256})
	if err != nil || hex.EncodeToString(data) != "01020304" {
		t.Errorf("%X, %v", data, err)
	}
	if data, err = iso7816.Send(ctx, queue("6C02", "05069000"), iso7816.Command{INS: 0xB0, Ne: 256}); err != nil || hex.EncodeToString(data) != "0506" {
		t.Errorf("%X, %v", data, err)
	}
	if _, err = iso7816.Send(ctx, queue("63C2"), iso7816.Command{INS: 0x20}); !errors.Is(err, iso7816.RetriesLeft(2)) {
		t.Errorf("%v", err)
	}
	if _, err = iso7816.Send(ctx, queue("6110", "6110"), iso7816.Command{}); !errors.Is(err, iso7816.ErrMalformed) {
		t.Errorf("an endless GET RESPONSE: %v", err)
	}
	if _, err = iso7816.Send(ctx, queue(), iso7816.Command{}); !errors.Is(err, iso7816.ErrRemoved) {
		t.Errorf("%v", err)
	}
}

func TestALogHoldsNoData(t *testing.T) {
	secret := "00200080 0431323334"
	got := iso7816.Redact(octets(t, secret), octets(t, "3132339000"))
	if got != "0020008004 (9) → (3) 9000" {
		t.Errorf("%s", got)
	}
	if got := iso7816.Redact(octets(t, "00200080"), nil); got != "00200080 (4) → -" {
		t.Errorf("%s", got)
	}
}

func FuzzParseCommand(f *testing.F) {
	for _, s := range []string{"00200080", "00B0000000", "00A4020C020006", "802A00800301020300", "00B00000000000", "80A206C100000201020100"} {
		f.Add(octets(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := iso7816.ParseCommand(b)
		if err != nil {
			return
		}
		again, err := c.Bytes()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%X read and written is %X (%v)", b, again, err)
		}
		if shown := iso7816.RedactCommand(b); len(shown) > 2*5+len(" (65544)") {
			t.Fatalf("a log would hold %q", shown)
		}
	})
}

func FuzzParseResponse(f *testing.F) {
	f.Add([]byte{0x90, 0x00})
	f.Add([]byte{1, 2, 3, 0x63, 0xC2})
	f.Add([]byte{0x90})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := iso7816.ParseResponse(b)
		if err != nil {
			return
		}
		if !bytes.Equal(r.Bytes(), b) {
			t.Fatalf("%X read and written is %X", b, r.Bytes())
		}
		_ = r.SW.Error()
	})
}
