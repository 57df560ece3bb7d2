package facetest

import (
	"os"
	"testing"

	"warifu/internal/browsertest"
	"warifu/text"
)

// The pictures of docs/screens: the main screens in both languages at both sizes (`make screens`;
// further ones are kept by the tests that come by them).
func TestScreens(t *testing.T) {
	if os.Getenv("WARIFU_SCREENS") == "" {
		t.Skip("no folder for pictures: make screens")
	}
	b, w := browsertest.Open(t), World(t)
	holder := Persona(t, "hanako+phone")
	for name, at := range map[string]string{
		"desk": w.Places.Desk + "/", "phone": w.Places.Phones + "/phones/" + holder.Phone, "portal": w.Places.Portal + "/",
		"lost": w.Places.Server + "/lost", "kiosk": w.Places.Kiosk + "/", "clinic": w.Places.Clinic + "/",
	} {
		for _, size := range browsertest.Sizes {
			for _, lang := range text.Languages {
				b.Page(t, size, string(lang)).Go(at).Shot(name)
			}
		}
	}
}
