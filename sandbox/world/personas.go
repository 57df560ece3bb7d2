package world

import (
	"context"

	"warifu/sandbox/desk"
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

// personaOf makes personas at the desk's page as its API does.
func personaOf(m *persona.Maker) desk.Persona {
	return func(ctx context.Context, name string) (string, error) {
		made, err := m.Make(ctx, name, "")
		return made.Person, err
	}
}

// personaWords is the grammar as the page lists it.
func personaWords() []desk.Word {
	var out []desk.Word
	for _, w := range persona.Grammar() {
		out = append(out, desk.Word{Word: w.Word, En: w.En, Ja: w.Ja})
	}
	return out
}
