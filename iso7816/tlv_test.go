package iso7816_test

import (
	"bytes"
	"errors"
	"testing"

	"warifu/iso7816"
)

func TestTLVReadsTagsAndLengthsOfEveryForm(t *testing.T) {
	for _, c := range []struct {
		octets string
		tag    iso7816.Tag
		n      int
	}{
		{"3000", 0x30, 0}, {"5F3702AABB", 0x5F37, 2}, {"7F218102" + "0102", 0, -1}, {"DF2101FF", 0xDF21, 1},
		{"FF818101 01 00", 0xFF8181, -1}, {"9F8120 01 00", 0x9F8120, 1},
	} {
		object, rest, err := iso7816.ReadTLV(octets(t, c.octets))
		if c.n < 0 {
			if !errors.Is(err, iso7816.ErrTLV) {
				t.Errorf("%s: %v", c.octets, err)
			}
			continue
		}
		if err != nil || object.Tag != c.tag || len(object.Value) != c.n || len(rest) != 0 {
			t.Errorf("%s: %X, %d octets, %v", c.octets, uint32(object.Tag), len(object.Value), err)
		}
	}
	long := iso7816.MakeTLV(0x7F21, make([]byte, 0x233))
	if !bytes.HasPrefix(long, octets(t, "7F21820233")) {
		t.Errorf("%X", long[:5])
	}
	if v, err := iso7816.ParseTLV(long, 0x7F21); err != nil || len(v) != 0x233 {
		t.Errorf("%d, %v", len(v), err)
	}
}

func TestTLVRefusesWhatIsNotStrict(t *testing.T) {
	for rule, s := range map[string]string{
		"nothing": "", "no length": "30", "indefinite": "30800000", "too long": "3003AABB",
		"a length that needs no 81": "308101AA", "a length that needs no 82": "30820080" + "00",
		"a tag that needs one octet": "1F1E00", "a tag with a leading zero": "1F800100", "a tag of four octets": "1F81828300",
		"a length of four octets": "308400000001AA",
	} {
		if _, _, err := iso7816.ReadTLV(octets(t, s)); !errors.Is(err, iso7816.ErrTLV) {
			t.Errorf("%s: %v", rule, err)
		}
	}
	if _, err := iso7816.ParseTLV(octets(t, "300000"), 0x30); err == nil {
		t.Error("an octet after the object was accepted")
	}
	if _, err := iso7816.ParseTLV(octets(t, "3000"), 0x31); err == nil {
		t.Error("another tag was accepted")
	}
}

func TestConstructedTags(t *testing.T) {
	for tag, want := range map[iso7816.Tag]bool{0x30: true, 0x7F21: true, 0xFF30: true, 0x5F37: false, 0xDF21: false, 0x04: false} {
		if tag.Constructed() != want {
			t.Errorf("%X", uint32(tag))
		}
	}
}

func FuzzTLV(f *testing.F) {
	for _, s := range []string{"3000", "5F3702AABB", "DF2101FF", "30820080", "FF40069001019101FF", "1F81828300"} {
		f.Add(octets(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		objects, err := iso7816.ParseTLVs(b)
		if err != nil {
			return
		}
		var again []byte
		for _, o := range objects {
			again = iso7816.AppendTLV(again, o.Tag, o.Value)
		}
		if !bytes.Equal(again, b) {
			t.Fatalf("%X read and written is %X", b, again)
		}
	})
}
