package globalplatform_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"warifu/globalplatform"
	"warifu/iso7816"
)

func TestCommandsAreThoseOfTheCardSpecification(t *testing.T) {
	aid := []byte{0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0, 0, 0, 1}
	for want, c := range map[string]iso7816.Command{
		"00a4040c0ad392f000260100000001":               globalplatform.Select(aid),
		"80e620001000000ad392f00026010000000100000000": globalplatform.InstallPersonalize(aid),
		"80f24002024f0000":                             globalplatform.GetStatus(globalplatform.RegistryApplications, nil),
		"80f0400f0ad392f000260100000001":               globalplatform.SetStatus(globalplatform.RegistryApplications, 0x0F, aid),
		"80ca006600":                                   globalplatform.GetData(0x66),
		"80e400000c4f0ad392f00026010000000100":         globalplatform.Delete(aid),
	} {
		got, err := c.Bytes()
		if err != nil || hex.EncodeToString(got) != want {
			t.Errorf("%x, want %s", got, want)
		}
	}
}

func TestInstallRoundTripsAndRefusesTruncation(t *testing.T) {
	c := globalplatform.InstallApplication([]byte{1, 2, 3, 4, 5}, []byte{6}, []byte{7, 8}, []byte{0}, []byte{0xC9, 0})
	in, err := globalplatform.ParseInstall(c)
	if err != nil || !bytes.Equal(in.Application, []byte{7, 8}) || !bytes.Equal(in.Parameters, []byte{0xC9, 0}) || in.For != 0x0C {
		t.Fatalf("%+v %v", in, err)
	}
	for n := range c.Data {
		cut := c
		cut.Data = c.Data[:n]
		if _, err := globalplatform.ParseInstall(cut); !errors.Is(err, iso7816.SWWrongData) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
}

func TestStoreDataArrivesWholeOrNotAtAll(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		object := rapid.SliceOfN(rapid.Byte(), 1, 2000).Draw(r, "object")
		blocks := globalplatform.StoreData(object)
		lost := rapid.IntRange(-1, len(blocks)-1).Draw(r, "lost")
		var in globalplatform.StoreBlocks
		var whole []byte
		for i, c := range blocks {
			if i == lost {
				continue
			}
			got, err := in.Add(c, 4096)
			if (err != nil) && lost < 0 {
				r.Fatal(err)
			}
			if got != nil {
				whole = got
			}
		}
		if lost < 0 && !bytes.Equal(whole, object) {
			r.Fatalf("%d octets of %d", len(whole), len(object))
		}
		if lost >= 0 && whole != nil {
			r.Fatal("an object with a hole arrived")
		}
	})
	var in globalplatform.StoreBlocks
	if _, err := in.Add(globalplatform.StoreData(make([]byte, 200))[0], 100); !errors.Is(err, iso7816.SWNotEnoughMemory) {
		t.Fatal(err)
	}
}

func TestLivesMoveOnlyAlongTheirArrows(t *testing.T) {
	cards := []globalplatform.CardState{1, 7, 15, 0x7F, 0xFF}
	allowed := map[[2]globalplatform.CardState]bool{{1, 7}: true, {7, 15}: true, {15, 0x7F}: true, {0x7F, 15}: true}
	for _, from := range cards {
		for _, to := range cards {
			want := allowed[[2]globalplatform.CardState{from, to}] || to == 0xFF && from != 0xFF
			if from.Allows(to) != want {
				t.Errorf("%v to %v: %v", from, to, !want)
			}
		}
	}
	applications := []globalplatform.ApplicationState{3, 7, 15, 0x83, 0x87, 0x8F}
	for _, from := range applications {
		for _, to := range applications {
			want := from^to == 0x80 || !from.Locked() && !to.Locked() && to > from
			if from.Allows(to) != want {
				t.Errorf("%v to %v: %v", from, to, !want)
			}
		}
	}
}

func FuzzParseInstall(f *testing.F) {
	f.Add(globalplatform.InstallPersonalize([]byte{1, 2, 3, 4, 5}).Data)
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := globalplatform.ParseInstall(iso7816.Command{P1: 0x20, Data: data})
		if err == nil && len(in.Application) > len(data) {
			t.Fatal("longer than what it was read from")
		}
	})
}
