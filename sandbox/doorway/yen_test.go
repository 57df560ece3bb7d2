package doorway_test

import (
	"testing"

	"warifu/sandbox/doorway"
	"warifu/text"
)

func TestAmountsAreWrittenAsPeopleReadThem(t *testing.T) {
	for amount, want := range map[int]string{0: "0円", 999: "999円", 52_000: "52,000円", -1_238_900: "-1,238,900円", 1_000_000: "1,000,000円"} {
		if got := (doorway.Page{Lang: text.Japanese}).Yen(amount); got != want {
			t.Errorf("%d is %s, want %s", amount, got, want)
		}
	}
	if got := (doorway.Page{Lang: text.English}).Yen(1200); got != "1,200 yen" {
		t.Error(got)
	}
}
