package facetest

import (
	"os"
	"testing"

	"warifu/internal/browsertest"
	"warifu/text"
)

// The pictures of docs/screens: the main screens in both languages at both sizes (`make screens`).
// Every other test that comes by a screen keeps its picture, too, where WARIFU_SCREENS names a folder.
func TestScreens(t *testing.T) {
	if os.Getenv("WARIFU_SCREENS") == "" {
		t.Skip("no folder for pictures: make screens")
	}
	b, w := browsertest.Open(t), World(t)
	holder := Persona(t, "hanako+phone")
	phone := w.Places.Phones + "/phones/" + holder.Phone
	places := map[string]string{
		"desk": w.Places.Desk + "/", "phone": phone, "phone-my": phone + "/my", "phone-certificates": phone + "/certificates", "portal": w.Places.Portal + "/", "bank": w.Places.Bank + "/",
		"lost": w.Places.Server + "/lost", "kiosk": w.Places.Kiosk + "/", "clinic": w.Places.Clinic + "/", "docs": w.Places.Server + "/docs",
	}
	for _, size := range browsertest.Sizes {
		for _, lang := range text.Languages {
			page := b.Page(t, size, string(lang))
			for name, at := range places {
				page.Go(at).Shot(name)
			}
			page.Go(w.Places.Server + "/console/sign-in").Click(`form:has(input[value="rin"]) button`).Until(`a[href="/console/hotline"]`).Shot("console")
			page.Click(`a[href="/console/figures"]`).Until("svg").Shot("console-figures")
		}
	}
}
