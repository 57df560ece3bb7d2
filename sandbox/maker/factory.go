package maker

import (
	"crypto/x509"
	"slices"
	"strconv"
	"sync"

	"warifu"
	"warifu/chip"
	"warifu/sandbox/folder"
)

// Config is what a factory needs.
type Config struct {
	Dir    string
	Clock  warifu.Clock
	Makers []string // everybody who makes phones; founded where missing, and anchors from then on
	// Domain derives the supplementary domain's keys of one chip from the master key
	// shared with the server's operator.
	Domain func(warifu.ElementID) (chip.DomainKeys, error)
	Apps   []warifu.Digest // SHA-256 of the signing certificates of the apps that may reach the element
	Keys   chip.KeySource  // makes key pairs inside elements; nil: the chip's own way
}

// Factory makes phones for all makers. Its methods may be called from several goroutines.
type Factory struct {
	config Config
	phones folder.Folder
	chips  folder.Folder
	makers map[string]*chip.Maker
	roots  []*x509.Certificate

	mu       sync.Mutex
	made     map[string]record
	elements map[string]*chip.Element
}

// Phone is what is written on a phone's box.
type Phone struct {
	ID      string           `json:"id"`
	Maker   string           `json:"maker"`
	Model   string           `json:"model"` // catalogue identifier
	IMEI    string           `json:"imei"`  // fifteen digits of the test range
	Serial  string           `json:"serial"`
	Element warifu.ElementID `json:"element"`
}

// record is a phone with what its chip was made with.
type record struct {
	Phone
	Personality chip.ElementPersonality `json:"personality"`
}

// Open opens the factory with everything it has made. Errors: Unavailable
// "world-damaged" naming the file that cannot be read.
func Open(config Config) (*Factory, error) {
	f := &Factory{config: config, makers: map[string]*chip.Maker{}, made: map[string]record{}, elements: map[string]*chip.Element{}}
	root, err := folder.Open(config.Dir)
	if err != nil {
		return nil, err
	}
	if f.phones, err = root.Sub("phones"); err != nil {
		return nil, err
	}
	if f.chips, err = root.Sub("chips"); err != nil {
		return nil, err
	}
	if err := f.openMakers(root); err != nil {
		return nil, err
	}
	return f, f.openPhones()
}

// openMakers reads the makers founded so far and founds those that are missing.
func (f *Factory) openMakers(root folder.Folder) error {
	const file = "makers.json"
	var founded []*chip.Maker
	if _, err := root.ReadJSON(file, &founded); err != nil {
		return err
	}
	before := len(founded)
	for _, name := range f.config.Makers {
		if slices.ContainsFunc(founded, func(m *chip.Maker) bool { return m.Name == name }) {
			continue
		}
		m, err := chip.NewMaker(name, f.config.Clock.Now())
		if err != nil {
			return err
		}
		founded = append(founded, m)
	}
	for _, m := range founded {
		root, err := x509.ParseCertificate(m.Root)
		if err != nil {
			return warifu.Unavailable("world-damaged", "file", file).With(err)
		}
		f.makers[m.Name], f.roots = m, append(f.roots, root)
	}
	if len(founded) == before {
		return nil
	}
	return root.WriteJSON(file, founded)
}

func (f *Factory) openPhones() error {
	ids, err := f.phones.Names(".json")
	if err != nil {
		return err
	}
	for _, id := range ids {
		var r record
		if _, err := f.phones.ReadJSON(id+".json", &r); err != nil {
			return err
		}
		f.made[id] = r
	}
	return nil
}

// Roots returns every maker's attestation root: what a server anchors.
func (f *Factory) Roots() []*x509.Certificate { return slices.Clone(f.roots) }

// Anchors returns the roots as a pool.
func (f *Factory) Anchors() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, r := range f.roots {
		pool.AddCert(r)
	}
	return pool
}

// Make makes a phone of the model under the identifier, which no other has. Errors:
// NotFound "maker-unknown", Conflict "phone-exists".
func (f *Factory) Make(id, maker, model string) (Phone, error) {
	m := f.makers[maker]
	if m == nil {
		return Phone{}, warifu.NotFound("maker-unknown", "maker", maker)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, taken := f.made[id]; taken {
		return Phone{}, warifu.Conflict("phone-exists", "phone", id)
	}
	imei, serial, err := newIdentifiers()
	if err != nil {
		return Phone{}, err
	}
	personality, err := m.Manufacture(chip.Order{
		Model: model, Identifiers: map[string]string{"imei": imei, "serial": serial},
		Domain: f.config.Domain, Apps: f.config.Apps, At: f.config.Clock.Now(),
	})
	if err != nil {
		return Phone{}, err
	}
	r := record{Phone{id, maker, model, imei, serial, personality.ID}, personality}
	if err := f.phones.WriteJSON(id+".json", r); err != nil {
		return Phone{}, err
	}
	f.made[id] = r
	return r.Phone, nil
}

// Phones lists what was made; numbers in identifiers are put in order of size.
func (f *Factory) Phones() []Phone {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]Phone, 0, len(f.made))
	for _, r := range f.made {
		out = append(out, r.Phone)
	}
	slices.SortFunc(out, func(a, b Phone) int { return compareIDs(a.ID, b.ID) })
	return out
}

// Element returns the phone's secure element, alive: the same one to everybody. Error:
// NotFound "phone-unknown".
func (f *Factory) Element(id string) (*chip.Element, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.elements[id]; e != nil {
		return e, nil
	}
	r, made := f.made[id]
	if !made {
		return nil, warifu.NotFound("phone-unknown", "phone", id)
	}
	r.Personality.Keys = f.config.Keys
	e, err := chip.NewElement(r.Personality, f.chips.Memory(id+".json"))
	if err != nil {
		return nil, warifu.Unavailable("world-damaged", "file", strconv.Quote(id)).With(err)
	}
	f.elements[id] = e
	return e, nil
}
