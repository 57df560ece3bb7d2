package facetest

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"warifu/catalogue"
	"warifu/internal/browsertest"
	"warifu/registration"
	"warifu/sandbox/doorway"
	"warifu/text"
)

// operator signs in at the console as one of the sandbox's operators.
func operator(t testing.TB, page *browsertest.Page, name string) *browsertest.Page {
	t.Helper()
	return page.Go(World(t).Places.Server + "/console/sign-in").Click(`form:has(input[name="name"][value="` + name + `"]) button`)
}

// The figures are drawn at both sizes in both languages, with something in them, in light and
// in dark; the table beside a chart opens, and stays open when the figures are fetched anew.
func TestTheConsolesFiguresAreWhole(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	Persona(t, "+hold@signature")
	for _, walk := range walks {
		page := operator(t, b.Page(t, walk.size, string(walk.lang)), "mio")
		page.Go(w.Places.Server + "/console/figures").Shot("console-figures").Whole(t)
		page.Go(w.Places.Server + "/console/causes").Whole(t)
		page.Dark().Go(w.Places.Server + "/console/figures").Shot("console-figures-dark")
	}
	page := operator(t, b.Page(t, browsertest.Desktop, "en"), "rin").Go(w.Places.Server + "/console/figures")
	page.Click("#chart-hours summary").See("Issued").Whole(t)
	var before string
	page.Eval(`document.querySelector("#figures time").dateTime`, &before)
	page.Eval(`document.querySelector("#figures time").dateTime = "old"; 0`, nil)
	page.Until(`#figures time:not([datetime="old"])`)
	if before == "" || !page.Has("#chart-hours details[open]") {
		t.Error("the table closed when the figures were fetched")
	}
}

// A cascade is found by an application and by the bureau's handle of a person.
func TestACascadeIsFoundAndDrawn(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	Persona(t, "+hold@signature")
	due, err := w.Server.Registration().Upcoming(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(due, func(d registration.Due) bool { return d.Application != "" && !d.Person.IsZero() })
	if at < 0 {
		t.Fatal("nothing is due")
	}
	application, person := due[at].Application, due[at].Person.String()
	for _, lang := range text.Languages {
		page := operator(t, b.Page(t, browsertest.Phone, string(lang)), "mio")
		page.Go(w.Places.Server + "/console/causes?subject=" + application).Until(".cause-asked").Shot("console-causes").Whole(t)
		page.Go(w.Places.Server + "/console/causes?subject=" + person).Until(".cause-tree")
		page.Go(w.Places.Server + "/console/causes?subject=nothing-of-the-kind")
		if !page.Has(`[role="alert"]`) {
			t.Error("nothing is said where nothing is found")
		}
		page.Whole(t)
	}
}

// An editor adds a model of the longest name with a rare character, records a check, and finds it on
// the list; another editor was there meanwhile, and is not overwritten; what is wrong is told beside what was typed.
func TestTheCatalogueIsEdited(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for i, walk := range walks {
		page := operator(t, b.Page(t, walk.size, string(walk.lang)), "yui")
		page.Go(w.Places.Server + "/console/catalogue").Shot("console-catalogue").Whole(t)
		page.Go(w.Places.Server + "/console/catalogue?q=nothing+of+the+kind").Whole(t)
		page.Go(w.Places.Server + "/console/catalogue/model").Whole(t)
		id, name := "FACE-"+strings.ToUpper(string(walk.lang)), "𠮷野髙橋﨑"+strings.Repeat("長い名前の携帯電話", 6)
		page.Type(`input[name="id"]`, id+"\u00e9").Type(`input[name="maker"]`, "FaceWorks").Type(`textarea[name="names"]`, name).Click(`form[action="/console/catalogue/model"] button`)
		page.Until(".problem").Shot("console-model-wrong").Alone(t)
		page.Type(`input[name="id"]`, id).Click(`form[action="/console/catalogue/model"] button`).Until(`form[action="/console/catalogue/check"]`).Alone(t)
		other := operator(t, b.Page(t, walk.size, string(walk.lang)), "yui").Go(w.Places.Server + "/console/catalogue/model?id=" + id)
		page.Type(`input[name="maker"]`, "Elsewhere").Type(`input[name="minAppVersion"]`, "７").Click(`form[action="/console/catalogue/model"] button`).Until(".done")
		other.Type(`input[name="maker"]`, "Mine").Click(`form[action="/console/catalogue/model"] button`).Until(".problem").Until("#others").See("Elsewhere").Shot("console-model-conflict").Alone(t)
		page.Type(`input[name="by"]`, "Digital Agency").Type(`input[name="osBuild"]`, "15/2026-03-05")
		page.Choose(`input[name="on"]`, "2026-04-01").Click(`form[action="/console/catalogue/check"] button`).Until(".done").Until(".tag.good").Shot("console-model").Alone(t)
		page.Go(w.Places.Server + "/console/catalogue/model?id=" + id).Whole(t)
		page.Go(w.Places.Server + "/console/catalogue?q=" + id).Until(".tag.good").Shot("console-catalogue-long").Whole(t)
		page.Go(w.Places.Server + "/console/catalogue/model?id=UNKNOWN").Until(".problem").Whole(t)
		submission(t, page, "SENT-"+strings.ToUpper(string(walk.lang)), i)
	}
}

// submission is a model that a maker hands in, seen waiting, dismissed without a reason, and decided.
func submission(t *testing.T, page *browsertest.Page, id string, i int) {
	t.Helper()
	w := World(t)
	model := catalogue.Model{ID: id, Maker: "FaceWorks", Names: []string{"Sent"}, Platform: catalogue.Android, SecureElement: true, Market: catalogue.MarketJapan, Biometric: catalogue.BiometricClass3, NFC: catalogue.NFCMark, Verification: catalogue.Verification{Result: catalogue.Pending}}
	err := doorway.NewClient(w.Places.Server).Post(t.Context(), "/api/v1/devices/submissions", map[string]any{"role": "maker", "organisation": "FaceWorks", "model": model}, nil)
	if err != nil {
		t.Fatal(err)
	}
	page.Go(w.Places.Server + "/console/submissions").Shot("console-submissions").Whole(t)
	page.Type(`input[name="by"]`, "Digital Agency").Choose(`select[name="result"]`, "failed").Click(`form[action="/console/submissions"] button`).Until(".problem").Shot("console-submissions-wrong").Alone(t)
	page.Type(`input[name="by"]`, "Digital Agency").Choose(`select[name="result"]`, "passed").Click(`form[action="/console/submissions"] button`).Until(".done").Shot("console-submissions-done").Alone(t)
	if i == 0 {
		page.Go(w.Places.Server + "/console/submissions").Whole(t)
	}
}

// A file is looked at first: mistakes are told by line and column and change nothing.
func TestAFileOfModelsIsLookedAtFirst(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for _, walk := range walks {
		page := operator(t, b.Page(t, walk.size, string(walk.lang)), "yui").Go(w.Places.Server + "/console/catalogue")
		var kept string
		page.Eval(`fetch("/console/catalogue.csv").then((r) => r.text())`, &kept)
		choose := func(content string) {
			page.Eval(`(() => { const t = new DataTransfer(); t.items.add(new File([`+strconv.Quote(content)+`], "models.csv", {type: "text/csv"})); document.querySelector('input[type="file"]').files = t.files; return 0; })()`, nil)
			page.Click(`form[action$="/import"] button`)
		}
		choose(strings.Replace(strings.Replace(kept, ",android,", ",windows,", 3), ",japan,", ",moon,", 2))
		page.Until("#wrong").Shot("console-import-wrong").Alone(t)
		choose("nothing")
		page.Until(".problem").Alone(t)
		choose(kept)
		page.Until(".done").Shot("console-import-checked").Alone(t)
	}
}
