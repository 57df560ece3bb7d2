package crashtest_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"warifu"
	"warifu/phone"
)

// Stages that many operations begin or end with.
const (
	atRest  = "tickets 0/0"
	liveA   = "sig@A active, auth@A active, written, code, tickets 0/0"
	liveB   = "sig@B active, auth@B active, written, code, tickets 0/0"
	issuedA = "issued@A, tickets 0/0"
)

// heldA is phone A with both credentials held for the reason.
func heldA(reason warifu.HoldReason) string {
	return "sig@A held[" + string(reason) + "], auth@A held[" + string(reason) + "], written, code, tickets 0/0"
}

// everywhere runs the life on SQLite and a part of it on PostgreSQL.
func everywhere(t *testing.T, life func(*testing.T, *cutter)) {
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lives(t, place, life)
		})
	}
}

// begun has phone A applied and fetched, with nobody killed.
func (c *cutter) begun(t *testing.T, name string) {
	t.Helper()
	must(t, patiently(t.Context(), c.applies(name)))
	must(t, patiently(t.Context(), c.fetches(name)))
	c.rests(t)
}

func TestCutBetweenAnyTwoStatementsOfHolds(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cutter) {
		c.begun(t, "A")
		c.turn(t, append(c.ownHolds(), c.othersHolds()...)...)
		c.report(t, 60)
	})
}

// ownHolds are what the phone itself asks for.
func (c *cutter) ownHolds() []operation {
	app := c.phones["A"].app
	return []operation{
		{"suspend", func(ctx context.Context) error {
			_, err := app.Suspend(ctx, nil, time.Time{}, signing)
			return err
		}, []string{liveA, heldA(warifu.HoldOwnWish)}, 1},
		{"resume", func(ctx context.Context) error {
			_, err := app.Resume(ctx, nil, warifu.HoldOwnWish, signing)
			return err
		}, []string{heldA(warifu.HoldOwnWish), liveA}, 1},
		{"repair", func(ctx context.Context) error {
			_, err := app.Suspend(ctx, nil, clock.Now().Add(time.Hour).Truncate(time.Hour), signing)
			return err
		}, []string{liveA, heldA(warifu.HoldRepair)}, 13},
		{"repaired", func(ctx context.Context) error {
			_, err := app.Resume(ctx, nil, warifu.HoldRepair, signing)
			return err
		}, []string{heldA(warifu.HoldRepair), liveA}, 13},
		{"new code", func(ctx context.Context) (err error) {
			c.code, err = app.NewCode(ctx, signing)
			return err
		}, []string{liveA, liveA}, 7},
	}
}

// othersHolds are those of code, card, hotline and bureau.
func (c *cutter) othersHolds() []operation {
	lost := heldA(warifu.HoldLost)
	return []operation{
		{"suspend by code", func(ctx context.Context) error { return c.server.SuspendByCode(ctx, c.code) }, []string{liveA, lost}, 9},
		{"resume by card", c.orders(warifu.VerbResume, warifu.HoldLost), []string{lost, liveA}, 9},
		{"suspend by card", c.orders(warifu.VerbSuspend, warifu.HoldOwnWish), []string{liveA, heldA(warifu.HoldOwnWish)}, 11},
		{"resume own wish by card", c.orders(warifu.VerbResume, warifu.HoldOwnWish), []string{heldA(warifu.HoldOwnWish), liveA}, 13},
		{"look up", c.looksUp("hanako"), []string{liveA, liveA}, 5},
		{"suspend by hotline", func(ctx context.Context) error {
			in := map[string]any{"match": c.match, "callBackNumberGiven": true, "caller": "holder", "phone": "stolen", "card": "kept"}
			return c.door("hanako").Post(ctx, "/api/v1/hotline/suspensions", in, nil)
		}, []string{liveA, lost}, 9},
		{"propose", func(ctx context.Context) error {
			var out struct {
				Proposal string `json:"proposal"`
			}
			err := c.door("hanako").Post(ctx, "/api/v1/hotline/resumptions", map[string]string{"match": c.match, "cause": "found"}, &out)
			c.proposal = out.Proposal
			return err
		}, []string{lost, lost}, 5},
		{"confirm", func(ctx context.Context) error { return c.confirms(ctx) }, []string{lost, liveA}, 9},
		{"card suspended", c.each(func() error { return c.bureau.Suspend(c.who.id) }), []string{liveA, heldA(warifu.HoldCard)}, 11},
		{"card resumed", c.each(func() error { return c.bureau.Resume(c.who.id) }), []string{heldA(warifu.HoldCard), liveA}, 11},
	}
}

// looksUp has the operator look for who calls.
func (c *cutter) looksUp(operator string) func(context.Context) error {
	return func(ctx context.Context) error {
		var out struct {
			Match string `json:"match"`
		}
		err := c.door(operator).Post(ctx, "/api/v1/hotline/searches", c.contact, &out)
		c.match = out.Match
		return err
	}
}

// confirms has the second operator confirm; who was cut off before the answer is told
// that it is closed.
func (c *cutter) confirms(ctx context.Context) error {
	err := c.door("jiro").Post(ctx, "/api/v1/hotline/resumptions/"+c.proposal+"/confirmation", struct{}{}, nil)
	if err != nil && warifu.ProblemOf(err).Problem == "proposal-closed" {
		return nil
	}
	return err
}

// each makes an operation of something that happens to the card each time it is done.
func (c *cutter) each(happens func() error) func(context.Context) error {
	hears := c.hears(happens)
	return func(ctx context.Context) error {
		err := hears(ctx)
		if err == nil {
			hears = c.hears(happens) // the next time
		}
		return err
	}
}

// The holder goes to and fro between two phones: each new one supersedes the other.
func TestCutBetweenAnyTwoStatementsOfANewPhone(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cutter) {
		c.begun(t, "B")
		c.turn(t, append(c.change("B", "A"), c.change("A", "B")...)...)
		c.report(t, 40)
	})
}

// change is the way from one phone to another, and the old one's wiping.
func (c *cutter) change(from, to string) []operation {
	was, is := map[string]string{"A": liveA, "B": liveB}[from], map[string]string{"A": liveA, "B": liveB}[to]
	bare := is[:len(is)-len(", written, code, tickets 0/0")]
	strides := map[string][3]int{"A": {9, 7, 1}, "B": {31, 29, 11}}[to]
	return []operation{
		{"apply with " + to, c.anew(func() func(context.Context) error { return c.applies(to) }),
			[]string{was, "submitted@" + to + ", " + was, "issued@" + to + ", " + was}, strides[0]},
		{"personalize " + to, c.fetches(to), []string{"issued@" + to + ", " + was, bare + ", tickets 0/0", is}, strides[1]},
		{"wipe " + from, c.wipes(from), []string{is, tickets(is, 2, 0), tickets(is, 1, 1), tickets(is, 0, 2)}, strides[2]},
	}
}

// anew makes an operation of something that begins anew each time it was done.
func (c *cutter) anew(begin func() func(context.Context) error) func(context.Context) error {
	do := begin()
	return func(ctx context.Context) error {
		err := do(ctx)
		if err == nil {
			do = begin()
		}
		return err
	}
}

// wipes has the phone ask for its kill tickets and obey, and hand in the receipts.
func (c *cutter) wipes(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := c.phones[name].app.Wipe(ctx)
		return err
	}
}

// tickets is a stage with so many tickets out and settled.
func tickets(stage string, out, settled int) string {
	return stage[:len(stage)-len("0/0")] + string(rune('0'+out)) + "/" + string(rune('0'+settled))
}

// Each way in which everything on a phone ends, each time with a new application before.
func TestCutBetweenAnyTwoStatementsOfAnEnd(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cutter) {
		c.turn(t, c.ends()...)
		c.report(t, 40)
	})
}

// asksForProof is a marketplace's question to a phone in hand.
func (c *cutter) asksForProof(name string) phone.CleanQuestion {
	q := phone.CleanQuestion{Marketplace: "https://market.example", Nonce: make([]byte, 16), Time: clock.Now().UTC().Truncate(time.Second)}
	_, _ = rand.Read(q.Nonce) // never fails (crypto/rand)
	for _, made := range c.maker.Phones() {
		if made.ID == name {
			q.Identifiers = []string{"imei:" + made.IMEI}
		}
	}
	return q
}

// ends are the ways in which what phone A carries ends, each after an application of its own.
func (c *cutter) ends() []operation {
	app := c.phones["A"].app
	begin := func(n string) []operation {
		return []operation{
			{"apply " + n, c.anew(func() func(context.Context) error { return c.applies("A") }), []string{atRest, "submitted@A, " + atRest, issuedA}, 97},
			{"personalize " + n, c.fetches("A"), []string{issuedA, "sig@A active, auth@A active, tickets 0/0", liveA}, 97},
		}
	}
	out := append(begin("for the device"), operation{"revoke by device", func(ctx context.Context) error {
		_, err := app.Revoke(ctx, nil, signing)
		if err != nil && warifu.ProblemOf(err).Problem == "credential-none" {
			return nil
		}
		return err
	}, []string{liveA, atRest, tickets(atRest, 2, 0), tickets(atRest, 1, 1), tickets(atRest, 0, 2)}, 1},
		operation{"clean proof", func(ctx context.Context) error {
			now := clock.Now() // a proof of the very second of a personalization says nothing
			wait(ctx, now.Truncate(time.Second).Add(time.Second).Sub(now))
			question := c.asksForProof("A")
			proof, err := app.CleanProof(ctx, question)
			if err != nil {
				return err
			}
			answer, err := c.server.Clean(ctx, proof, question)
			if err == nil && answer.Answer != "clean" {
				err = fmt.Errorf("the phone is %s: %v", answer.Answer, answer.Reasons)
			}
			return err
		}, []string{atRest, atRest}, 3})
	out = append(append(out, begin("for the card")...),
		operation{"revoke by card", c.orders(warifu.VerbRevoke, ""), []string{liveA, atRest}, 13},
		operation{"wipe after the card", c.wipes("A"), []string{atRest, tickets(atRest, 2, 0), tickets(atRest, 1, 1), tickets(atRest, 0, 2)}, 13})
	moved := "auth@A active, written, code, tickets 0/0"
	out = append(append(out, begin("for the register")...),
		operation{"move", c.each(func() error {
			to, err := c.relocation()
			if err != nil {
				return err
			}
			return c.bureau.Move(c.who.id, to)
		}), []string{liveA, moved}, 7},
		operation{"wipe after the move", c.wipes("A"), []string{moved, tickets(moved, 1, 0), tickets(moved, 0, 1)}, 17},
		operation{"end what is left", func(ctx context.Context) error {
			_, err := app.Revoke(ctx, nil, phone.Secret{Kind: warifu.Authentication, Typed: secrets.Authentication})
			if err != nil && warifu.ProblemOf(err).Problem == "credential-none" {
				return nil
			}
			return err
		}, []string{moved, atRest, tickets(atRest, 1, 0), tickets(atRest, 0, 1)}, 17},
		operation{"renew", c.each(func() error { return c.renew() }), []string{atRest, atRest}, 5})
	return out
}
