package facetest

import (
	"strings"
	"testing"
	"time"

	"warifu/internal/browsertest"
	"warifu/jpki"
	"warifu/text"
)

// brings types the PIN of what a person brings, and touches it: "taro", "phone-taro".
func (v visitor) brings(s *terminals, id string) visitor {
	v.t.Helper()
	who, err := s.Bureau.Show(strings.TrimPrefix(id, "phone-"))
	if err != nil {
		v.t.Fatal(err)
	}
	v.types(string(who.Person.PINs.Authentication.Reveal())).Click(".pin .go")
	v.Choose("[name=chip]", id).Click(".tray button")
	return v
}

// comes goes to a terminal's first screen and says what they brought.
func (v visitor) comes(address, medium string) visitor {
	v.t.Helper()
	v.Go(address).Click("[value=" + medium + "]")
	return v
}

// leaves takes the way out.
func (v visitor) leaves() visitor {
	v.t.Helper()
	v.Click("form[action$=leave] button")
	return v
}

// Whoever may not have a paper is told why, and what else there is, before they pay.
func TestAKioskTellsWhoMayHaveWhat(t *testing.T) {
	Long(t)
	each(t, upright, "kiosk", func(v visitor) {
		s := openTerminals(v.t)
		for _, c := range [][2]string{{"mika", "certificate-suspended"}, {"shin", "certificate-revoked"}, {"goro", "certificate-expired"}} {
			v.comes(s.kiosk, "card").brings(s, c[0]).sees("terminal.q-stuck-card").sees("kiosk.elsewhere").refused(c[1]).looked(c[0]).leaves()
		}
		for _, c := range [][2]string{{"sakura", "resident-too-young"}, {"kyoko", "resident-restricted"}} {
			v.comes(s.kiosk, "card").brings(s, c[0]).sees("terminal.q-stuck-whoever").refused(c[1]).looked(c[0]).leaves()
		}
		v.comes(s.kiosk, "card").brings(s, "uruu").sees("kiosk.q-document").refused("seal-none").looked("no-seal").leaves()
		s.label.Store(jpki.LabelPhone)
		v.comes(s.kiosk, "card").brings(s, "taro").refused("not-a-card").sees("terminal.q-tap-card").looked("other-chip").leaves()
		s.label.Store(jpki.LabelIPhone)
		v.comes(s.kiosk, "phone").brings(s, "phone-taro").refused("reader-iphone").sees("terminal.q-stuck-phone").looked("iphone").leaves()
		s.label.Store("")
		s.Clock.Set(time.Date(2026, time.December, 31, 12, 0, 0, 0, s.Clock.Now().Location()))
		v.Go(s.kiosk)
		v.sees("kiosk.q-closed").refused("kiosk-closed-day").looked("closed-day")
	})
}

// The insurer's answer is told with what to do next; whatever it is, there is a way to the doctor.
func TestAClinicTellsHowSomebodyIsInsured(t *testing.T) {
	Long(t)
	each(t, lying, "clinic", func(v visitor) {
		s := openTerminals(v.t)
		for _, c := range [][2]string{{"hanako", "changed"}, {"kenji", "expired"}, {"maria", "unknown"}, {"nagai", "insured"}, {"kaoru", "insured"}} {
			v.comes(s.clinic, "card").brings(s, c[0])
			v.sees("clinic.q-medicine")
			for range 3 {
				v.Click("[value=no]")
			}
			v.sees("clinic.q-" + c[1]).sees("clinic.next-" + c[1]).sees("clinic.take-card").looked(c[1]).leaves()
		}
		for _, c := range [][2]string{{"mika", "certificate-suspended"}, {"shin", "certificate-revoked"}} {
			v.comes(s.clinic, "card").brings(s, c[0]).sees("clinic.q-medicine")
			for range 3 {
				v.Click("[value=no]")
			}
			v.sees("terminal.q-stuck-card").sees("clinic.elsewhere").refused(c[1]).looked(c[0]).leaves()
		}
		s.Away = func() bool { return true }
		v.comes(s.clinic, "phone").touches("0000").sees("terminal.q-pin-phone").looked("wrong").leaves()
		s.Away = func() bool { return false }
		v.Go(s.clinic + "/staff")
		for _, state := range []string{"changed", "expired", "unknown", "insured"} {
			v.sees("clinic.state-" + state)
		}
		v.looked("staff-many")
	})
}

// Nothing of a person is on the screen, or behind its back button, once they have left or been
// gone for two minutes: not their paper, not how they wanted the screen.
func TestNobodySeesWhoWasThereBefore(t *testing.T) {
	Long(t)
	s := openTerminals(t)
	v := visitor{Page: browsertest.Open(t).Page(t, upright, "ja"), t: t, lang: text.Japanese, prefix: "kiosk"}
	v.Go(s.kiosk)
	v.Click("[value=large]").Click("[value=contrast]")
	v.comes(s.kiosk, "card").brings(s, "kaoru").sees("kiosk.q-document")
	v.Keyboard(t)
	v.Click("[value=seal]").Click(`[value="1"]`).Click(`[value="1000"]`)
	v.sees("kiosk.change-to-come").looked("change-to-come")
	v.Click(".go.wide")
	v.sees("kiosk.take-card").looked("done-large").leaves()
	v.sees("kiosk.q-welcome")
	nothing := func(when string) {
		t.Helper()
		if v.Has(".set-large, .set-contrast, [href$=paper], .chosen") {
			t.Errorf("%s: the next person finds something of the one before", when)
		}
	}
	nothing("after the way out")
	v.Back()
	v.sees("kiosk.q-welcome")
	nothing("by the back button")
	v.Go(s.kiosk + "/visit")
	v.sees("kiosk.q-welcome")
	nothing("by the address")
	v.comes(s.kiosk, "card").brings(s, "taro").sees("kiosk.q-document")
	v.Click("[value=seal]").Click(`[value="1"]`).Click(`[value="100"]`)
	v.sees("kiosk.q-pay")
	s.Clock.Add(121 * time.Second)
	v.Go(s.kiosk + "/visit")
	v.refused("kiosk-visit-over")
	nothing("after two minutes")
	v.Go(s.kiosk)
	if title, _, _ := text.Problem(refusal("kiosk-visit-over"), v.lang); v.Sees(title) {
		t.Error("the next person reads that a visit is over")
	}
	c := visitor{Page: browsertest.Open(t).Page(t, lying, "ja"), t: t, lang: text.Japanese, prefix: "clinic"}
	c.comes(s.clinic, "card").brings(s, "hanako").sees("clinic.q-medicine")
	c.Keyboard(t)
	c.Click("[value=yes]").Click("[value=yes]").Click("[value=yes]")
	c.sees("clinic.q-changed").leaves()
	c.Back()
	c.sees("clinic.q-welcome")
	if title := text.Sentence("clinic.q-changed", c.lang, nil); c.Sees(title) {
		t.Error("the back button shows how somebody is insured")
	}
}
