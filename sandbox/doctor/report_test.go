package doctor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/sandbox/doctor"
	"warifu/text"
)

const nasty = "<script>alert(1)</script>\x00\x1b[31m"

func found(f doctor.Finding) func(context.Context) doctor.Finding {
	return func(context.Context) doctor.Finding { return f }
}

// suite is one of every outcome.
func suite() doctor.Suite {
	clock := warifu.ClockFunc(func() time.Time { return time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC) })
	return doctor.Suite{Name: "rp", Target: "http://127.0.0.1/<script>", Clock: clock, Cases: []doctor.Case{
		{ID: "iss-other", Theme: "a", Level: doctor.Must, Clause: "c1", Run: found(doctor.Passed())},
		{ID: "aud-other", Theme: "a", Level: doctor.Must, Clause: "c2", Run: found(doctor.Found(doctor.Seen("let-in", "who", nasty)))},
		{ID: "azp-other", Theme: "b", Level: doctor.Should, Clause: "c3", Run: found(doctor.Found(doctor.Seen("let-in", "who", "x")))},
		{ID: "acr-lower", Theme: "b", Level: doctor.Must, Clause: "c4", Run: found(doctor.Skip(doctor.Seen("unset", "field", "demands.acr")))},
		{ID: "exp-past", Theme: "b", Level: doctor.Must, Clause: "c5", Run: found(doctor.Unsure(doctor.Seen("stopped")))},
	}}
}

func TestWhatAClauseLeavesToChoiceIsAdvice(t *testing.T) {
	var order []string
	r := suite().Run(t.Context(), func(one doctor.Result) { order = append(order, one.ID+" "+string(one.Outcome)) })
	want := "iss-other pass,aud-other fault,azp-other advice,acr-lower skipped,exp-past unclear"
	if got := strings.Join(order, ","); got != want {
		t.Errorf("got %s", got)
	}
	if r.Clean(false) || r.Count(doctor.Fault) != 1 {
		t.Error("a fault is not clean")
	}
	s, err := suite().Select([]string{"iss-*", "azp-other"})
	if err != nil {
		t.Fatal(err)
	}
	if r := s.Run(t.Context(), nil); len(r.Results) != 2 || !r.Clean(false) || r.Clean(true) {
		t.Errorf("advice alone: %v", r.Results)
	}
}

func TestWhatCouldNotBeTriedIsNoPass(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := suite().Run(ctx, nil)
	if r.Count(doctor.Unclear) != 5 || r.Clean(false) {
		t.Errorf("%v", r.Results)
	}
}

func TestACaseThatIsNotThereIsRefused(t *testing.T) {
	for _, pattern := range []string{"nothing", "[", ""} {
		if _, err := suite().Select([]string{"iss-other", pattern}); !errors.Is(err, warifu.Invalid("doctor-case-unknown")) {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

func TestJUnitIsWellFormedAndCountsRight(t *testing.T) {
	for _, strict := range []bool{false, true} {
		var b bytes.Buffer
		if err := suite().Run(t.Context(), nil).WriteJUnit(&b, text.English, strict); err != nil {
			t.Fatal(err)
		}
		var read struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Errors   int `xml:"errors,attr"`
			Skipped  int `xml:"skipped,attr"`
			Cases    []struct {
				Name    string    `xml:"name,attr"`
				Failure *struct{} `xml:"failure"`
			} `xml:"testcase"`
		}
		if err := xml.Unmarshal(b.Bytes(), &read); err != nil {
			t.Fatal(err)
		}
		failures := map[bool]int{false: 1, true: 2}[strict]
		if read.Tests != 5 || read.Failures != failures || read.Errors != 1 || read.Skipped != 1 || (read.Cases[2].Failure != nil) != strict {
			t.Errorf("strict %v: %+v", strict, read)
		}
	}
}

func TestThePageEscapesWhatCameFromOutside(t *testing.T) {
	for _, l := range text.Languages {
		var b bytes.Buffer
		if err := suite().Run(t.Context(), nil).WriteHTML(&b, l); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		for _, wrong := range []string{"<script", "http-equiv=\"refresh", "src=", "@import", "\x00", "\x1b"} {
			if strings.Contains(page, wrong) {
				t.Errorf("%s: the page has %q", l, wrong)
			}
		}
		for _, c := range suite().Cases {
			if !strings.Contains(page, c.Clause) || !strings.Contains(page, c.ID) {
				t.Errorf("%s: %s is missing", l, c.ID)
			}
		}
		if mend := suite().Cases[1].Mend(l); !strings.Contains(page, mend) {
			t.Errorf("%s: the mend is missing", l)
		}
	}
}

func TestJSONSpeaksBothLanguagesAndMendsOnlyWhatIsWrong(t *testing.T) {
	b, err := json.Marshal(suite().Run(t.Context(), nil))
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Counts  map[string]int
		Results []struct {
			ID, Outcome string
			Seen, Mend  map[string]string
		}
	}
	if err := json.Unmarshal(b, &read); err != nil {
		t.Fatal(err)
	}
	if read.Counts["fault"] != 1 || len(read.Results) != 5 {
		t.Fatalf("%s", b)
	}
	for _, r := range read.Results {
		wrong := r.Outcome == "fault" || r.Outcome == "advice" || r.Outcome == "unclear"
		if (len(r.Mend) == 2) != wrong || (len(r.Seen) == 2) != (r.Outcome != "pass") {
			t.Errorf("%+v", r)
		}
	}
}
