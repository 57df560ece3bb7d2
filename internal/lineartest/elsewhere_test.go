package lineartest_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/events"
	"warifu/jpki"
	"warifu/phone"
)

// atTheReader is the card on a device of somebody else's (K9).
func (c *client) atTheReader(ctx context.Context, steps int) error {
	for range steps {
		what := call{verb: byCard, kinds: c.kinds(), order: warifu.VerbSuspend, reason: []holdSet{lost, ownWish}[c.random.IntN(2)]}
		switch n := c.random.IntN(20); {
		case n < 10:
			what.order = warifu.VerbResume
		case n < 11:
			what.order, what.reason = warifu.VerbRevoke, 0
		}
		if err := c.rest(ctx, 6); err != nil {
			return err
		}
		document, err := c.cardOrder(ctx, what)
		if err != nil {
			return err
		}
		c.try(what, func() error {
			_, err := c.server.CardOrder(ctx, document)
			return err
		})
	}
	return nil
}

func (c *client) cardOrder(ctx context.Context, what call) (document []byte, err error) {
	err = c.quietly(func() error {
		challenge, err := c.server.OrderChallenge(ctx, warifu.ElementID{})
		if err != nil {
			return err
		}
		content, err := attest.CardOrder{Challenge: challenge, Verb: what.order, Kinds: what.kinds, Reason: string(holdNames[what.reason])}.Marshal()
		if err != nil {
			return err
		}
		document, err = c.signWithCard(ctx, content)
		return err
	})
	return document, err
}

func (c *client) signWithCard(ctx context.Context, content []byte) ([]byte, error) {
	c.tap.Lock()
	defer c.tap.Unlock()
	card, err := c.town.bureau.Card(c.person.ID)
	if err != nil {
		return nil, err
	}
	defer card.PowerOff()
	token, err := jpki.Select(ctx, card)
	if err != nil {
		return nil, err
	}
	if err := token.VerifyCard(ctx, warifu.Signature, c.person.PINs.Signature); err != nil {
		return nil, err
	}
	der, err := token.Certificate(ctx, warifu.Signature)
	if err != nil {
		return nil, err
	}
	signer, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	prepared, err := cms.Prepare(attest.OIDCardOrder, content, signer, nil, c.town.clock.Now(), false)
	if err != nil {
		return nil, err
	}
	signature, err := token.Sign(ctx, warifu.Signature, jpki.DigestInfoSHA256(prepared.Digest()))
	if err != nil {
		return nil, err
	}
	return prepared.Finish(signature)
}

// post sends one question of the JSON interface, once.
func (c *client) post(ctx context.Context, path, token string, body []byte, out any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, origin+path, strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := c.line.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer json.RawMessage
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode >= 400 {
		return phone.ParseProblem(response.StatusCode, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

func (c *client) ask(ctx context.Context, path, token string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.post(ctx, path, token, body, out)
}

// atTheHotline is the suspension code, and the work of two operators (B.5, K15).
func (c *client) atTheHotline(ctx context.Context, steps int) error {
	first, second := token(2*c.number%operatorsOf), token((2*c.number+1)%operatorsOf)
	match := ""
	for range steps {
		if match == "" {
			var err error
			if match, err = c.search(ctx, first); err != nil {
				return err
			}
		}
		if err := c.rest(ctx, 6); err != nil {
			return err
		}
		switch n := c.random.IntN(20); {
		case n < 7 || match == "":
			c.useCode(ctx)
		case n < 12:
			what := call{verb: byOperator, kinds: warifu.Kinds[:], order: warifu.VerbSuspend, reason: lost}
			record := map[string]any{"match": match, "callBackNumberGiven": false, "caller": "holder", "phone": "lost", "card": "kept"}
			c.try(what, func() error { return c.ask(ctx, "/api/v1/hotline/suspensions", first, record, nil) })
		case n < 19:
			what := call{verb: byOperator, kinds: warifu.Kinds[:], order: warifu.VerbResume, reason: lost}
			if err := c.four(ctx, "resumptions", "found", match, first, second, what); err != nil {
				return err
			}
		default:
			what := call{verb: byOperator, kinds: warifu.Kinds[:], order: warifu.VerbRevoke}
			if err := c.four(ctx, "revocations", "holder-request", match, first, second, what); err != nil {
				return err
			}
		}
	}
	return nil
}

// search looks the person up and rings them, who answer; "" while there is nobody to find.
func (c *client) search(ctx context.Context, operator string) (match string, err error) {
	if c.applications() == 0 {
		return "", pause(ctx)
	}
	var found struct{ Match, Receipt string }
	err = c.quietly(func() error {
		err := c.ask(ctx, "/api/v1/hotline/searches", operator, map[string]string{"reading": c.contact.Reading, "birthDate": c.contact.BirthDate, "telephone": c.contact.Telephone}, &found)
		if err != nil || found.Match == "" {
			return err
		}
		return c.ask(ctx, "/api/v1/hotline/calls/"+found.Receipt+"/call-backs", operator, map[string]string{"outcome": "answered"}, nil)
	})
	if err != nil && warifu.ProblemOf(err).IsCode(warifu.CodeTooMany) {
		return "", nil
	}
	return found.Match, err
}

// four has one operator propose, which changes nothing, and another confirm.
func (c *client) four(ctx context.Context, path, cause, match, first, second string, what call) error {
	var proposed struct{ Proposal string }
	err := c.quietly(func() error {
		return c.ask(ctx, "/api/v1/hotline/"+path, first, map[string]string{"match": match, "cause": cause}, &proposed)
	})
	if out := outcome(err); out.lost || out.problem == "credential-absent" {
		return nil // there is nobody to do anything for
	}
	if err != nil {
		return err
	}
	c.try(what, func() error {
		return c.post(ctx, "/api/v1/hotline/"+path+"/"+proposed.Proposal+"/confirmation", second, nil, nil)
	})
	return nil
}

func (c *client) useCode(ctx context.Context) {
	c.mu.Lock()
	codes := len(c.code)
	number, code, skip := 0, "", 0
	if codes > 0 {
		skip = c.random.IntN(codes)
	}
	for n := range c.made { // in order, so that the same luck finds the same code
		if shown, there := c.code[n]; there {
			if number, code = n, shown; skip == 0 {
				break
			}
			skip--
		}
	}
	c.mu.Unlock()
	if code == "" {
		return
	}
	c.try(call{verb: byCode, application: number, order: warifu.VerbSuspend, reason: lost}, func() error { return c.server.SuspendByCode(ctx, code) })
}

// atTheBureau is the card's own life, pushed to the server event by event; and the end.
func (c *client) atTheBureau(ctx context.Context, steps int) error {
	for n := range steps {
		if n%2 == 0 { // while the card is good most things happen
			if err := c.rest(ctx, 40); err != nil {
				return err
			}
		}
		order, do := warifu.VerbSuspend, c.town.bureau.Suspend
		switch {
		case n == steps-1:
			if err := c.untilMostIsLived(ctx); err != nil {
				return err
			}
			order, do = endCard, func(id string) error { return c.town.bureau.Revoke(id, warifu.ReasonCessationOfOperation) }
		case n%2 == 1:
			order, do = warifu.VerbResume, c.town.bureau.Resume
		}
		began := c.town.ticks.next()
		err := do(c.person.ID)
		if err != nil {
			return err
		}
		c.history.did(c.id, began, call{person: c.number, verb: cardSays, order: order}, answer{})
		if err := c.push(ctx); err != nil {
			return err
		}
		// Any server may have followed the event as soon as the bureau had it.
		c.history.did(c.id, began, call{person: c.number, verb: cardEvent, order: order}, answer{})
	}
	return nil
}

// untilMostIsLived waits until the phones have three quarters of their steps behind them.
func (c *client) untilMostIsLived(ctx context.Context) error {
	for c.lived.Load() < int64(3*c.steps/2) {
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

// rest lets the person's other hands do so many calls at most, if they do any.
func (c *client) rest(ctx context.Context, most int) error {
	until := c.done.Load() + int64(1+c.random.IntN(most))
	for n := 0; n < 100 && c.done.Load() < until; n++ {
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

// push hands the newest events in until the server has followed them.
func (c *client) push(ctx context.Context) error {
	newest, err := c.town.bureau.Events(0, 1)
	if err != nil {
		return err
	}
	for after := max(0, newest.Newest-3); ; {
		batch, err := c.town.bureau.Events(after, events.MaxBatch)
		if err != nil {
			return err
		}
		var said struct{ Next int64 }
		err = c.ask(ctx, "/api/v1/card-events", "", map[string]any{"events": batch.Events}, &said)
		if err == nil && said.Next > newest.Newest {
			return nil
		}
		if err != nil && !outcome(err).lost && !warifu.ProblemOf(err).IsCode(warifu.CodeConflict) || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}
