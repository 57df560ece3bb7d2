package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/catalogue"
	"warifu/chip"
	"warifu/phone"
	"warifu/sandbox/handset"
	"warifu/sandbox/person"
)

// model is the phone that everybody here has.
const modelName = "Pixel 10"

// applicant is a generated person whose emulated card and phone have made a complete
// application, which nobody has seen yet.
type applicant struct {
	app     *phone.App
	element *chip.Element
	body    []byte // of POST /api/v1/applications
	id      string // once submitted
	person  string // as the bureau names them
}

// paper is a phone's storage that lives as long as the run.
type paper struct{ octets []byte }

func (p *paper) Load() ([]byte, error)    { return p.octets, nil }
func (p *paper) Save(octets []byte) error { p.octets = octets; return nil }

// counter answers the app's question for a challenge in the server's place, so that
// nothing is asked of the server before the clock starts.
type counter struct{ house *house }

// RoundTrip implements http.RoundTripper.
func (c counter) RoundTrip(r *http.Request) (*http.Response, error) {
	var device phone.Device
	if err := json.NewDecoder(r.Body).Decode(&device); err != nil {
		return nil, err
	}
	now := time.Now()
	challenge, err := attest.NewChallenge(c.house.challenge, rand.Reader, device.Element, now)
	if err != nil {
		return nil, err
	}
	s := c.house.scheme
	body, err := json.Marshal(phone.Terms{
		Challenge: challenge, ExpiresAt: now.Add(s.ChallengeLife), Consent: s.Consent, Scheme: phone.SchemeTerms{ID: s.ID(), Algorithm: s.Algorithm},
	})
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, err
}

// prepare makes n applicants, the first of them being number from, on all cores.
func (h *house) prepare(ctx context.Context, from, n int) ([]*applicant, error) {
	model, err := phoneModel()
	if err != nil {
		return nil, err
	}
	out := make([]*applicant, n)
	failed := make([]error, runtime.GOMAXPROCS(0))
	var next atomic.Int64
	var all sync.WaitGroup
	for worker := range failed {
		all.Go(func() {
			for failed[worker] == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				out[i], failed[worker] = h.applicant(ctx, from+i, model)
			}
		})
	}
	all.Wait()
	return out, errors.Join(failed...)
}

func phoneModel() (catalogue.Model, error) {
	models, err := catalogue.Samples()
	if err != nil {
		return catalogue.Model{}, err
	}
	for _, m := range models {
		if m.ID == modelName {
			return m, nil
		}
	}
	return catalogue.Model{}, errors.New("the catalogue has no " + modelName)
}

// applicant walks one person from an empty hand to an application ready to be sent.
func (h *house) applicant(ctx context.Context, number int, model catalogue.Model) (*applicant, error) {
	p := person.Generator{Seed: 1, Start: h.bureau.Start()}.Person(number)
	if _, err := h.bureau.New(p.Record()); err != nil {
		return nil, err
	}
	card, err := h.bureau.Card(p.ID)
	if err != nil {
		return nil, err
	}
	defer card.PowerOff()
	a := &applicant{person: p.ID}
	if err := h.equip(a, model); err != nil {
		return nil, err
	}
	draft, err := a.app.Begin(phone.Choice{Kinds: warifu.Kinds[:], Consent: h.scheme.Consent, CardPassword: string(p.PINs.Signature.Reveal())})
	if err != nil {
		return nil, err
	}
	if err := a.app.Prepare(ctx, draft); err != nil {
		return nil, err
	}
	if err := a.app.SignWithCard(ctx, draft, card); err != nil {
		return nil, err
	}
	if err := a.app.SetSecrets(ctx, draft, phone.Secrets{Signature: "ABC123", Authentication: "4649"}); err != nil {
		return nil, err
	}
	a.body, err = json.Marshal(draft.Submission())
	return a, err
}

// equip manufactures a phone and puts the app on it.
func (h *house) equip(a *applicant, model catalogue.Model) error {
	personality, err := h.maker.Manufacture(chip.Order{
		Model: model.ID, Identifiers: map[string]string{"imei": "490154203237518"}, Apps: []warifu.Digest{handset.AppCertificate}, At: time.Now(),
		Domain: func(id warifu.ElementID) (chip.DomainKeys, error) { return chip.DeriveDomainKeys(h.master, id) },
	})
	if err != nil {
		return err
	}
	personality.Keys = elementKeys
	if a.element, err = chip.NewElement(personality, &chip.Volatile{}); err != nil {
		return err
	}
	server, err := phone.NewServer(h.origin, &http.Client{Transport: counter{h}})
	if err != nil {
		return err
	}
	a.app = &phone.App{
		Server: server, Element: a.element.Internal(handset.AppCertificate), Storage: &paper{}, Clock: warifu.SystemClock{}, Scheme: h.scheme,
		Device: phone.Device{Element: personality.ID, Model: model.ID, OSBuild: model.MinOSBuild, AppVersion: max(model.MinAppVersion, h.scheme.MinimumAppVersion)},
	}
	if a.app.Device.OSBuild == "" {
		a.app.Device.OSBuild = "16"
	}
	return nil
}
