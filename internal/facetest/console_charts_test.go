package facetest

import (
	"slices"
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
	for _, size := range browsertest.Sizes {
		for _, lang := range text.Languages {
			page := operator(t, b.Page(t, size, string(lang)), "mio")
			page.Go(w.Places.Server + "/console/figures").Shot("console-figures").Whole(t)
			page.Go(w.Places.Server + "/console/causes").Whole(t)
			page.Dark().Go(w.Places.Server + "/console/figures").Shot("console-figures-dark").Whole(t)
		}
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

// An editor adds a model, records a check, and finds it on the list; a file with mistakes
// changes nothing and is told line by line.
func TestTheCatalogueIsEdited(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for i, lang := range text.Languages {
		size := browsertest.Sizes[i%2]
		page := operator(t, b.Page(t, size, string(lang)), "yui")
		page.Go(w.Places.Server + "/console/catalogue").Shot("console-catalogue").Whole(t)
		page.Go(w.Places.Server + "/console/catalogue/model").Whole(t)
		id := "FACE-" + strings.ToUpper(string(lang))
		page.Type(`input[name="id"]`, id).Type(`input[name="maker"]`, "FaceWorks").Type(`textarea[name="names"]`, "Facephone").Click(`form[action="/console/catalogue/model"] button`)
		page.Until(`form[action="/console/catalogue/check"]`).Whole(t)
		page.Type(`input[name="by"]`, "Digital Agency").Type(`input[name="osBuild"]`, "15/2026-03-05")
		page.Eval(`document.querySelector('input[name="on"]').value = "2026-04-01"; 0`, nil)
		page.Click(`form[action="/console/catalogue/check"] button`).Until(".done").Until(".tag.good").Shot("console-model").Whole(t)
		model := catalogue.Model{ID: "SENT-" + strings.ToUpper(string(lang)), Maker: "FaceWorks", Names: []string{"Sent"}, Platform: catalogue.Android, SecureElement: true, Market: catalogue.MarketJapan, Biometric: catalogue.BiometricClass3, NFC: catalogue.NFCMark, Verification: catalogue.Verification{Result: catalogue.Pending}}
		err := doorway.NewClient(w.Places.Server).Post(t.Context(), "/api/v1/devices/submissions", map[string]any{"role": "maker", "organisation": "FaceWorks", "model": model}, nil)
		if err != nil {
			t.Fatal(err)
		}
		page.Go(w.Places.Server + "/console/submissions").Shot("console-submissions").Whole(t)
		page.Type(`input[name="by"]`, "Digital Agency").Click(`form[action="/console/submissions"] button`).Until(".done").Whole(t)
	}
}
