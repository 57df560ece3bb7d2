package web_test

import (
	"net/url"
	"regexp"
	"testing"
	"time"

	"warifu"
	"warifu/console"
	"warifu/internal/housetest"
	"warifu/internal/passkeytest"
)

func TestAProposalIsTurnedDownAndACallIsOver(t *testing.T) {
	h, at, _ := staffed(t)
	id := ownContact(t, h)
	aoi, ken := at["aoi"], at["ken"]
	aoi.open("/console/hotline").do("/console/hotline", "reading", "はなこ", "birth", "1985-11-03", "telephone", "09011112222")
	call := aoi.at
	aoi.do(call+"/suspend", "caller", "holder", "phone", "lost", "card", "kept").see("Suspended. The holder is being told.")
	aoi.do(call+"/call-back", "outcome", "answered")
	for _, who := range []*browser{ken, aoi} { // another operator, and who proposed it
		aoi.open(call).do(call+"/propose", "verb", "resume", "cause", "found")
		proposal := proposalOf(t, ken.open("/console/queue"))
		who.open("/console/queue").do(proposal+"/decline").see("Nothing was done, and that is on record", "Nothing waits.")
		ken.do(proposal, "verb", "resume").see("This proposal no longer holds")
		aoi.open(call).see("proposal turned down")
	}
	wantStates(t, h, id, warifu.CredentialHeld)
	if aoi.do(call + "/over"); aoi.at != "/console/hotline" {
		t.Errorf("led to %s", aoi.at)
	}
	aoi.open(call).see("Look up again").seeNot("Propose to resume</button>", "Suspend now")
}

func TestAnOperatorAddsAPasskeyAndRemovesOne(t *testing.T) {
	h, nao, key := consoleHouse(t)
	second := &passkeytest.Authenticator{Origin: housetest.Origin}
	h.Clock.Forward(6 * time.Minute)
	nao.open("/console/passkeys").see("There is one only").seeNot("/removal")
	nao.open("/console/passkeys/new").see("Prove it again")
	nao.do("/console/step-up", "back", "/console/passkeys/new", "answer", string(key.Get(t, nao.options())))
	if nao.at != "/console/passkeys/new" {
		t.Errorf("led to %s", nao.at)
	}
	nao.do("/console/passkeys/new", "answer", "{}").see("The passkey's answer cannot be read")
	nao.do("/console/passkeys/new", "answer", string(second.Create(t, nao.options()))).see("The passkey was added").seeNot("There is one only")
	removal := regexp.MustCompile(`/console/passkeys/[0-9a-f]{16}/removal`).FindString(nao.page)
	h.Clock.Forward(6 * time.Minute)
	nao.do(removal).see("Prove it again")
	nao.do("/console/step-up", "back", "/console/passkeys", "answer", string(second.Get(t, nao.options())))
	nao.do(removal).see("The passkey was removed", "There is one only")
	nao.signIn(second).see("Hello nao")
	nao.signIn(key).see("This passkey is not known here")
}

func TestAnInvitationIsTypedOnce(t *testing.T) {
	h, nao, key := consoleHouse(t)
	h.Clock.Forward(6 * time.Minute)
	nao.open("/console/staff").do("/console/staff/invitations", "name", "aoi", "role", "auditor").see("Prove it again")
	at, err := url.Parse(nao.at)
	must(t, err)
	nao.do("/console/step-up", "back", at.Query().Get("back"), "answer", string(key.Get(t, nao.options())))
	nao.see("That was you", `value="aoi"`, `<option value="auditor" selected>`)
}

func TestFiguresThatAskByThemselvesKeepNobodySignedIn(t *testing.T) {
	h, nao, _ := consoleHouse(t)
	glance := func() int {
		return ask(nao.site, "GET", "/console", "", "User-Agent", nao.agent, "Cookie", nao.cookie, "HX-Request", "true").StatusCode
	}
	for range 3 {
		if got := glance(); got != 200 {
			t.Fatalf("signed in: %d", got)
		}
		h.Clock.Forward(console.Idle/3 + time.Second)
	}
	if got := glance(); got != 204 {
		t.Errorf("a session that is over: %d", got)
	}
	nao.open("/console").see("Your session is over")
}

func TestOfTwoEditorsOfAModelTheSecondIsTold(t *testing.T) {
	_, nao, _ := consoleHouse(t)
	yui := newBrowser(t, nao.site)
	yui.enrolled(invited(t, nao, "yui", "catalogue"), "")
	rei := newBrowser(t, nao.site)
	rei.enrolled(invited(t, nao, "rei", "catalogue"), "")
	entry := []string{"id", "TWO-1", "names", "Two", "platform", "android", "market", "japan", "secureElement", "yes", "biometric", "class3", "nfc", "mark"}
	yui.open("/console/catalogue/model").do("/console/catalogue/model", append(entry, "maker", "First")...).see("Saved.")
	rei.open("/console/catalogue/model").do("/console/catalogue/model", append(entry, "maker", "First")...).see("There is a model of that identifier")
	seen := regexp.MustCompile(`name="seen" value="([0-9a-f]{64})"`)
	mark := func(b *browser) string {
		t.Helper()
		m := seen.FindStringSubmatch(b.open("/console/catalogue/model?id=TWO-1").page)
		if m == nil {
			t.Fatal(b.page)
		}
		return m[1]
	}
	yuis, reis := mark(yui), mark(rei)
	rei.do("/console/catalogue/model", append(entry, "was", "TWO-1", "seen", reis, "maker", "Reis")...).see("Saved.")
	yui.do("/console/catalogue/model", append(entry, "was", "TWO-1", "seen", yuis, "maker", "Yuis")...).see("Another editor changed this model first", "What stands there now", "Reis", `value="Yuis"`)
	yui.do("/console/catalogue/model", append(entry, "was", "TWO-1", "seen", seen.FindStringSubmatch(yui.page)[1], "maker", "Yuis")...).see("Saved.", "Yuis")
}
