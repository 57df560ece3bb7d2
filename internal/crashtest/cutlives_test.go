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

// everywhere runs the life on SQLite and a part of it on PostgreSQL; of some lives that
// part is left to the soak.
func everywhere(t *testing.T, postgres bool, life func(*testing.T, *cutter)) {
	for name := range places {
		if name != "sqlite" && !postgres && !soaking() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lives(t, name, life)
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

func TestCutBetweenAnyTwoStatementsOfTheHoldersHolds(t *testing.T) {
	t.Parallel()
	everywhere(t, true, func(t *testing.T, c *cutter) {
		c.begun(t, "A")
		c.turn(t, c.ownHolds()...)
		c.report(t, 12)
	})
}

func TestCutBetweenAnyTwoStatementsOfOthersHolds(t *testing.T) {
	t.Parallel()
	everywhere(t, false, func(t *testing.T, c *cutter) {
		c.begun(t, "A")
		c.turn(t, c.othersHolds()...)
		c.report(t, 10)
	})
}

func TestCutBetweenAnyTwoStatementsOfACall(t *testing.T) {
	t.Parallel()
	everywhere(t, false, func(t *testing.T, c *cutter) {
		c.begun(t, "A")
		c.turn(t, c.call()...)
		c.report(t, 10)
	})
}

// ownHolds are what the phone itself asks for.
func (c *cutter) ownHolds() []operation {
	app := c.phones["A"].app
	return []operation{
		{"suspend", func(ctx context.Context) error {
			_, err := app.Suspend(ctx, nil, time.Time{}, signing)
			return err
		}, []string{liveA, heldA(warifu.HoldOwnWish)}, 3},
		{"resume", func(ctx context.Context) error {
			_, err := app.Resume(ctx, nil, warifu.HoldOwnWish, signing)
			return err
		}, []string{heldA(warifu.HoldOwnWish), liveA}, 11},
		{"repair", func(ctx context.Context) error {
			_, err := app.Suspend(ctx, nil, clock.Now().Add(time.Hour).Truncate(time.Hour), signing)
			return err
		}, []string{liveA, heldA(warifu.HoldRepair)}, 23},
		{"repaired", func(ctx context.Context) error {
			_, err := app.Resume(ctx, nil, warifu.HoldRepair, signing)
			return err
		}, []string{heldA(warifu.HoldRepair), liveA}, 23},
		{"new code", func(ctx context.Context) (err error) {
			c.code, err = app.NewCode(ctx, signing)
			return err
		}, []string{liveA, liveA}, 17},
	}
}

// othersHolds are those of code, card and bureau.
func (c *cutter) othersHolds() []operation {
	lost := heldA(warifu.HoldLost)
	return []operation{
		{"suspend by code", func(ctx context.Context) error { return c.server.SuspendByCode(ctx, c.code) }, []string{liveA, lost}, 7},
		{"resume by card", c.orders(warifu.VerbResume, warifu.HoldLost), []string{lost, liveA}, 17},
		{"suspend by card", c.orders(warifu.VerbSuspend, warifu.HoldOwnWish), []string{liveA, heldA(warifu.HoldOwnWish)}, 23},
		{"resume own wish by card", c.orders(warifu.VerbResume, warifu.HoldOwnWish), []string{heldA(warifu.HoldOwnWish), liveA}, 29},
		{"card suspended", c.each(func() error { return c.bureau.Suspend(c.who.id) }), []string{liveA, heldA(warifu.HoldCard)}, 13},
		{"card resumed", c.each(func() error { return c.bureau.Resume(c.who.id) }), []string{heldA(warifu.HoldCard), liveA}, 17},
	}
}

// call is a call at the hotline and its end by four eyes.
func (c *cutter) call() []operation {
	lost := heldA(warifu.HoldLost)
	return []operation{
		{"look up", c.looksUp, []string{liveA, liveA}, 9},
		{"suspend by hotline", func(ctx context.Context) error {
			in := map[string]any{"match": c.match, "callBackNumberGiven": true, "caller": "holder", "phone": "stolen", "card": "kept"}
			return c.door(c.operator).Post(ctx, "/api/v1/hotline/suspensions", in, nil)
		}, []string{liveA, lost}, 17},
		{"call back", func(ctx context.Context) error {
			return c.door(c.operator).Post(ctx, "/api/v1/hotline/calls/"+c.receipt+"/call-backs", map[string]string{"outcome": "answered"}, nil)
		}, []string{lost, lost}, 11},
		{"propose", func(ctx context.Context) error {
			var out struct {
				Proposal string `json:"proposal"`
			}
			err := c.door(c.operator).Post(ctx, "/api/v1/hotline/resumptions", map[string]string{"match": c.match, "cause": "found"}, &out)
			c.proposal = out.Proposal
			return err
		}, []string{lost, lost}, 1},
		{"confirm", c.confirms, []string{lost, liveA}, 9},
	}
}

// looksUp has the next operator look for who calls.
func (c *cutter) looksUp(ctx context.Context) error {
	var out struct {
		Match   string `json:"match"`
		Receipt string `json:"receipt"`
	}
	c.calls++
	c.operator = operators[c.calls%(len(operators)-1)]
	err := c.door(c.operator).Post(ctx, "/api/v1/hotline/searches", c.contact, &out)
	c.match, c.receipt = out.Match, out.Receipt
	return err
}

// confirms has the second operator confirm; who was cut off before the answer is told
// that it is closed.
func (c *cutter) confirms(ctx context.Context) error {
	err := c.door(operators[len(operators)-1]).Post(ctx, "/api/v1/hotline/resumptions/"+c.proposal+"/confirmation", struct{}{}, nil)
	if isProblem(err, "proposal-closed") {
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
	everywhere(t, true, func(t *testing.T, c *cutter) {
		c.begun(t, "B")
		c.turn(t, append(c.change("B", "A"), c.change("A", "B")...)...)
		c.report(t, 16)
	})
}

// change is the way from one phone to another, and the old one's wiping.
func (c *cutter) change(from, to string) []operation {
	was, is := map[string]string{"A": liveA, "B": liveB}[from], map[string]string{"A": liveA, "B": liveB}[to]
	bare := is[:len(is)-len(", written, code, tickets 0/0")]
	return []operation{
		{"apply", c.anew(func() func(context.Context) error { return c.applies(to) }),
			[]string{was, "submitted@" + to + ", " + was, "issued@" + to + ", " + was}, 41},
		{"personalize", c.fetches(to), []string{"issued@" + to + ", " + was, bare + ", tickets 0/0", is}, 3},
		{"wipe", c.wipes(from), []string{is, tickets(is, 2, 0), tickets(is, 1, 1), tickets(is, 0, 2)}, 23},
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
	everywhere(t, false, func(t *testing.T, c *cutter) {
		c.turn(t, c.ends()...)
		c.report(t, 20)
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
	begin := func() []operation {
		return []operation{
			{"apply", c.anew(func() func(context.Context) error { return c.applies("A") }), []string{atRest, "submitted@A, " + atRest, issuedA}, 97},
			{"personalize", c.fetches("A"), []string{issuedA, "sig@A active, auth@A active, tickets 0/0", liveA}, 97},
		}
	}
	out := append(begin(), operation{"revoke by device", func(ctx context.Context) error {
		_, err := app.Revoke(ctx, nil, signing)
		if isProblem(err, "credential-none") {
			return nil
		}
		return err
	}, []string{liveA, atRest, tickets(atRest, 2, 0), tickets(atRest, 1, 1), tickets(atRest, 0, 2)}, 11},
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
	out = append(append(out, begin()...),
		operation{"revoke by card", c.orders(warifu.VerbRevoke, ""), []string{liveA, atRest}, 17},
		operation{"wipe after the card", c.wipes("A"), []string{atRest, tickets(atRest, 2, 0), tickets(atRest, 1, 1), tickets(atRest, 0, 2)}, 29})
	moved := "auth@A active, written, code, tickets 0/0"
	out = append(append(out, begin()...),
		operation{"move", c.each(func() error {
			to, err := c.relocation()
			if err != nil {
				return err
			}
			return c.bureau.Move(c.who.id, to)
		}), []string{liveA, moved}, 11},
		operation{"wipe after the move", c.wipes("A"), []string{moved, tickets(moved, 1, 0), tickets(moved, 0, 1)}, 29},
		operation{"end what is left", func(ctx context.Context) error {
			_, err := app.Revoke(ctx, nil, phone.Secret{Kind: warifu.Authentication, Typed: secrets.Authentication})
			if isProblem(err, "credential-none") {
				return nil
			}
			return err
		}, []string{moved, atRest, tickets(atRest, 1, 0), tickets(atRest, 0, 1)}, 29},
		operation{"renew", c.each(func() error { return c.renew() }), []string{atRest, atRest}, 9})
	return out
}
