package portal

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"warifu"
	"warifu/relyingparty"
	"warifu/sandbox/doorway"
	"warifu/sandbox/visitor"
)

// The states of an application.
const (
	draft     = "draft"     // written, waits for the signature
	submitted = "submitted" // with the town
)

// Application is a form that a person filled in.
type Application struct {
	ID           string    `json:"id"`
	Subject      string    `json:"subject"` // whose
	Name         string    `json:"name"`    // as the login told it
	BirthDate    string    `json:"birthDate"`
	Procedure    string    `json:"procedure"`
	Town         string    `json:"town"`
	State        string    `json:"state"`
	At           time.Time `json:"at"`
	Form         string    `json:"form"` // the text that is signed
	Submitted    time.Time `json:"submitted,omitzero"`
	Receipt      string    `json:"receipt,omitempty"`      // 受付番号
	Class        string    `json:"class,omitempty"`        // what signed: "card" or "phone"
	Verification string    `json:"verification,omitempty"` // at the verification service
	Signature    []byte    `json:"signature,omitempty"`    // CMS over Form
}

const (
	maxAnswer = 200 // characters of one field
	draftLife = time.Hour
	// signing is the purpose of a way to the provider that brings a signature back.
	signing = "sign"
	// maxListed bounds a person's applications.
	maxListed = 100
)

// Wish is an application as it is asked for.
type Wish struct {
	Procedure string            `json:"procedure"`
	Town      string            `json:"town"`
	Answers   map[string]string `json:"answers"`
}

// apply writes an application down: submitted at once where no signature is needed. Errors:
// those of find and Opening, Invalid "portal-answer-missing" naming the field.
func (p *Portal) apply(who visitor.Visitor, in Wish) (Application, error) {
	procedure, town, err := find(in.Procedure, in.Town)
	if err != nil {
		return Application{}, err
	}
	now := p.config.Clock.Now()
	if procedure.Opens != "" {
		if err := doorway.Opening(p.config.Scheme, procedure.Opens, now); err != nil {
			return Application{}, err
		}
	}
	if err := who.Needs(); err != nil {
		return Application{}, err
	}
	for _, ask := range procedure.Ask {
		if !answers(in.Answers[ask.Name]) {
			return Application{}, warifu.Invalid("portal-answer-missing", "field", ask.Name, "ja", ask.Label.Ja, "en", ask.Label.En)
		}
	}
	mine, err := p.of(who.Subject)
	if err != nil {
		return Application{}, err
	}
	if len(mine) >= maxListed {
		return Application{}, warifu.TooMany("portal-applications-too-many")
	}
	return p.applications.Add(func(n int) (string, Application, error) {
		a := Application{
			ID: fmt.Sprintf("%06d-%s", n, strings.ToLower(rand.Text()[:8])), Subject: who.Subject,
			Name: who.Attributes.Name, BirthDate: who.Attributes.BirthDate, Procedure: procedure.ID, Town: town.Code, State: draft, At: now.UTC(),
		}
		a.Form = form(a.ID, now.In(p.config.Scheme.Hours.Zone), procedure, town, who.Attributes, in.Answers)
		if !procedure.Signed {
			a.submit(now, who.Class)
		}
		return a.ID, a, nil
	})
}

// answers reports whether a field is filled in with a line of text.
func answers(s string) bool {
	return strings.TrimSpace(s) != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxAnswer && !strings.ContainsFunc(s, unicode.IsControl)
}

// form is the application as text: what is shown is what is signed.
func form(id string, now time.Time, p Procedure, town Town, who visitor.Attributes, answers map[string]string) string {
	var b strings.Builder
	pair := func(name, value string) { fmt.Fprintf(&b, "%s: %s\n", name, value) }
	b.WriteString("電子申請書（見本） / Application (sample)\n\n")
	pair("手続き / procedure", p.Name.Ja+" / "+p.Name.En)
	pair("提出先 / to", town.Name.Ja+" / "+town.Name.En+" ("+town.Code+")")
	pair("申請番号 / number", id)
	pair("作成日時 / written", now.Format("2006-01-02 15:04:05 -07:00"))
	pair("氏名 / name", who.Name)
	pair("生年月日 / date of birth", who.BirthDate)
	b.WriteByte('\n')
	for _, ask := range p.Ask {
		pair(ask.Label.Ja+" / "+ask.Label.En, strings.TrimSpace(answers[ask.Name]))
	}
	return b.String()
}

func (a *Application) submit(now time.Time, class string) {
	a.State, a.Submitted, a.Class = submitted, now.UTC(), class
	a.Receipt = fmt.Sprintf("%s-%s-%s", a.Town, now.UTC().Format("060102"), a.ID[:6])
}

// of lists a person's applications, newest first.
func (p *Portal) of(subject string) ([]Application, error) {
	all, err := p.applications.All()
	mine := slices.DeleteFunc(all, func(a Application) bool { return a.Subject != subject })
	slices.Reverse(mine)
	return mine, err
}

// one finds an application of the person's own. Error: NotFound "portal-application-unknown".
func (p *Portal) one(subject, id string) (Application, error) {
	a, err := p.applications.Get(id)
	if err != nil || a.Subject != subject {
		return Application{}, warifu.NotFound("portal-application-unknown")
	}
	return a, nil
}

// paper is what is handed to be signed.
func (a Application) paper() relyingparty.Document {
	procedure, _, _ := find(a.Procedure, a.Town)
	return relyingparty.Document{Name: procedure.Name.Ja + " " + a.ID + ".txt", Content: []byte(a.Form), Mode: relyingparty.ModeCMS}
}

// sign begins the signature of a draft and returns the address to go to. Errors:
// "portal-application-submitted", "portal-application-old".
func (p *Portal) sign(w http.ResponseWriter, r *http.Request, who visitor.Visitor, id string) (string, error) {
	a, err := p.one(who.Subject, id)
	if err == nil {
		err = a.open(p.config.Clock.Now())
	}
	if err != nil {
		return "", err
	}
	return p.visitors.AskSignature(w, r, signing, a.ID, a.paper(), "")
}

// open says why a draft can no longer be signed, if so.
func (a Application) open(now time.Time) error {
	switch {
	case a.State == submitted:
		return warifu.Conflict("portal-application-submitted", "receipt", a.Receipt)
	case now.Sub(a.At) > draftLife:
		return warifu.Conflict("portal-application-old")
	}
	return nil
}

// arrived takes a signature back. The signing certificate must be the applicant's: the name
// and the birth date that the portal knows from the login stand in it too.
func (p *Portal) arrived(ctx context.Context, arrival visitor.Arrival) (string, error) {
	a, err := p.one(arrival.Visitor.Subject, arrival.Reference)
	if err == nil {
		err = a.open(p.config.Clock.Now())
	}
	if err != nil {
		return "", err
	}
	signature, err := p.visitors.TakeSignature(ctx, arrival, a.paper(), p.config.Checks, visitor.Policy{Attributes: []string{"name", "birthDate"}}, "電子申請 / applying to a town")
	if err != nil {
		return "", err
	}
	_, err = p.applications.Change(a.ID, func(a *Application) error {
		now := p.config.Clock.Now()
		if err := a.open(now); err != nil { // another tab was quicker
			return err
		}
		// A scheme may want the holder's consent before attributes are told; then the login stands alone.
		if told := signature.Checked.Attributes; told != nil && !(visitor.Attributes{Name: a.Name, BirthDate: a.BirthDate}).Same(*told) {
			return warifu.Refused("visitor-other-person")
		}
		a.submit(now, signature.Checked.Class)
		a.Verification, a.Signature = signature.Checked.ID, signature.File
		return nil
	})
	return "/applications/" + a.ID, err
}
