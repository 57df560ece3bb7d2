package egov

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"warifu"
	"warifu/document"
	"warifu/relyingparty"
	"warifu/sandbox/book"
	"warifu/sandbox/doorway"
	"warifu/sandbox/folder"
	"warifu/sandbox/visitor"
)

// ClientID is the window's name at the provider and at the verification service.
const ClientID = "warifu-sandbox-egov"

// Config is what the window needs.
type Config struct {
	Origin   string // "http://127.0.0.1:8411"
	Provider visitor.Signer
	JWKS     []byte
	Checks   visitor.Checks
	Zone     *time.Location
	Clock    warifu.Clock
	Folder   folder.Folder
}

// Window answers at port 8411.
type Window struct {
	config   Config
	visitors *visitor.Visitors
	drafts   *book.Book[Draft]
	filed    *book.Book[Filed]
	mandates *book.Book[Held]
}

// Draft is a filing that waits for its signature.
type Draft struct {
	ID     string `json:"id"`
	Filing Filing `json:"filing"`
	Number string `json:"number,omitempty"` // once filed
}

// Receipt is what the company keeps.
type Receipt struct {
	Number    string    `json:"number"`
	At        time.Time `json:"at"`
	SHA256    string    `json:"sha256"` // of the signed file
	Company   string    `json:"company"`
	Procedure string    `json:"procedure"`
	By        string    `json:"by"` // "representative", or "delegate"
}

// Filed is a filing with what proves it.
type Filed struct {
	Receipt
	Mandate string          `json:"mandate,omitempty"`
	Checked visitor.Checked `json:"checked"`
	File    []byte          `json:"file"`
}

// Held is a mandate that was handed in.
type Held struct {
	ID      string `json:"id"`
	Mandate        // as it was signed
	File    []byte `json:"file"`
}

// Order is a filing that is handed in as a PDF file.
type Order struct {
	Company, Procedure, Mandate string
}

const (
	maxBook = 100_000
	filing  = "file" // the purpose of a way to the provider
	purpose = "電子申請 / a company's filing"
)

// New opens the window.
func New(c Config) (*Window, error) {
	w := &Window{config: c}
	for name, open := range map[string]func(folder.Folder){
		"drafts":   func(f folder.Folder) { w.drafts = book.Open[Draft](f, maxBook) },
		"filings":  func(f folder.Folder) { w.filed = book.Open[Filed](f, maxBook) },
		"mandates": func(f folder.Folder) { w.mandates = book.Open[Held](f, maxBook) },
	} {
		f, err := c.Folder.Sub(name)
		if err != nil {
			return nil, err
		}
		open(f)
	}
	w.visitors = visitor.New(visitor.Config{Name: "egov", Origin: c.Origin, Provider: c.Provider, JWKS: c.JWKS, Clock: c.Clock, Arrived: w.arrived, Page: w.front, Again: w.again})
	return w, nil
}

// Routes adds the window's doors to mux.
func (w *Window) Routes(mux *http.ServeMux) {
	w.visitors.Routes(mux)
	get := func(path string, f func(*http.Request) (any, error)) {
		mux.Handle("GET "+path, doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) { return f(r) }))
	}
	get("/api/companies/{number}", func(r *http.Request) (any, error) { return CompanyOf(r.PathValue("number")) })
	get("/api/procedures", func(*http.Request) (any, error) { return Procedures, nil })
	get("/api/drafts/{id}", func(r *http.Request) (any, error) { return w.drafts.Get(r.PathValue("id")) })
	get("/api/filings/{number}", func(r *http.Request) (any, error) { return w.receipt(r.PathValue("number")) })
	mux.Handle("POST /api/drafts", doorway.JSON(func(rw http.ResponseWriter, r *http.Request) (any, error) {
		var in Filing
		if err := doorway.Read(rw, r, doorway.MaxBody, &in); err != nil {
			return nil, err
		}
		return w.draft(in)
	}))
	mux.Handle("POST /api/drafts/{id}/sign", doorway.JSON(func(rw http.ResponseWriter, r *http.Request) (any, error) {
		address, err := w.sign(rw, r)
		return map[string]string{"address": address}, err
	}))
	octets := func(path string, f func(r *http.Request, file []byte) (any, error)) {
		mux.Handle("POST "+path, doorway.JSON(func(rw http.ResponseWriter, r *http.Request) (any, error) {
			file, err := doorway.Octets(rw, r, MaxFile)
			if err != nil {
				return nil, err
			}
			return f(r, file)
		}))
	}
	octets("/api/filings", func(r *http.Request, file []byte) (any, error) {
		q := r.URL.Query()
		return w.hand(r.Context(), file, Order{q.Get("company"), q.Get("procedure"), q.Get("mandate")})
	})
	octets("/api/mandates", func(r *http.Request, file []byte) (any, error) { return w.entrust(r.Context(), file) })
	mux.Handle("POST /api/mandates/draft", doorway.JSON(func(rw http.ResponseWriter, r *http.Request) (any, error) {
		var in Mandate
		if err := doorway.Read(rw, r, doorway.MaxBody, &in); err != nil {
			return nil, err
		}
		m, err := in.fill()
		if err != nil {
			return nil, err
		}
		content, err := paperOf(m)
		return map[string]any{"mandate": m, "xml": string(content)}, err
	}))
	w.pageRoutes(mux)
}

// draft fills a filing in.
func (w *Window) draft(in Filing) (Draft, error) {
	f, err := in.fill()
	if err != nil {
		return Draft{}, err
	}
	return w.drafts.Add(func(int) (string, Draft, error) {
		id := strings.ToLower(rand.Text())
		return id, Draft{ID: id, Filing: f}, nil
	})
}

func (d Draft) paper() (relyingparty.Document, error) {
	content, err := paperOf(d.Filing)
	p, _ := procedureOf(d.Filing.Procedure) // looked at when it was filled in
	return relyingparty.Document{Name: d.Filing.Name + " " + p.Ja, Content: content, Mode: relyingparty.ModeXML}, err
}

// open is a draft that is still to be signed.
func (w *Window) open(id string) (Draft, relyingparty.Document, error) {
	d, err := w.drafts.Get(id)
	if err != nil {
		return d, relyingparty.Document{}, err
	}
	if d.Number != "" {
		return d, relyingparty.Document{}, warifu.Conflict("egov-filed-already", "number", d.Number)
	}
	paper, err := d.paper()
	return d, paper, err
}

func (w *Window) sign(rw http.ResponseWriter, r *http.Request) (string, error) {
	d, paper, err := w.open(r.PathValue("id"))
	if err != nil {
		return "", err
	}
	return w.visitors.AskSignature(rw, r, filing, d.ID, paper, "")
}

// policy is what a signature must be, and the attributes that say whose it is.
var policy = visitor.Policy{Accept: []string{"card", "phone"}, Attributes: []string{"name", "birthDate"}}

func (w *Window) arrived(ctx context.Context, a visitor.Arrival) (string, error) {
	d, paper, err := w.open(a.Reference)
	if err != nil {
		return "", err
	}
	signed, err := w.visitors.TakeSignature(ctx, a, paper, w.config.Checks, policy, purpose)
	if err != nil {
		return "", err
	}
	receipt, err := w.file(d.Filing, signed.File, signed.Checked)
	if err != nil {
		return "", err
	}
	_, err = w.drafts.Change(d.ID, func(d *Draft) error { d.Number = receipt.Number; return nil })
	return "/filings/" + receipt.Number, err
}

// check has a signed file judged.
func (w *Window) check(ctx context.Context, form string, file []byte) (visitor.Checked, error) {
	c, err := w.config.Checks.Check(ctx, visitor.Question{Form: form, Document: file, Policy: policy, Purpose: purpose})
	switch {
	case err != nil || c.Verdict == "good":
		return c, err
	case c.Status.Status == "revoked":
		return c, warifu.Refused("visitor-certificate-dead")
	}
	return c, warifu.Refused("visitor-signature-refused", "reason", c.Reason())
}

// hand takes a signed file without a login: the XML of a draft, or a PDF file with the order
// that says what it is.
func (w *Window) hand(ctx context.Context, file []byte, order Order) (Receipt, error) {
	if bytes.HasPrefix(file, []byte("%PDF-")) {
		f, err := Filing{Procedure: order.Procedure, Company: order.Company, Mandate: order.Mandate, Year: w.year()}.fill()
		if err != nil {
			return Receipt{}, err
		}
		checked, err := w.check(ctx, relyingparty.ModePDF, file)
		if err != nil {
			return Receipt{}, err
		}
		if err := whole(file); err != nil {
			return Receipt{}, err
		}
		return w.keep(f, file, checked)
	}
	f, err := ReadFiling(file)
	if err != nil {
		return Receipt{}, err
	}
	checked, err := w.check(ctx, relyingparty.ModeXML, file)
	if err != nil {
		return Receipt{}, err
	}
	return w.file(f, file, checked)
}

// whole refuses a PDF file to which something was added behind its last signature, seen or not:
// what is filed is what was signed.
func whole(file []byte) error {
	pdf, err := document.ReadPDF(file)
	if err != nil {
		return err
	}
	if n := len(pdf.Signatures); n == 0 || !pdf.Signatures[n-1].Whole {
		return warifu.Refused("egov-filing-other")
	}
	return nil
}

// year is the fiscal year of now: it begins in April.
func (w *Window) year() int {
	now := w.config.Clock.Now().In(w.config.Zone)
	if now.Month() < time.April {
		return now.Year() - 1
	}
	return now.Year()
}

// file takes an XML filing that must be, octet for octet, the filing as it is written, and its
// signature: "egov-filing-other".
func (w *Window) file(f Filing, signed []byte, checked visitor.Checked) (Receipt, error) {
	written, err := paperOf(f)
	if err != nil {
		return Receipt{}, err
	}
	if err := document.XMLSigned(signed, written); err != nil {
		return Receipt{}, warifu.Refused("egov-filing-other").With(err)
	}
	return w.keep(f, signed, checked)
}

// keep writes a filing down whose signature is good, if whoever signed may file it.
func (w *Window) keep(f Filing, signed []byte, checked visitor.Checked) (Receipt, error) {
	by, err := w.may(f, checked.Attributes)
	if err != nil {
		return Receipt{}, err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return Receipt{}, err
	}
	now := w.config.Clock.Now()
	out := Filed{
		Receipt: Receipt{Number: fmt.Sprintf("%s%06d", now.In(w.config.Zone).Format("20060102150405"), n), At: now.UTC(),
			SHA256: warifu.DigestOf(signed).String(), Company: f.Company, Procedure: f.Procedure, By: by},
		Mandate: f.Mandate, Checked: checked, File: signed,
	}
	out.Checked.Attributes = nil
	_, err = w.filed.Add(func(int) (string, Filed, error) { return out.Number, out, nil })
	return out.Receipt, err
}

// may says in what part somebody files for the company. Errors: Refused
// "egov-not-representative", "egov-mandate-other" for a mandate of another company, person or
// procedure, "egov-mandate-over"; NotFound "egov-mandate-unknown".
func (w *Window) may(f Filing, who *visitor.Attributes) (string, error) {
	c, err := CompanyOf(f.Company)
	if err != nil {
		return "", err
	}
	if f.Mandate == "" {
		if !same(who, c.Representative, c.BirthDate) {
			return "", warifu.Refused("egov-not-representative", "company", c.Name)
		}
		return "representative", nil
	}
	m, err := w.mandates.Get(f.Mandate)
	switch {
	case warifu.ProblemOf(err).IsCode(warifu.CodeNotFound):
		return "", warifu.NotFound("egov-mandate-unknown", "mandate", f.Mandate)
	case err != nil:
		return "", err
	case m.Company != f.Company || m.Procedure != AnyProcedure && m.Procedure != f.Procedure || !same(who, m.Delegate, m.BirthDate):
		return "", warifu.Refused("egov-mandate-other")
	case w.config.Clock.Now().In(w.config.Zone).Format(time.DateOnly) > m.Until:
		return "", warifu.Refused("egov-mandate-over", "until", m.Until)
	}
	return "delegate", nil
}

// same reports whether a signer is that person.
func same(who *visitor.Attributes, name, born string) bool {
	digits := strings.ReplaceAll(born, "-", "")
	return who != nil && visitor.SameName(who.Name, who.NameSubstitution, name) && strings.HasSuffix(strings.ReplaceAll(who.BirthDate, "-", ""), digits)
}

// entrust takes a mandate that the company's representative has signed. Errors as hand.
func (w *Window) entrust(ctx context.Context, file []byte) (Held, error) {
	m, err := ReadMandate(file)
	if err != nil {
		return Held{}, err
	}
	written, err := paperOf(m)
	if err != nil {
		return Held{}, err
	}
	checked, err := w.check(ctx, relyingparty.ModeXML, file)
	if err != nil {
		return Held{}, err
	}
	if err := document.XMLSigned(file, written); err != nil {
		return Held{}, warifu.Refused("egov-filing-other").With(err)
	}
	c, err := CompanyOf(m.Company)
	if err != nil {
		return Held{}, err
	}
	if !same(checked.Attributes, c.Representative, c.BirthDate) {
		return Held{}, warifu.Refused("egov-not-representative", "company", c.Name)
	}
	return w.mandates.Add(func(n int) (string, Held, error) {
		id := fmt.Sprintf("mandate-%05d", n)
		return id, Held{id, m, file}, nil
	})
}

func (w *Window) receipt(number string) (Receipt, error) {
	f, err := w.filed.Get(number)
	if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		err = warifu.NotFound("egov-number-unknown", "number", number)
	}
	return f.Receipt, err
}
