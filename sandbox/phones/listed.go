package phones

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/face"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/sandbox/handset"
	"warifu/text"
)

// listedPage is where a marketplace's link leads: which phone is meant is chosen here, and
// its holder decides on the next page (R81).
var listedScreen = face.Phone("listed")

type listedData struct {
	Marketplace, Nonce, Back string
	Identifiers              []string
	Phones                   []handset.Record
}

func (p *Phones) showListed(w http.ResponseWriter, r *http.Request, problem error) {
	data := listedData{r.FormValue("marketplace"), r.FormValue("nonce"), p.back(r), r.Form["identifier"], p.List()}
	p.show(w, r, listedScreen, nil, look{Title: "phones.leaving"}, data, problem)
}

// listedByForm puts the marketplace's question to the phone that was chosen.
func (p *Phones) listedByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	nonce, err := hex.DecodeString(r.FormValue("nonce"))
	if err == nil {
		_, err = p.Listed(r.Context(), r.FormValue("phone"), phone.CleanQuestion{
			Marketplace: r.FormValue("marketplace"), Nonce: nonce, Identifiers: r.Form["identifier"], Time: p.config.Clock.Now().UTC().Truncate(time.Second),
		})
	} else {
		err = warifu.Invalid("sandbox-request-malformed").With(err)
	}
	if err != nil {
		p.showListed(w, r, err)
		return
	}
	to := "/phones/" + url.PathEscape(r.FormValue("phone")) + "/leaving?" + url.Values{"event": {string(phone.OccasionListing)}, "back": {p.back(r)}}.Encode()
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// back is the page to go back to with a proof: one of the sandbox's own, or none.
func (p *Phones) back(r *http.Request) string {
	u, err := url.Parse(r.FormValue("back"))
	if err != nil || !slices.Contains(p.config.Parties, u.Scheme+"://"+u.Host) {
		return ""
	}
	return u.String()
}

// proofShown is the proof as a code to be read off the screen and as text, for whoever
// asked, and the way back with it.
type proofShown struct {
	Code, Back string
	QR         *face.Code // none where the text is longer than a code holds
}

func shownProof(proof *phone.CleanProof, back string, lang text.Lang) (*proofShown, error) {
	if proof == nil {
		return nil, nil
	}
	code, err := attest.CleanCode{Proof: proof.Proof, Chain: proof.Chain}.Text()
	if err != nil {
		return nil, err
	}
	if back != "" {
		back += "?" + url.Values{"code": {code}}.Encode()
	}
	out := &proofShown{Code: code, Back: back}
	if qr, err := phone.MakeQR(code); err == nil {
		box, path := qr.Outline()
		out.QR = &face.Code{ViewBox: box, Path: path, Label: text.Sentence("my.leaving.proof-qr", lang, nil)}
	}
	return out, nil
}
