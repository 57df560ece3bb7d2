package phone

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"warifu"
	"warifu/jpki"
	"warifu/text"
)

// Asked is a marketplace's question that waits at the server for the holder of this phone:
// somebody offered it there.
type Asked struct {
	ID          string `json:"id"`
	Marketplace string `json:"marketplace"` // what the chip's proof is to name
	Name        struct {
		Ja string `json:"ja"`
		En string `json:"en"`
	} `json:"name"`
	Nonce     []byte    `json:"nonce"`
	At        time.Time `json:"at"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// Answered is what a marketplace that asked through the server was answered.
type Answered struct {
	ID          string `json:"id"`
	Marketplace string `json:"marketplace"`
	Answer      string `json:"answer"` // "clean", with the chip's proof; "declined" and "not-me", which it cannot tell apart
}

// ChoiceNotMe answers a marketplace that its holder does not offer this phone: nothing else
// changes.
const ChoiceNotMe = "not-me"

const (
	purposeListing   = "listing:" // and the answer
	answeredClean    = "clean"
	answeredDeclined = "declined"
)

// answerAsked answers what waits at the server, by what the holder decided: all of it, or the
// one question that was named. A phone on which nothing is left proves it; all else declines,
// and tells the marketplace nothing. NotFound "listing-unknown" for a name that is none.
func (a *App) answerAsked(ctx context.Context, d Decision) ([]Answered, error) {
	life, err := a.life(ctx)
	if err != nil {
		return nil, err
	}
	var out []Answered
	for _, q := range life.Listings {
		if d.Listing != "" && d.Listing != q.ID {
			continue
		}
		answer, err := a.answerOne(ctx, q, d.Choice)
		if err != nil {
			return out, err
		}
		out = append(out, Answered{q.ID, q.Marketplace, answer})
	}
	if d.Listing != "" && len(out) == 0 {
		return nil, warifu.NotFound("listing-unknown")
	}
	return out, nil
}

func (a *App) answerOne(ctx context.Context, q Asked, choice string) (string, error) {
	switch choice {
	case ChoiceKeep, ChoiceHold:
		return answeredDeclined, a.SendAnswer(ctx, q, answeredDeclined, nil)
	case ChoiceNotMe:
		return ChoiceNotMe, a.SendAnswer(ctx, q, ChoiceNotMe, nil)
	}
	proof, err := a.CleanProof(ctx, CleanQuestion{Marketplace: q.Marketplace, Nonce: q.Nonce, Time: a.Clock.Now().Truncate(time.Second)})
	if err != nil { // revoked, or there was nothing to decide
		return "", err
	}
	return answeredClean, a.SendAnswer(ctx, q, answeredClean, &proof)
}

// SendAnswer has the chip sign an answer to a question, "clean" with its proof, "declined" or
// "not-me", and hands it in. Leave does it as the holder decides. Errors: "listing-unknown",
// "listing-closed", "listing-not-clean", those of proofs.
func (a *App) SendAnswer(ctx context.Context, q Asked, answer string, proof *CleanProof) error {
	challenge, err := a.Server.OrderChallenge(ctx, a.Device.Element)
	if err != nil {
		return err
	}
	element, err := jpki.SelectElement(ctx, a.Element)
	if err != nil {
		return phoneError(err)
	}
	in := struct {
		Request  []byte      `json:"request"`
		Decision string      `json:"decision"`
		Clean    *CleanProof `json:"clean,omitempty"`
	}{Decision: answer, Clean: proof}
	if in.Request, err = element.DeviceRequest(ctx, purposeListing+answer, q.ID, challenge); err != nil {
		return phoneError(err)
	}
	path := elementPath(a.Device.Element) + "/listings/" + url.PathEscape(q.ID)
	return a.Server.do(ctx, call{http.MethodPost, path, in, nil, true})
}

// remindAsked tells of a marketplace that asks about this phone.
func (a *App) remindAsked(q Asked) Reminder {
	key, until := "phone.reminder."+RemindListed, q.ExpiresAt.In(a.Scheme.Hours.Zone).Format("2006-01-02 15:04")
	return Reminder{Occasion: RemindListed, At: q.ExpiresAt, Listing: q.ID, Sentence: Sentence{
		Ja: text.Sentence(key, text.Japanese, map[string]string{"marketplace": q.Name.Ja, "instant": until, "listing": q.ID}),
		En: text.Sentence(key, text.English, map[string]string{"marketplace": q.Name.En, "instant": until, "listing": q.ID}),
	}}
}
