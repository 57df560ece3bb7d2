package world

import (
	"warifu/sandbox/doorway"
	"warifu/sandbox/persona"
)

// openPersonas opens the maker of personas, whose doors stand at the desk.
func (w *World) openPersonas() (*persona.Maker, error) {
	kept, err := w.folder.Sub("personas")
	if err != nil {
		return nil, err
	}
	return persona.New(doorway.NewClient(w.Places.Desk), doorway.NewClient(w.Places.Phones), w.Scheme.Consent, kept), nil
}
