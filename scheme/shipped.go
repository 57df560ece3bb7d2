package scheme

import (
	"embed"
	"sync"

	"warifu"
)

//go:embed files/*.toml
var files embed.FS

// Names lists the shipped schemes, the default first.
var Names = [...]string{"jp-mobile", "jp-mobile-strict", "jp-mobile-2023", "badge"}

var shipped = sync.OnceValues(func() (map[string]*Scheme, error) {
	all := map[string]*Scheme{}
	for _, name := range Names {
		b, err := files.ReadFile("files/" + name + ".toml")
		if err != nil {
			return nil, err
		}
		if all[name], err = Parse(b); err != nil {
			return nil, err
		}
	}
	return all, nil
})

// Shipped returns one of the schemes that are built in; NotFound "scheme-unknown" for
// any other name. Callers share the value and must not change it.
func Shipped(name string) (*Scheme, error) {
	all, err := shipped()
	if err != nil {
		return nil, err
	}
	s, ok := all[name]
	if !ok {
		return nil, warifu.NotFound("scheme-unknown", "name", name)
	}
	return s, nil
}

// ShippedFile returns the text of a shipped scheme, to start one's own from.
func ShippedFile(name string) ([]byte, error) {
	if _, err := Shipped(name); err != nil {
		return nil, err
	}
	return files.ReadFile("files/" + name + ".toml")
}
