package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"warifu"
	"warifu/iso7816"
	"warifu/jpki"
	"warifu/ocsp"
	"warifu/phone"
)

// Of the life's figures: so many phones, and so many times each is suspended and resumed
// by the phone, and then by its card's events.
const (
	livingPhones = 20
	livingRounds = 15
)

// holder is a person with a phone in use, as the benchmark sees them from outside.
type holder struct {
	*applicant
	person  string
	serials map[warifu.Kind][]byte
}

// living is a server with holders, and how the world asks about them.
type living struct {
	*house
	books   books
	cas     map[warifu.Kind]*x509.Certificate
	holders []*holder
	after   int64 // number of the bureau's last event
}

// life measures how soon the world knows: what a holder has suspended, what a card's
// event has moved, and how many commands a kill ticket takes.
func life(ctx context.Context, b *bench) ([]Row, error) {
	at := b.site("life", "badge")
	h, err := open(ctx, at)
	if err != nil {
		return nil, err
	}
	defer h.close()
	l, err := h.settle(ctx, at)
	if err != nil {
		return nil, err
	}
	defer l.books.db.Close()
	suspended, fromSending, err := l.suspensions(ctx)
	if err != nil {
		return nil, err
	}
	cascades, err := l.cascades(ctx)
	if err != nil {
		return nil, err
	}
	commands, octets, err := l.kill(ctx)
	if err != nil {
		return nil, err
	}
	return []Row{
		plain("suspension accepted → OCSP says held, both kinds, p99", milliseconds(percentile(suspended, 99)), "ms").below(50),
		plain("suspension sent → OCSP says held, both kinds, p99", milliseconds(percentile(fromSending, 99)), "ms").below(50),
		plain("suspension sent → OCSP says held, both kinds, median", milliseconds(percentile(fromSending, 50)), "ms"),
		plain("card event posted → cascade complete, p99", milliseconds(percentile(cascades, 99)), "ms").below(50),
		plain("card event posted → cascade complete, median", milliseconds(percentile(cascades, 50)), "ms"),
		plain("kill ticket: most commands to a chip, selection included", float64(commands), "APDUs").atMost(3),
		plain("kill ticket: its size", float64(octets), "octets"),
	}, nil
}

// atMost sets the goal that the value is no more than limit.
func (r Row) atMost(limit float64) Row {
	holds := r.Value <= limit
	r.Goal, r.Holds = "≤ "+number(limit)+" "+r.Unit, &holds
	return r
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// settle starts the server and gives everybody a phone in use.
func (h *house) settle(ctx context.Context, at site) (*living, error) {
	l := &living{house: h, cas: map[warifu.Kind]*x509.Certificate{}}
	applicants, err := h.prepare(ctx, 0, livingPhones)
	if err != nil {
		return nil, err
	}
	if err := h.begin(ctx, at); err != nil {
		return nil, err
	}
	for _, kind := range warifu.Kinds {
		if l.cas[kind], err = readAuthority(filepath.Join(h.dir, kind.String()+".cer")); err != nil {
			return nil, err
		}
	}
	if l.books, err = h.books(); err != nil {
		return nil, err
	}
	if err := each(len(applicants), func(i int) error { return h.submit(ctx, applicants[i]) }); err != nil {
		return nil, err
	}
	if err := l.books.settled(ctx, 2*livingPhones); err != nil {
		return nil, err
	}
	for _, a := range applicants {
		if err := h.connect(a, h.client); err != nil {
			return nil, err
		}
		if err := a.app.Personalize(ctx, phone.Personalization{}); err != nil {
			return nil, err
		}
		one := &holder{applicant: a, person: a.person, serials: map[warifu.Kind][]byte{}}
		if err := l.books.serials(ctx, one); err != nil {
			return nil, err
		}
		l.holders = append(l.holders, one)
	}
	told, err := h.bureau.Events(0, 0)
	l.after = told.Newest
	return l, err
}

func readAuthority(file string) (*x509.Certificate, error) {
	der, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(der); block != nil {
		der = block.Bytes
	}
	return x509.ParseCertificate(der)
}

func (b books) serials(ctx context.Context, h *holder) error {
	rows, err := b.db.QueryContext(ctx, `SELECT kind, serial FROM credentials WHERE application = ?`, h.id)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var kind warifu.Kind
		var serial []byte
		if err := rows.Scan(&kind, &serial); err != nil {
			return err
		}
		h.serials[kind] = serial
	}
	return rows.Err()
}

// suspensions has every phone suspend and resume, again and again, one after the other: how long
// from the server's acceptance, and from the order's sending, until the origin's responder
// calls both certificates held.
func (l *living) suspensions(ctx context.Context) (accepted, sent []time.Duration, err error) {
	for range livingRounds {
		for _, h := range l.holders {
			suspend, err := h.order(ctx, "suspend:own-wish")
			if err != nil {
				return nil, nil, err
			}
			began := time.Now()
			if _, err := h.app.Server.DeviceOrder(ctx, h.app.Device.Element, suspend); err != nil {
				return nil, nil, err
			}
			from := time.Now()
			if err := l.awaitStatus(ctx, h, warifu.ReasonCertificateHold); err != nil {
				return nil, nil, err
			}
			ended := time.Now()
			accepted, sent = append(accepted, ended.Sub(from)), append(sent, ended.Sub(began))
			resume, err := h.order(ctx, "resume:own-wish")
			if err != nil {
				return nil, nil, err
			}
			if _, err := h.app.Server.DeviceOrder(ctx, h.app.Device.Element, resume); err != nil {
				return nil, nil, err
			}
			if err := l.awaitStatus(ctx, h, 0); err != nil {
				return nil, nil, err
			}
		}
	}
	return accepted, sent, nil
}

// order has the chip sign an order for both certificates, after the signing password.
func (h *holder) order(ctx context.Context, purpose string) ([]byte, error) {
	challenge, err := h.app.Server.OrderChallenge(ctx, h.app.Device.Element)
	if err != nil {
		return nil, err
	}
	token, err := jpki.Select(ctx, h.app.Element)
	if err != nil {
		return nil, err
	}
	if err := token.VerifyPhone(ctx, warifu.Signature, warifu.NewActivationSecret([]byte("ABC123"))); err != nil {
		return nil, err
	}
	return token.Element().DeviceRequest(ctx, purpose, "signature,authentication", challenge)
}

// awaitStatus asks the responder about both certificates until it calls both revoked for
// that reason, or good for none.
func (l *living) awaitStatus(ctx context.Context, h *holder, reason warifu.Reason) error {
	limit := time.Now().Add(10 * time.Second)
	for _, kind := range warifu.Kinds {
		for {
			said, err := l.status(ctx, kind, h.serials[kind])
			if err != nil {
				return err
			}
			if said.Reason == reason && (said.Cert == warifu.StatusGood) == (reason == 0) {
				break
			}
			if time.Now().After(limit) {
				return fmt.Errorf("the responder still says %s %s", said.Cert, said.Reason)
			}
		}
	}
	return nil
}

// status asks the origin's responder by GET, past every cache, and checks its answer.
func (l *living) status(ctx context.Context, kind warifu.Kind, serial []byte) (warifu.Status, error) {
	number := new(big.Int).SetBytes(serial)
	question, err := (&ocsp.Request{CertIDs: []ocsp.CertID{ocsp.NewCertID(crypto.SHA256, l.cas[kind], number)}}).Marshal()
	if err != nil {
		return warifu.Status{}, err
	}
	der, err := fetch(ctx, l.client, l.origin+"/ocsp/"+kind.String()+"/"+url.PathEscape(base64.StdEncoding.EncodeToString(question)))
	if err != nil {
		return warifu.Status{}, err
	}
	response, err := ocsp.ParseResponse(der)
	if err != nil {
		return warifu.Status{}, err
	}
	if err := response.Verify(l.cas[kind], time.Now()); err != nil {
		return warifu.Status{}, err
	}
	single, err := response.Find(l.cas[kind], number)
	return single.Status, err
}

func fetch(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.200s", response.Status, body)
	}
	return body, err
}

// cascades has every card suspended and resumed at its bureau and posts each signed
// event: how long until the responder says so of both certificates and the audit trail
// holds the whole tree, from the event to each hold and each move.
func (l *living) cascades(ctx context.Context) (all []time.Duration, err error) {
	for range livingRounds {
		for _, h := range l.holders {
			for _, turn := range []struct {
				do     func(string) error
				reason warifu.Reason
			}{{l.bureau.Suspend, warifu.ReasonCertificateHold}, {l.bureau.Resume, 0}} {
				if err := turn.do(h.person); err != nil {
					return nil, err
				}
				took, err := l.cascade(ctx, h, turn.reason)
				if err != nil {
					return nil, err
				}
				all = append(all, took)
			}
		}
	}
	return all, nil
}

func (l *living) cascade(ctx context.Context, h *holder, reason warifu.Reason) (time.Duration, error) {
	told, err := l.bureau.Events(l.after, 0)
	if err != nil {
		return 0, err
	}
	if len(told.Events) != 1 {
		return 0, fmt.Errorf("the bureau tells of %d events, want one", len(told.Events))
	}
	l.after = told.Newest
	body, err := json.Marshal(map[string]any{"events": told.Events})
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if _, err := post(ctx, l.client, l.origin+"/api/v1/card-events", body, http.StatusOK); err != nil {
		return 0, err
	}
	if err := l.awaitStatus(ctx, h, reason); err != nil {
		return 0, err
	}
	for {
		n, err := l.books.tree(ctx, told.Newest)
		switch {
		case err != nil:
			return 0, err
		case n == wholeTree:
			return time.Since(began), nil
		case n > wholeTree || time.Since(began) > 10*time.Second:
			return 0, fmt.Errorf("the tree of event %d has %d lines", told.Newest, n)
		}
	}
}

// wholeTree is the event, a hold put or lifted on each of two certificates, and the move
// that follows from each.
const wholeTree = 5

// tree counts the audit lines that follow from an event, itself among them.
func (b books) tree(ctx context.Context, event int64) (n int, err error) {
	err = b.db.QueryRowContext(ctx, `WITH RECURSIVE tree (id) AS (
			SELECT id FROM audit WHERE subject = ? AND verb = 'follow'
			UNION SELECT audit.id FROM audit JOIN tree ON audit.cause = tree.id WHERE audit.cause <> '')
		SELECT COUNT(*) FROM tree`, fmt.Sprintf("card-event-%d", event)).Scan(&n)
	return n, err
}

// counting is a chip whose commands are counted.
type counting struct {
	chip iso7816.Transmitter
	n    int
}

// Transmit implements iso7816.Transmitter.
func (c *counting) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	c.n++
	return c.chip.Transmit(ctx, command)
}

// kill revokes with one phone and hands each ticket to the chip as on first contact: the most
// commands one took, selecting included, and the largest ticket's size. Each receipt goes to
// the server, which checks it.
func (l *living) kill(ctx context.Context) (commands, octets int, err error) {
	h := l.holders[0]
	order, err := h.order(ctx, "revoke")
	if err != nil {
		return 0, 0, err
	}
	ended, err := h.app.Server.DeviceOrder(ctx, h.app.Device.Element, order)
	if err != nil {
		return 0, 0, err
	}
	for _, one := range ended {
		chip := &counting{chip: h.app.Element}
		element, err := jpki.SelectElement(ctx, chip)
		if err != nil {
			return 0, 0, err
		}
		receipt, err := element.Kill(ctx, one.Ticket)
		if err != nil {
			return 0, 0, err
		}
		commands, octets = max(commands, chip.n), max(octets, len(one.Ticket))
		if err := h.app.Server.KillReceipt(ctx, h.app.Device.Element, receipt); err != nil {
			return 0, 0, err
		}
	}
	if len(ended) != len(warifu.Kinds) {
		return 0, 0, errors.New("a revocation has not ended both certificates")
	}
	return commands, octets, nil
}
