package visitor_test

import (
	"testing"
	"time"

	"warifu/sandbox/visitor"
)

func TestBirthDatesAreReadAsProviderAndCertificateWriteThem(t *testing.T) {
	want := time.Date(1980, 2, 17, 0, 0, 0, 0, visitor.Tokyo)
	for _, s := range []string{"1980-02-17", "19800217", "319800217"} {
		if got, err := visitor.Born(s); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "1980", "1980-02-30", "319800000", "3198002170", "１９８００２１７"} {
		if got, err := visitor.Born(s); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func TestAgeIsCountedByTheDayInTokyo(t *testing.T) {
	born, err := visitor.Born("2008-06-02")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]int{
		"2026-06-01T23:59:59+09:00": 17, "2026-06-02T00:00:00+09:00": 18, "2026-06-01T14:59:59Z": 17, "2026-06-01T15:00:00Z": 18,
	} {
		now, _ := time.Parse(time.RFC3339, at)
		if got := visitor.Age(born, now); got != want {
			t.Errorf("at %s: %d, want %d", at, got, want)
		}
	}
	leap, _ := visitor.Born("2008-02-29")
	if got := visitor.Age(leap, time.Date(2026, 2, 28, 12, 0, 0, 0, visitor.Tokyo)); got != 17 {
		t.Errorf("on 28 February: %d", got)
	}
}

func TestALoginAndACertificateAreOfOnePerson(t *testing.T) {
	login := visitor.Attributes{Name: "割符　太郎", BirthDate: "1980-02-17"}
	for name, c := range map[string]struct {
		certificate visitor.Attributes
		same        bool
	}{
		"the same":        {visitor.Attributes{Name: "割符　太郎", NameSubstitution: "00000", BirthDate: "319800217"}, true},
		"another day":     {visitor.Attributes{Name: "割符　太郎", NameSubstitution: "00000", BirthDate: "319800218"}, false},
		"another name":    {visitor.Attributes{Name: "割符　次郎", NameSubstitution: "00000", BirthDate: "319800217"}, false},
		"nothing is told": {visitor.Attributes{}, false},
	} {
		if got := login.Same(c.certificate); got != c.same {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzBorn(f *testing.F) {
	f.Add("319800217")
	f.Add("1980-02-17")
	f.Fuzz(func(t *testing.T, s string) {
		if born, err := visitor.Born(s); err == nil && born.Location() != visitor.Tokyo {
			t.Errorf("%q is a day elsewhere", s)
		}
	})
}
