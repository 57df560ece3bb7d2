package phone

import (
	"context"
	"encoding/base64"
	"strconv"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/iso7816"
	"warifu/jpki"
)

// Bounds of one personalizing session.
const (
	maxRounds   = 64
	maxCommands = 256 // of one round
)

// Relay tells of one APDU carried between server and chip: its place in the
// session, its first five octets, its length and the chip's status word, and
// nothing that lies inside.
type Relay struct {
	Number int
	Head   [5]byte
	Length int
	Status iso7816.StatusWord
}

// Personalization says how to personalize: a card and its authentication PIN for
// the case that the server asks for the card again (R45), and who wants to be told
// of each APDU; all may be absent.
type Personalization struct {
	Card    iso7816.Transmitter
	CardPIN string
	Told    func(Relay)
	// Code is handed the suspension code, which is told this once (K9):
	// whoever knows it can suspend the certificates and do nothing else.
	Code func(code string)
}

// Personalize has the server write the certificates into the secure element (登録,
// R44): the app is the postman of APDUs it cannot read. Torn away at any of them,
// it is simply called again; the new session asks the chip what is there and
// writes the rest. Errors: "application-none", "card-proof-required" when the
// server wants the card again and none is given, and what the server refuses.
func (a *App) Personalize(ctx context.Context, p Personalization) error {
	state, err := a.State()
	if err != nil {
		return err
	}
	if state.Application == "" {
		return warifu.NotFound("application-none")
	}
	script, err := a.open(ctx, state.Application, p)
	if err != nil {
		return err
	}
	code, err := a.relay(ctx, script, p.Told)
	if err != nil {
		return err
	}
	if code != "" && p.Code != nil {
		p.Code(code)
	}
	return a.remember(func(s *State) { s.Personalized, s.ScreenLock = true, nil })
}

// open opens a session, with the card's proof where the server asks for it.
func (a *App) open(ctx context.Context, application string, p Personalization) (Script, error) {
	script, err := a.Server.OpenSession(ctx, application, nil)
	if !isProblem(err, "card-proof-required") || p.Card == nil {
		return script, err
	}
	question, err := a.proofQuestion(application, warifu.ProblemOf(err).Params)
	if err != nil {
		return Script{}, err
	}
	proof, err := a.proveCard(ctx, p.Card, p.CardPIN, question)
	if err != nil {
		return Script{}, err
	}
	proof.Challenge = question.Nonce
	return a.Server.OpenSession(ctx, application, proof)
}

// ProofClient is the client id in the question a server asks a card again with.
const ProofClient = "warifu"

// proofQuestion rebuilds the server's question from its nonce and time; audience
// and transaction are the app's own view, so that no other server's question fits.
func (a *App) proofQuestion(application string, params map[string]string) (attest.Presence, error) {
	nonce, err := base64.StdEncoding.DecodeString(params["nonce"])
	seconds, err2 := strconv.ParseInt(params["time"], 10, 64)
	if err != nil || err2 != nil || len(nonce) < 16 {
		return attest.Presence{}, warifu.Unavailable("server-answer-unreadable", "server", a.Server.Origin())
	}
	return attest.Presence{Purpose: "personalize", ClientID: ProofClient, Origin: a.Server.Origin(),
		Nonce: nonce, Transaction: application, Time: time.Unix(seconds, 0).UTC()}, nil
}

// relay carries commands and responses until the server says that it is done, and
// returns the suspension code that came with its last word.
func (a *App) relay(ctx context.Context, script Script, told func(Relay)) (string, error) {
	session, sent := script.Session, 0
	for round := 0; !script.Done; round++ {
		if round == maxRounds || len(script.Commands) > maxCommands {
			return "", warifu.Refused("session-endless")
		}
		responses := make([][]byte, 0, len(script.Commands))
		for _, command := range script.Commands {
			response, err := a.Element.Transmit(ctx, command)
			if err != nil {
				return "", phoneError(err)
			}
			sent++
			tell(told, sent, command, response)
			responses = append(responses, response)
		}
		var err error
		if script, err = a.Server.Exchange(ctx, session, responses); err != nil {
			return "", err
		}
	}
	return script.SuspensionCode, nil
}

func tell(told func(Relay), number int, command, response []byte) {
	if told == nil {
		return
	}
	r := Relay{Number: number, Length: len(command)}
	copy(r.Head[:], command)
	if parsed, err := iso7816.ParseResponse(response); err == nil {
		r.Status = parsed.SW
	}
	told(r)
}

// Status asks the server where the latest application stands, for who forbade
// notices (R43).
func (a *App) Status(ctx context.Context) (Application, error) {
	state, err := a.State()
	if err != nil {
		return Application{}, err
	}
	if state.Application == "" {
		return Application{}, warifu.NotFound("application-none")
	}
	return a.Server.Application(ctx, state.Application)
}

// Withdraw takes the latest application back. The secure element signs the
// request, since an application's identifier opens nothing by itself.
func (a *App) Withdraw(ctx context.Context) error {
	state, err := a.State()
	if err != nil {
		return err
	}
	if state.Application == "" {
		return warifu.NotFound("application-none")
	}
	return a.withdraw(ctx, state.Application)
}

// withdraw takes an application back. The challenge is that of orders: nobody is kept from
// withdrawing because the model was struck off the list.
func (a *App) withdraw(ctx context.Context, application string) error {
	challenge, err := a.Server.OrderChallenge(ctx, a.Device.Element)
	if err != nil {
		return err
	}
	element, err := jpki.SelectElement(ctx, a.Element)
	if err != nil {
		return phoneError(err)
	}
	request, err := element.DeviceRequest(ctx, "withdraw", application, challenge)
	if err != nil {
		return phoneError(err)
	}
	return a.Server.Withdraw(ctx, application, request)
}
