package chip_test

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"warifu/chip"
	"warifu/iso7816"
)

// seeds are the commands of every script.
func seeds() [][]byte {
	var all [][]byte
	for _, s := range scripts {
		for _, step := range s.steps {
			if b, err := hex.DecodeString(strings.ReplaceAll(step.command, " ", "")); err == nil {
				all = append(all, b)
			}
		}
	}
	return all
}

// FuzzCardTransmit sends two commands of any octets after one that selects: the card
// always answers with a status word, and no counter in memory ever rises unless the
// right secret was among the octets.
func FuzzCardTransmit(f *testing.F) {
	all := seeds()
	for i := range len(all) - 1 {
		f.Add(byte(i), all[i], all[i+1])
	}
	selections := []string{selectJPKI, selectSurface, selectSupport, selectResident, selectCommon}
	f.Fuzz(func(t *testing.T, where byte, first, second []byte) {
		memory := new(chip.Volatile)
		c := newCard(t, memory)
		send(t, c, selectJPKI)
		send(t, c, "0020009B"+ascii("WRONG00")) // so that a counter could rise
		send(t, c, "00200098"+ascii("0000"))
		before := savedCounters(t, memory)
		send(t, c, selections[int(where)%len(selections)])
		for _, command := range [][]byte{first, second} {
			out, err := c.Transmit(context.Background(), command)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := iso7816.ParseResponse(out); err != nil {
				t.Fatal(err)
			}
		}
		both := string(first) + string(second)
		if strings.Contains(both, authenticationPIN) || strings.Contains(both, signaturePassword) {
			return
		}
		after := savedCounters(t, memory)
		if slices.Max([]int{after[0] - before[0], after[1] - before[1]}) > 0 {
			t.Fatalf("a counter rose from %v to %v", before, after)
		}
	})
}
