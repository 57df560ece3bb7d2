package phones

import (
	"net/http"

	"warifu/face"
	"warifu/sandbox/doorway"
	"warifu/text"
)

var chooserScreen = face.Phone("chooser")

// chooserData is the table on which the phones lie.
type chooserData struct {
	Phones []lying
	Shop   []onSale
}

// onSale is a model to buy; its name is in a language of its own.
type onSale struct {
	ID, Name, Maker string
	Lang            text.Lang
}

// lying is a phone on the table.
type lying struct{ ID, Name, Model string }

// chooser asks which phone is in the hand, and sells further ones.
func (p *Phones) chooser(w http.ResponseWriter, r *http.Request, problem error) {
	var data chooserData
	for _, record := range p.List() {
		data.Phones = append(data.Phones, lying{ID: record.ID, Name: p.modelName(record.Model), Model: record.Model})
	}
	if p.config.Models != nil {
		for _, m := range p.config.Models() {
			data.Shop = append(data.Shop, onSale{m.ID, m.Name(), m.Maker, writtenIn(m.Name() + m.Maker)})
		}
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
