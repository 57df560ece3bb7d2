package catalogue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/catalogue"
	"warifu/text"
)

var today = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func clock() warifu.Clock { return warifu.ClockFunc(func() time.Time { return today }) }

func with(t testing.TB, models ...catalogue.Model) *catalogue.Catalogue {
	t.Helper()
	c, err := catalogue.New(context.Background(), catalogue.InMemory(), clock(), 54)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Replace(context.Background(), models, "test"); err != nil {
		t.Fatal(err)
	}
	return c
}

func sampled(t testing.TB) *catalogue.Catalogue {
	t.Helper()
	models, err := catalogue.Samples()
	if err != nil {
		t.Fatal(err)
	}
	return with(t, models...)
}

func phone(id string) catalogue.Model {
	return catalogue.Model{
		ID: id, Maker: "Maker", Names: []string{"Phone " + id}, Platform: catalogue.Android, SecureElement: true,
		Market: catalogue.MarketJapan, Since: "2023-05-11", Biometric: catalogue.BiometricClass3, NFC: catalogue.NFCMark,
		Verification: catalogue.Verification{By: "Agency", On: "2023-05-01", Result: catalogue.Passed},
	}
}

func TestR14EveryRefusalHasItsOwnReason(t *testing.T) {
	change := func(f func(*catalogue.Model)) catalogue.Model { m := phone("X"); f(&m); return m }
	good := phone("X")
	for _, c := range []struct {
		name    string
		entry   catalogue.Model
		model   string
		build   string
		app     int
		problem string
	}{
		{"eligible", good, "X", "16/2026-05-05", 54, ""},
		{"eligible in small letters", good, "x", "", 54, ""},
		{"R14 not in the catalogue", good, "Y", "", 54, "device-unknown"},
		{"R14 no GP-SE", change(func(m *catalogue.Model) { m.SecureElement = false }), "X", "", 54, "device-no-secure-element"},
		{"R13 a global model", change(func(m *catalogue.Model) { m.Market = catalogue.MarketGlobal }), "X", "", 54, "device-global-model"},
		{"R17 not yet verified", change(func(m *catalogue.Model) { m.Verification = catalogue.Verification{Result: catalogue.Pending} }), "X", "", 54, "device-not-verified"},
		{"R14 failed its check", change(func(m *catalogue.Model) { m.Verification.Result = catalogue.Failed }), "X", "", 54, "device-verification-failed"},
		{"R16 listed from tomorrow", change(func(m *catalogue.Model) { m.Since = "2026-06-02" }), "X", "", 54, "device-listed-later"},
		{"R16 listed from today", change(func(m *catalogue.Model) { m.Since = "2026-06-01" }), "X", "", 54, ""},
		{"R19 update first", change(func(m *catalogue.Model) { m.MinOSBuild = "13/2023-05-05" }), "X", "13/2023-05-04", 54, "device-os-update"},
		{"R19 updated", change(func(m *catalogue.Model) { m.MinOSBuild = "13/2023-05-05" }), "X", "13/2023-05-05", 54, ""},
		{"R19 says no build", change(func(m *catalogue.Model) { m.MinOSBuild = "13/2023-05-05" }), "X", "", 54, "device-os-update"},
		{"R20 app too old", good, "X", "", 53, "app-too-old"},
		{"R20 app too old for the model", change(func(m *catalogue.Model) { m.MinAppVersion = 60 }), "X", "", 59, "app-too-old"},
		{"K4 an iPhone in the catalogue", change(func(m *catalogue.Model) { m.Platform = catalogue.IOS }), "X", "", 54, "device-iphone"},
		{"K4 an iPhone that nobody listed", good, "iPhone99,1", "", 1, "device-iphone"},
		{"what no phone says", good, strings.Repeat("X", 129), "", 54, "device-malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := with(t, c.entry).Eligible(c.model, c.build, c.app)
			if c.problem == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			p := warifu.ProblemOf(err)
			if p == nil || p.Problem != c.problem {
				t.Fatalf("got %v, want %s", err, c.problem)
			}
			if _, detail, _ := text.Problem(p, text.Japanese); text.Has("problem."+c.problem) && len(p.Params) > 0 && detail == "" {
				t.Error("the detail lacks a parameter")
			}
		})
	}
}

func TestR21R22BannerOnlyOnSupportedDevices(t *testing.T) {
	m := phone("X")
	m.MinOSBuild = "13"
	c := with(t, m)
	if b := c.Banner("X", "13", 54); !b.Show || b.First != nil {
		t.Errorf("a supported device: %+v", b)
	}
	for _, b := range []catalogue.Banner{c.Banner("X", "12", 54), c.Banner("X", "13", 53)} {
		if !b.Show || b.First == nil {
			t.Errorf("a supported device that must update first: %+v", b)
		}
	}
	for _, model := range []string{"Y", "iPhone16,1"} {
		if b := c.Banner(model, "99", 99); b.Show {
			t.Errorf("%s: %+v", model, b)
		}
	}
}

func TestR19CompareBuild(t *testing.T) {
	inOrder := []string{"", "9/2022-12-31", "13", "13/2023-05-04", "13/2023-05-05", "13/2023-11-01", "14/2023-01-01", "TQ2A.230505.002", "TQ3A.230605.010", "TQ3A.230605.010.A1"}
	for i, a := range inOrder {
		for j, b := range inOrder {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := catalogue.CompareBuild(a, b); got != want {
				t.Errorf("CompareBuild(%q, %q) = %d, want %d", a, b, got, want)
			}
		}
	}
	if catalogue.CompareBuild("013.A", "13 a") != 0 {
		t.Error("zeros, case and separators make no difference")
	}
}

func TestR16ThePublicListIsDated(t *testing.T) {
	c := sampled(t)
	before, launch, pixel := c.List("2023-05-10"), c.List("2023-05-11"), c.List("2025-11-01")
	if len(before.Models) != 0 || before.Revised != "" {
		t.Errorf("before the service started: %d models, revised %s", len(before.Models), before.Revised)
	}
	if len(launch.Models) < 15 || launch.Revised != "2023-05-11" || !launch.Sample {
		t.Errorf("on the first day: %d models, revised %s", len(launch.Models), launch.Revised)
	}
	if pixel.Revised != "2025-11-01" || len(pixel.Models) < 40 || len(pixel.Models) > 60 {
		t.Errorf("with the Pixel 10: %d models, revised %s", len(pixel.Models), pixel.Revised)
	}
	for _, m := range pixel.Models {
		if err := c.Eligible(m.ID, "99", 999); err != nil {
			t.Errorf("%s is on the list and refused: %v", m.ID, err)
		}
	}
	if c.List("").AsOf != "2026-06-01" {
		t.Error("the empty day is today")
	}
}

func TestR18TheFourPixel10AreListedAfterRelease(t *testing.T) {
	c := sampled(t)
	for _, id := range []string{"Pixel 10", "Pixel 10 Pro", "Pixel 10 Pro XL", "Pixel 10 Pro Fold"} {
		if m, err := c.Model(id); err != nil || !m.Sample || c.Eligible(id, "16/2025-11-05", 54) != nil {
			t.Errorf("%s: %v %v", id, m, err)
		}
	}
}

func TestSamplesHoldOneOfEveryReason(t *testing.T) {
	c := sampled(t)
	seen := map[string]bool{}
	for _, m := range c.All() {
		if !m.Sample {
			t.Errorf("%s is not marked as a sample", m.ID)
		}
		if err := c.Eligible(m.ID, "", 54); err != nil {
			seen[warifu.ProblemOf(err).Problem] = true
		}
	}
	for _, want := range []string{"device-iphone", "device-no-secure-element", "device-global-model", "device-not-verified", "device-verification-failed", "device-os-update"} {
		if !seen[want] {
			t.Errorf("no sample is refused for %s", want)
		}
	}
}

func TestR23EveryNFCHintHasWords(t *testing.T) {
	for _, m := range sampled(t).All() {
		if !text.Has("word.nfc." + string(m.NFC)) {
			t.Errorf("%s: no words for %s", m.ID, m.NFC)
		}
	}
}

func TestReplaceRefusesAndKeepsWhatWas(t *testing.T) {
	c := with(t, phone("A"))
	bad := phone("B")
	bad.Names = nil
	for problem, models := range map[string][]catalogue.Model{
		"model-twice":         {phone("B"), phone("b")},
		"model-invalid":       {phone("B"), bad},
		"catalogue-too-large": make([]catalogue.Model, catalogue.MaxModels+1),
	} {
		if err := c.Replace(context.Background(), models, "test"); !errors.Is(err, &warifu.Error{Problem: problem}) {
			t.Errorf("%s: %v", problem, err)
		}
		if c.Len() != 1 || c.Eligible("A", "", 54) != nil {
			t.Fatalf("%s: the catalogue changed", problem)
		}
	}
}

func TestSearchIsBlindToCaseAndWidth(t *testing.T) {
	c := sampled(t)
	for _, q := range []string{"pixel 10 pro fold", "ＰＩＸＥＬ　１０ fold", "FOLD google"} {
		if found := c.Search(q, 10); len(found) != 1 || found[0].ID != "Pixel 10 Pro Fold" {
			t.Errorf("%q found %v", q, found)
		}
	}
	if found := c.Search("", 7); len(found) != 7 {
		t.Errorf("limit: %d", len(found))
	}
}

func many(n int) []catalogue.Model {
	models := make([]catalogue.Model, n)
	for i := range models {
		models[i] = phone(fmt.Sprintf("MODEL-%05d", i))
		models[i].Carriers = []string{"NTT DOCOMO", "au"}
	}
	return models
}

func TestR15TheSameWith220And10000Models(t *testing.T) {
	for _, n := range []int{220, 10_000} {
		c := with(t, many(n)...)
		var csv strings.Builder
		if err := c.Export(&csv); err != nil {
			t.Fatal(err)
		}
		if problems, err := c.Import(context.Background(), strings.NewReader(csv.String()), "test"); err != nil {
			t.Fatal(problems, err)
		}
		if c.Len() != n || len(c.List("").Models) != n || c.Eligible(fmt.Sprintf("model-%05d", n-1), "", 54) != nil {
			t.Errorf("%d models came back as %d", n, c.Len())
		}
	}
}

func BenchmarkEligible(b *testing.B) {
	for _, n := range []int{220, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := with(b, many(n)...)
			for b.Loop() {
				if err := c.Eligible("MODEL-00100", "13", 54); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkImport(b *testing.B) {
	for _, n := range []int{220, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var csv strings.Builder
			c := with(b, many(n)...)
			if err := c.Export(&csv); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := c.Import(context.Background(), strings.NewReader(csv.String()), "bench"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
