package bank

import (
	"errors"
	"net/http"
	"net/url"

	"warifu"
	"warifu/face"
	"warifu/sandbox/doorway"
)

// sessionCookie names the transaction that a browser began. Cookies know no ports,
// so the name carries ours apart from other places'.
const sessionCookie = "warifu_bank"

var frontPage = face.Place("bank/front")

func (b *Bank) front(w http.ResponseWriter, r *http.Request) { b.show(w, r, nil, nil) }

func (b *Bank) show(w http.ResponseWriter, r *http.Request, j *Judgement, problem error) {
	doorway.Show(w, r, frontPage, "bank.title", j, problem)
}

// beginLogin asks a question for this browser and goes to wait for the answer.
func (b *Bank) beginLogin(w http.ResponseWriter, r *http.Request) {
	q, err := b.ask()
	if err != nil {
		b.show(w, r, nil, err)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: q.Transaction, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

var loginPage = face.Place("bank/login")

type loginData struct {
	Customer *Customer
	Phones   string // the phones' page, told where the question is
	Question string // the question's address
}

func (b *Bank) waitLogin(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		b.show(w, r, nil, warifu.NotFound("bank-question-unknown"))
		return
	}
	v, err := b.find(cookie.Value)
	if err != nil {
		b.show(w, r, nil, err)
		return
	}
	address := b.config.Origin + "/api/login/" + v.question.Transaction
	doorway.Show(w, r, loginPage, "bank.title", loginData{v.customer, b.config.Phones + "/login?at=" + url.QueryEscape(address), address}, nil)
}

func (b *Bank) uploadDocument(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	signature, err := part(r, "signature")
	if err != nil {
		b.show(w, r, nil, err)
		return
	}
	document, err := part(r, "document")
	if err != nil && !errors.Is(err, http.ErrMissingFile) {
		b.show(w, r, nil, err)
		return
	}
	j, err := b.judge(r.Context(), signature, document)
	if err != nil {
		b.show(w, r, nil, err)
		return
	}
	b.show(w, r, &j, nil)
}

// part reads one uploaded file; an empty one counts as none.
func part(r *http.Request, name string) ([]byte, error) {
	file, _, err := r.FormFile(name)
	if err != nil {
		return nil, warifu.Invalid("sandbox-request-malformed").With(err)
	}
	defer file.Close()
	data, err := readAll(file, maxUpload)
	if len(data) == 0 {
		return nil, err
	}
	return data, err
}
