package facetest

import (
	"context"
	"strings"
	"testing"

	"warifu"
	"warifu/internal/browsertest"
	"warifu/internal/worldtest"
	"warifu/sandbox/bank"
	"warifu/sandbox/person"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
	"warifu/text"
)

// guided goes the guided walk: the desk's page lies open and has to notice by itself what is
// done at the other places.
type guided struct {
	*browsertest.Page
	t     *testing.T
	w     *world.World
	lang  text.Lang
	who   person.Record
	phone string
	other *worldtest.Browser // at portal and bank
}

// at wants the page to say that the walk is at a stop.
func (k *guided) at(stop string) {
	k.t.Helper()
	k.See(text.Sentence("desk.stop-"+stop, k.lang, nil))
	k.Until(`.stop a[href], .stop form`)
	if heading := k.Text(".stop h3"); heading != text.Sentence("desk.stop-"+stop, k.lang, nil) {
		k.t.Fatalf("the walk is at %q, not at %s", heading, stop)
	}
}

// noticed waits until the open page shows a stop without being loaded again.
func (k *guided) noticed(stop string) {
	k.t.Helper()
	k.Until(`.walk[data-stop="` + stop + `"]`)
	k.at(stop)
}

func (k *guided) desk(path string) *browsertest.Page { return k.Go(k.w.Places.Desk + path) }

// begin chooses who to be, meets the card and the phone.
func (k *guided) begin() {
	k.desk("/persons/" + k.who.ID).Click(`button[name="stay"]`).See(text.Sentence("desk.is-me", k.lang, nil))
	k.desk("/").Click(`button[value="begin"]`)
	k.at("card")
	k.Shot("desk-walk").Whole(k.t).Click(".stop a.button").See(k.who.PINs.Signature)
	k.desk("/")
	k.at("phone")
	k.Go(k.w.Places.Phones + "/phones/" + k.phone)
	k.desk("/")
	k.at("apply")
}

// own applies and registers; the desk's page goes on by itself.
func (k *guided) own() {
	ctx := context.Background()
	in := phones.Apply{
		Card: k.who.ID, CardPassword: k.who.PINs.Signature, Kinds: warifu.Kinds[:], Consent: k.w.Scheme.Consent, PIN: worldtest.PIN, Signature: worldtest.Password,
	}
	if _, err := k.w.Phones.Apply(ctx, k.phone, in); err != nil {
		k.t.Fatal(err)
	}
	k.noticed("register")
	if _, err := k.w.Phones.Personalize(ctx, k.phone, phones.Personalize{}); err != nil {
		k.t.Fatal(err)
	}
	k.noticed("portal")
}

// use logs in at the portal and signs at the bank, with the phone alone.
func (k *guided) use() {
	if _, _, at, slug := k.other.Approve(k.t, k.w, k.phone, k.w.Places.Portal+"/visit"); slug != "" || !strings.HasPrefix(at, k.w.Places.Portal) {
		k.t.Fatalf("the portal: %s %q", at, slug)
	}
	k.noticed("bank")
	if _, _, _, slug := k.other.Approve(k.t, k.w, k.phone, k.w.Places.Bank+"/visit?to=/accounts"); slug != "" {
		k.t.Fatal(slug)
	}
	var a bank.Account
	if slug := k.other.JSON(k.w.Places.Bank+"/api/accounts", bank.Opening{Purpose: "salary", Occupation: "employee", Method: "signature"}, &a); slug != "" {
		k.t.Fatal(slug)
	}
	if _, _, _, slug := k.other.Approve(k.t, k.w, k.phone, k.w.Places.Bank+"/accounts/"+a.ID+"/sign"); slug != "" {
		k.t.Fatal(slug)
	}
	k.noticed("lose")
}

// lose suspends with the card at the person's page, has a login refused, and resumes.
func (k *guided) lose() {
	order := func(verb string) {
		k.desk("/persons/"+k.who.ID).Type(`#lost [name="cardPassword"]`, k.who.PINs.Signature).Click(`#lost button[value="` + verb + `"]`)
	}
	order("suspend")
	k.See(text.Sentence("part.state.held", k.lang, nil)).Whole(k.t)
	k.desk("/")
	k.at("lose")
	thief := worldtest.NewBrowser(k.t)
	if _, _, _, slug := thief.Approve(k.t, k.w, k.phone, k.w.Places.Portal+"/visit"); slug == "" {
		k.t.Fatal("whoever found the phone logged in")
	}
	k.noticed("back")
	order("resume")
	k.desk("/").See(text.Sentence("desk.walk-over", k.lang, nil)).See(text.Sentence("desk.walk-checked", k.lang, nil)).Shot("desk-walk-over").Whole(k.t)
}

// The guided walk of nine stops, from the first page to the last, in both languages and at
// both sizes: every stop is noticed by what has truly happened, and the walk is left in the
// middle and gone on with in another browser.
func TestTheGuidedWalk(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for i, size := range browsertest.Sizes {
		lang := text.Languages[i]
		k := &guided{b.Page(t, size, string(lang)), t, w, lang, Person(t), worldtest.Buy(t, w), worldtest.NewBrowser(t)}
		k.begin()
		k.own()
		k.Click(`button[value="leave"]`).See(text.Sentence("desk.walk-again", lang, nil)).Shot("desk-walk-left").Whole(t)
		k.Page = b.Page(t, size, string(lang))
		k.desk("/persons/" + k.who.ID).Click(`button[name="stay"]`)
		k.desk("/").Click(`button[value="resume"]`)
		k.at("portal")
		k.use()
		k.lose()
	}
}
