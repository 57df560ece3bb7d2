package lineartest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"warifu"
	"warifu/catalogue"
	"warifu/chip"
	"warifu/jpki"
	"warifu/phone"
	"warifu/registration"
	"warifu/sandbox/handset"
	"warifu/sandbox/person"
)

// phoneModel is what everybody has.
const phoneModel = "Pixel 10"

var secrets = phone.Secrets{Signature: "LINEAR2026", Authentication: "2468"}

// resident is one person: a card, phones, and what is known of the certificates so far.
type resident struct {
	town    *town
	history *history
	number  int
	person  person.Person
	contact registration.Contact
	steps   int // of each of two phones

	done  atomic.Int64 // calls of its hands so far
	lived atomic.Int64 // steps of its phones so far
	tap   sync.Mutex   // one hand holds the card
	mu    sync.Mutex
	made  int // applications
	seen  []certificate
	code  map[int]string // suspension codes, by application
}

// certificate is what an asker asks about.
type certificate struct {
	application int
	kind        warifu.Kind
	serial      []byte
}

// client is one hand at work for a person.
type client struct {
	*resident
	id     int
	random *rand.Rand
	line   *line
	server *phone.Server
}

func (tn *town) resident(h *history, number int) (*resident, error) {
	p, err := tn.bureau.Resident()
	if err != nil {
		return nil, err
	}
	contact := registration.Contact{Reading: "リニア", BirthDate: p.Birth.Format(time.DateOnly), Telephone: fmt.Sprintf("0901111%04d", number)}
	return &resident{town: tn, history: h, number: number, person: p, contact: contact, code: map[int]string{}}, nil
}

// client makes a hand with luck of its own, the same in every run.
func (r *resident) client(id int, bad float64) (*client, error) {
	random := rand.New(rand.NewPCG(uint64(r.number), uint64(id)))
	l := &line{site: r.town.sites[id%len(r.town.sites)].handler, from: address(random), random: random, bad: bad}
	s, err := l.server()
	return &client{resident: r, id: r.number*100 + id, random: random, line: l, server: s}, err
}

// try does a call and writes it down. What it returns is what the server said.
func (c *client) try(what call, do func() error) answer {
	what.person = c.number
	c.line.from = address(c.random)
	began := c.town.ticks.next()
	c.line.lost.Store(false)
	out := outcome(do())
	if out.problem != "" && c.line.lost.Load() {
		out = answer{lost: true} // what was refused in the end may have been done by what was lost
	}
	c.history.did(c.id, began, what, out)
	c.done.Add(1)
	return out
}

// kinds are both, or one of them.
func (c *client) kinds() []warifu.Kind {
	switch c.random.IntN(6) {
	case 0:
		return []warifu.Kind{warifu.Signature}
	case 1:
		return []warifu.Kind{warifu.Authentication}
	}
	return warifu.Kinds[:]
}

// mobile is a phone in its owner's hand.
type mobile struct {
	*client
	phone   int
	app     *phone.App
	element *chip.Element
	current int // application, −1 for none
	id      string
	issued  bool
	ready   bool // personalized, as far as the phone knows
}

type paper struct{ octets []byte }

func (p *paper) Load() ([]byte, error)    { return p.octets, nil }
func (p *paper) Save(octets []byte) error { p.octets = octets; return nil }

var sample = sync.OnceValues(func() (catalogue.Model, error) {
	models, err := catalogue.Samples()
	if err != nil {
		return catalogue.Model{}, err
	}
	for _, m := range models {
		if m.ID == phoneModel {
			return m, nil
		}
	}
	return catalogue.Model{}, fmt.Errorf("the catalogue has no %s", phoneModel)
})

// mobile manufactures a phone and puts the app on it.
func (c *client) mobile(number int) (*mobile, error) {
	model, err := sample()
	if err != nil {
		return nil, err
	}
	tn := c.town
	personality, err := tn.maker.Manufacture(chip.Order{
		Model: model.ID, Identifiers: map[string]string{"imei": "490154203237518"}, Apps: []warifu.Digest{handset.AppCertificate}, At: tn.clock.Now(),
		Domain: func(id warifu.ElementID) (chip.DomainKeys, error) { return chip.DeriveDomainKeys(tn.master, id) },
	})
	if err != nil {
		return nil, err
	}
	m := &mobile{client: c, phone: number, current: -1}
	if m.element, err = chip.NewElement(personality, &chip.Volatile{}); err != nil {
		return nil, err
	}
	m.app = &phone.App{
		Server: c.server, Element: m.element.Internal(handset.AppCertificate), Storage: &paper{}, Clock: tn.clock, Scheme: tn.scheme,
		Device: phone.Device{Element: personality.ID, Model: model.ID, OSBuild: model.MinOSBuild, AppVersion: max(model.MinAppVersion, tn.scheme.MinimumAppVersion)},
	}
	return m, nil
}

// quietly does something that is no call of the history, over a line that loses nothing.
func (c *client) quietly(do func() error) error {
	bad := c.line.bad
	defer func() { c.line.bad = bad }()
	c.line.bad = 0
	return do()
}

// draft goes as far as a signed application.
func (m *mobile) draft(ctx context.Context) (*phone.Draft, error) {
	d, err := m.app.Begin(phone.Choice{Kinds: warifu.Kinds[:], Consent: m.town.scheme.Consent, CardPassword: string(m.person.PINs.Signature.Reveal()), Discard: true})
	if err != nil {
		return nil, err
	}
	if err := m.app.Prepare(ctx, d); err != nil {
		return nil, err
	}
	m.tap.Lock()
	defer m.tap.Unlock()
	card, err := m.town.bureau.Card(m.person.ID)
	if err != nil {
		return nil, err
	}
	defer card.PowerOff()
	if err := m.app.SignWithCard(ctx, d, card); err != nil {
		return nil, err
	}
	return d, m.app.SetSecrets(ctx, d, secrets)
}

// apply hands an application in, again and again until the server's own word is heard
// (the same document is the same application), and waits until it is issued or has ended.
func (m *mobile) apply(ctx context.Context) error {
	var d *phone.Draft
	if err := m.quietly(func() (err error) { d, err = m.draft(ctx); return err }); err != nil {
		return err
	}
	body, err := m.submission(d)
	if err != nil {
		return err
	}
	m.mu.Lock()
	number := m.made
	m.made++
	m.mu.Unlock()
	what := call{person: m.number, verb: apply, application: number, phone: m.phone}
	began := m.town.ticks.next()
	for {
		var accepted phone.Application
		out := outcome(m.post(ctx, "/api/v1/applications", "", body, &accepted))
		if out.lost && ctx.Err() == nil {
			continue
		}
		m.history.did(m.client.id, began, what, out)
		m.done.Add(1)
		m.current, m.ready, m.issued = -1, false, false
		if out.problem != "" {
			return nil
		}
		m.current, m.id = number, accepted.ID
		if err := m.app.Storage.Save(fmt.Appendf(nil, `{"application":%q}`, m.id)); err != nil {
			return err
		}
		return m.quietly(func() error { return m.await(ctx, began, what) })
	}
}

// submission is the body of an application with the contact by which the hotline finds it.
func (m *mobile) submission(d *phone.Draft) ([]byte, error) {
	b, err := json.Marshal(d.Submission())
	if err != nil {
		return nil, err
	}
	whole := map[string]any{}
	if err := json.Unmarshal(b, &whole); err != nil {
		return nil, err
	}
	whole["contact"] = map[string]string{"reading": m.contact.Reading, "birthDate": m.contact.BirthDate, "telephone": m.contact.Telephone}
	return json.Marshal(whole)
}

// await asks until the application is issued or has ended. That it was refused is a
// call of its own: it may have happened at any time since it came.
func (m *mobile) await(ctx context.Context, began int64, what call) error {
	for n := 1; ; n++ {
		a, err := m.server.Application(ctx, m.id)
		if err != nil {
			return err
		}
		switch a.State {
		case warifu.ApplicationSubmitted:
			if err := pause(ctx); err != nil {
				return err
			}
			if n%500 == 0 { // a job that is to be tried again waits for the clock
				m.town.clock.forward(time.Second)
			}
			continue
		case warifu.ApplicationRejected:
			what.verb = reject
			m.history.did(m.client.id, began, what, answer{})
		}
		break
	}
	m.issued = true // or over, which the server will say
	serials, err := m.town.serials(m.id)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for kind, serial := range serials {
		m.seen = append(m.seen, certificate{what.application, kind, serial})
	}
	return nil
}

// pause lets the servers' queues work.
func pause(ctx context.Context) error {
	timer := time.NewTimer(2 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (m *mobile) personalize(ctx context.Context) answer {
	what := call{verb: personalize, application: m.current, phone: m.phone}
	m.element.PowerOff()
	bad := m.line.bad
	defer func() { m.line.bad = bad }()
	m.line.bad /= 6 // it is a dozen rounds of questions and answers
	code := ""
	out := m.try(what, func() error {
		return m.app.Personalize(ctx, phone.Personalization{Code: func(shown string) { code = shown }})
	})
	m.ready = m.ready || out == answer{}
	if code != "" {
		m.mu.Lock()
		m.code[m.current] = code
		m.mu.Unlock()
	}
	if out.problem == "application-not-issued" || out.problem == "application-ended" {
		m.current = -1
	}
	return out
}

// order is one of the phone's own; also one that is not the phone's to give.
func (m *mobile) order(ctx context.Context) error {
	what := call{verb: byDevice, phone: m.phone, kinds: m.kinds(), order: warifu.VerbSuspend, reason: ownWish}
	purpose := "suspend:own-wish"
	switch n := m.random.IntN(20); {
	case n < 6:
		what.order, purpose = warifu.VerbResume, "resume:own-wish"
	case n < 8:
		what.reason, purpose = repair, fmt.Sprintf("suspend:repair:%d", m.town.clock.Now().Add(48*time.Hour).Unix())
	case n < 11:
		what.order, what.reason, purpose = warifu.VerbResume, repair, "resume:repair"
	case n < 13:
		what.order, what.reason, purpose = warifu.VerbResume, lost, "resume:lost"
	case n < 14:
		what.order, what.reason, purpose = warifu.VerbRevoke, 0, "revoke"
	}
	envelope, err := m.request(ctx, purpose, what.kinds)
	if err != nil {
		return err
	}
	out := m.try(what, func() error {
		_, err := m.server.DeviceOrder(ctx, m.app.Device.Element, envelope)
		return err
	})
	if out.problem == "credential-ended" {
		m.current, m.ready = -1, false // this phone is worth nothing any more: apply again
	}
	return nil
}

// request has the chip sign an order after both secrets were given.
func (m *mobile) request(ctx context.Context, purpose string, kinds []warifu.Kind) (envelope []byte, err error) {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = kind.String()
	}
	err = m.quietly(func() error {
		challenge, err := m.server.OrderChallenge(ctx, m.app.Device.Element)
		if err != nil {
			return err
		}
		token, err := jpki.Select(ctx, m.app.Element)
		if err != nil {
			return err
		}
		for kind, secret := range map[warifu.Kind]string{warifu.Signature: secrets.Signature, warifu.Authentication: secrets.Authentication} {
			if err := token.VerifyPhone(ctx, kind, warifu.NewActivationSecret([]byte(secret))); err != nil {
				return err
			}
		}
		envelope, err = token.Element().DeviceRequest(ctx, purpose, strings.Join(names, ","), challenge)
		return err
	})
	return envelope, err
}

// live is a phone's whole life: it applies, personalizes, gives orders, and begins anew.
func (m *mobile) live(ctx context.Context, steps int) error {
	for range steps {
		m.lived.Add(1)
		switch {
		case m.current < 0 && m.random.IntN(3) > 0: // or else two phones would only ever withdraw each other's
			if err := m.rest(ctx, 5); err != nil {
				return err
			}
		case m.current < 0 || m.random.IntN(40) == 0:
			if m.applications() >= maxApplications-4 {
				m.lived.Add(int64(steps)) // no more fit in a state
				return nil
			}
			if err := m.apply(ctx); err != nil {
				return err
			}
		case !m.ready:
			if m.personalize(ctx) == (answer{problem: "application-held"}) {
				if err := m.rest(ctx, 3); err != nil {
					return err
				}
			}
		default:
			if err := m.order(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *resident) applications() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.made
}
