package person_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"warifu"
	"warifu/sandbox/person"
)

var start = time.Date(2026, time.November, 22, 9, 0, 0, 0, person.Tokyo)

func shipped(t testing.TB) map[string]person.Person {
	t.Helper()
	persons, err := person.Shipped(start)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]person.Person{}
	for _, p := range persons {
		out[p.ID] = p
	}
	return out
}

func TestShippedPersonsDiffer(t *testing.T) {
	all := shipped(t)
	if len(all) < 16 {
		t.Fatalf("%d persons", len(all))
	}
	checks := map[string]func(person.Person) bool{
		"sakura": func(p person.Person) bool { return !p.MaySign(start) && p.PINs.Signature.Len() == 0 },
		"ren":    func(p person.Person) bool { return !p.MaySign(start) && p.MaySign(start.AddDate(0, 0, 20)) },
		"kaoru":  func(p person.Person) bool { return p.Name != p.Registered && strings.Contains(p.NameSubstitution, "1") },
		"kyoko":  func(p person.Person) bool { return strings.Contains(p.Name, "［") },
		"goro":   func(p person.Person) bool { return p.CardExpires().Before(start) },
		"maria": func(p person.Person) bool {
			return len(p.Name) > 60 && p.CardExpires().Equal(person.EndOfDay(p.CardLimit))
		},
		"nagai":   func(p person.Person) bool { return utf8.RuneCountInString(p.Address) == person.AddressLimit },
		"ume":     func(p person.Person) bool { return p.BirthCode() == "219240520" },
		"taro":    func(p person.Person) bool { return p.BirthCode() == "319800217" },
		"makoto":  func(p person.Person) bool { return p.Sex.ChipCode() == "9" && p.Sex.CertificateCode() == "3" },
		"yoshino": func(p person.Person) bool { return []rune(p.Name)[0] > 0xFFFF },
		"mika":    func(p person.Person) bool { return p.Condition == person.Suspended },
		"shin":    func(p person.Person) bool { return p.Condition == person.Revoked },
		"wasure":  func(p person.Person) bool { return p.Condition == person.Locked },
	}
	for id, holds := range checks {
		if p, ok := all[id]; !ok || !holds(p) {
			t.Errorf("%s is not what they are there for: %+v", id, p)
		}
	}
}

func TestNoShippedPersonCarriesARealNumber(t *testing.T) {
	for id, p := range shipped(t) {
		if person.RealNumber(p.Number) {
			t.Errorf("%s carries a number with a right check digit", id)
		}
	}
}

// 123456789018 is the specimen number printed on the government's own sample card.
func TestCheckDigitFollowsTheOrdinance(t *testing.T) {
	if !person.RealNumber("123456789018") || person.RealNumber("123456789010") || person.RealNumber("12345678901") {
		t.Error("the check digit is computed otherwise than 総務省令第85号 says")
	}
}

func TestARealNumberIsRefused(t *testing.T) {
	r := shipped(t)["taro"].Record()
	r.Number = "123456789018"
	if _, err := r.Person(start); !errors.Is(err, &warifu.Error{Problem: "person-number-real"}) {
		t.Errorf("got %v", err)
	}
}

func TestGeneratedPersonsAreWholeAndRepeatable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := person.Generator{Seed: rapid.Uint64().Draw(t, "seed"), Start: start}
		index := rapid.IntRange(0, 1<<30).Draw(t, "index")
		p := g.Person(index)
		if person.RealNumber(p.Number) {
			t.Fatalf("number %s has a right check digit", p.Number)
		}
		back, err := p.Record().Person(start)
		if err != nil {
			t.Fatalf("%+v: %v", p.Record(), err)
		}
		if back.Record() != p.Record() || g.Person(index).Record() != p.Record() {
			t.Fatal("not repeatable")
		}
		if !p.MaySign(p.CertificatesIssued) {
			t.Fatal("too young to sign")
		}
	})
}

func TestRecordsRoundTrip(t *testing.T) {
	for id, p := range shipped(t) {
		back, err := p.Record().Person(start.AddDate(1, 0, 0)) // absolute dates no longer depend on start
		if err != nil || back.Record() != p.Record() {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestBirthdays(t *testing.T) {
	date := person.Date
	for _, c := range []struct {
		birth, at time.Time
		n         int
		want      time.Time
	}{
		{date(1980, 2, 17), date(2025, 10, 27), 5, date(2030, 2, 17)}, // the measured test card
		{date(1980, 2, 17), date(2026, 2, 17), 1, date(2027, 2, 17)},  // issued on the birthday
		{date(2000, 2, 29), date(2026, 1, 1), 1, date(2026, 2, 28)},
		{date(2000, 2, 29), date(2026, 1, 1), 3, date(2028, 2, 29)},
	} {
		if got := person.Birthday(c.birth, c.at, c.n); !got.Equal(c.want) {
			t.Errorf("birthday %d of %s after %s: %s", c.n, c.birth, c.at, got)
		}
	}
	if got := person.EndOfDay(date(2030, 2, 17)).UTC().Format("15:04:05"); got != "14:59:59" {
		t.Errorf("days end at %s", got)
	}
	if a := person.Age(date(2000, 2, 29), date(2015, 2, 28)); a != 14 {
		t.Errorf("age %d on the day before", a)
	}
}

func TestEras(t *testing.T) {
	for want, birth := range map[string]time.Time{
		"2-1": person.Date(1912, 7, 30), "3-1": person.Date(1926, 12, 25), "4-1": person.Date(1989, 1, 8),
		"5-1": person.Date(2019, 5, 1), "4-31": person.Date(2019, 4, 30), "1-45": person.Date(1912, 7, 29),
	} {
		digit, year := person.Era(birth)
		if got := string(digit) + "-" + itoa(year); got != want {
			t.Errorf("%s: %s, want %s", birth, got, want)
		}
	}
}

func itoa(n int) string {
	if n >= 10 {
		return itoa(n/10) + string(rune('0'+n%10))
	}
	return string(rune('0' + n))
}

func TestLoadIsStrict(t *testing.T) {
	for name, file := range map[string]string{
		"unknown field": "[[person]]\nid = \"a\"\nshoe_size = 43\n",
		"no toml":       "[[person",
		"empty":         "[[person]]\n",
	} {
		if _, err := person.Load([]byte(file), start); !errors.Is(err, &warifu.Error{Problem: "person-invalid"}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte("[[person]]\nid = \"a\"\nbirth = \"start-3y+2m-1d\"\n"))
	f.Add([]byte("[[person]]\nbirth = \"1980-02-30\"\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		persons, err := person.Load(file, start)
		for _, p := range persons {
			if err == nil && person.RealNumber(p.Number) {
				t.Error("a real number was let in")
			}
		}
	})
}
