package phones

import (
	"net/http"
	"slices"

	"warifu/catalogue"
	"warifu/face"
	"warifu/sandbox/doorway"
	"warifu/text"
)

var chooserScreen = face.Phone("chooser")

// chooserData is the table on which the phones lie.
type chooserData struct {
	Phones []lying
	Shop   []maker
}

// maker is who makes models, in the order of the shop.
type maker struct {
	Maker  string
	Lang   text.Lang // that the name is in
	Models []onSale
}

// onSale is a model to buy; its name is in a language of its own.
type onSale struct {
	ID, Name string
	Lang     text.Lang
}

// lying is a phone on the table; Carries is the key of what is on it.
type lying struct{ ID, Name, Carries string }

// carries is the key of what is on a phone, as far as its app remembers.
func (o *owned) carries() string {
	state, err := o.app.State()
	switch {
	case err != nil:
		return "app.chooser.unknown"
	case o.walking() != "":
		return "app.chooser.filling"
	case state.Personalized:
		return "app.chooser.registered"
	case state.Application != "":
		return "app.chooser.applied"
	}
	return "app.chooser.empty"
}

// shelf is what the shop sells, by maker. Models that are sold by one name are told apart.
func shelf(models []catalogue.Model) []maker {
	called := map[string]int{}
	for _, m := range models {
		called[m.Name()]++
	}
	var out []maker
	for _, m := range models {
		name := m.Name()
		if called[name] > 1 {
			name += " (" + m.ID + ")"
		}
		i := slices.IndexFunc(out, func(one maker) bool { return one.Maker == m.Maker })
		if i < 0 {
			i = len(out)
			out = append(out, maker{Maker: m.Maker, Lang: writtenIn(m.Maker)})
		}
		out[i].Models = append(out[i].Models, onSale{m.ID, name, writtenIn(name)})
	}
	return out
}

// chooser asks which phone is in the hand, and sells further ones.
func (p *Phones) chooser(w http.ResponseWriter, r *http.Request, problem error) {
	var data chooserData
	for _, record := range p.List() {
		one := lying{ID: record.ID, Name: p.modelName(record.Model)}
		if o, err := p.find(record.ID); err == nil {
			one.Carries = o.carries()
		}
		data.Phones = append(data.Phones, one)
	}
	if p.config.Models != nil {
		data.Shop = shelf(p.config.Models())
	}
	p.show(w, r, chooserScreen, nil, look{Title: "app.chooser.title"}, data, problem)
}

func (p *Phones) buyByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	wish := Buy{Model: r.FormValue("model")}
	switch r.FormValue("state") {
	case "old-system":
		wish.OSBuild = "8"
	case "old-app":
		wish.AppVersion = 1
	}
	bought, err := p.Buy(wish)
	if err != nil {
		p.chooser(w, r, err)
		return
	}
	http.Redirect(w, r, "/phones/"+bought.ID, http.StatusSeeOther)
}
