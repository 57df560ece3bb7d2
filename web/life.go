package web

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"warifu"
	"warifu/registration"
)

// Life is what the site asks of the registration authority about credentials that are
// there: orders of their holder, kill tickets, clean-phone proofs.
type Life interface {
	OrderChallenge(ctx context.Context, element warifu.ElementID) (registration.Challenge, error)
	ByDevice(ctx context.Context, element warifu.ElementID, request []byte) ([]registration.Standing, error)
	ByCard(ctx context.Context, document []byte) ([]registration.Standing, error)
	ByCode(ctx context.Context, code, source string) error
	Of(ctx context.Context, person warifu.Digest) (registration.Holding, error)
	ReissueCode(ctx context.Context, element warifu.ElementID, request []byte) (registration.SuspensionCode, error)
	ContactByDevice(ctx context.Context, element warifu.ElementID, request []byte, c registration.Contact) error
	ContactByCard(ctx context.Context, document []byte, c registration.Contact) error
	Tickets(ctx context.Context, element warifu.ElementID) ([][]byte, error)
	KillReceipt(ctx context.Context, element warifu.ElementID, receipt []byte) error
	Clean(ctx context.Context, proof []byte, chain [][]byte, question registration.CleanQuestion) (registration.CleanAnswer, error)
	Life(ctx context.Context, application string) (registration.Life, error)
	LiveKinds(ctx context.Context, element warifu.ElementID) ([]warifu.Kind, error)
	OfElement(ctx context.Context, element warifu.ElementID, request []byte) (registration.ElementLife, error)
	ByChip(ctx context.Context, element warifu.ElementID, request []byte, purpose, subject string) error
}

type elementPath struct {
	Element string `path:"element" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]{32}$" doc:"Identifier of the secure element, 32 hexadecimal digits"`
}

type orderChallengeOutput struct {
	Body struct {
		Challenge []byte    `json:"challenge" doc:"32 octets, base64; one use"`
		ExpiresAt time.Time `json:"expiresAt"`
	}
}

type deviceOrderInput struct {
	Element string `path:"element" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]{32}$" doc:"Identifier of the secure element, 32 hexadecimal digits"`
	Body    struct {
		Request octets `json:"request" doc:"The secure element's signed request; its purpose is the order"`
	}
}

type cardOrderInput struct {
	Body struct {
		Document octets `json:"document" doc:"CMS SignedData over a card order, signed by the card (K9)"`
	}
}

type standingBody struct {
	Kind     string   `json:"kind" enum:"signature,authentication"`
	State    string   `json:"state" enum:"pending,active,held,revoked,superseded,expired"`
	Holds    []string `json:"holds" doc:"Why it is held: lost, repair, card, operator, own-wish"`
	Until    string   `json:"until,omitempty" format:"date-time" doc:"When a hold for a repair ends by itself"`
	NotAfter string   `json:"notAfter" format:"date-time"`
	Ticket   []byte   `json:"ticket,omitempty" doc:"Kill ticket to hand to the chip"`
}

type standingsOutput struct {
	Body struct {
		Credentials []standingBody `json:"credentials"`
	}
}

type codeOutput struct {
	Body struct {
		SuspensionCode string `json:"suspensionCode" doc:"To be shown once; the older one is worth nothing from now on"`
	}
}

// suspensionInput carries who asks beside what is asked: the code is all the proof there
// is, so that tries are counted by source.
type suspensionInput struct {
	Body struct {
		Code string `json:"code" maxLength:"200" doc:"The suspension code, as typed"`
	}
	source string
}

// Resolve implements huma.Resolver. What comes over loopback comes through a proxy that
// names nobody, and only the limit of everybody holds.
func (in *suspensionInput) Resolve(ctx huma.Context) []error {
	if address := ctx.RemoteAddr(); !loopback(address) {
		if host, _, err := net.SplitHostPort(address); err == nil {
			in.source = host
		}
	}
	return nil
}

type suspensionOutput struct {
	Body struct {
		Held bool `json:"held"`
	}
}

type ticketsOutput struct {
	Body struct {
		Tickets [][]byte `json:"tickets" doc:"To be handed to the chip in this order: papers by which ticket keys handed on their office (NEXT TICKET KEY; a chip that refuses one has another key, go on), then kill tickets (KILL)"`
	}
}

type receiptInput struct {
	Element string `path:"element" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]{32}$" doc:"Identifier of the secure element, 32 hexadecimal digits"`
	Body    struct {
		Receipt octets `json:"receipt" doc:"The chip's signed word that it destroyed a key"`
	}
}

type lifeOutput struct {
	Body struct {
		Credentials []standingBody `json:"credentials"`
		ReplacedBy  *time.Time     `json:"replacedBy,omitempty" doc:"When a newer phone may take over; if you did not apply for it, call the hotline"`
		LostSince   *time.Time     `json:"lostSince,omitempty" doc:"Since when they are held because the phone was lost: resume with the card if it is back, else revoke"`
		Reminder    *sentence      `json:"reminder,omitempty" doc:"What to do about that"`
	}
}

func (s *site) life(api huma.API) {
	register(s, api, http.MethodPost, "/api/v1/elements/{element}/challenges", "device-challenge", "Ask for a challenge for an order of the phone", http.StatusOK, s.deviceChallenge)
	register(s, api, http.MethodPost, "/api/v1/elements/{element}/orders", "device-order", "Suspend, resume or revoke on the phone", http.StatusOK, s.deviceOrder)
	register(s, api, http.MethodPost, "/api/v1/elements/{element}/suspension-code", "reissue-code", "Get a new suspension code", http.StatusOK, s.reissueCode)
	register(s, api, http.MethodPost, "/api/v1/elements/{element}/contact", "device-contact", "Register another contact on the phone", http.StatusOK, s.deviceContact)
	register(s, api, http.MethodPost, "/api/v1/orders/contact", "card-contact", "Register another contact with the card, on any device", http.StatusOK, s.cardContact)
	register(s, api, http.MethodPost, "/api/v1/elements/{element}/checks", "device-check", "What has become of the keys of a chip", http.StatusOK, s.check)
	register(s, api, http.MethodGet, "/api/v1/elements/{element}/tickets", "tickets", "Kill tickets for what is dead on a chip", http.StatusOK, s.tickets)
	register(s, api, http.MethodPost, "/api/v1/elements/{element}/kill-receipts", "kill-receipt", "Hand in a chip's kill receipt", http.StatusOK, s.killReceipt)
	register(s, api, http.MethodGet, "/api/v1/elements/{element}/leaving", "leaving", "What to do before the phone leaves your hands", http.StatusOK, s.leaving)
	register(s, api, http.MethodPost, "/api/v1/orders/challenges", "card-challenge", "Ask for a challenge for an order with the card", http.StatusOK, s.cardChallenge)
	register(s, api, http.MethodPost, "/api/v1/orders", "card-order", "Suspend, resume or revoke with the card, on any device", http.StatusOK, s.cardOrder)
	register(s, api, http.MethodPost, "/api/v1/suspensions", "suspend-by-code", "Suspend with the suspension code", http.StatusOK, s.suspend)
	register(s, api, http.MethodGet, "/api/v1/applications/{id}/credentials", "credentials", "Where an application's certificates stand", http.StatusOK, s.credentials)
	s.clean(api)
}

func (s *site) deviceChallenge(ctx context.Context, in *elementPath) (*orderChallengeOutput, error) {
	element, err := warifu.ParseElementID(in.Element)
	if err != nil || element.IsZero() {
		return nil, warifu.Invalid("element-id-malformed")
	}
	return orderChallenge(s.Registration.OrderChallenge(ctx, element))
}

func (s *site) cardChallenge(ctx context.Context, _ *struct{}) (*orderChallengeOutput, error) {
	return orderChallenge(s.Registration.OrderChallenge(ctx, warifu.ElementID{}))
}

func orderChallenge(c registration.Challenge, err error) (*orderChallengeOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &orderChallengeOutput{}
	out.Body.Challenge, out.Body.ExpiresAt = c.Octets, c.ExpiresAt
	return out, nil
}

func (s *site) deviceOrder(ctx context.Context, in *deviceOrderInput) (*standingsOutput, error) {
	element, err := warifu.ParseElementID(in.Element)
	if err != nil {
		return nil, err
	}
	return standings(s.Registration.ByDevice(ctx, element, in.Body.Request))
}

func (s *site) cardOrder(ctx context.Context, in *cardOrderInput) (*standingsOutput, error) {
	return standings(s.Registration.ByCard(ctx, in.Body.Document))
}

func standings(all []registration.Standing, err error) (*standingsOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &standingsOutput{}
	out.Body.Credentials = standingBodies(all)
	return out, nil
}

func standingBodies(all []registration.Standing) []standingBody {
	out := make([]standingBody, len(all))
	for i, c := range all {
		out[i] = standingOf(c)
	}
	return out
}

func standingOf(c registration.Standing) standingBody {
	out := standingBody{Kind: c.Kind.String(), State: string(c.State), Holds: []string{}, NotAfter: c.NotAfter.UTC().Format(time.RFC3339), Ticket: c.Ticket}
	if !c.Until.IsZero() {
		out.Until = c.Until.UTC().Format(time.RFC3339)
	}
	for _, h := range c.Holds {
		out.Holds = append(out.Holds, string(h))
	}
	return out
}

func (s *site) reissueCode(ctx context.Context, in *deviceOrderInput) (*codeOutput, error) {
	element, err := warifu.ParseElementID(in.Element)
	if err != nil {
		return nil, err
	}
	code, err := s.Registration.ReissueCode(ctx, element, in.Body.Request)
	if err != nil {
		return nil, err
	}
	out := &codeOutput{}
	out.Body.SuspensionCode = code.Reveal()
	return out, nil
}

func (s *site) suspend(ctx context.Context, in *suspensionInput) (*suspensionOutput, error) {
	if err := s.Registration.ByCode(ctx, in.Body.Code, in.source); err != nil {
		return nil, err
	}
	out := &suspensionOutput{}
	out.Body.Held = true
	return out, nil
}

func (s *site) tickets(ctx context.Context, in *elementPath) (*ticketsOutput, error) {
	element, err := warifu.ParseElementID(in.Element)
	if err != nil {
		return nil, err
	}
	out := &ticketsOutput{}
	out.Body.Tickets, err = s.Registration.Tickets(ctx, element)
	return out, err
}

// killReceipt answers with the tickets that are left.
func (s *site) killReceipt(ctx context.Context, in *receiptInput) (*ticketsOutput, error) {
	element, err := warifu.ParseElementID(in.Element)
	if err != nil {
		return nil, err
	}
	if err := s.Registration.KillReceipt(ctx, element, in.Body.Receipt); err != nil {
		return nil, err
	}
	return s.tickets(ctx, &elementPath{in.Element})
}

func (s *site) credentials(ctx context.Context, in *applicationPath) (*lifeOutput, error) {
	l, err := s.Registration.Life(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &lifeOutput{}
	out.Body.Credentials = standingBodies(l.Credentials)
	if !l.ReplacedBy.IsZero() {
		out.Body.ReplacedBy = &l.ReplacedBy
	}
	if !l.LostSince.IsZero() {
		reminder := said(ctx, "life.still-lost")
		out.Body.LostSince, out.Body.Reminder = &l.LostSince, &reminder
	}
	return out, nil
}
