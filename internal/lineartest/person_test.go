package lineartest_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/catalogue"
	"warifu/chip"
	"warifu/cms"
	"warifu/events"
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

// atTheReader is the card on a device of somebody else's (K9).
func (c *client) atTheReader(ctx context.Context, steps int) error {
	for range steps {
		what := call{verb: byCard, kinds: c.kinds(), order: warifu.VerbSuspend, reason: []holdSet{lost, ownWish}[c.random.IntN(2)]}
		switch n := c.random.IntN(20); {
		case n < 10:
			what.order = warifu.VerbResume
		case n < 11:
			what.order, what.reason = warifu.VerbRevoke, 0
		}
		if err := c.rest(ctx, 6); err != nil {
			return err
		}
		document, err := c.cardOrder(ctx, what)
		if err != nil {
			return err
		}
		c.try(what, func() error {
			_, err := c.server.CardOrder(ctx, document)
			return err
		})
	}
	return nil
}

func (c *client) cardOrder(ctx context.Context, what call) (document []byte, err error) {
	err = c.quietly(func() error {
		challenge, err := c.server.OrderChallenge(ctx, warifu.ElementID{})
		if err != nil {
			return err
		}
		content, err := attest.CardOrder{Challenge: challenge, Verb: what.order, Kinds: what.kinds, Reason: string(holdNames[what.reason])}.Marshal()
		if err != nil {
			return err
		}
		document, err = c.signWithCard(ctx, content)
		return err
	})
	return document, err
}

func (c *client) signWithCard(ctx context.Context, content []byte) ([]byte, error) {
	c.tap.Lock()
	defer c.tap.Unlock()
	card, err := c.town.bureau.Card(c.person.ID)
	if err != nil {
		return nil, err
	}
	defer card.PowerOff()
	token, err := jpki.Select(ctx, card)
	if err != nil {
		return nil, err
	}
	if err := token.VerifyCard(ctx, warifu.Signature, c.person.PINs.Signature); err != nil {
		return nil, err
	}
	der, err := token.Certificate(ctx, warifu.Signature)
	if err != nil {
		return nil, err
	}
	signer, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	prepared, err := cms.Prepare(attest.OIDCardOrder, content, signer, nil, c.town.clock.Now(), false)
	if err != nil {
		return nil, err
	}
	signature, err := token.Sign(ctx, warifu.Signature, jpki.DigestInfoSHA256(prepared.Digest()))
	if err != nil {
		return nil, err
	}
	return prepared.Finish(signature)
}

// post sends one question of the JSON interface, once.
func (c *client) post(ctx context.Context, path, token string, body []byte, out any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, origin+path, strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := c.line.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer json.RawMessage
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode >= 400 {
		return phone.ParseProblem(response.StatusCode, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

func (c *client) ask(ctx context.Context, path, token string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.post(ctx, path, token, body, out)
}

// atTheHotline is the suspension code, and the work of two operators (B.5, K15).
func (c *client) atTheHotline(ctx context.Context, steps int) error {
	first, second := token(2*c.number%operatorsOf), token((2*c.number+1)%operatorsOf)
	match := ""
	for range steps {
		if match == "" {
			var err error
			if match, err = c.search(ctx, first); err != nil {
				return err
			}
		}
		if err := c.rest(ctx, 6); err != nil {
			return err
		}
		switch n := c.random.IntN(20); {
		case n < 7 || match == "":
			c.useCode(ctx)
		case n < 12:
			what := call{verb: byOperator, kinds: warifu.Kinds[:], order: warifu.VerbSuspend, reason: lost}
			record := map[string]any{"match": match, "callBackNumberGiven": false, "caller": "holder", "phone": "lost", "card": "kept"}
			c.try(what, func() error { return c.ask(ctx, "/api/v1/hotline/suspensions", first, record, nil) })
		case n < 19:
			what := call{verb: byOperator, kinds: warifu.Kinds[:], order: warifu.VerbResume, reason: lost}
			if err := c.four(ctx, "resumptions", "found", match, first, second, what); err != nil {
				return err
			}
		default:
			what := call{verb: byOperator, kinds: warifu.Kinds[:], order: warifu.VerbRevoke}
			if err := c.four(ctx, "revocations", "holder-request", match, first, second, what); err != nil {
				return err
			}
		}
	}
	return nil
}

// search looks the person up and rings them, who answer; "" while there is nobody to find.
func (c *client) search(ctx context.Context, operator string) (match string, err error) {
	if c.applications() == 0 {
		return "", pause(ctx)
	}
	var found struct{ Match, Receipt string }
	err = c.quietly(func() error {
		err := c.ask(ctx, "/api/v1/hotline/searches", operator, map[string]string{"reading": c.contact.Reading, "birthDate": c.contact.BirthDate, "telephone": c.contact.Telephone}, &found)
		if err != nil || found.Match == "" {
			return err
		}
		return c.ask(ctx, "/api/v1/hotline/calls/"+found.Receipt+"/call-backs", operator, map[string]string{"outcome": "answered"}, nil)
	})
	if err != nil && warifu.ProblemOf(err).IsCode(warifu.CodeTooMany) {
		return "", nil
	}
	return found.Match, err
}

// four has one operator propose, which changes nothing, and another confirm.
func (c *client) four(ctx context.Context, path, cause, match, first, second string, what call) error {
	var proposed struct{ Proposal string }
	err := c.quietly(func() error {
		return c.ask(ctx, "/api/v1/hotline/"+path, first, map[string]string{"match": match, "cause": cause}, &proposed)
	})
	if out := outcome(err); out.lost || out.problem == "credential-absent" {
		return nil // there is nobody to do anything for
	}
	if err != nil {
		return err
	}
	c.try(what, func() error {
		return c.post(ctx, "/api/v1/hotline/"+path+"/"+proposed.Proposal+"/confirmation", second, nil, nil)
	})
	return nil
}

func (c *client) useCode(ctx context.Context) {
	c.mu.Lock()
	codes := len(c.code)
	number, code, skip := 0, "", 0
	if codes > 0 {
		skip = c.random.IntN(codes)
	}
	for n := range c.made { // in order, so that the same luck finds the same code
		if shown, there := c.code[n]; there {
			if number, code = n, shown; skip == 0 {
				break
			}
			skip--
		}
	}
	c.mu.Unlock()
	if code == "" {
		return
	}
	c.try(call{verb: byCode, application: number, order: warifu.VerbSuspend, reason: lost}, func() error { return c.server.SuspendByCode(ctx, code) })
}

// atTheBureau is the card's own life, pushed to the server event by event; and the end.
func (c *client) atTheBureau(ctx context.Context, steps int) error {
	for n := range steps {
		if n%2 == 0 { // while the card is good most things happen
			if err := c.rest(ctx, 40); err != nil {
				return err
			}
		}
		order, do := warifu.VerbSuspend, c.town.bureau.Suspend
		switch {
		case n == steps-1:
			if err := c.untilMostIsLived(ctx); err != nil {
				return err
			}
			order, do = endCard, func(id string) error { return c.town.bureau.Revoke(id, warifu.ReasonCessationOfOperation) }
		case n%2 == 1:
			order, do = warifu.VerbResume, c.town.bureau.Resume
		}
		began := c.town.ticks.next()
		err := do(c.person.ID)
		if err != nil {
			return err
		}
		c.history.did(c.id, began, call{person: c.number, verb: cardSays, order: order}, answer{})
		if err := c.push(ctx); err != nil {
			return err
		}
		// Any server may have followed the event as soon as the bureau had it.
		c.history.did(c.id, began, call{person: c.number, verb: cardEvent, order: order}, answer{})
	}
	return nil
}

// untilMostIsLived waits until the phones have three quarters of their steps behind them.
func (c *client) untilMostIsLived(ctx context.Context) error {
	for c.lived.Load() < int64(3*c.steps/2) {
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

// rest lets the person's other hands do so many calls at most, if they do any.
func (c *client) rest(ctx context.Context, most int) error {
	until := c.done.Load() + int64(1+c.random.IntN(most))
	for n := 0; n < 100 && c.done.Load() < until; n++ {
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

// push hands the newest events in until the server has followed them.
func (c *client) push(ctx context.Context) error {
	newest, err := c.town.bureau.Events(0, 1)
	if err != nil {
		return err
	}
	for after := max(0, newest.Newest-3); ; {
		batch, err := c.town.bureau.Events(after, events.MaxBatch)
		if err != nil {
			return err
		}
		var said struct{ Next int64 }
		err = c.ask(ctx, "/api/v1/card-events", "", map[string]any{"events": batch.Events}, &said)
		if err == nil && said.Next > newest.Newest {
			return nil
		}
		if err != nil && !outcome(err).lost && !warifu.ProblemOf(err).IsCode(warifu.CodeConflict) || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}
