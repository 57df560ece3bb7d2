package web_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"warifu/catalogue"
)

// R16: the dated list is the same on the page, as CSV and as JSON.
func TestDatedListOfDevices(t *testing.T) {
	h, site := site(t)
	for _, day := range []string{"", "2023-05-11", "2024-12-01", "2026-06-10"} {
		var list catalogue.List
		must(t, json.Unmarshal([]byte(text(t, ask(site, "GET", "/api/v1/devices?day="+day, ""))), &list))
		page := text(t, ask(site, "GET", "/devices?day="+day, ""))
		models, problems, err := catalogue.ParseCSV(strings.NewReader(text(t, ask(site, "GET", "/devices.csv?day="+day, ""))))
		must(t, err)
		if len(problems) > 0 || len(models) != len(list.Models) {
			t.Fatalf("%s: %d models as CSV (%v), %d as JSON", day, len(models), problems, len(list.Models))
		}
		want := h.Catalogue.List(catalogue.Date(day))
		if len(want.Models) != len(list.Models) || list.Revised != want.Revised {
			t.Errorf("%s: %d models revised %s, want %d revised %s", day, len(list.Models), list.Revised, len(want.Models), want.Revised)
		}
		for _, m := range list.Models {
			if !strings.Contains(page, m.Name()) {
				t.Errorf("%s: %s is not on the page", day, m.Name())
			}
			if !slices.ContainsFunc(models, func(c catalogue.Model) bool { return c.ID == m.ID }) {
				t.Errorf("%s: %s is not in the CSV", day, m.ID)
			}
			if day != "" && string(m.Since) > day {
				t.Errorf("%s lists %s, which came %s", day, m.ID, m.Since)
			}
		}
		if !strings.Contains(page, string(list.Revised)) {
			t.Errorf("%s: the page does not say its date", day)
		}
	}
}

func TestDayThatIsNoDay(t *testing.T) {
	_, site := site(t)
	for _, day := range []string{"tomorrow", "2026-13-01", "2026-6-1", "%00", "2026-02-30"} {
		problem(t, ask(site, "GET", "/api/v1/devices?day="+day, ""), 422, "request-malformed")
		problem(t, ask(site, "GET", "/devices.csv?day="+day, ""), 422, "request-malformed")
		if r := ask(site, "GET", "/devices?day="+day, ""); r.StatusCode != 422 {
			t.Errorf("the page for %q: %d", day, r.StatusCode)
		}
	}
}

// R21, R22: a device that is not supported is shown nothing; one that needs an update
// is told so.
func TestBanner(t *testing.T) {
	_, site := site(t)
	banner := func(query string) (out struct {
		Show  bool
		First *struct{ Type, Next string }
	}) {
		must(t, json.Unmarshal([]byte(text(t, ask(site, "GET", "/api/v1/devices/banner?"+query, ""))), &out))
		return out
	}
	if b := banner("model=nobody&osBuild=1&appVersion=99"); b.Show || b.First != nil {
		t.Errorf("an unknown model: %+v", b)
	}
	if b := banner("model=Pixel+10&osBuild=99&appVersion=99"); !b.Show || b.First != nil {
		t.Errorf("a supported one: %+v", b)
	}
	if b := banner("model=Pixel+10&osBuild=99&appVersion=0"); !b.Show || b.First == nil || b.First.Next == "" {
		t.Errorf("one with an old app: %+v", b)
	}
	problem(t, ask(site, "GET", "/api/v1/devices/banner", ""), 422, "request-malformed")
}

// R17: makers and carriers submit models; until they are decided they are not on the list.
func TestSubmissionOfAModel(t *testing.T) {
	h, site := site(t)
	m, err := h.Catalogue.Model("Pixel 10")
	must(t, err)
	m.ID, m.Names = "Pixel 99", []string{"Pixel 99"}
	body, err := json.Marshal(map[string]any{"role": "maker", "organisation": "Google", "model": m})
	must(t, err)
	r := ask(site, "POST", "/api/v1/devices/submissions", string(body))
	var out struct{ ID, State string }
	answer := text(t, r)
	must(t, json.Unmarshal([]byte(answer), &out))
	if r.StatusCode != 202 || out.ID == "" || out.State != "open" {
		t.Fatalf("%d %s", r.StatusCode, answer)
	}
	if strings.Contains(text(t, ask(site, "GET", "/api/v1/devices", "")), "Pixel 99") {
		t.Error("a model that nobody verified is on the list")
	}
	problem(t, ask(site, "POST", "/api/v1/devices/submissions", string(body)), 409, "submission-open")
	problem(t, ask(site, "POST", "/api/v1/devices/submissions", `{"role":"shop","organisation":"x","model":{}}`), 422, "request-malformed")
}
