package catalogue_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"warifu"
	"warifu/catalogue"
)

func anyModel(rt *rapid.T) catalogue.Model {
	word := rapid.StringMatching(`[A-Za-z0-9=+@'"あ機,;#(-][A-Za-z0-9 "',機=-]{0,20}[A-Za-z0-9種'"]`)
	date := rapid.SampledFrom([]catalogue.Date{"2023-05-11", "2024-02-29", "2026-12-31"})
	m := catalogue.Model{
		ID: rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9 ._,()+/-]{0,20}[A-Za-z0-9)+-]`).Draw(rt, "id"), Maker: word.Draw(rt, "maker"),
		Names:    rapid.SliceOfNDistinct(word, 1, 4, rapid.ID[string]).Draw(rt, "names"),
		Platform: rapid.SampledFrom([]catalogue.Platform{catalogue.Android, catalogue.IOS}).Draw(rt, "platform"),
		Market:   catalogue.MarketJapan, SecureElement: rapid.Bool().Draw(rt, "se"), Since: date.Draw(rt, "since"),
		MinAppVersion: rapid.IntRange(0, 100).Draw(rt, "app"), Biometric: catalogue.BiometricClass2, NFC: catalogue.NFCTop,
		Verification: catalogue.Verification{Result: catalogue.Pending}, Sample: rapid.Bool().Draw(rt, "sample"),
	}
	if rapid.Bool().Draw(rt, "carriers") {
		m.Carriers = rapid.SliceOfNDistinct(word, 1, 4, rapid.ID[string]).Draw(rt, "sold by")
	}
	if rapid.Bool().Draw(rt, "verified") {
		m.Verification = catalogue.Verification{By: word.Draw(rt, "by"), On: date.Draw(rt, "on"), Result: catalogue.Failed}
		m.Revised = []catalogue.Date{"2023-01-01", date.Draw(rt, "revised")}
	}
	return m
}

func TestCSVRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		models := rapid.SliceOfNDistinct(rapid.Custom(anyModel), 0, 8, func(m catalogue.Model) string { return strings.ToLower(m.ID) }).Draw(rt, "models")
		var b bytes.Buffer
		if err := catalogue.WriteCSV(&b, models); err != nil {
			rt.Fatal(err)
		}
		again, problems, err := catalogue.ParseCSV(bytes.NewReader(b.Bytes()))
		if err != nil || len(problems) > 0 {
			rt.Fatalf("%v %v\n%s", err, problems, b.String())
		}
		if len(models) > 0 && !reflect.DeepEqual(models, again) {
			rt.Fatalf("%+v\nbecame\n%+v", models, again)
		}
	})
}

func TestCSVNoCellIsAFormula(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var b bytes.Buffer
		if err := catalogue.WriteCSV(&b, []catalogue.Model{anyModel(rt)}); err != nil {
			rt.Fatal(err)
		}
		records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(b.String(), "\ufeff"))).ReadAll()
		if err != nil {
			rt.Fatal(err)
		}
		for _, cell := range records[1] {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				rt.Fatalf("a spreadsheet would run %q", cell)
			}
		}
	})
}

func exported(t testing.TB, models ...catalogue.Model) string {
	t.Helper()
	var b strings.Builder
	if err := catalogue.WriteCSV(&b, models); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCSVRefusesLineByLine(t *testing.T) {
	good := exported(t, phone("A"), phone("B"), phone("C"))
	for _, c := range []struct {
		name, from, to string
		line           int
		column         string
		problem        string
	}{
		{"too few columns", "\r\nB,Maker,", "\r\nB,", 3, "", "csv-columns"},
		{"too many columns", "\r\nB,", "\r\nB,B,", 3, "", "csv-columns"},
		{"an empty line of commas", "\r\nB,Maker", "\r\n,Maker", 3, "id", "csv-value"},
		{"a formula", "\r\nB,Maker", "\r\nB,=1+1", 3, "maker", "csv-formula"},
		{"a minus", "\r\nB,Maker", "\r\nB,-Maker", 3, "maker", "csv-formula"},
		{"true for yes", "B,android,yes", "B,android,true", 3, "secureElement", "csv-value"},
		{"an unknown platform", "B,android", "B,symbian", 3, "platform", "csv-value"},
		{"the same model twice", "\r\nB,Maker", "\r\na,Maker", 3, "id", "csv-duplicate"},
		{"a line break in a cell", "\r\nB,Maker", "\r\nB,\"Ma\nker\"", 3, "maker", "csv-value"},
		{"a stray quotation mark", "\r\nB,Maker", "\r\nB,Ma\"ker", 3, "", "csv-quote"},
		{"a quotation mark that never closes", "\r\nC,Maker", "\r\nC,\"Maker", 4, "", "csv-quote"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := strings.Replace(good, c.from, c.to, 1)
			if bad == good {
				t.Fatal("the case changes nothing")
			}
			models, problems, err := catalogue.ParseCSV(strings.NewReader(bad))
			if err != nil || models != nil || len(problems) != 1 {
				t.Fatalf("%v %v %v", models, problems, err)
			}
			if p := problems[0]; p.Line != c.line || p.Column != c.column || !errors.Is(p.Err, &warifu.Error{Problem: c.problem}) {
				t.Errorf("got line %d column %q %v", p.Line, p.Column, p.Err)
			}
		})
	}
}

func TestCSVRefusesTheFileAsAWhole(t *testing.T) {
	good := exported(t, phone("A"))
	for problem, bad := range map[string]string{
		"csv-too-large": strings.Repeat("x", catalogue.MaxCSV+1),
		"csv-encoding":  "\x83X\x83}\x83z",
		"csv-header":    strings.Replace(good, "maker", "manufacturer", 1),
	} {
		if _, _, err := catalogue.ParseCSV(strings.NewReader(bad)); !errors.Is(err, &warifu.Error{Problem: problem}) {
			t.Errorf("%s: %v", problem, err)
		}
	}
	for _, bad := range []string{"", "\ufeff", "\n\n", strings.Replace(good, "verifiedOSBuild\r\n", "verifiedOSBuild,more\r\n", 1), strings.Replace(good, "sample,verifiedOSBuild\r\n", "sample,more\r\n", 1)} {
		if _, _, err := catalogue.ParseCSV(strings.NewReader(bad)); !errors.Is(err, &warifu.Error{Problem: "csv-header"}) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

func TestCSVIsReadWithAndWithoutByteOrderMarkAndCR(t *testing.T) {
	good := exported(t, phone("A"), phone("B"))
	for _, s := range []string{good, strings.TrimPrefix(good, "\ufeff"), strings.ReplaceAll(good, "\r\n", "\n")} {
		if models, problems, err := catalogue.ParseCSV(strings.NewReader(s)); len(models) != 2 || problems != nil || err != nil {
			t.Errorf("%v %v %v", models, problems, err)
		}
	}
}

func TestImportOfAFileWithMistakesChangesNothing(t *testing.T) {
	c := with(t, phone("KEPT"))
	bad := strings.ReplaceAll(exported(t, many(300)...), "android", "symbian")
	problems, err := c.Import(context.Background(), strings.NewReader(bad), "test")
	if !errors.Is(err, &warifu.Error{Problem: "csv-refused"}) || len(problems) != 100 || c.Len() != 1 {
		t.Errorf("%d problems, %v, %d models", len(problems), err, c.Len())
	}
}

func FuzzParseCSV(f *testing.F) {
	f.Add(exported(f, phone("A")))
	f.Add("id,maker\n\"")
	f.Add("\ufeff\xff")
	f.Fuzz(func(t *testing.T, s string) {
		models, problems, err := catalogue.ParseCSV(strings.NewReader(s))
		if err != nil || len(problems) > 0 {
			if models != nil {
				t.Fatal("models beside problems")
			}
			return
		}
		again, problems, err := catalogue.ParseCSV(strings.NewReader(exported(t, models...)))
		if err != nil || len(problems) > 0 || len(models) > 0 && !reflect.DeepEqual(models, again) {
			t.Fatalf("accepted models do not survive an export: %v %v", problems, err)
		}
	})
}

func FuzzCompareBuild(f *testing.F) {
	f.Add("13/2023-05-05", "TQ2A.230505.002", "")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if catalogue.CompareBuild(a, b) != -catalogue.CompareBuild(b, a) || catalogue.CompareBuild(a, a) != 0 {
			t.Fatalf("%q %q", a, b)
		}
		if catalogue.CompareBuild(a, b) <= 0 && catalogue.CompareBuild(b, c) <= 0 && catalogue.CompareBuild(a, c) > 0 {
			t.Fatalf("not an order: %q %q %q", a, b, c)
		}
	})
}
