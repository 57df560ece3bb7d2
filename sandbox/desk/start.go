package desk

import (
	"log/slog"
	"net/http"
	"slices"

	"warifu/sandbox/doorway"
	"warifu/sandbox/handset"
	"warifu/sandbox/moment"
)

var startPage = page("start")

// startData is the page to start from.
type startData struct {
	view
	Walk     Walk
	Person   Card
	Persons  []Card
	Standing Standing
	Doors    []Place
	Phones   []handset.Record
	Upcoming []moment.Due
	// Password and PIN are the phone's secrets that the walk proposes.
	Password, PIN string
}

// Place is a place of the world as the start page shows it.
type Place struct{ Address, Title, Note, Icon string }

// placesOf lists the places that stand, in the order in which one meets them.
func placesOf(p Places, me, phone string) []Place {
	phones := p.Phones + "/"
	if phone != "" {
		phones = p.Phones + "/phones/" + phone
	}
	all := []Place{
		{"/persons/" + me, "desk.card-of-mine", "desk.place-card", "card"},
		{phones, "desk.phones", "desk.place-phone", "phone"},
		{p.Portal, "desk.at-portal", "desk.place-portal", "person"},
		{p.Bank, "desk.at-bank", "desk.place-bank", "sign"},
		{p.Kiosk, "desk.at-kiosk", "desk.place-kiosk", "tap"},
		{p.Clinic, "desk.at-clinic", "desk.place-clinic", "good"},
		{p.Tax, "desk.at-tax", "desk.place-tax", "sign"},
		{p.Marketplace, "desk.at-marketplace", "desk.place-marketplace", "phone"},
		{p.Repair, "desk.at-repair", "desk.place-repair", "wait"},
		{p.Carrier, "desk.at-carrier", "desk.place-carrier", "phone"},
		{p.Cashless, "desk.at-cashless", "desk.place-cashless", "card"},
		{p.EGov, "desk.at-egov", "desk.place-egov", "person"},
		{p.Server + "/console", "desk.console", "desk.place-console", "care"},
		{p.Server + "/docs", "desk.docs", "desk.place-docs", "search"},
		{p.Server, "desk.server", "desk.place-server", "out"},
	}
	var out []Place
	for _, one := range all {
		switch one.Address {
		case "":
			continue
		case p.Portal, p.Bank, p.Kiosk, p.Clinic, p.Tax, p.Marketplace, p.Repair, p.Carrier, p.Cashless, p.EGov, p.Server:
			one.Address += "/"
		}
		out = append(out, one)
	}
	return out
}

// soon is how many entries of the calendar the start page shows.
const soon = 4

func (d *Desk) start(w http.ResponseWriter, r *http.Request) { d.draw(w, r, nil) }

// draw writes the start page, with a problem where something was refused.
func (d *Desk) draw(w http.ResponseWriter, r *http.Request, problem error) {
	v := d.view(r, "/")
	data := startData{view: v, Phones: d.config.Phones(), Password: proposedPassword, PIN: proposedPIN}
	first := func(err error) {
		if problem == nil {
			problem = err
		}
	}
	var err error
	data.Persons, err = d.all()
	first(err)
	for _, c := range data.Persons {
		if c.ID == v.Me {
			data.Person = c
		}
	}
	data.Standing, err = d.config.Standing(r.Context(), v.Me)
	first(err)
	data.Walk, err = d.walk(r.Context(), v.Me)
	first(err)
	due, err := d.config.Calendar(r.Context())
	first(err)
	data.Upcoming = slices.DeleteFunc(shown(due, v.Me), func(e moment.Due) bool { return e.What == moment.ListUpdate })
	data.Upcoming = data.Upcoming[:min(len(data.Upcoming), soon)]
	if r.Context().Err() != nil {
		return // the browser has gone on: there is nobody to show it to
	}
	data.Doors = placesOf(d.config.Places, v.Me, data.Standing.phone())
	doorway.Show(w, r, startPage, "desk.start-title", data, problem)
	if data.Walk.Over && !data.Walk.Seen {
		if err := d.config.Walks.set(v.Me, func(k *kept) { k.Seen = true }); err != nil {
			slog.Error("sandbox: a walk is not kept", "err", err)
		}
	}
}
