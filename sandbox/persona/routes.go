package persona

import (
	"net/http"

	"warifu/sandbox/doorway"
	"warifu/text"
)

// Wish asks for a persona.
type Wish struct {
	Name  string `json:"name"`
	Phone string `json:"phone,omitempty"` // on which; a new one where none is named
}

// Word is one word of the grammar.
type Word struct {
	Word string `json:"word"`
	En   string `json:"en"`
	Ja   string `json:"ja"`
}

// Grammar lists every word with its sentence, in the order in which they are carried out.
func Grammar() []Word {
	var out []Word
	for _, w := range Words() {
		out = append(out, Word{w, text.Sentence(Key(w), text.English, nil), text.Sentence(Key(w), text.Japanese, nil)})
	}
	return out
}

// Routes adds the maker's doors to mux: they stand at the desk.
func (m *Maker) Routes(mux *http.ServeMux) {
	mux.Handle("GET /api/personas/words", doorway.JSON(func(http.ResponseWriter, *http.Request) (any, error) { return Grammar(), nil }))
	mux.Handle("GET /api/personas", doorway.JSON(func(http.ResponseWriter, *http.Request) (any, error) { return m.book.All() }))
	mux.Handle("POST /api/personas", doorway.JSON(func(w http.ResponseWriter, r *http.Request) (any, error) {
		var in Wish
		if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
			return nil, err
		}
		return m.Make(r.Context(), in.Name, in.Phone)
	}))
}
