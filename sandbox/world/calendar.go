package world

import (
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"time"

	"warifu"
	"warifu/sandbox/bureau"
	"warifu/sandbox/moment"
	"warifu/sandbox/person"
)

const (
	maxListed = 1000     // rows of each table that the calendar looks at
	maxList   = 64 << 20 // octets of a revocation list whose nextUpdate is shown
	renewable = 3        // months before its end in which a card may be renewed (B.2)
)

// ofCard is what the clock alone will bring to a person and their card.
func ofCard(v bureau.View, now time.Time) []moment.Due {
	var out []moment.Due
	add := func(at time.Time, what moment.What, kind warifu.Kind) {
		if at.After(now) {
			out = append(out, moment.Due{At: at, What: what, Kind: kind, Card: v.Person.ID})
		}
	}
	if !v.Died.IsZero() {
		return nil
	}
	fifteen := moment.Reaches(v.Person.Birth, person.SigningAge, person.Tokyo)
	add(fifteen, moment.Birthday15, 0)
	for age := max(now.Year()-v.Person.Birth.Year(), 1); ; age++ {
		if at := moment.Reaches(v.Person.Birth, age, person.Tokyo); at.After(now) {
			if !at.Equal(fifteen) {
				add(at, moment.Birthday, 0)
			}
			break
		}
	}
	for _, c := range v.Certificates {
		if c.Status.Cert == warifu.StatusRevoked && c.Status.Reason != warifu.ReasonCertificateHold {
			continue // what has ended is renewed at any time
		}
		end := c.Certificate.NotAfter
		add(person.DateOf(end).AddDate(0, -renewable, 0), moment.RenewalOpens, c.Kind)
		add(end, moment.CardExpiry, c.Kind)
	}
	return out
}

// Calendar lists what will fall due, in order: what stops the clock, and what people look
// for besides: the hours of issuance and when the revocation lists are made anew.
func (w *World) Calendar(ctx context.Context) ([]moment.Due, error) {
	out, err := w.falling(ctx)
	if err != nil {
		return nil, err
	}
	now := w.Clock.Now()
	out = append(out, moment.Window(w.Scheme.Hours, now)...)
	for _, kind := range warifu.Kinds {
		next, err := w.nextUpdate(ctx, kind)
		if err != nil {
			return nil, err
		}
		if next.After(now) {
			out = append(out, moment.Due{At: next, What: moment.ListUpdate, Kind: kind})
		}
	}
	for i := range out {
		out[i].At = out[i].At.In(w.Scheme.Hours.Zone)
	}
	moment.Sort(out)
	return out, nil
}

// nextUpdate is that of the list which anybody would be given now.
func (w *World) nextUpdate(ctx context.Context, kind warifu.Kind) (time.Time, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.Places.Server+"/crl/"+kind.String()+".crl", nil)
	if err != nil {
		return time.Time{}, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return time.Time{}, warifu.Unavailable("server-unreachable", "server", w.Places.Server).With(err)
	}
	defer response.Body.Close()
	der, err := io.ReadAll(io.LimitReader(response.Body, maxList))
	if err != nil {
		return time.Time{}, err
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return time.Time{}, err
	}
	return list.NextUpdate, nil
}
