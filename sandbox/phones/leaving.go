package phones

import (
	"context"
	"net/http"
	"time"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/text"
)

// Leave is what a holder decides before the phone leaves their hands, with one of its
// secrets where something changes.
type Leave struct {
	Event    string    `json:"event,omitempty"`   // reset, listing, repair or new-phone
	Choice   string    `json:"choice,omitempty"`  // revoke, hold-until or keep; of a listing not-me too
	Listing  string    `json:"listing,omitempty"` // the one marketplace's question at the server to answer
	Until    time.Time `json:"until,omitzero"`
	Password string    `json:"password,omitempty"`
	PIN      string    `json:"pin,omitempty"`
}

func (l Leave) decision() phone.Decision {
	return phone.Decision{Choice: l.Choice, Until: l.Until, Listing: l.Listing, Secret: Order{Password: l.Password, PIN: l.PIN}.secret()}
}

// Leaving asks what there is to decide, and what else to do (R80).
func (p *Phones) Leaving(ctx context.Context, id, event string) (phone.Leaving, error) {
	occasion, err := phone.ParseOccasion(event)
	if err != nil {
		return phone.Leaving{}, err
	}
	var out phone.Leaving
	err = p.with(ctx, id, func(o *owned) (err error) {
		out, err = o.app.Leaving(ctx, occasion)
		return err
	})
	return out, err
}

// Leave carries the decision out, and the reset itself where that is the event: nothing is
// erased before the holder has decided.
func (p *Phones) Leave(ctx context.Context, id string, in Leave) (phone.Parted, error) {
	occasion, err := phone.ParseOccasion(in.Event)
	if err != nil {
		return phone.Parted{}, err
	}
	var out phone.Parted
	err = p.with(ctx, id, func(o *owned) (err error) {
		out, err = o.app.Leave(ctx, occasion, in.decision())
		return err
	})
	for i := range out.Credentials {
		out.Credentials[i].Ticket = nil
	}
	return out, err
}

// Reset is a factory reset: the app's memory and the screen lock go, the chip stays (R74).
// Starting it asks first what becomes of the certificates; deciding to keep them takes no
// secret, and gives whoever decides it nothing.
func (p *Phones) Reset(ctx context.Context, id string, in Leave) (phone.Parted, error) {
	in.Event = string(phone.OccasionReset)
	out, err := p.Leave(ctx, id, in)
	if err != nil {
		return out, err
	}
	return out, p.with(ctx, id, func(o *owned) error { return o.handset.FactoryReset() })
}

// Listed is a marketplace's call: somebody offers this phone. The question waits for the
// holder; the answer is what they will be asked.
func (p *Phones) Listed(ctx context.Context, id string, in phone.CleanQuestion) (phone.Leaving, error) {
	var out phone.Leaving
	err := p.with(ctx, id, func(o *owned) (err error) {
		out, err = o.app.Listed(ctx, in)
		return err
	})
	return out, err
}

// Recognise is 有効性確認 with what a first contact does (K18).
func (p *Phones) Recognise(ctx context.Context, id string) (phone.Recognition, error) {
	var out phone.Recognition
	err := p.with(ctx, id, func(o *owned) (err error) {
		out, err = o.app.Recognise(ctx)
		return err
	})
	return out, err
}

func (p *Phones) leavingRoutes(mux *http.ServeMux) {
	mux.Handle("GET /api/phones/{id}/leaving", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return p.Leaving(r.Context(), r.PathValue("id"), r.URL.Query().Get("event"))
	}))
	mux.Handle("POST /api/phones/{id}/leaving", step(p.Leave, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/listings", step(p.Listed, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/reset", step(p.Reset, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/check", step(func(ctx context.Context, id string, _ done) (phone.Recognition, error) {
		return p.Recognise(ctx, id)
	}, doorway.MaxBody))
	mux.HandleFunc("GET /phones/{id}/leaving", func(w http.ResponseWriter, r *http.Request) {
		p.showLeaving(w, r, r.URL.Query().Get("event"), phone.Parted{}, nil)
	})
	mux.HandleFunc("POST /phones/{id}/leaving", p.leaveByForm)
	mux.HandleFunc("GET /listed", func(w http.ResponseWriter, r *http.Request) { p.showListed(w, r, nil) })
	mux.HandleFunc("POST /listed", p.listedByForm)
	mux.HandleFunc("POST /phones/{id}/check", p.form(func(r *http.Request, id string) error {
		_, err := p.Recognise(r.Context(), id)
		return err
	}))
}

var leavingPage = doorway.Template(`{{define "body"}}{{$d := .Data}}
{{with $d.Done.Choice}}<div class="done" role="status"><p><strong>{{$.T (printf "phones.left-%s" .)}}</strong></p></div>{{end}}
{{with $d.Proof}}<div class="done"><p>{{$.T "phones.proof-shown"}}</p><textarea id="proof" rows="5" cols="60" readonly>{{.Code}}</textarea>{{with .Back}}<p><a id="back" href="{{.}}">{{$.T "phones.proof-back"}}</a></p>{{end}}</div>{{end}}
<p>{{$d.Question}}</p>
{{if $d.Choices}}<form method="post" action="/phones/{{$d.Phone}}/leaving"><fieldset><legend>{{.T "phones.leaving-choose"}}</legend>
<input type="hidden" name="event" value="{{$d.Event}}"><input type="hidden" name="back" value="{{$d.Back}}">
{{range $d.Choices}}<label><input type="radio" name="choice" value="{{.Name}}" required> {{.Says}}</label>{{end}}
<label>{{.T "phones.leaving-until"}} <input type="date" name="until"></label>
<label>{{.T "phones.signature-password"}} <input name="password" autocomplete="off"></label>
<label>{{.T "phones.order-pin"}} <input name="pin" inputmode="numeric" autocomplete="off"></label>
<button>{{.T "phones.leaving-do"}}</button></fieldset></form>
{{else}}<p>{{.T "phones.leaving-nothing"}}</p>
{{if and (eq $d.Event "listing") (not $d.Proof)}}<form method="post" action="/phones/{{$d.Phone}}/leaving"><input type="hidden" name="event" value="listing"><input type="hidden" name="back" value="{{$d.Back}}"><button>{{.T "phones.proof-make"}}</button></form>{{end}}
{{if eq $d.Event "reset"}}{{if not $d.Done.Choice}}<form method="post" action="/phones/{{$d.Phone}}/leaving"><input type="hidden" name="event" value="reset"><button>{{.T "phones.reset"}}</button></form>{{end}}{{end}}{{end}}
<h2>{{.T "phones.checklist"}}</h2><ol>{{range $d.Checklist}}<li>{{.}}</li>{{end}}</ol>
<p><a href="/phones/{{$d.Phone}}">{{.T "phones.back-to-phone"}}</a></p>{{end}}`)

type leavingData struct {
	Phone, Event, Question string
	Back                   string // the marketplace's page that the proof is for
	Choices                []leavingChoice
	Checklist              []string
	Done                   phone.Parted
	Proof                  *proofShown
}

type leavingChoice struct{ Name, Says string }

// showLeaving asks the question of an occasion on a page of its own.
func (p *Phones) showLeaving(w http.ResponseWriter, r *http.Request, event string, out phone.Parted, problem error) {
	asked, err := p.Leaving(r.Context(), r.PathValue("id"), event)
	if err != nil {
		p.front(w, r, err)
		return
	}
	in := func(s phone.Sentence) string {
		if doorway.Lang(r) == text.Japanese {
			return s.Ja
		}
		return s.En
	}
	data := leavingData{Phone: r.PathValue("id"), Event: event, Question: in(asked.Question), Back: p.back(r), Done: out}
	if data.Proof, err = shownProof(out.Proof, data.Back); err != nil && problem == nil {
		problem = err
	}
	for _, c := range asked.Choices {
		if out.Choice == "" {
			data.Choices = append(data.Choices, leavingChoice{c.Choice, in(c.Sentence)})
		}
	}
	if event == string(phone.OccasionListing) && len(data.Choices) > 0 {
		data.Choices = append(data.Choices, leavingChoice{phone.ChoiceNotMe, text.Sentence("phones.leaving-not-me", doorway.Lang(r), nil)})
	}
	for _, item := range asked.Checklist {
		data.Checklist = append(data.Checklist, in(item.Sentence))
	}
	doorway.Show(w, r, leavingPage, "phones.leaving", data, problem)
}

// leaveByForm is the page's door to a decision.
func (p *Phones) leaveByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	in := Leave{Event: r.FormValue("event"), Choice: r.FormValue("choice"), Password: r.FormValue("password"), PIN: r.FormValue("pin")}
	var out phone.Parted
	err := p.dated(&in, r.FormValue("until"))
	switch {
	case err != nil:
	case in.Event == string(phone.OccasionReset):
		out, err = p.Reset(r.Context(), r.PathValue("id"), in)
	default:
		out, err = p.Leave(r.Context(), r.PathValue("id"), in)
	}
	if err == nil && in.Choice == "" && in.Event == string(phone.OccasionReset) { // nothing to decide
		http.Redirect(w, r, "/phones/"+r.PathValue("id"), http.StatusSeeOther)
		return
	}
	p.showLeaving(w, r, in.Event, out, err)
}

// dated reads the day a page's form names: until its end, where the phone is.
func (p *Phones) dated(in *Leave, day string) error {
	if in.Choice != phone.ChoiceHold || day == "" {
		return nil
	}
	at, err := time.ParseInLocation(time.DateOnly, day, p.config.Scheme.Hours.Zone)
	if err != nil {
		return warifu.Invalid("sandbox-request-malformed").With(err)
	}
	in.Until = at.AddDate(0, 0, 1)
	return nil
}
