package facetest

import (
	"strings"
	"testing"

	"warifu/internal/browsertest"
	"warifu/text"
)

// everyScreen visits each screen of a phone's life and holds it to what every page must be.
func everyScreen(t *testing.T, page *browsertest.Page, phone, prefix string, screens ...string) {
	t.Helper()
	for _, screen := range screens {
		name := strings.Trim(strings.NewReplacer("?", "-", "=", "-", "event", "", "kind", "").Replace(screen), "-")
		page.Go(strings.TrimSuffix(phone+"/"+screen, "/")).Whole(t).Shot("phone-" + prefix + strings.ReplaceAll(name, "--", "-"))
	}
}

// lifeScreens are the screens that a registered phone has.
var lifeScreens = []string{
	"certificates", "secret", "secret?kind=signature", "unlock", "unlock?kind=authentication", "screenlock", "revoke", "suspend",
	"code", "contact", "checked", "consents", "check", "sign", "forgotten", "leaving", "leaving?event=listing", "leaving?event=repair",
	"leaving?event=reset", "leaving?event=new-phone",
}

// Every screen of a phone's life is whole, at both sizes and in both languages, light and
// dark, and so are they where something is on hold or locked.
func TestTheScreensOfAPhonesLifeAreWhole(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	well, locked, held := Persona(t, "+screenlock"), Persona(t, "+locked@signature"), Persona(t, "+hold@signature")
	at := func(id string) string { return w.Places.Phones + "/phones/" + id }
	for i, size := range browsertest.Sizes {
		lang := text.Languages[i]
		page := b.Page(t, size, string(lang))
		if size == browsertest.Desktop {
			page.Dark()
		}
		everyScreen(t, page, at(well.Phone), "", lifeScreens...)
		everyScreen(t, page, at(locked.Phone), "locked-", "certificates", "revoke", "secret?kind=signature", "leaving?event=listing", "sign")
		everyScreen(t, page, at(held.Phone), "held-", "certificates", "suspend", "check")
	}
}
