package marketplace_test

import (
	"context"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"warifu"
	"warifu/attest"
	"warifu/internal/worldtest"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/sandbox/marketplace"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
)

// town is a world with a marketplace in it.
type town struct {
	*testing.T
	w      *world.World
	market doorway.Client
}

func newTown(t *testing.T, change ...func(*world.Config)) town {
	w := worldtest.Stand(t, change...)
	return town{t, w, doorway.NewClient(w.Places.Marketplace)}
}

func (t town) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (t town) refused(err error, slug string) {
	t.Helper()
	if got := worldtest.Slug(err); got != slug {
		t.Errorf("got %q (%v), want %q", got, err, slug)
	}
}

func (t town) imei(id string) string {
	h, err := t.w.Phones.Handset(id)
	t.must(err)
	return h.IMEI
}

var done = marketplace.Checklist{Initialised: true, ActivationLock: true, Certificates: true}

func (t town) offer(id string, withChip bool) marketplace.Offer {
	t.Helper()
	in := marketplace.Sale{Title: "Pixel 10", Price: 52_000, IMEI: t.imei(id), Checklist: done}
	if withChip {
		h, err := t.w.Phones.Handset(id)
		t.must(err)
		in.Element = h.Record.Element.String()
	}
	var o marketplace.Offer
	t.must(t.market.Post(context.Background(), "/api/offers", in, &o))
	return o
}

// code has the phone answer a question, as text.
func (t town) code(id string, q marketplace.Question) string {
	t.Helper()
	p, err := t.w.Phones.Proof(context.Background(), id, phone.CleanQuestion{Marketplace: q.Marketplace, Nonce: q.Nonce, Identifiers: q.Identifiers, Time: t.w.Clock.Now().UTC()})
	t.must(err)
	code, err := attest.CleanCode{Proof: p.Proof, Chain: p.Chain}.Text()
	t.must(err)
	return code
}

func (t town) prove(o marketplace.Offer, code string) (marketplace.Offer, error) {
	var out marketplace.Offer
	err := t.market.Post(context.Background(), "/api/offers/"+o.ID+"/proof", marketplace.Shown{Code: code}, &out)
	return out, err
}

func (t town) get(path string, out any) {
	t.Helper()
	t.must(t.market.Get(context.Background(), path, out))
}

func (t town) revoke(id string) {
	t.Helper()
	_, err := t.w.Phones.Revoke(context.Background(), id, phones.Order{Password: worldtest.Password})
	t.must(err)
}

func (t town) check(code, imei string) marketplace.Checked {
	t.Helper()
	var out marketplace.Checked
	t.must(t.market.Post(context.Background(), "/api/checks", marketplace.Seen{Code: code, IMEI: imei}, &out))
	return out
}

func slugs(why []marketplace.Reason) string {
	var out []string
	for _, r := range why {
		out = append(out, r.Problem)
	}
	return strings.Join(out, " ")
}

// R81, R83: an offer is not shown before the chip has proved that nothing is left, and the
// proof counts for this offer alone.
func TestAListingIsBlockedUntilThePhoneProvesItself(t *testing.T) {
	town := newTown(t)
	ctx := context.Background()
	worldtest.Own(t, town.w, "phone-1", "taro")
	worldtest.Forward(t, town.w, "+1m")
	sale := marketplace.Sale{Title: "Pixel", Price: 1, IMEI: town.imei("phone-1"), Checklist: marketplace.Checklist{Initialised: true, ActivationLock: true}}
	town.refused(town.market.Post(ctx, "/api/offers", sale, nil), "marketplace-checklist-open")
	sale.Checklist, sale.IMEI = done, "123456789012345"
	town.refused(town.market.Post(ctx, "/api/offers", sale, nil), "marketplace-sale-malformed")

	o, another := town.offer("phone-1", false), town.offer("phone-1", false)
	if o.State != marketplace.Blocked {
		t.Errorf("a new offer is %s", o.State)
	}
	var shelf []marketplace.Offer
	if town.get("/api/offers", &shelf); len(shelf) != 0 {
		t.Errorf("%d offers are shown without a proof", len(shelf))
	}
	town.refused(town.market.Post(ctx, "/api/offers/"+o.ID+"/sale", struct{}{}, nil), "marketplace-not-listed")

	live, err := town.prove(o, town.code("phone-1", o.Question))
	town.must(err)
	if live.State != marketplace.Blocked || !strings.Contains(slugs(live.Why), "clean-credential-live") {
		t.Errorf("with live certificates it is %s because of %q", live.State, slugs(live.Why))
	}
	town.refused(town.market.Post(ctx, "/api/revocations", struct{}{}, nil), "marketplace-staff-cannot-revoke")
	kinds, err := town.w.Phones.Check(ctx, "phone-1")
	town.must(err)
	for _, k := range kinds.Kinds {
		if !k.Live {
			t.Errorf("staff revoked the %s certificate (K15)", k.Kind)
		}
	}

	town.revoke("phone-1")
	_, err = town.prove(o, town.code("phone-1", another.Question))
	town.refused(err, "clean-proof-other")
	_, err = town.prove(o, "WARIFU-CLEAN1:AAAA")
	town.refused(err, "clean-code-malformed")
	listed, err := town.prove(o, town.code("phone-1", o.Question))
	town.must(err)
	if listed.State != marketplace.Listed || !listed.Tied {
		t.Errorf("a clean phone is %s because of %q", listed.State, slugs(listed.Why))
	}
	if town.get("/api/offers", &shelf); len(shelf) != 1 || shelf[0].ID != o.ID || shelf[0].Proof != nil {
		t.Errorf("the shelf: %+v", shelf)
	}
	var sold marketplace.Offer
	town.must(town.market.Post(ctx, "/api/offers/"+o.ID+"/sale", struct{}{}, &sold))
	if sold.State != marketplace.Sold {
		t.Errorf("bought, it is %s", sold.State)
	}
	town.refused(town.market.Post(ctx, "/api/offers/"+o.ID+"/sale", struct{}{}, nil), "marketplace-sold")
}

// Between listing and sale somebody may register on the phone: it is asked about again.
func TestAPhoneIsAskedAboutAgainBeforeItIsSold(t *testing.T) {
	town := newTown(t)
	o := town.offer("phone-1", false)
	listed, err := town.prove(o, town.code("phone-1", o.Question))
	town.must(err)
	if listed.State != marketplace.Listed {
		t.Fatalf("a phone never used is %s because of %q", listed.State, slugs(listed.Why))
	}
	worldtest.Own(t, town.w, "phone-1", "hanako")
	town.refused(town.market.Post(context.Background(), "/api/offers/"+o.ID+"/sale", struct{}{}, nil), "marketplace-no-longer-clean")
	var now marketplace.Offer
	if town.get("/api/offers/"+o.ID, &now); now.State != marketplace.Blocked {
		t.Errorf("it is %s", now.State)
	}
}

// Without the phone at hand its holder is asked through the issuer; what comes of it does
// not tie the chip to the number on the box, and buyers are told so.
func TestAHolderIsAskedThroughTheIssuer(t *testing.T) {
	town := newTown(t)
	ctx := context.Background()
	worldtest.Own(t, town.w, "phone-1", "taro")
	worldtest.Forward(t, town.w, "+1m")
	o, no := town.offer("phone-1", true), town.offer("phone-1", false)
	town.refused(town.market.Post(ctx, "/api/offers/"+no.ID+"/question", struct{}{}, nil), "marketplace-element-missing")
	ask := func() {
		town.must(town.market.Post(ctx, "/api/offers/"+o.ID+"/question", struct{}{}, &o))
		if o.Outcome != "pending" {
			t.Errorf("asked, it is %s", o.Outcome)
		}
	}
	ask()
	_, err := town.w.Phones.Leave(ctx, "phone-1", phones.Leave{Event: "listing", Choice: phone.ChoiceNotMe})
	town.must(err)
	if town.get("/api/offers/"+o.ID, &o); o.State != marketplace.Blocked || o.Outcome != "declined" {
		t.Errorf("declined, it is %s, %s", o.State, o.Outcome)
	}
	o = town.offer("phone-1", true)
	ask()
	_, err = town.w.Phones.Leave(ctx, "phone-1", phones.Leave{Event: "listing", Choice: phone.ChoiceRevoke, Password: worldtest.Password})
	town.must(err)
	var shelf []marketplace.Offer
	if town.get("/api/offers", &shelf); len(shelf) != 1 || shelf[0].Tied {
		t.Errorf("the shelf: %+v", shelf)
	}
	town.must(town.market.Post(ctx, "/api/offers/"+o.ID+"/sale", struct{}{}, &o))
}

// R82: what a buyer is shown is worth something only for the phone in their hands, now.
func TestABuyerLearnsWhatAProofIsWorth(t *testing.T) {
	town := newTown(t)
	o := town.offer("phone-1", false)
	code, imei := town.code("phone-1", o.Question), town.imei("phone-1")
	foreign := town.code("phone-1", marketplace.Question{Marketplace: "elsewhere", Nonce: make([]byte, 16), Identifiers: []string{"imei:" + imei}})
	other := worldtest.Buy(t, town.w)
	for _, c := range []struct {
		what, code, imei, answer, why string
		ours                          bool
	}{
		{"the phone in hand", code, imei, "clean", "", true},
		{"no number typed", code, "", "unknown", "clean-proof-unnamed", true},
		{"another phone in hand", code, town.imei(other), "unknown", "marketplace-other-phone", true},
		{"made for somebody else", foreign, imei, "clean", "", false},
	} {
		got := town.check(c.code, c.imei)
		if got.Answer.Answer != c.answer || slugs(got.Reasons) != c.why || got.Ours != c.ours {
			t.Errorf("%s: %s because of %q, ours %v", c.what, got.Answer.Answer, slugs(got.Reasons), got.Ours)
		}
	}
	worldtest.Forward(t, town.w, "+25h")
	if got := town.check(code, imei); got.Answer.Answer != "unknown" || slugs(got.Reasons) != "marketplace-proof-stale" {
		t.Errorf("a day later: %s because of %q", got.Answer.Answer, slugs(got.Reasons))
	}
	worldtest.Own(t, town.w, "phone-1", "taro")
	if got := town.check(code, imei); got.Answer.Answer != "not-clean" {
		t.Errorf("with certificates on it since: %s", got.Answer.Answer)
	}
}

// A delivery of phones is judged in one table: which may be bought, which not, and why.
func TestATradeInIsATableOfWhatMayBeBought(t *testing.T) {
	town := newTown(t)
	ctx := context.Background()
	clean, live, afar := "phone-1", worldtest.Buy(t, town.w), worldtest.Buy(t, town.w)
	worldtest.Own(t, town.w, live, "taro")
	worldtest.Own(t, town.w, afar, "hanako")
	worldtest.Forward(t, town.w, "+1m")
	question := func(id string) marketplace.Question {
		var q marketplace.Question
		town.must(town.market.Post(ctx, "/api/questions", marketplace.Wanted{Identifiers: []string{"imei:" + town.imei(id)}}, &q))
		return q
	}
	foreign := marketplace.Question{Marketplace: marketplace.Name, Nonce: make([]byte, 16), Identifiers: []string{"imei:" + town.imei(afar)}}
	h, err := town.w.Phones.Handset(afar)
	town.must(err)
	row := func(imei, proof, element string) string { return imei + "," + proof + "," + element + "\n" }
	table := "imei,proof,element\n" +
		row(town.imei(clean), town.code(clean, question(clean)), "") +
		row(town.imei(live), town.code(live, question(live)), "") +
		row(town.imei(clean), town.code(clean, question(clean)), "") +
		row("490154203237518", town.code(clean, question(clean)), "") +
		row(town.imei(afar), "", h.Record.Element.String()) +
		row("356938035643809", town.code(afar, foreign), "")
	var lot marketplace.Lot
	town.must(town.market.PostOctets(ctx, "/api/lots", []byte(table), &lot))
	wants := func(at int, verdict, why string) {
		t.Helper()
		if r := lot.Rows[at]; r.Verdict != verdict || !strings.Contains(slugs(r.Why), why) {
			t.Errorf("row %d is %s because of %q, want %s because of %s", at+1, r.Verdict, slugs(r.Why), verdict, why)
		}
	}
	wants(0, marketplace.Buy, "")
	wants(1, marketplace.Refuse, "clean-credential-live")
	wants(2, marketplace.Refuse, "marketplace-row-twice")
	wants(3, marketplace.Refuse, "marketplace-other-phone")
	wants(4, marketplace.Wait, "marketplace-holder-asked")
	wants(5, marketplace.Refuse, "marketplace-nonce-foreign")
	_, err = town.w.Phones.Leave(ctx, afar, phones.Leave{Event: "listing", Choice: phone.ChoiceRevoke, Password: worldtest.Password})
	town.must(err)
	town.get("/api/lots/"+lot.ID, &lot)
	wants(4, marketplace.Wait, "clean-proof-unnamed")
	wants(0, marketplace.Buy, "")
}

var hidden = regexp.MustCompile(`name="(marketplace|nonce|identifier|back)" value="([^"]*)"`)

// By the pages alone: list, follow the link to the phone, revoke there, come back with the
// proof, hand it in, and buy.
func TestSellingAndBuyingByFormPages(t *testing.T) {
	town := newTown(t)
	b, market := worldtest.NewBrowser(t), town.w.Places.Marketplace
	worldtest.Own(t, town.w, "phone-1", "taro")
	worldtest.Forward(t, town.w, "+1m")
	sale := []string{"title", "Pixel 10", "price", "52000", "imei", town.imei("phone-1"), "initialised", "1", "activation-lock", "1"}
	status, page := b.Fill(market+"/offers", sale...)
	if status != http.StatusForbidden {
		t.Errorf("with a box open: status %d", status)
	}
	b.Wants(page, "スマホ用電子証明書失効手続き済み")
	b.Wants(page, `value="Pixel 10"`)
	status, page = b.Fill(market+"/offers", append(sale, "certificates", "1")...)
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, page)
	}
	b.Wants(page, "Not shown: waiting for the proof")
	link := regexp.MustCompile(`href="(http[^"]*/listed[^"]*)"`).FindStringSubmatch(page)
	if link == nil {
		t.Fatalf("no link to the phone:\n%s", page)
	}
	page = b.Get(html.UnescapeString(link[1]))
	pairs := []string{"phone", "phone-1"}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		pairs = append(pairs, m[1], html.UnescapeString(m[2]))
	}
	status, page = b.Fill(town.w.Places.Phones+"/listed", pairs...)
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, page)
	}
	b.Wants(page, `value="revoke"`)
	back := market + "/offers/offer-00001"
	status, page = b.Fill(town.w.Places.Phones+"/phones/phone-1/leaving", "event", "listing", "choice", "revoke", "password", worldtest.Password, "back", back)
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, page)
	}
	home := regexp.MustCompile(`<a id="back"[^>]* href="([^"]*)"`).FindStringSubmatch(page)
	if home == nil || !strings.HasPrefix(home[1], back) {
		t.Fatalf("no way back with the proof:\n%s", page)
	}
	code := regexp.MustCompile(`<textarea[^>]* name="code"[^>]*>([^<]+)<`).FindStringSubmatch(b.Get(html.UnescapeString(home[1])))
	if code == nil {
		t.Fatal("the proof did not come along")
	}
	_, page = b.Fill(back+"/proof", "code", code[1])
	b.Wants(page, "Proved by the chip of the phone with this IMEI.")
	_, page = b.Fill(market+"/check", "code", code[1], "imei", town.imei("phone-1"))
	b.Wants(page, "No certificate is left on it")
	b.Wants(b.Get(market+"/"), "offer-00001")
	_, page = b.Fill(back + "/sale")
	b.Wants(page, "Sold")
	_, page = b.Fill(market + "/staff")
	b.Wants(page, "Staff cannot revoke")
	_, page = b.Fill(market+"/trade-in", "table", "imei,proof,element\n"+town.imei("phone-1")+","+code[1]+",\n")
	b.Wants(page, "may be bought")
	_, page = b.Fill(market+"/trade-in", "table", "imei\n")
	b.Wants(page, "Line 1")
}

// K6: before the day it opens nothing is sold.
func TestTheMarketplaceOpensOnItsDay(t *testing.T) {
	town := newTown(t, func(c *world.Config) { c.Scheme, c.Begin = "jp-mobile-2023", at(t, "2025-07-30T12:00:00+09:00") })
	err := town.market.Get(context.Background(), "/api/offers", nil)
	town.refused(err, "service-not-yet")
	if warifu.ProblemOf(err).Params["from"] != "2025-07-31" {
		t.Errorf("%v", err)
	}
	worldtest.Forward(t, town.w, "2025-07-31T00:00:00+09:00")
	town.get("/api/offers", nil)
}
