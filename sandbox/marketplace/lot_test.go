package marketplace_test

import (
	"strings"
	"testing"
	"time"

	"warifu/internal/worldtest"
	"warifu/sandbox/marketplace"
)

func at(t testing.TB, instant string) time.Time {
	t.Helper()
	out, err := time.Parse(time.RFC3339, instant)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const head = "imei,proof,element\n"

func TestATableIsReadStrictly(t *testing.T) {
	rows, err := marketplace.ParseLot("\ufeff" + head + "490154203237518, \"WARIFU-CLEAN1:AA\",\r\n356938035643809,,00112233445566778899aabbccddeeff\n")
	if err != nil || len(rows) != 2 || rows[0].Proof != "WARIFU-CLEAN1:AA" || rows[1].Element == "" {
		t.Fatalf("%+v, %v", rows, err)
	}
	for what, c := range map[string]struct{ table, slug string }{
		"no head":             {"490154203237518,x,\n", "marketplace-table-malformed"},
		"nothing below it":    {head, "marketplace-table-malformed"},
		"a wrong check digit": {head + "490154203237519,x,\n", "marketplace-table-malformed"},
		"proof and chip":      {head + "490154203237518,x,00112233445566778899aabbccddeeff\n", "marketplace-table-malformed"},
		"neither":             {head + "490154203237518,,\n", "marketplace-table-malformed"},
		"a chip that is none": {head + "490154203237518,,12\n", "marketplace-table-malformed"},
		"an open quote":       {head + "490154203237518,\"x,\n", "marketplace-table-malformed"},
		"too many rows":       {head + strings.Repeat("490154203237518,x,\n", 201), "marketplace-table-too-large"},
		"too much":            {strings.Repeat(" ", 1<<20+1), "marketplace-table-too-large"},
	} {
		if _, err := marketplace.ParseLot(c.table); worldtest.Slug(err) != c.slug {
			t.Errorf("%s: %v, want %s", what, err, c.slug)
		}
	}
}

func FuzzParseLot(f *testing.F) {
	f.Add(head + "490154203237518,x,\n")
	f.Add(head + "356938035643809,,00112233445566778899aabbccddeeff\n")
	f.Add(head + "\"")
	f.Fuzz(func(t *testing.T, table string) {
		rows, err := marketplace.ParseLot(table)
		if err != nil && !strings.HasPrefix(worldtest.Slug(err), "marketplace-table-") {
			t.Errorf("%q: %v", table, err)
		}
		for _, r := range rows {
			if len(r.IMEI) != 15 || (r.Proof == "") == (r.Element == "") {
				t.Errorf("%q was read as %+v", table, r)
			}
		}
	})
}
