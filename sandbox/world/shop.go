package world

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"

	"warifu"
	"warifu/catalogue"
	"warifu/phone"
	"warifu/sandbox/field"
	"warifu/sandbox/handset"
	"warifu/sandbox/phones"
)

// usualModel is what is bought where nobody says.
const usualModel = "Pixel 10"

// handsetName is the record of a handset in its folder.
const handsetName = "handset.json"

// makersOf lists everybody who makes a model of the sample catalogue.
func makersOf() []string {
	models, err := catalogue.Samples()
	if err != nil {
		return nil
	}
	var makers []string
	for _, m := range models {
		makers = append(makers, m.Maker)
	}
	slices.Sort(makers)
	return slices.Compact(makers)
}

// openPhones lays out the phones bought so far, and the field their chips lie in.
func (w *World) openPhones(context.Context) (err error) {
	w.Chips = field.New(w.chip)
	w.Chips.Hear(w.hearReader)
	if w.handsets, err = w.folder.Sub("phones"); err != nil {
		return err
	}
	var existing []*handset.Handset
	for _, p := range w.Maker.Phones() {
		h, err := w.openHandset(p.ID)
		if err != nil {
			return err
		}
		existing = append(existing, h)
	}
	server, err := w.Client()
	if err != nil {
		return err
	}
	w.Phones = phones.New(phones.Config{
		Server: server, Scheme: w.Scheme, Clock: w.Clock, Chips: w.Chips, Handset: w.buy,
		Parties: []string{w.Places.Bank, w.Places.Marketplace, w.Places.Repair}, Makers: w.Maker.Roots,
		Models: models, Model: modelOf, Cards: w.cardsWithinReach,
	}, existing)
	return nil
}

// models are what the shop sells, the usual one first.
func models() []catalogue.Model {
	all, err := catalogue.Samples()
	if err != nil {
		return nil // the samples are checked by their own test
	}
	n := slices.IndexFunc(all, func(m catalogue.Model) bool { return m.ID == usualModel })
	if n > 0 {
		usual := all[n]
		all = slices.Insert(slices.Delete(all, n, n+1), 0, usual)
	}
	return all
}

// cardsWithinReach are the cards of the desk's persons, to be held to a phone.
func (w *World) cardsWithinReach() ([]phones.Card, error) {
	all, err := w.Bureau.Persons()
	if err != nil {
		return nil, err
	}
	var out []phones.Card
	for _, v := range all {
		if v.Died.IsZero() {
			out = append(out, phones.Card{ID: v.Person.ID, Name: v.Person.Name})
		}
	}
	return out, nil
}

// Client returns a client of the world's server, as an app has it.
func (w *World) Client() (*phone.Server, error) {
	return phone.NewServer(w.Places.Server, w.Trace.Client())
}

// openHandset puts a phone together around the chip its maker built.
func (w *World) openHandset(id string) (*handset.Handset, error) {
	f, err := w.handsets.Sub(id)
	if err != nil {
		return nil, err
	}
	var record handset.Record
	there, err := f.ReadJSON(handsetName, &record)
	if err != nil {
		return nil, err
	}
	if !there {
		return nil, warifu.Unavailable("world-damaged", "file", id)
	}
	element, err := w.Maker.Element(id)
	if err != nil {
		return nil, err
	}
	return handset.Open(f, record, heardElement{element, id, w.Trace}, rand.Reader)
}

// buy has a phone made and puts it together. The record comes first, so that a world
// killed in between has no chip without a phone.
func (w *World) buy(id string, wish phones.Buy) (*handset.Handset, error) {
	model, err := modelOf(cmp.Or(wish.Model, usualModel))
	if err != nil {
		return nil, err
	}
	made, err := w.Maker.Make(id, model.Maker, model.ID)
	if err != nil {
		return nil, err
	}
	record := handset.Record{
		ID: id, Model: model.ID, Element: made.Element, IMEI: made.IMEI,
		OSBuild:    cmp.Or(wish.OSBuild, model.MinOSBuild, "16"),
		AppVersion: cmp.Or(wish.AppVersion, max(model.MinAppVersion, w.Scheme.MinimumAppVersion)),
	}
	f, err := w.handsets.Sub(id)
	if err != nil {
		return nil, err
	}
	if err := f.WriteJSON(handsetName, record); err != nil {
		return nil, err
	}
	return w.openHandset(id)
}

func modelOf(id string) (catalogue.Model, error) {
	models, err := catalogue.Samples()
	if err != nil {
		return catalogue.Model{}, err
	}
	for _, m := range models {
		if m.ID == id {
			return m, nil
		}
	}
	return catalogue.Model{}, warifu.NotFound("shop-model-unknown", "model", id)
}

// chip finds the chip of an identifier: a phone's over its reader interface, or a
// person's card.
func (w *World) chip(id string) (field.Chip, error) {
	if h, err := w.Phones.Handset(id); err == nil {
		return readerSide{h.Outside(), h.Element}, nil
	}
	card, err := w.Bureau.Card(id)
	if err != nil {
		return nil, err
	}
	return card, nil
}

// furnish puts a phone into a world that has none.
func (w *World) furnish() error {
	if len(w.Phones.List()) > 0 {
		return nil
	}
	_, err := w.Phones.Buy(phones.Buy{})
	return err
}
