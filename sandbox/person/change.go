package person

// Relocation is a new address, as a person reports it at the town hall.
type Relocation struct {
	Address             string `json:"address"`
	AddressSubstitution string `json:"address_substitution,omitempty"` // as Person.AddressSubstitution; "" for none
	Municipality        string `json:"municipality"`                   // code, five digits
}

// Renaming is a new name: by marriage, divorce, adoption or a court's leave.
type Renaming struct {
	Name             string `json:"name"`
	NameSubstitution string `json:"name_substitution,omitempty"` // as Person.NameSubstitution; "" for none
	Registered       string `json:"registered,omitempty"`        // as Person.Registered; "" for Name
	Kana             string `json:"kana,omitempty"`
}

// MovedTo returns the person as the register has them after a move. Errors as of
// Record.Person.
func (p Person) MovedTo(to Relocation) (Person, error) {
	r := p.Record()
	r.Address, r.AddressSubstitution, r.Municipality = to.Address, to.AddressSubstitution, to.Municipality
	return r.Person(p.CardIssued) // its dates are absolute: the start does not matter
}

// Renamed returns the person as the register has them after a change of name. Errors as
// of Record.Person.
func (p Person) Renamed(to Renaming) (Person, error) {
	r := p.Record()
	r.Name, r.NameSubstitution, r.Registered, r.Kana = to.Name, to.NameSubstitution, to.Registered, to.Kana
	return r.Person(p.CardIssued)
}

// SameRegister reports whether the register's entries that certificates carry or that
// are printed on the card are the same for both.
func (p Person) SameRegister(o Person) bool {
	return p.Name == o.Name && p.NameSubstitution == o.NameSubstitution && p.Registered == o.Registered && p.Kana == o.Kana &&
		p.Address == o.Address && p.AddressSubstitution == o.AddressSubstitution && p.Municipality == o.Municipality
}

// Elsewhere invents an address in another town, for whoever moves without saying where
// to. It is the same for the same person, and leads away again from where it led.
func (p Person) Elsewhere() Relocation {
	at := 0
	for i, m := range municipalities {
		if m == p.Municipality {
			at = i
		}
	}
	town := municipalities[(at+1)%len(municipalities)]
	number := 0
	for _, r := range p.ID + town.Code {
		number = (number*31 + int(r)) % 10_000
	}
	return Relocation{Address: town.address(streets[number%len(streets)], 1+number%9, 1+number%29, 1+number%37), Municipality: town.Code}
}

// Married invents a name with another family name, for whoever marries without saying whom.
func (p Person) Married() Renaming {
	family, given := families[0], reading{written: p.Name[len(p.Family()):], kana: afterSpace(p.Kana)}
	if p.Family() == family.written {
		family = families[1]
	}
	to := Renaming{Name: family.written + given.written}
	if given.kana != "" {
		to.Kana = family.kana + given.kana
	}
	return to
}

// afterSpace returns s from its first ideographic space on, "" where it has none.
func afterSpace(s string) string {
	for i, r := range s {
		if r == '　' {
			return s[i:]
		}
	}
	return ""
}
