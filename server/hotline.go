package server

import (
	"bytes"
	"encoding/hex"
	"os"

	"github.com/BurntSushi/toml"

	"warifu"
	"warifu/registration"
)

// followOperators reads the file of operators again, so that whoever left it is let in no
// more within a round of housekeeping. A file that cannot be read leaves the list as it
// stands, and is complained of in each round.
func (s *Server) followOperators() {
	now, err := s.config.operators()
	if err != nil {
		s.complain("operators", err)
		return
	}
	s.registration.SetOperators(now)
}

// operators reads the configured file.
func (c Config) operators() (registration.Operators, error) {
	if c.Operators.File == "" {
		return registration.Operators{}, nil
	}
	invalid := func(fault string) error {
		return warifu.Invalid("configuration-invalid", "faults", "[operators] file: "+fault)
	}
	b, err := os.ReadFile(c.path(c.Operators.File))
	if err != nil {
		return registration.Operators{}, invalid(err.Error())
	}
	var file struct {
		Operator []struct {
			Name  string `toml:"name"`
			Role  string `toml:"role"`
			Token string `toml:"token_sha256"`
		} `toml:"operator"`
	}
	meta, err := toml.NewDecoder(bytes.NewReader(b)).Decode(&file)
	if err != nil {
		return registration.Operators{}, invalid("it is no TOML that is understood")
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return registration.Operators{}, invalid("unknown field " + unknown[0].String())
	}
	list := make([]registration.Operator, len(file.Operator))
	for i, o := range file.Operator {
		list[i] = registration.Operator{Name: o.Name, Role: registration.OperatorRole(o.Role)}
		digest, err := hex.DecodeString(o.Token)
		if err != nil || len(digest) != len(list[i].Token) {
			return registration.Operators{}, invalid("token_sha256 of " + o.Name + " is not 64 hexadecimal digits")
		}
		copy(list[i].Token[:], digest)
	}
	return registration.NewOperators(list)
}
