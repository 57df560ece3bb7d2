package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"warifu"
	"warifu/registration"
)

// Hotline is what the site asks of the registration authority for its operators. The
// token says who asks; nothing personal comes back.
type Hotline interface {
	HotlineSearch(ctx context.Context, token string, asked registration.Contact) (registration.Found, error)
	HotlineSuspend(ctx context.Context, token string, r registration.CallRecord) (registration.Suspended, error)
	HotlinePropose(ctx context.Context, token string, verb warifu.Verb, match, cause string) (registration.HotlineProposal, error)
	HotlineConfirm(ctx context.Context, token string, verb warifu.Verb, proposal string) (string, error)
	HotlineDecline(ctx context.Context, token, proposal string) (string, error)
	HotlineCallBack(ctx context.Context, token, receipt, outcome string) (registration.HotlineCall, error)
	HotlineCall(ctx context.Context, token, receipt string) (registration.HotlineCall, error)
	HotlineCalls(ctx context.Context, token string, from time.Time) ([]registration.HotlineCall, error)
	HotlineQueue(ctx context.Context, token string) ([]registration.HotlineWaiting, error)
}

// Bearer is the operator's token; exported so that requests are read into it.
type Bearer struct {
	Authorization string `header:"Authorization" maxLength:"300" doc:"Bearer and the operator's token"`
}

func (b Bearer) token() string {
	scheme, token, _ := strings.Cut(b.Authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

type searchInput struct {
	Bearer
	Body contactBody
}

type searchOutput struct {
	Body struct {
		Receipt   string     `json:"receipt" doc:"受付番号, to be read out to the caller"`
		Matched   int        `json:"matched" doc:"How many persons it fits, ten at the most"`
		Match     string     `json:"match,omitempty" doc:"Stands for the person during this call, for whoever looked; only where exactly one fits"`
		ExpiresAt *time.Time `json:"expiresAt,omitempty" doc:"When the match ends"`
	}
}

type hotlineSuspensionInput struct {
	Bearer
	Body struct {
		Match               string `json:"match" maxLength:"64" doc:"Of a search"`
		CallBackNumberGiven bool   `json:"callBackNumberGiven" doc:"The caller left a number to be called back"`
		Caller              string `json:"caller" enum:"holder,household,police"`
		Phone               string `json:"phone" enum:"lost,stolen,broken"`
		Card                string `json:"card" enum:"kept,lost,stolen,unknown" doc:"lost or stolen: its bureau is told"`
	}
}

type hotlineDoneOutput struct {
	Body struct {
		Receipt    string     `json:"receipt" doc:"受付番号"`
		CardBureau string     `json:"cardBureau,omitempty" enum:"told,recorded" doc:"Of a card that is gone: its bureau was told, or will be"`
		CardToldAt *time.Time `json:"cardToldAt,omitempty" doc:"When the bureau was told"`
	}
}

type proposeInput struct {
	Bearer
	Body struct {
		Match string `json:"match" maxLength:"64" doc:"Of a search"`
		Cause string `json:"cause" maxLength:"40" doc:"To resume: found, mistaken. To revoke: holder-request, misissued, key-compromise, court-order"`
	}
}

type proposalOutput struct {
	Body struct {
		Proposal  string    `json:"proposal" doc:"To be confirmed by another operator"`
		Receipt   string    `json:"receipt" doc:"受付番号"`
		ExpiresAt time.Time `json:"expiresAt"`
	}
}

type confirmInput struct {
	Bearer
	Proposal string `path:"proposal" minLength:"27" maxLength:"27" pattern:"^p[a-z2-7]{26}$" doc:"Of the first operator"`
}

type callsInput struct {
	Bearer
	From time.Time `query:"from" doc:"First instant; all by default"`
}

type receiptPath struct {
	Bearer
	Receipt string `path:"receipt" minLength:"14" maxLength:"14" pattern:"^[0-9]{4}-[0-9]{4}-[0-9]{4}$" doc:"受付番号, 0123-4567-8901"`
}

type callBackInput struct {
	Bearer
	Receipt string `path:"receipt" minLength:"14" maxLength:"14" pattern:"^[0-9]{4}-[0-9]{4}-[0-9]{4}$" doc:"受付番号 of the look-up"`
	Body    struct {
		Outcome string `json:"outcome" enum:"answered,unanswered,denied" doc:"Whoever answered at the registered number is the holder and wants it; nobody did, or somebody else; the holder knows nothing of it"`
	}
}

type deedBody struct {
	What   string            `json:"what" doc:"look-up, call, call-back, propose, confirm, report-card"`
	By     string            `json:"by"`
	At     time.Time         `json:"at"`
	Detail map[string]string `json:"detail,omitempty" doc:"Words of the call record"`
}

type callBody struct {
	Receipt    string     `json:"receipt"`
	Operator   string     `json:"operator"`
	Matched    int        `json:"matched"`
	At         time.Time  `json:"at"`
	Done       []deedBody `json:"done" doc:"What was done in the call, oldest first"`
	CallBack   string     `json:"callBack,omitempty" enum:"answered,unanswered,denied" doc:"What became of the last call-back"`
	CardBureau string     `json:"cardBureau,omitempty" enum:"told,recorded" doc:"Of a card that is gone: its bureau was told, or not yet"`
	CardToldAt *time.Time `json:"cardToldAt,omitempty" doc:"When the bureau was told"`
}

func bodyOfCall(c registration.HotlineCall) callBody {
	out := callBody{
		Receipt: c.Receipt, Operator: c.Operator, Matched: c.Matched, At: c.At, Done: make([]deedBody, len(c.Done)),
		CallBack: c.CallBack, CardBureau: string(c.CardBureau), CardToldAt: when(c.CardToldAt),
	}
	for i, d := range c.Done {
		out.Done[i] = deedBody(d)
	}
	return out
}

// when leaves the zero instant out of an answer.
func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type callOutput struct{ Body callBody }

type callsOutput struct {
	Body struct {
		Calls []callBody `json:"calls" doc:"Oldest first, 200 at the most"`
	}
}

func (s *site) hotline(api huma.API) {
	const at = "/api/v1/hotline/"
	register(s, api, http.MethodPost, at+"searches", "hotline-search", "Look up who calls the hotline", http.StatusOK, s.hotlineSearch)
	register(s, api, http.MethodPost, at+"suspensions", "hotline-suspend", "Suspend for who calls the hotline", http.StatusOK, s.hotlineSuspend)
	register(s, api, http.MethodPost, at+"resumptions", "hotline-resume", "Propose to resume; another operator confirms", http.StatusAccepted, s.propose(warifu.VerbResume))
	register(s, api, http.MethodPost, at+"resumptions/{proposal}/confirmation", "hotline-resume-confirm", "Confirm another operator's proposal to resume", http.StatusOK, s.confirm(warifu.VerbResume))
	register(s, api, http.MethodPost, at+"revocations", "hotline-revoke", "Propose to revoke; another registrar confirms", http.StatusAccepted, s.propose(warifu.VerbRevoke))
	register(s, api, http.MethodPost, at+"revocations/{proposal}/confirmation", "hotline-revoke-confirm", "Confirm another registrar's proposal to revoke", http.StatusOK, s.confirm(warifu.VerbRevoke))
	register(s, api, http.MethodGet, at+"calls", "hotline-calls", "The list of calls, for auditors", http.StatusOK, s.hotlineCalls)
	register(s, api, http.MethodGet, at+"calls/{receipt}", "hotline-call", "The record of one call, by its receipt number", http.StatusOK, s.hotlineCall)
	register(s, api, http.MethodPost, at+"calls/{receipt}/call-backs", "hotline-call-back", "Record that the registered number was called back", http.StatusOK, s.hotlineCallBack)
}

func (s *site) hotlineSearch(ctx context.Context, in *searchInput) (*searchOutput, error) {
	f, err := s.Registration.HotlineSearch(ctx, in.token(), in.Body.contact())
	if err != nil {
		return nil, err
	}
	out := &searchOutput{}
	out.Body.Receipt, out.Body.Matched, out.Body.Match = f.Receipt, f.Matched, f.Match
	if f.Match != "" {
		out.Body.ExpiresAt = &f.Expires
	}
	return out, nil
}

func (s *site) hotlineSuspend(ctx context.Context, in *hotlineSuspensionInput) (*hotlineDoneOutput, error) {
	done, err := s.Registration.HotlineSuspend(ctx, in.token(), registration.CallRecord{
		Match: in.Body.Match, CallBackNumberGiven: in.Body.CallBackNumberGiven, Caller: in.Body.Caller, Phone: in.Body.Phone, Card: in.Body.Card,
	})
	if err != nil {
		return nil, err
	}
	out := &hotlineDoneOutput{}
	out.Body.Receipt, out.Body.CardBureau, out.Body.CardToldAt = done.Receipt, string(done.CardBureau), when(done.CardToldAt)
	return out, nil
}

func (s *site) propose(verb warifu.Verb) func(context.Context, *proposeInput) (*proposalOutput, error) {
	return func(ctx context.Context, in *proposeInput) (*proposalOutput, error) {
		p, err := s.Registration.HotlinePropose(ctx, in.token(), verb, in.Body.Match, in.Body.Cause)
		if err != nil {
			return nil, err
		}
		out := &proposalOutput{}
		out.Body.Proposal, out.Body.Receipt, out.Body.ExpiresAt = p.ID, p.Receipt, p.Expires
		return out, nil
	}
}

func (s *site) confirm(verb warifu.Verb) func(context.Context, *confirmInput) (*hotlineDoneOutput, error) {
	return func(ctx context.Context, in *confirmInput) (*hotlineDoneOutput, error) {
		receipt, err := s.Registration.HotlineConfirm(ctx, in.token(), verb, in.Proposal)
		if err != nil {
			return nil, err
		}
		out := &hotlineDoneOutput{}
		out.Body.Receipt = receipt
		return out, nil
	}
}

func (s *site) hotlineCalls(ctx context.Context, in *callsInput) (*callsOutput, error) {
	calls, err := s.Registration.HotlineCalls(ctx, in.token(), in.From)
	if err != nil {
		return nil, err
	}
	out := &callsOutput{}
	out.Body.Calls = make([]callBody, len(calls))
	for i, c := range calls {
		out.Body.Calls[i] = bodyOfCall(c)
	}
	return out, nil
}

func (s *site) hotlineCall(ctx context.Context, in *receiptPath) (*callOutput, error) {
	c, err := s.Registration.HotlineCall(ctx, in.token(), in.Receipt)
	if err != nil {
		return nil, err
	}
	return &callOutput{bodyOfCall(c)}, nil
}

func (s *site) hotlineCallBack(ctx context.Context, in *callBackInput) (*callOutput, error) {
	c, err := s.Registration.HotlineCallBack(ctx, in.token(), in.Receipt, in.Body.Outcome)
	if err != nil {
		return nil, err
	}
	return &callOutput{bodyOfCall(c)}, nil
}
