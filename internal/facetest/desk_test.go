package facetest

import (
	"net/http"
	"strings"
	"testing"

	"warifu/internal/browsertest"
)

// deskPages are the desk's own, by the name of their picture.
var deskPages = []struct{ name, path string }{
	{"start", "/"}, {"persons", "/persons"}, {"time", "/time"}, {"faults", "/faults"}, {"trace", "/trace"}, {"notices", "/notices"}, {"worlds", "/worlds"},
}

// Every page of the desk is whole in both languages, at a phone's size and a desk's.
func TestTheDesksPagesAreWhole(t *testing.T) {
	b, w := browsertest.Open(t), World(t)
	made := Persona(t, "+hold@signature")
	for _, as := range []struct {
		size browsertest.Size
		lang string
		dark bool
	}{{browsertest.Desktop, "ja", false}, {browsertest.Phone, "en", true}} {
		page := b.Page(t, as.size, as.lang)
		if as.dark {
			page.Dark()
		}
		for _, p := range append(deskPages, struct{ name, path string }{"person", "/persons/" + made.Person}) {
			page.Go(w.Places.Desk + p.path).Shot("desk-" + p.name).Whole(t)
		}
	}
}

// A fault is switched on and off at its page, and the pages say so.
func TestAFaultAtItsPage(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	page := b.Page(t, browsertest.Phone, "en").Go(w.Places.Desk + "/faults")
	const lists = `form:has(input[value="crl-down"]) `
	page.Click(lists+"summary").Type(lists+`[name="times"]`, "1").Click(lists + `[value="on"]`)
	page.See("Faults that are on: 1").Shot("desk-fault-on").Whole(t)
	answer, err := http.Get(w.Places.Server + "/crl/signature.crl")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("the lists answer %d", answer.StatusCode)
	}
	page.Go(w.Places.Desk + "/faults").See("No fault is on")
	page.Click(`form:has(input[value="provider-slow"]) [value="on"]`).See("lasts until").Click(`form:has(input[value="provider-slow"]) [value="off"]`).See("No fault is on")
}

// Whoever applied, registered and signed finds every step in the trace, and no secret of any
// kind, neither the card's nor the phone's.
func TestTheTraceTellsStepsAndNoSecret(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	made := Persona(t, "")
	page := b.Page(t, browsertest.Desktop, "en").Go(w.Places.Desk + "/trace")
	page.See(made.Phone + ": registers its certificates").Shot("desk-trace-register")
	page.Eval(`document.querySelectorAll("details").forEach(d => d.open = true)`, nil)
	page.See("select the JPKI application").See("open a secure channel (SCP03)").Whole(t)
	card, err := w.Bureau.Show(made.Person)
	if err != nil {
		t.Fatal(err)
	}
	record := card.Person.Record()
	text := page.Text("main")
	for _, secret := range []string{made.Password, record.PINs.Signature, record.Name, record.Address, record.Number} {
		if strings.Contains(text, secret) {
			t.Errorf("the trace shows %q", secret)
		}
	}
}

// A life event is registered by one tap, and the cascade stands there: what the bureau told,
// and what became of the certificate on the phone.
func TestALifeEventShowsItsCascade(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	made := Persona(t, "")
	for _, as := range []struct {
		lang, told, state string
	}{{"ja", "カード発行局の知らせ", "失効"}} {
		page := b.Page(t, browsertest.Phone, as.lang).Go(w.Places.Desk + "/persons/" + made.Person)
		page.Click(`button[value="move"]`).See(as.told).Shot("desk-cascade").Whole(t)
		if tree := page.Text(".cascade"); !strings.Contains(tree, as.state) {
			t.Errorf("the cascade does not say %q: %s", as.state, tree)
		}
	}
}
