package crashtest_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"warifu"
	"warifu/chip"
	"warifu/iso7816"
	"warifu/jpki"
	"warifu/phone"
	"warifu/sandbox/folder"
	"warifu/sandbox/handset"
	"warifu/sandbox/maker"
	"warifu/scheme"
)

// phoneVariable makes this test binary a phone: app, screen lock and secure element in
// one process, with nothing but their folders from one start to the next.
const phoneVariable = "WARIFU_CRASH_PHONE"

// phoneJob is one thing that a holder does with the phone between two power-downs.
type phoneJob struct {
	Server  string              `json:"server"`
	Makers  string              `json:"makers"`  // folder with the chip's memory
	Handset string              `json:"handset"` // folder of the app and the screen lock
	Record  handset.Record      `json:"record"`
	Card    string              `json:"card"` // address at which the holder's card is tapped
	CardPIN string              `json:"cardPin"`
	Do      string              `json:"do"`
	From    string              `json:"from,omitempty"` // the phone's PIN now
	To      string              `json:"to,omitempty"`   // and then
	Proof   phone.CleanQuestion `json:"proof"`
	Cut     int                 `json:"cut,omitempty"`   // the power goes before the n-th APDU, 0: never
	After   bool                `json:"after,omitempty"` // … or when the chip has answered it
}

// phoneAnswer is what came of a job, and what is in the phone then.
type phoneAnswer struct {
	Problem string              `json:"problem,omitempty"`
	Error   string              `json:"error,omitempty"`
	APDUs   int                 `json:"apdus"`
	Live    jpki.SlotHalf       `json:"live"`
	Shadow  jpki.SlotHalf       `json:"shadow"`
	Tries   map[warifu.Kind]int `json:"tries"`
	State   phone.State         `json:"state"`
	Clean   string              `json:"clean,omitempty"`
}

// phoned runs a job when this process is a phone.
func phoned() bool {
	if os.Getenv(phoneVariable) == "" {
		return false
	}
	var job phoneJob
	if err := json.NewDecoder(os.Stdin).Decode(&job); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	answer, err := job.run(context.Background())
	if err != nil {
		answer.Error, answer.Problem = err.Error(), warifu.ProblemOf(err).Problem
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		os.Exit(2)
	}
	return true
}

// power counts APDUs to either chip and goes off at one of them.
type power struct{ cut, sent int }

// off is SIGKILL to the own process: nobody is told, nothing is put in order.
func (p *power) off() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
	select {}
}

// wire is the way to one chip.
type wire struct {
	to    iso7816.Transmitter
	power *power
	after bool
}

// Transmit implements iso7816.Transmitter.
func (w wire) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	w.power.sent++
	if w.power.sent == w.power.cut && !w.after {
		w.power.off()
	}
	response, err := w.to.Transmit(ctx, command)
	if w.power.sent == w.power.cut {
		w.power.off()
	}
	return response, err
}

// wired is a secure element all of whose doors have the wire.
type wired struct {
	*chip.Element
	power *power
	after bool
}

// Internal implements handset.Element.
func (w wired) Internal(caller [32]byte) iso7816.Transmitter {
	return wire{w.Element.Internal(caller), w.power, w.after}
}

// farCard is the holder's card, which is no part of the phone.
type farCard struct{ address string }

// Transmit implements iso7816.Transmitter.
func (c farCard) Transmit(_ context.Context, command []byte) ([]byte, error) {
	response, err := http.Post(c.address, "application/octet-stream", bytes.NewReader(command))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// run does the job and looks at the phone.
func (j phoneJob) run(ctx context.Context) (out phoneAnswer, err error) {
	element, err := j.element()
	if err != nil {
		return out, err
	}
	p := &power{cut: j.Cut}
	app, err := j.open(wired{element, p, j.After})
	if err != nil {
		return out, err
	}
	failed := j.do(ctx, app, wire{farCard{j.Card}, p, j.After}, &out)
	out.APDUs = p.sent
	p.cut = 0
	if err := out.look(ctx, app); err != nil {
		return out, err
	}
	return out, failed
}

// element powers the chip up.
func (j phoneJob) element() (*chip.Element, error) {
	factory, err := maker.Open(maker.Config{Dir: j.Makers, Clock: clock})
	if err != nil {
		return nil, err
	}
	return factory.Element(j.Record.ID)
}

// open starts the app.
func (j phoneJob) open(element handset.Element) (*phone.App, error) {
	f, err := folder.Open(j.Handset)
	if err != nil {
		return nil, err
	}
	h, err := handset.Open(f, j.Record, element, rand.Reader)
	if err != nil {
		return nil, err
	}
	server, err := phone.NewServer(j.Server, nil)
	if err != nil {
		return nil, err
	}
	rules, err := scheme.Shipped("badge")
	if err != nil {
		return nil, err
	}
	return h.App(server, rules, clock), nil
}

// look reads what is in the phone; no secret is needed for it.
func (a *phoneAnswer) look(ctx context.Context, app *phone.App) error {
	element, err := jpki.SelectElement(ctx, app.Element)
	if err != nil {
		return err
	}
	slots, err := element.Slots(ctx)
	if err != nil {
		return err
	}
	a.Live, a.Shadow, a.Tries = slots.Live, slots.Shadow, map[warifu.Kind]int{}
	for _, slot := range slots.Live.Slots {
		if a.Tries[slot.Kind], err = app.TriesLeft(ctx, slot.Kind); err != nil {
			return err
		}
	}
	a.State, err = app.State()
	return err
}

// finger opens the screen lock of a sandbox phone.
var finger = phone.Gesture{Method: phone.MethodFingerprint, Shown: "thumb"}

// do is what the holder does; what was cut is done again in the same way.
func (j phoneJob) do(ctx context.Context, app *phone.App, card iso7816.Transmitter, out *phoneAnswer) (err error) {
	signing := phone.Secret{Kind: warifu.Signature, Typed: secrets.Signature}
	switch j.Do {
	case "look":
	case "apply":
		return j.apply(ctx, app, card)
	case "personalize":
		return app.Personalize(ctx, phone.Personalization{})
	case "screen lock":
		return app.EnableScreenLock(ctx, j.From, finger)
	case "log in by finger":
		return logsIn(ctx, app, phone.Unlock{Gesture: &finger})
	case "log in":
		return logsIn(ctx, app, phone.Unlock{Typed: j.From})
	case "change":
		if err = app.ChangeSecret(ctx, warifu.Authentication, j.From, j.To); isProblem(err, "secret-wrong") {
			err = logsIn(ctx, app, phone.Unlock{Typed: j.To}) // it had been changed before the cut
		}
	case "unlock with the card":
		return app.ResetSecret(ctx, phone.Reset{Kind: warifu.Authentication, Card: card, CardPassword: j.CardPIN, Next: j.To})
	case "suspend":
		_, err = app.Suspend(ctx, nil, time.Time{}, signing)
	case "resume":
		_, err = app.Resume(ctx, nil, warifu.HoldOwnWish, signing)
	case "revoke":
		if _, err = app.Revoke(ctx, nil, signing); isProblem(err, "credential-none") {
			_, err = app.Wipe(ctx)
		}
	case "wipe":
		_, err = app.Wipe(ctx)
	case "clean proof":
		return j.prove(ctx, app, out)
	default:
		err = fmt.Errorf("a phone cannot %q", j.Do)
	}
	return err
}

// apply goes from the challenge to the 202, or goes on with what is at the server already.
func (j phoneJob) apply(ctx context.Context, app *phone.App, card iso7816.Transmitter) error {
	if _, err := app.Recognise(ctx); err != nil {
		return err
	}
	draft, err := app.Begin(phone.Choice{Kinds: warifu.Kinds[:], Consent: app.Scheme.Consent, CardPassword: j.CardPIN})
	if err != nil {
		return err
	}
	if err = app.Prepare(ctx, draft); isProblem(err, "application-open-here") {
		return nil
	}
	if err != nil {
		return err
	}
	if err := app.SignWithCard(ctx, draft, card); err != nil {
		return err
	}
	if err := app.SetSecrets(ctx, draft, phone.Secrets{Signature: secrets.Signature, Authentication: j.To}); err != nil {
		return err
	}
	return app.Submit(ctx, draft)
}

// prove answers a marketplace and asks the server what it makes of it.
func (j phoneJob) prove(ctx context.Context, app *phone.App, out *phoneAnswer) error {
	proof, err := app.CleanProof(ctx, j.Proof)
	if err != nil {
		return err
	}
	answer, err := app.Server.Clean(ctx, proof, j.Proof)
	out.Clean = answer.Answer
	return err
}

// logsIn answers a relying party's question.
func logsIn(ctx context.Context, app *phone.App, u phone.Unlock) error {
	q := phone.Question{Purpose: "login", ClientID: "crashtest", Origin: "https://rp.example", Nonce: make([]byte, 16), Time: clock.Now().UTC().Truncate(time.Second)}
	_, err := app.Login(ctx, q, q.Origin, u)
	return err
}

// isProblem reports whether err is the problem with this slug.
func isProblem(err error, slug string) bool {
	return err != nil && warifu.ProblemOf(err).Problem == slug
}
