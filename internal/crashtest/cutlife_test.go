package crashtest_test

import (
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"warifu"
	"warifu/crl"
	"warifu/events"
	"warifu/phone"
	"warifu/sandbox/bureau"
	"warifu/sandbox/doorway"
	"warifu/sandbox/person"
	"warifu/store"
	"warifu/verify"
)

// holderLife is one holder in a town of their own, with two phones, A and B.
type holderLife struct {
	*town
	t       *testing.T // of the whole life: processes live as long
	who     *resident
	phones  map[string]*handheld
	names   map[string]string // of the phones, by element in hexadecimal
	server  *phone.Server
	client  *http.Client
	live    *sql.DB // the running server's books, for reading
	settled int     // kill tickets, before the operation
	calls   int     // at the hotline

	code, match, receipt, proposal, operator string            // told in the operation before
	contact                                  map[string]string // what the holder registers for the hotline
	issuers                                  map[warifu.Kind]*x509.Certificate
	base                                     map[warifu.Kind]*crl.List // a full list from before, for the delta
}

const (
	glance    = 3 * time.Millisecond // between two looks at something that is to happen
	waitLists = time.Minute          // on a machine with other work; the server's own round is a second
)

// kindNumber is the kind as the books write it.
func kindNumber(k warifu.Kind) string { return strconv.Itoa(int(k)) }

func beginLife(t *testing.T, tn *town) *holderLife {
	t.Helper()
	tn.appoint(t)
	l := &holderLife{town: tn, t: t, phones: map[string]*handheld{}, names: map[string]string{}, live: bare(t, tn.db.registration), issuers: map[warifu.Kind]*x509.Certificate{}, base: map[warifu.Kind]*crl.List{}}
	f := &ferry{gate: tn.gate}
	t.Cleanup(f.inner.CloseIdleConnections)
	l.client = &http.Client{Transport: f}
	var err error
	l.server, err = phone.NewServer(tn.origin, l.client)
	must(t, err)
	l.who, err = tn.resident(1)
	must(t, err)
	v, err := tn.bureau.Show(l.who.id)
	must(t, err)
	l.contact = map[string]string{"reading": "ワリフ タロウ", "birthDate": v.Person.Birth.Format(time.DateOnly), "telephone": "090-1234-5678"}
	for _, name := range []string{"A", "B"} {
		h, err := tn.newHandheld(name, l.who, planUse, l.server)
		must(t, err)
		id := h.element.ID()
		l.phones[name], l.names[hex.EncodeToString(id[:])] = h, name
	}
	for _, kind := range warifu.Kinds {
		l.issuers[kind] = tn.authority(t, kind)
	}
	return l
}

// signing is the phone's own signing password, as typed.
var signing = phone.Secret{Kind: warifu.Signature, Typed: secrets.Signature}

// applies hands in an application from the phone, with the contact, and waits until it
// is issued.
func (l *holderLife) applies(name string) func(context.Context) error {
	var draft *phone.Draft
	return func(ctx context.Context) error {
		h := l.phones[name]
		if draft == nil {
			var err error
			if draft, err = h.prepare(ctx); err != nil {
				return err
			}
		}
		in := struct {
			phone.Submission
			Contact map[string]string `json:"contact"`
		}{draft.Submission(), l.contact}
		if err := l.door("").Post(ctx, "/api/v1/applications", in, nil); err != nil {
			return err
		}
		if err := h.app.Submit(ctx, draft); err != nil {
			return err
		}
		for a := draft.Application; a.State == warifu.ApplicationSubmitted; wait(ctx, glance) {
			var err error
			if a, err = h.app.Status(ctx); err != nil {
				return err
			}
		}
		return ctx.Err()
	}
}

// fetches has the certificates written into the phone and keeps the suspension code.
func (l *holderLife) fetches(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		h := l.phones[name]
		err := h.app.Personalize(ctx, phone.Personalization{Code: func(code string) { l.code = code }})
		if err != nil {
			h.element.PowerOff()
		}
		return err
	}
}

// door is the server's door for an operator; "" for anybody.
func (l *holderLife) door(operator string) doorway.Client {
	client := &http.Client{Transport: l.client.Transport}
	if operator != "" {
		client.Transport = tokenBearer{tokenOf(operator), l.client.Transport}
	}
	return doorway.Client{Base: l.origin, Client: client}
}

type tokenBearer struct {
	token string
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b tokenBearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(r)
}

// orders has the card order something on another device.
func (l *holderLife) orders(verb warifu.Verb, reason warifu.HoldReason) func(context.Context) error {
	return func(ctx context.Context) error {
		l.who.tap.Lock()
		defer l.who.tap.Unlock()
		defer l.who.card.PowerOff()
		elsewhere := phone.Elsewhere{Server: l.server, Scheme: l.scheme, Clock: clock}
		_, err := elsewhere.Order(ctx, phone.CardOrder{Verb: verb, Reason: reason, Card: l.who.card, CardPassword: string(l.who.pins.Signature.Reveal())})
		return err
	}
}

// hears lets something happen at the card bureau, once, and has it tell the server.
func (l *holderLife) hears(happens func() error) func(context.Context) error {
	happened := false
	var batch events.Batch
	return func(ctx context.Context) error {
		if !happened {
			before, err := l.bureau.Events(0, 0)
			if err == nil {
				err = happens()
			}
			if err == nil {
				batch, err = l.bureau.Events(before.Newest, 0)
			}
			if err != nil {
				return err
			}
			happened = true
		}
		return l.door("").Post(ctx, "/api/v1/card-events", batch, nil)
	}
}

// asked has the responders tell where the newest credentials stand, and compares it with
// the books.
func (l *holderLife) asked(t *testing.T) {
	t.Helper()
	for _, r := range l.newest(t, 4) {
		if r.certificate == nil {
			continue
		}
		c, err := x509.ParseCertificate(r.certificate)
		must(t, err)
		answer, err := verify.OCSPClient{}.Check(t.Context(), c, l.issuers[r.kind], clock.Now())
		must(t, err)
		if answer.Status.Cert != r.status.Cert || answer.Status.Reason != r.status.Reason {
			t.Errorf("OCSP says %v of a %s credential that is %s: %v", answer.Status, r.kind, r.state, r.status)
		}
	}
}

// standing is where one credential stands in the books.
type standing struct {
	kind        warifu.Kind
	state       warifu.CredentialState
	certificate []byte
	status      warifu.Status
}

// newest reads the last n credentials.
func (l *holderLife) newest(t *testing.T, n int) (out []standing) {
	t.Helper()
	seal, err := l.keys.Symmetric("seal")
	must(t, err)
	s, err := store.Open(t.Context(), l.db.registration, seal, clock)
	must(t, err)
	defer func() { must(t, s.Close()) }()
	ids := rowsOf(t, l.live, `SELECT id, serial, state, '' FROM credentials ORDER BY begun_at DESC, kind`)
	must(t, s.Read(t.Context(), func(tx *store.Tx) error {
		out = nil
		for _, id := range ids[:min(n, len(ids))] {
			c, err := tx.Credential(id[0])
			if err != nil {
				return err
			}
			one := standing{kind: c.Kind, state: c.State}
			record, _, err := tx.StatusOf(c.Kind, c.Serial)
			if err != nil {
				return err
			}
			if one.status = record.Status; !c.Certificate.IsZero() {
				if one.certificate, err = tx.UnsealBlob(c.Certificate); err != nil {
					return err
				}
			}
			out = append(out, one)
		}
		return nil
	}))
	return out
}

// agree waits until the lists, full and with their deltas, name exactly what the books
// say is revoked or held.
func (l *holderLife) agree(t *testing.T) {
	t.Helper()
	for _, kind := range warifu.Kinds {
		books := map[string]string{}
		for _, r := range rowsOf(t, l.live, `SELECT '', serial, CASE status_reason WHEN 6 THEN 'held' ELSE 'revoked' END, '' FROM credentials WHERE cert_status = 2 AND kind = `+kindNumber(kind)) {
			books[r[1]] = r[2]
		}
		late := clock.Now().Add(waitLists)
		for !l.listed(t, kind, books) {
			if clock.Now().After(late) {
				t.Errorf("the %s list is not what the books say: %v", kind, books)
				return
			}
			wait(t.Context(), 20*glance)
		}
	}
}

// listed compares the list, and the list before with the delta since, with the books.
func (l *holderLife) listed(t *testing.T, kind warifu.Kind, books map[string]string) bool {
	t.Helper()
	full, ok := l.fetchList(t, "/crl/"+kind.String()+".crl")
	if !ok || !same(full, books) {
		return false
	}
	delta, ok := l.fetchList(t, "/crl/"+kind.String()+"-delta.crl")
	if !ok {
		return true // nothing changed since the server's first list
	}
	base := full
	if before := l.base[kind]; before != nil {
		base = before
	}
	combined, err := crl.Combine(base, delta)
	if err != nil {
		l.base[kind] = full
		return true // the full list is as new as the delta
	}
	return same(combined, books)
}

// lister is a list, or one with a delta.
type lister interface {
	Each(func(warifu.StatusRecord) bool)
}

func same(list lister, books map[string]string) bool {
	n, equal := 0, true
	list.Each(func(r warifu.StatusRecord) bool {
		says := "revoked"
		if r.Status.Reason == warifu.ReasonCertificateHold {
			says = "held"
		}
		n++
		equal = equal && books[hex.EncodeToString(r.Serial)] == says
		return equal
	})
	return equal && n == len(books)
}

func (l *holderLife) fetchList(t *testing.T, path string) (*crl.List, bool) {
	t.Helper()
	response, err := http.Get(l.origin + path)
	must(t, err)
	defer response.Body.Close()
	der, err := io.ReadAll(response.Body)
	must(t, err)
	if response.StatusCode != http.StatusOK {
		return nil, false
	}
	list, err := crl.Parse(der)
	must(t, err)
	return list, true
}

// relocation is an address elsewhere than the one before.
func (l *holderLife) relocation() (person.Relocation, error) {
	v, err := l.bureau.Show(l.who.id)
	return v.Person.Elsewhere(), err
}

// renew has the card's certificates issued anew at the counter, and puts the new card
// into the holder's hand.
func (l *holderLife) renew() error {
	if err := l.bureau.Renew(l.who.id, bureau.Renewal{Signature: l.who.pins.Signature}); err != nil {
		return err
	}
	card, err := l.bureau.Card(l.who.id)
	l.who.card = card
	return err
}
