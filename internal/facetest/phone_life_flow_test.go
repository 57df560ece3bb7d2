package facetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/browsertest"
	"warifu/sandbox/doorway"
	"warifu/sandbox/persona"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
	"warifu/text"
)

// says is a sentence of the catalogue in the page's language.
func says(lang text.Lang, key string) string { return text.Sentence(key, lang, nil) }

// asProblem is the title of a problem.
func asProblem(lang text.Lang, slug string) string {
	title, _, _ := text.Problem(&warifu.Error{Problem: slug}, lang)
	return title
}

// asNext is what a problem says to do next.
func asNext(lang text.Lang, slug string) string {
	_, _, next := text.Problem(&warifu.Error{Problem: slug}, lang)
	return next
}

// cardPassword is the signing password of a person's card.
func cardPassword(t *testing.T, w *world.World, who persona.Made) string {
	t.Helper()
	v, err := w.Bureau.Show(who.Person)
	if err != nil {
		t.Fatal(err)
	}
	return v.Person.Record().PINs.Signature
}

// loginLink begins a login at the portal and returns the link of its code.
func loginLink(t *testing.T, w *world.World, page *browsertest.Page) (qr string) {
	t.Helper()
	page.Go(w.Places.Portal + "/visit")
	return begunLink(t, w, page)
}

// begunLink is the link of the code that a waiting page shows.
func begunLink(t *testing.T, w *world.World, page *browsertest.Page) (qr string) {
	t.Helper()
	id, begun := strings.CutPrefix(page.Address(), w.Places.Server+"/login/")
	if !begun {
		t.Fatalf("no login began: %s", page.Address())
	}
	return w.Places.Server + "/l/" + id
}

// put puts a login before a phone, as the desk does, or whoever knows which phone it is.
func put(t *testing.T, w *world.World, phone, link string) {
	t.Helper()
	if err := doorway.NewClient(w.Places.Phones).Post(context.Background(), "/api/phones/"+phone+"/prompt", phones.Link{Link: link}, nil); err != nil {
		t.Fatal(err)
	}
}

// approving is the screen on which a phone is asked for the login of a link.
func approving(w *world.World, link, phone string) string {
	return w.Places.Phones + "/approve/qr/" + link[strings.LastIndex(link, "/")+1:] + "?phone=" + phone
}

func number(n string) string { return `label:has(input[name=number][value="` + n + `"])` }

// A login on a computer comes up on the phone's screen that is open, by the phone's own stream;
// the number of the computer's page is picked, and the computer goes on by itself. Another
// number ends the login, and so does declining.
func TestALoginOnAnotherDeviceIsApproved(t *testing.T) {
	b, w := browsertest.Open(t), World(t)
	who := Persona(t, "")
	for i, size := range browsertest.Sizes {
		lang := text.Languages[i]
		desk, hand := b.Page(t, browsertest.Desktop, string(lang)), b.Page(t, size, string(lang))
		link := loginLink(t, w, desk)
		shown := strings.TrimSpace(desk.Text(".bignumber"))
		hand.Go(w.Places.Phones + "/phones/" + who.Phone)
		asked := warifu.SystemClock{}.Now()
		put(t, w, who.Phone, link)
		hand.See(says(lang, "my.approve.prompt"))
		t.Logf("%s: the login was on the phone's screen after %s", size.Name, warifu.SystemClock{}.Now().Sub(asked).Round(time.Millisecond))
		hand.Whole(t).Shot("phone-prompt")
		hand.Click("#bubble a").See(says(lang, "my.approve.asks")).Whole(t).Shot("phone-approve")
		hand.Click(number(shown)).Type("[name=pin]", who.PIN).Follow(says(lang, "login.approve.do"))
		hand.See(says(lang, "login.approve.done")).Whole(t).Shot("phone-approved")
		desk.Until(`form[action="/leave"]`)
		signs(t, w, desk, hand, who, lang)

		other := b.Page(t, browsertest.Desktop, string(lang))
		link = loginLink(t, w, other)
		shown = strings.TrimSpace(other.Text(".bignumber"))
		hand.Go(w.Places.Phones + "/approve?at=" + link).Whole(t).Shot("phone-approve-which")
		hand.Go(approving(w, link, who.Phone)).Click(`label:has(input[name=number]:not([value="` + shown + `"]))`)
		hand.Type("[name=pin]", who.PIN).Follow(says(lang, "login.approve.do")).See(says(lang, "my.approve.nothing-sent")).Whole(t).Shot("phone-approve-wrong-number")

		link = loginLink(t, w, other)
		hand.Go(approving(w, link, who.Phone))
		hand.Follow(says(lang, "login.approve.decline")).See(says(lang, "login.approve.declined")).Whole(t).Shot("phone-declined")
		hand.Back().See(says(lang, "my.approve.over")).Whole(t) // asked again it is over
	}
}

// signs has a form of the portal signed with the phone: its screen tells what is signed.
func signs(t *testing.T, w *world.World, desk, hand *browsertest.Page, who persona.Made, lang text.Lang) {
	t.Helper()
	desk.Go(w.Places.Portal+"/procedures/child-allowance").Choose("[name=town]", "13101").Type("[name=answer-child]", "見本 花子")
	desk.Choose("[name=answer-born]", "2025-04-01").Type("[name=answer-account]", "見本銀行 0000001").Click("main form button").Click(`a[href$="/sign"]`)
	shown := strings.TrimSpace(desk.Text(".bignumber"))
	hand.Go(approving(w, begunLink(t, w, desk), who.Phone))
	hand.See("SHA-256").See("見本 花子").Whole(t).Shot("phone-approve-sign")
	hand.Click(number(shown)).Type("[name=password]", who.Password).Click(`form button:not([name=decline])`).See(says(lang, "login.approve.done"))
	desk.Until(".receipt")
}

// On the phone itself the app opens from the waiting page and leads back into the service. A
// wrong PIN says what is left; the last one leads to the card, and with the new PIN the
// login goes on where it was.
func TestALockedPINIsSetAnewWithTheCard(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for i, size := range browsertest.Sizes {
		lang, who := text.Languages[i], Persona(t, "+pin2left")
		at := w.Places.Phones + "/phones/" + who.Phone
		hand := b.Page(t, size, string(lang))
		link := loginLink(t, w, hand)
		app := "/approve/app/" + link[strings.LastIndex(link, "/")+1:] + "?phone=" + who.Phone
		hand.Go(w.Places.Phones + app)
		hand.Type("[name=pin]", "0000").Follow(says(lang, "login.approve.do")).See("1").Whole(t).Shot("phone-approve-one-left")
		hand.Type("[name=pin]", "0000").Follow(says(lang, "login.approve.do")).See(says(lang, "part.locked.what")).Whole(t).Shot("phone-approve-locked")
		setAnew(t, w, hand.Follow(says(lang, "part.locked.do")), who, lang)
		hand.Go(w.Places.Phones+app).Type("[name=pin]", "9753").Follow(says(lang, "login.approve.do")).Until(`form[action="/leave"]`)

		hand.Go(at+"/secret?kind=authentication").Type("[name=current]", "9753").Type("[name=next]", "8642").Type("[name=again]", "8642")
		hand.Follow(says(lang, "phones.secret-do")).See(says(lang, "my.done.secret"))
		hand.Go(at+"/checked").Type("[name=pin]", "8642").Follow(says(lang, "ledger.read")).Until("#ledger").Whole(t).Shot("phone-checked-read")
		hand.Go(at+"/screenlock").Type("[name=pin]", "8642").Click(`label:has([value="simple-face:owner"])`).Follow(says(lang, "phones.screenlock-do"))
		hand.See(asProblem(lang, "screen-lock-weak")).Type("[name=pin]", "8642").Click(`label:has([value="fingerprint:thumb"])`)
		hand.Follow(says(lang, "phones.screenlock-do")).See(says(lang, "my.done.screenlock")).Whole(t)
		hand.Go(w.Places.Portal + "/").Click(`form[action="/leave"] button`)
		link = loginLink(t, w, hand)
		hand.Go(w.Places.Phones + "/approve/app/" + link[strings.LastIndex(link, "/")+1:] + "?phone=" + who.Phone).Whole(t).Shot("phone-approve-screen-lock")
		hand.Follow(says(lang, "login.approve.do")).Until(`form[action="/leave"]`)
	}
}

// setAnew goes the screens on which the PIN is set anew with the card: the card's password, which
// is refused without a try where it can be none, the card, and the new PIN, typed twice.
func setAnew(t *testing.T, w *world.World, hand *browsertest.Page, who persona.Made, lang text.Lang) {
	t.Helper()
	stranger := Person(t)
	hand.Whole(t).Shot("phone-unlock-password").Type("[name=cardPassword]", "1234").Follow(says(lang, "app.step.next"))
	hand.See(asNext(lang, "card-pin-format")).Whole(t).Shot("phone-unlock-impossible")
	hand.Type("[name=cardPassword]", "WRONG123").Follow(says(lang, "app.step.next")).Whole(t).Shot("phone-unlock-tap")
	hand.Choose("[name=card]", who.Person).Follow(says(lang, "app.card.hold")).See("4").Whole(t).Shot("phone-unlock-wrong")
	hand.Type("[name=cardPassword]", stranger.PINs.Signature).Follow(says(lang, "app.step.next")).Choose("[name=card]", stranger.ID).Follow(says(lang, "app.card.hold"))
	hand.Type("[name=next]", "9753").Type("[name=again]", "9753").Follow(says(lang, "phones.unlock-do"))
	hand.See(asProblem(lang, "reset-proof-invalid")).Whole(t).Shot("phone-unlock-other-card")
	hand.Click("text=" + says(lang, "my.unlock.away")).See(says(lang, "my.card.what"))
	hand.Go(w.Places.Phones+"/phones/"+who.Phone+"/unlock?kind=authentication").Type("[name=cardPassword]", cardPassword(t, w, who)).Follow(says(lang, "app.step.next"))
	hand.Choose("[name=card]", who.Person).Follow(says(lang, "app.card.hold")).See(says(lang, "my.unlock.read")).Whole(t).Shot("phone-unlock-new")
	hand.Type("[name=next]", "９７５３").Type("[name=again]", "９７５１").Follow(says(lang, "phones.unlock-do"))
	hand.See(asProblem(lang, "secret-twice-different")).Whole(t).Shot("phone-unlock-differs")
	hand.Type("[name=next]", "９７５３").Type("[name=again]", "９７５３").Follow(says(lang, "phones.unlock-do"))
	hand.See(says(lang, "my.secret.folded")).Whole(t).Shot("phone-unlocked")
}

// Orders: on hold and back, another code, another telephone, and revoked for good (R75, K10).
func TestCertificatesAreSuspendedResumedAndRevoked(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for i, size := range browsertest.Sizes {
		lang, who, pinOnly := text.Languages[i], Persona(t, ""), Persona(t, "+nosig")
		hand, at := b.Page(t, size, string(lang)), w.Places.Phones+"/phones/"+who.Phone
		hand.Go(at+"/suspend").Type("[name=password]", who.Password).Follow(says(lang, "my.suspend.do")).See(says(lang, "my.done.suspend")).Whole(t).Shot("phone-suspended")
		hand.Go(at + "/certificates").See(says(lang, "my.hold.own-wish")).Whole(t)
		hand.Go(at+"/suspend").Type("[name=password]", "WRONG123").Follow(says(lang, "my.resume.do")).See("4").Whole(t).Shot("phone-resume-refused")
		hand.Type("[name=password]", who.Password).Follow(says(lang, "my.resume.do")).See(says(lang, "my.done.resume"))
		hand.Go(at+"/code").Type("[name=password]", who.Password).Follow(says(lang, "my.code.do")).Until("#code").Whole(t).Shot("phone-code-shown")
		hand.Go(at+"/contact").Type("[name=reading]", "みほん たろう").Type("[name=telephone]", "０９０－００００－１２３４").Type("[name=password]", who.Password)
		hand.Follow(says(lang, "phones.contact-do")).See(says(lang, "my.done.contact"))
		hand.Go(at+"/revoke").Click(`label:has([value=signature])`).Click(`label:has([value=authentication])`).Type("[name=password]", who.Password)
		hand.Follow(says(lang, "my.revoke.do")).See(asProblem(lang, "kinds-none")).Whole(t)
		hand.Type("[name=password]", who.Password).Follow(says(lang, "my.revoke.do")).See(says(lang, "my.done.revoke")).Whole(t).Shot("phone-revoked")
		hand.Go(at + "/certificates").See(says(lang, "my.card.nothing")).Whole(t).Shot("phone-nothing-left")
		hand.Go(w.Places.Phones+"/phones/"+pinOnly.Phone+"/revoke").Type("[name=pin]", pinOnly.PIN).Follow(says(lang, "my.revoke.do")).See(says(lang, "my.done.revoke"))
	}
}

// A phone that is sold: the marketplace's question leads to its holder's decision, and the
// proof is a code that fills the screen (R81, R83). A reset alone leaves everything in the
// chip, which is found again (R74).
func TestAPhoneIsSoldWithItsProofAndAResetLeavesTheChip(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for i, size := range browsertest.Sizes {
		lang, seller, keeper := text.Languages[i], Persona(t, ""), Persona(t, "")
		hand := b.Page(t, size, string(lang))
		h, err := w.Phones.Handset(seller.Phone)
		if err != nil {
			t.Fatal(err)
		}
		hand.Go(w.Places.Phones + "/listed?marketplace=example-market&nonce=" + strings.Repeat("0123456789abcdef", 2) + "&identifier=imei:" + h.IMEI).Whole(t).Shot("phone-listed")
		hand.Choose("[name=phone]", seller.Phone).Follow(says(lang, "phones.leaving-choose")).Click(`label:has([value=revoke])`).Whole(t).Shot("phone-sale")
		hand.Type("[name=password]", seller.Password).Follow(says(lang, "phones.leaving-do")).See(says(lang, "phones.left-revoke")).Until(".bigqr svg").Whole(t).Shot("phone-clean-code")
		hand.Click(".larger").Until(".bigqr:target").Whole(t).Shot("phone-clean-full").Click(".smaller")

		at := w.Places.Phones + "/phones/" + keeper.Phone
		hand.Go(at + "/leaving?event=reset").Click(`label:has([value=keep])`).Follow(says(lang, "phones.leaving-do")).See(says(lang, "my.done.reset")).Whole(t).Shot("phone-reset")
		hand.Go(at + "/check").See(says(lang, "phone.finding-not-yours")).Whole(t).Shot("phone-left-over")
		hand.Follow(says(lang, "my.validity.do")).See(says(lang, "my.done.check"))
		hand.Go(at + "/leaving?event=new-phone").Whole(t)
	}
}
