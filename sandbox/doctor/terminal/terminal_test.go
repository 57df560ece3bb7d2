package terminal_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"warifu"
	"warifu/internal/towntest"
	"warifu/sandbox/doctor"
	"warifu/sandbox/doctor/terminal"
	"warifu/text"
)

// townChips are the cards of a town's people.
type townChips map[terminal.State]terminal.Chip

// Chip implements terminal.Chips.
func (c townChips) Chip(_ context.Context, class string, s terminal.State) (terminal.Chip, error) {
	chip, there := c[s]
	if !there || class != "card" {
		return terminal.Chip{}, warifu.NotFound("doctor-chip-none", "class", class, "state", string(s))
	}
	return chip, nil
}

func chipsOf(t testing.TB, town *towntest.Town) townChips {
	t.Helper()
	put := func(id string) terminal.Chip {
		card, err := town.Bureau.Card(id)
		if err != nil {
			t.Fatal(err)
		}
		v, err := town.Bureau.Show(id)
		if err != nil {
			t.Fatal(err)
		}
		return terminal.Chip{Transmitter: card, ATR: []byte{0x3B, 0x80}, PIN: string(v.Person.PINs.Authentication.Reveal()), Class: "card"}
	}
	c := townChips{terminal.Good: put("taro"), terminal.Other: put("hanako"), terminal.Held: put("goro"), terminal.Revoked: put("aoi")}
	if err := town.Bureau.Suspend("goro"); err != nil {
		t.Fatal(err)
	}
	if err := town.Bureau.Revoke("aoi", warifu.ReasonUnspecified); err != nil {
		t.Fatal(err)
	}
	return c
}

func examine(t *testing.T, town *towntest.Town, chips townChips, fault string, patterns ...string) doctor.Report {
	t.Helper()
	o := &own{verifier: town.Verifier, clock: town.Clock, limit: 2 * time.Second, fault: fault}
	x := &terminal.Examination{Subject: o, Chips: chips, Classes: []string{"card"}, Slow: 10 * time.Millisecond, Patience: time.Minute, Clock: warifu.SystemClock{}}
	if strings.HasSuffix(fault, "forever") {
		x.Patience = 4 * time.Second
	}
	s, err := x.Suite("own").Select(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return s.Run(t.Context(), nil)
}

// wrong are the cases that did not hold, sorted.
func wrong(r doctor.Report) (out []string) {
	for _, one := range r.Results {
		if one.Outcome == doctor.Fault || one.Outcome == doctor.Advice || one.Outcome == doctor.Unclear {
			out = append(out, one.ID)
		}
	}
	slices.Sort(out)
	return out
}

// A terminal that does all well has no fault, and each planted fault is found as itself.
func TestTheGoodTerminalAndItsTwins(t *testing.T) {
	town := towntest.New(t)
	chips := chipsOf(t, town)
	good := examine(t, town, chips, "")
	if !good.Clean(true) {
		for _, r := range good.Results {
			if r.Outcome != doctor.Pass && r.Outcome != doctor.Skipped {
				t.Errorf("good terminal: %s: %s %s", r.ID, r.Outcome, r.Seen(text.English))
			}
		}
	}
	if n := good.Count(doctor.Pass); n < 38 {
		t.Errorf("%d cases were tried", n)
	}
	// A chip that never answers costs a command's whole time: only the good terminal and the
	// one that is about it are tried with those.
	if got := wrong(examine(t, town, chips, "waits for an answer forever", "good-chip", "silent-*")); !slices.Equal(got, []string{"silent-at-select", "silent-at-signature"}) {
		t.Errorf("a terminal that waits for an answer forever: found %v", got)
	}
	var quick []string
	for _, r := range good.Results {
		if !strings.HasPrefix(r.ID, "silent-") {
			quick = append(quick, r.ID)
		}
	}
	for fault, want := range twins(t) {
		if got := wrong(examine(t, town, chips, fault, quick...)); !slices.Equal(got, want) {
			t.Errorf("a terminal that %s: found %v, want %v", fault, got, want)
		}
	}
}

// twins are the planted faults of testdata/twins.toml, each with the cases that must find it.
func twins(t *testing.T) map[string][]string {
	t.Helper()
	var all map[string][]string
	if _, err := toml.DecodeFile("testdata/twins.toml", &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("%d twins", len(all))
	}
	return all
}

// Every case has its sentences in both languages.
func TestEveryCaseHasItsSentences(t *testing.T) {
	x := &terminal.Examination{Classes: []string{"card"}, Clock: warifu.SystemClock{}}
	all := x.Suite("x").Cases
	if len(all) < 20 {
		t.Errorf("%d cases", len(all))
	}
	ids := map[string]bool{}
	for _, c := range all {
		if ids[c.ID] {
			t.Errorf("%s twice", c.ID)
		}
		ids[c.ID] = true
		for _, l := range text.Languages {
			if c.Clause == "" || !text.Has("doctor.case."+c.ID) || !text.Has("doctor.mend."+c.ID) || c.Title(l) == "" || c.Mend(l) == "" {
				t.Errorf("%s lacks a sentence in %s", c.ID, l)
			}
		}
	}
}

func TestConfigurationSaysWhatIsWrong(t *testing.T) {
	good := "command = ['x', '{pin}']\nreader = '127.0.0.1:1'\n[[chip]]\nclass = 'card'\nstate = 'good'\nid = 'taro'\npin = '1234'\n"
	if c, err := terminal.ReadConfig(strings.NewReader(good)); err != nil || len(c.Classes) != 2 || len(c.Chips) != 1 {
		t.Errorf("%+v %v", c, err)
	}
	for _, bad := range []string{"", "command = ['x']", "reader = 'x'", "=", good + "more = 1", strings.Replace(good, "'good'", "'fine'", 1), strings.Replace(good, "'card'", "'coin'", 1),
		"patience = '2h'\n" + good, "classes = ['coin']\n" + good, strings.Repeat("#", 300<<10)} {
		if _, err := terminal.ReadConfig(strings.NewReader(bad)); err == nil {
			t.Errorf("%.40q was taken", bad)
		}
	}
}

func FuzzReadConfig(f *testing.F) {
	f.Add("command = ['x']\nreader = 'y'")
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := terminal.ReadConfig(strings.NewReader(s)); err == nil && (len(c.Command) == 0 || c.Reader == "" || c.Patience < 0) {
			t.Errorf("%+v", c)
		}
	})
}
