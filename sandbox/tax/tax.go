package tax

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
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

// ClientID is the office's name at the provider and at the verification service.
const ClientID = "warifu-sandbox-tax"

// Config is what a tax office needs.
type Config struct {
	Origin   string // "http://127.0.0.1:8406"
	Provider visitor.Signer
	JWKS     []byte // its public keys
	Checks   visitor.Checks
	Zone     *time.Location // in which years begin
	Clock    warifu.Clock
	Folder   folder.Folder
}

// Office answers at port 8406.
type Office struct {
	config   Config
	visitors *visitor.Visitors
	drafts   *book.Book[Draft]
	filings  *book.Book[Filing]
}

// Draft is a return that waits for its signature.
type Draft struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Return Return    `json:"return"`
	Number string    `json:"number,omitempty"` // once filed
}

// Receipt is what the taxpayer keeps. It names nobody: whoever has the number sees where the
// return stands.
type Receipt struct {
	Number string    `json:"number"` // 受付番号
	At     time.Time `json:"at"`
	SHA256 string    `json:"sha256"` // of the signed file
	Year   int       `json:"year"`
	State  string    `json:"state"`
	Amends string    `json:"amends,omitempty"` // the number of the return that it takes the place of
}

// The states of a filed return.
const (
	Received = "received"
	Settled  = "settled" // looked at, and paid back or billed
	Amended  = "amended" // a later one has taken its place
)

// settling is how long a return is looked at.
const settling = 21 * 24 * time.Hour

// Filing is a filed return with what proves it.
type Filing struct {
	Receipt
	Taxpayer string          `json:"taxpayer"`          // see taxpayer
	Subject  string          `json:"subject,omitempty"` // who had logged in by the same tap
	Class    string          `json:"class"`             // card or phone
	Checked  visitor.Checked `json:"checked"`
	File     []byte          `json:"file"`
	Result   Result          `json:"result"`
}

const (
	maxDrafts  = 100_000
	maxFilings = 100_000
	filing     = "file" // the purpose of a way to the provider
	draftLife  = 24 * time.Hour
	accuracy   = "20060102150405"
)

// New opens an office.
func New(c Config) (*Office, error) {
	drafts, err := c.Folder.Sub("drafts")
	if err != nil {
		return nil, err
	}
	filings, err := c.Folder.Sub("filings")
	if err != nil {
		return nil, err
	}
	o := &Office{config: c, drafts: book.Open[Draft](drafts, maxDrafts), filings: book.Open[Filing](filings, maxFilings)}
	o.visitors = visitor.New(visitor.Config{Name: "tax", Origin: c.Origin, Provider: c.Provider, JWKS: c.JWKS, Clock: c.Clock, Arrived: o.arrived, Page: o.front, Again: o.again})
	return o, nil
}

// Routes adds the office's doors to mux.
func (o *Office) Routes(mux *http.ServeMux) {
	o.visitors.Routes(mux)
	mux.Handle("GET /api/slips/{year}/{number}", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return slipAt(r)
	}))
	mux.Handle("POST /api/returns", doorway.JSON(func(w http.ResponseWriter, r *http.Request) (any, error) {
		var in Claim
		if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
			return nil, err
		}
		return o.draft(in)
	}))
	mux.Handle("GET /api/returns/{id}", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) { return o.drafts.Get(r.PathValue("id")) }))
	mux.Handle("POST /api/returns/{id}/sign", doorway.JSON(func(w http.ResponseWriter, r *http.Request) (any, error) {
		address, err := o.sign(w, r)
		return map[string]string{"address": address}, err
	}))
	mux.Handle("POST /api/filings", doorway.JSON(func(w http.ResponseWriter, r *http.Request) (any, error) {
		file, err := doorway.Octets(w, r, MaxFile)
		if err != nil {
			return nil, err
		}
		return o.upload(r.Context(), file)
	}))
	mux.Handle("GET /api/filings/{number}", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) { return o.receipt(r.PathValue("number")) }))
	mux.Handle("GET /api/filings", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		who, err := o.visitors.Current(r)
		if err != nil {
			return nil, err
		}
		return o.of(who.Subject)
	}))
	o.pageRoutes(mux)
}

// draft fills a return in. Errors: those of Fill; Refused "tax-year" for a year that is not over.
func (o *Office) draft(c Claim) (Draft, error) {
	r, err := Fill(c)
	if err != nil {
		return Draft{}, err
	}
	now := o.config.Clock.Now()
	if err := o.over(r.Year); err != nil {
		return Draft{}, err
	}
	return o.drafts.Add(func(int) (string, Draft, error) {
		id := strings.ToLower(rand.Text())
		return id, Draft{ID: id, At: now.UTC(), Return: r}, nil
	})
}

// over refuses a return for a year that is not over.
func (o *Office) over(year int) error {
	if now := o.config.Clock.Now().In(o.config.Zone); year >= now.Year() {
		return warifu.Refused("tax-year", "year", fmt.Sprint(year), "last", fmt.Sprint(now.Year()-1))
	}
	return nil
}

// paper is the draft as a document to sign.
func (d Draft) paper() (relyingparty.Document, error) {
	content, err := d.Return.XML()
	return relyingparty.Document{Name: fmt.Sprintf("%d年分 所得税の確定申告書", d.Return.Year), Content: content, Mode: relyingparty.ModeXML}, err
}

// open is a draft that may still be signed.
func (o *Office) open(id string) (Draft, error) {
	d, err := o.drafts.Get(id)
	switch {
	case err != nil:
		return d, err
	case d.Number != "":
		return d, warifu.Conflict("tax-filed-already", "number", d.Number)
	case o.config.Clock.Now().Sub(d.At) > draftLife:
		return d, warifu.Conflict("tax-draft-old")
	}
	return d, nil
}

// sign begins the one authorization that logs in and signs.
func (o *Office) sign(w http.ResponseWriter, r *http.Request) (address string, err error) {
	d, err := o.open(r.PathValue("id"))
	if err != nil {
		return "", err
	}
	paper, err := d.paper()
	if err != nil {
		return "", err
	}
	return o.visitors.AskSignature(w, r, filing, d.ID, paper, "")
}

// policy is what a signature must be: by card or phone, with the attributes that say whose.
var policy = visitor.Policy{Accept: []string{"card", "phone"}, Attributes: []string{"name", "birthDate", "address"}}

const purpose = "確定申告 / income tax return"

// arrived takes the browser back with the signature: whoever signed has logged in by the same
// tap, and the return is filed.
func (o *Office) arrived(ctx context.Context, a visitor.Arrival) (string, error) {
	d, err := o.open(a.Reference)
	if err != nil {
		return "", err
	}
	paper, err := d.paper()
	if err != nil {
		return "", err
	}
	signed, err := o.visitors.TakeSignature(ctx, a, paper, o.config.Checks, policy, purpose)
	if err != nil {
		return "", err
	}
	f, err := o.file(d.Return, signed.File, signed.Checked, a.Visitor.Subject)
	if err != nil {
		return "", err
	}
	_, err = o.drafts.Change(d.ID, func(d *Draft) error { d.Number = f.Number; return nil })
	return "/filings/" + f.Number, err
}

// upload takes a signed file without a login. Errors: those of Read and of the signature.
func (o *Office) upload(ctx context.Context, signed []byte) (Receipt, error) {
	r, err := Read(signed)
	if err != nil {
		return Receipt{}, err
	}
	if err := o.over(r.Year); err != nil {
		return Receipt{}, err
	}
	checked, err := o.config.Checks.Check(ctx, visitor.Question{Form: relyingparty.ModeXML, Document: signed, Policy: policy, Purpose: purpose})
	switch {
	case err != nil:
		return Receipt{}, err
	case checked.Verdict != "good" && checked.Status.Status == "revoked":
		return Receipt{}, warifu.Refused("visitor-certificate-dead")
	case checked.Verdict != "good":
		return Receipt{}, warifu.Refused("visitor-signature-refused", "reason", checked.Reason())
	}
	f, err := o.file(r, signed, checked, "")
	return f.Receipt, err
}

// file accepts a return whose signature is good. The signed file must be the return as it is
// written and its signature, octet for octet: amounts of one's own, an element that another
// reader would take for the return, are "tax-return-other". Whoever signed must be the
// taxpayer: "tax-other-person".
func (o *Office) file(r Return, signed []byte, checked visitor.Checked, subject string) (Filing, error) {
	written, err := r.XML()
	if err != nil {
		return Filing{}, err
	}
	if err := document.XMLSigned(signed, written); err != nil {
		return Filing{}, warifu.Refused("tax-return-other").With(err)
	}
	a := checked.Attributes
	if a == nil || !visitor.SameName(a.Name, a.NameSubstitution, r.Name) || !born(a.BirthDate, r.BirthDate) {
		return Filing{}, warifu.Refused("tax-other-person")
	}
	now := o.config.Clock.Now()
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return Filing{}, err
	}
	f := Filing{
		Receipt:  Receipt{Number: fmt.Sprintf("%s%06d", now.In(o.config.Zone).Format(accuracy), n), At: now.UTC(), SHA256: warifu.DigestOf(signed).String(), Year: r.Year, State: Received},
		Taxpayer: taxpayer(r), Subject: subject, Class: checked.Class, Checked: checked, File: signed, Result: r.Result,
	}
	before, err := o.before(f)
	if err != nil {
		return Filing{}, err
	}
	f.Amends = before
	if before != "" {
		if _, err := o.filings.Change(before, func(old *Filing) error { old.State = Amended; return nil }); err != nil {
			return Filing{}, err
		}
	}
	f.Checked.Attributes = nil // they stand in the file
	return o.filings.Add(func(int) (string, Filing, error) { return f.Number, f, nil })
}

// born reports whether a certificate's date of birth, an era's digit and the date, is the day.
func born(certificate, day string) bool {
	digits := strings.ReplaceAll(day, "-", "")
	return len(certificate) >= len(digits) && strings.HasSuffix(strings.ReplaceAll(certificate, "-", ""), digits)
}

// taxpayer is who two returns are of: by name and day of birth, since a certificate's
// identifier changes with every renewal.
func taxpayer(r Return) string {
	return warifu.DigestOf([]byte(visitor.PlainName(r.Name) + "\n" + r.BirthDate)).String()
}

// before is the number of the return that stands for the same taxpayer and year.
func (o *Office) before(f Filing) (string, error) {
	all, err := o.filings.All()
	if err != nil {
		return "", err
	}
	for _, old := range slices.Backward(all) {
		if old.Taxpayer != f.Taxpayer || old.Year != f.Year || old.State == Amended {
			continue
		}
		if old.SHA256 == f.SHA256 {
			return "", warifu.Conflict("tax-filed-already", "number", old.Number)
		}
		return old.Number, nil
	}
	return "", nil
}

// receipt tells where a return stands.
func (o *Office) receipt(number string) (Receipt, error) {
	f, err := o.filings.Get(number)
	if err != nil {
		return Receipt{}, cmp.Or(unknown(err, number), err)
	}
	if f.State == Received && o.config.Clock.Now().Sub(f.At) >= settling {
		f.State = Settled
	}
	return f.Receipt, nil
}

func unknown(err error, number string) error {
	if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		return warifu.NotFound("tax-number-unknown", "number", number)
	}
	return nil
}

// of lists the returns that somebody filed by a tap.
func (o *Office) of(subject string) ([]Receipt, error) {
	all, err := o.filings.All()
	out := []Receipt{}
	for _, f := range all {
		if f.Subject == subject {
			r, lost := o.receipt(f.Number)
			err, out = errors.Join(err, lost), append(out, r)
		}
	}
	return out, err
}
