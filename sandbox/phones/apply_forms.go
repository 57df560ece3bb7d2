package phones

import (
	"context"
	"net/http"
	"strings"

	"warifu"
	"warifu/iso7816"
	"warifu/jpki"
	"warifu/phone"
	"warifu/sandbox/field"
	"warifu/text"
)

// sentences cuts a text into its sentences, so that notes can be read line by line.
func sentences(s string, lang text.Lang) []string {
	end := ". "
	if lang == text.Japanese {
		end = "。"
	}
	var out []string
	for one := range strings.SplitSeq(s, end) {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, strings.TrimSuffix(one, ".")+strings.TrimSpace(end))
		}
	}
	return out
}

// takePassword takes the card's signing password (③). What can never be one is refused here
// and spends no try; full width and lower case are folded, and that is said (K7).
func (p *Phones) takePassword(r *http.Request, o *owned, w *walk) error {
	typed := r.FormValue("card-password")
	folded, err := p.config.Scheme.FoldCardPIN(warifu.Signature, typed)
	if err != nil {
		return err
	}
	w.password = folded
	if folded != typed {
		w.said = "app.said.folded-card"
	}
	if w.draft != nil {
		if err := o.app.Retype(w.draft, folded); err != nil {
			return err
		}
		w.password = ""
	}
	if p.config.Scheme.CardFirst {
		return p.prepare(o, w)
	}
	return nil
}

// takeChoice takes which certificates are wanted (④, R34).
func (p *Phones) takeChoice(r *http.Request, _ *owned, w *walk) error {
	var kinds []warifu.Kind
	for _, name := range r.Form["kind"] {
		kind, err := warifu.ParseKind(name)
		if err != nil {
			return err
		}
		kinds = append(kinds, kind)
	}
	if len(kinds) == 0 {
		return warifu.Refused("kinds-none")
	}
	w.kinds = kinds
	return nil
}

// takeConsent takes the tick 「確認しました」 (⑤, R35) and, where it is given, whom to tell.
func (p *Phones) takeConsent(r *http.Request, o *owned, w *walk) error {
	contact, err := p.contactTyped(r)
	w.contact, w.consent = contact, r.FormValue("consent") // what was typed stays, to be put right
	if err != nil {
		return err
	}
	if w.consent == "" {
		return warifu.Refused("consent-missing", "version", p.config.Scheme.Consent)
	}
	if p.config.Scheme.CardFirst {
		return nil
	}
	return p.prepare(o, w)
}

// prepare makes the draft of what was typed and has the phone make its keys (⑥); where the
// card came first, the card signs at once.
func (p *Phones) prepare(o *owned, w *walk) error {
	if w.draft == nil {
		draft, err := o.app.Begin(phone.Choice{Kinds: w.kinds, Consent: w.consent, CardPassword: w.password, Contact: w.contact, Discard: w.discard})
		if err != nil {
			if at := stepOf(err, w.at); at != w.at {
				w.at, w.problem, w.run = at, err, func() {}
				return nil
			}
			return err
		}
		w.draft, w.password = draft, ""
	}
	w.at = stepPrepare
	w.run = func() {
		o.begin(func(ctx context.Context, t tell) error { return p.makeKeys(ctx, o, w, t) }, func(err error) { w.ended(p, err) })
	}
	return nil
}

// ended takes what came of the work: the walk goes on, or back to where it can be mended.
func (w *walk) ended(p *Phones, err error) {
	if err == nil {
		if w.at != stepPrepare || p.config.Scheme.CardFirst {
			w.at = w.after(p.stages(), w.at)
		}
		return
	}
	w.problem, w.at = err, stepOf(err, w.at)
	if w.at == stepPrepare {
		w.prepared = false
	}
	if e := warifu.ProblemOf(err); e.Problem == "card-pin-blocked" {
		w.tries = 0
	} else if left := e.Params["left"]; e.Problem == "card-pin-wrong" && len(left) == 1 {
		w.tries = int(left[0] - '0')
	}
}

// makeKeys is the work of ⑥: as many parts as are told really happen.
func (p *Phones) makeKeys(ctx context.Context, o *owned, w *walk, t tell) error {
	err := p.with(ctx, o.handset.ID, func(o *owned) error {
		if w.prepared {
			return nil
		}
		all, done := len(w.draft.Kinds)+2, 0
		t("app.progress.terms", 0, all)
		if err := makeRoom(ctx, o.app, Apply{Discard: w.discard}); err != nil {
			return err
		}
		o.element.told = func(command []byte) error {
			switch ins(command) {
			case jpki.InsGenerate:
				done++
				t("app.progress.key", done, all, "n", string(rune('0'+done)), "all", string(rune('0'+len(w.draft.Kinds))))
			case jpki.InsAttest:
				t("app.progress.attest", all-1, all)
			}
			return nil
		}
		defer func() { o.element.told = nil }()
		return o.app.Prepare(ctx, w.draft)
	})
	if err != nil {
		return err
	}
	w.prepared = true
	if p.config.Scheme.CardFirst {
		return p.readCard(ctx, o, w, t, false)
	}
	return nil
}

func ins(command []byte) byte {
	if len(command) < 2 {
		return 0
	}
	return command[1]
}

// takePrepared is the OK of ⑥, or another attempt where it failed.
func (p *Phones) takePrepared(_ *http.Request, o *owned, w *walk) error {
	if w.prepared {
		return nil
	}
	return p.prepare(o, w)
}

// takeCard lays a card on the phone (⑦). The card signs, or where it comes first is only
// recognised. "brief" takes it away again at once, as a hand does that lifts too early.
func (p *Phones) takeCard(r *http.Request, o *owned, w *walk) error {
	card, brief := r.FormValue("card"), r.FormValue("brief") != ""
	if card == "" {
		return warifu.Invalid("app-card-none")
	}
	w.card = card
	f := func(ctx context.Context, t tell) error { return p.readCard(ctx, o, w, t, brief) }
	if p.config.Scheme.CardFirst {
		f = func(ctx context.Context, t tell) error { return p.recognise(ctx, w, t, brief) }
	}
	w.run = func() { o.begin(f, func(err error) { w.ended(p, err) }) }
	return nil
}

// briefly is after how many commands a card that is held only briefly is gone.
const briefly = 3

// held tells of each command that a card is sent, and takes a card away that is held briefly.
func held(card *field.Held, t tell, brief bool) iso7816.Transmitter {
	n := 0
	return &watched{Transmitter: card, told: func([]byte) error {
		if n++; brief && n > briefly {
			card.PowerOff()
			return iso7816.ErrRemoved
		}
		t("app.progress.card", n, 0)
		return nil
	}}
}

// readCard has the card sign the application.
func (p *Phones) readCard(ctx context.Context, o *owned, w *walk, t tell, brief bool) error {
	return p.with(ctx, o.handset.ID, func(o *owned) error {
		return p.tap(ctx, w.card, func(card *field.Held) error { return o.app.SignWithCard(ctx, w.draft, held(card, t, brief)) })
	})
}

// recognise looks whether a card lies there, and how many tries its password has left.
func (p *Phones) recognise(ctx context.Context, w *walk, t tell, brief bool) error {
	return p.tap(ctx, w.card, func(card *field.Held) error {
		token, err := jpki.Select(ctx, held(card, t, brief))
		if err == nil && token.IsPhone() {
			return warifu.Refused("parent-is-phone")
		}
		if err == nil {
			w.tries, err = token.TriesLeft(ctx, warifu.Signature)
		}
		return err
	})
}

// goOn is a button that only leads on.
func (p *Phones) goOn(*http.Request, *owned, *walk) error { return nil }

// takeSignature takes the phone's new signing password, twice (⑨).
func (p *Phones) takeSignature(r *http.Request, o *owned, w *walk) error {
	typed, err := p.takeSecret(r, o, w, warifu.Signature)
	if err != nil {
		return err
	}
	w.secrets.Signature = typed
	return p.send(o, w, stepSignature)
}

// takePIN takes the phone's new PIN, twice (⑩).
func (p *Phones) takePIN(r *http.Request, o *owned, w *walk) error {
	typed, err := p.takeSecret(r, o, w, warifu.Authentication)
	if err != nil {
		return err
	}
	w.secrets.Authentication = typed
	return p.send(o, w, stepPIN)
}

// takeSecret takes one of the phone's new secrets as typed in both fields, folded.
func (p *Phones) takeSecret(r *http.Request, o *owned, w *walk, kind warifu.Kind) (string, error) {
	typed, again := r.FormValue("next"), r.FormValue("again")
	if err := o.app.CheckOne(w.draft, kind, typed); err != nil {
		return "", err
	}
	folded, err := p.config.Scheme.FoldSecret(kind, typed)
	if err != nil {
		return "", err
	}
	if second, err := p.config.Scheme.FoldSecret(kind, again); err != nil || second != folded {
		return "", warifu.Invalid("app-secrets-differ")
	}
	if folded != typed {
		w.said = "app.said.folded-phone"
	}
	return folded, nil
}

// send sets the secrets in the chip and hands the application in, after the last of them.
func (p *Phones) send(o *owned, w *walk, s stage) error {
	if w.after(p.stages(), s) != stepDone {
		return nil
	}
	w.run = func() {
		o.begin(func(ctx context.Context, t tell) error {
			return p.with(ctx, o.handset.ID, func(o *owned) error {
				t("app.progress.secrets", 1, 3)
				if err := o.app.SetSecrets(ctx, w.draft, w.secrets); err != nil {
					return err
				}
				t("app.progress.submit", 2, 3)
				return o.app.Submit(ctx, w.draft)
			})
		}, func(err error) {
			if w.ended(p, err); err == nil {
				w.secrets = phone.Secrets{}
			} else if w.at == s {
				w.at, w.final = stepSend, warifu.ProblemOf(err).IsCode(warifu.CodeRefused)
			}
		})
	}
	return nil
}

// takeSend sends again what could not be handed in; the same document is the same application,
// so nothing is sent twice.
func (p *Phones) takeSend(_ *http.Request, o *owned, w *walk) error { return p.send(o, w, stepSend) }
