package phones

import (
	"net/http"

	"warifu/catalogue"
	"warifu/face"
	"warifu/sandbox/doorway"
)

var chooserScreen = face.Phone("chooser")

// chooserData is the table on which the phones lie.
type chooserData struct {
	Phones []lying
	Shop   []catalogue.Model // models to buy, the usual one first
}

// lying is a phone on the table.
type lying struct{ ID, Name, Model, App string }

// chooser asks which phone is in the hand, and sells further ones.
func (p *Phones) chooser(w http.ResponseWriter, r *http.Request, problem error) {
	var data chooserData
	for _, record := range p.List() {
		data.Phones = append(data.Phones, lying{ID: record.ID, Name: p.modelName(record.Model), Model: record.Model})
	}
	if p.config.Models != nil {
		data.Shop = p.config.Models()
	}
	p.show(w, r, chooserScreen, nil, look{Title: "app.chooser.title"}, data, problem)
}

func (p *Phones) buyByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	bought, err := p.Buy(Buy{Model: r.FormValue("model"), OSBuild: r.FormValue("osBuild")})
	if err != nil {
		p.chooser(w, r, err)
		return
	}
	http.Redirect(w, r, "/phones/"+bought.ID, http.StatusSeeOther)
}
