package web

import (
	"context"

	"warifu"
	"warifu/text"
)

// The choices a holder has when the phone is about to leave their hands.
const (
	choiceRevoke = "revoke"
	choiceHold   = "hold-until"
	choiceKeep   = "keep"
)

// The advice beside a choice.
const (
	adviceBest     = "recommended"
	advicePossible = "possible"
	adviceAgainst  = "against"
)

// leavingEvents says for each occasion what is advised (R70–R74, K5, K12): a reset does
// not touch the chip, a sale leaves no way but revoking, a repair may be waited for, and
// a new phone replaces the old one by itself once it is registered.
var leavingEvents = map[string]map[string]string{
	"reset":     {choiceRevoke: adviceBest, choiceHold: advicePossible, choiceKeep: advicePossible},
	"sale":      {choiceRevoke: adviceBest, choiceHold: adviceAgainst, choiceKeep: adviceAgainst},
	"repair":    {choiceRevoke: adviceBest, choiceHold: advicePossible, choiceKeep: adviceAgainst},
	"new-phone": {choiceRevoke: advicePossible, choiceHold: advicePossible, choiceKeep: adviceBest},
}

// leavingChecklist is the list of R80, in the order in which things are done.
var leavingChecklist = []string{"certificates", "wallet", "transit", "messages", "activation-lock", "reset"}

type leavingInput struct {
	Element string `path:"element" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]{32}$" doc:"Identifier of the secure element, 32 hexadecimal digits"`
	Event   string `query:"event" required:"true" enum:"reset,sale,repair,new-phone"`
}

type sentence struct {
	Text   string `json:"text"`
	TextJa string `json:"textJa"`
	TextEn string `json:"textEn"`
}

type leavingChoice struct {
	Choice   string   `json:"choice" enum:"revoke,hold-until,keep"`
	Advice   string   `json:"advice" enum:"recommended,possible,against"`
	Sentence sentence `json:"sentence"`
}

type leavingItem struct {
	Item     string   `json:"item"`
	Sentence sentence `json:"sentence"`
}

type leavingOutput struct {
	Body struct {
		Live      []string        `json:"live" doc:"Which certificates of this phone are active or on hold"`
		Question  sentence        `json:"question"`
		Choices   []leavingChoice `json:"choices" doc:"What the holder is asked; empty when nothing is live"`
		Checklist []leavingItem   `json:"checklist" doc:"What else to do before the phone goes (R80)"`
	}
}

func (s *site) leaving(ctx context.Context, in *leavingInput) (*leavingOutput, error) {
	element, err := warifu.ParseElementID(in.Element)
	if err != nil {
		return nil, err
	}
	live, err := s.Registration.LiveKinds(ctx, element)
	if err != nil {
		return nil, err
	}
	out := &leavingOutput{}
	b := &out.Body
	b.Live, b.Choices, b.Question = []string{}, []leavingChoice{}, said(ctx, "life.leaving."+in.Event)
	for _, kind := range live {
		b.Live = append(b.Live, kind.String())
	}
	for _, choice := range []string{choiceRevoke, choiceHold, choiceKeep} {
		if len(live) > 0 {
			b.Choices = append(b.Choices, leavingChoice{choice, leavingEvents[in.Event][choice], said(ctx, "life.leaving."+in.Event+"-"+choice)})
		}
	}
	for _, item := range leavingChecklist {
		b.Checklist = append(b.Checklist, leavingItem{item, said(ctx, "life.checklist."+item)})
	}
	return out, nil
}

// said is a sentence in the reader's language and in both.
func said(ctx context.Context, key string) sentence {
	return sentence{text.Sentence(key, languageOf(ctx), nil), text.Sentence(key, text.Japanese, nil), text.Sentence(key, text.English, nil)}
}
