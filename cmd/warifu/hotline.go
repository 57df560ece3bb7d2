package main

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"warifu/sandbox/doorway"
)

// hotlineCommand is what operators of the authority do in a call.
type hotlineCommand struct {
	OperatorTokenFile string `required:"" env:"WARIFU_OPERATOR_TOKEN_FILE" placeholder:"FILE" help:"File with your token, alone, in one line."`

	Search   hotlineSearch   `cmd:"" help:"Look up who calls: all three must be as registered."`
	Suspend  hotlineSuspend  `cmd:"" help:"Suspend for the person of a match, as lost."`
	Resume   hotlineResume   `cmd:"" help:"Propose to resume, or confirm what another operator proposed."`
	Revoke   hotlineRevoke   `cmd:"" help:"Propose to revoke for good, or confirm what another registrar proposed."`
	CallBack hotlineCallBack `cmd:"" help:"Record that you rang the registered number, and what came of it."`
	Show     hotlineShow     `cmd:"" help:"Show the record of a call by its receipt number."`
}

// door is a client of the server that shows the operator's token.
func (c hotlineCommand) door(s *session) (doorway.Client, error) {
	token, err := s.readFile(c.OperatorTokenFile)
	if err != nil {
		return doorway.Client{}, err
	}
	d := doorway.NewClient(s.server)
	own := *d.Client
	own.Transport = withToken{strings.TrimSpace(string(token)), own.Transport}
	d.Client = &own
	return d, nil
}

// withToken adds the operator's token to each request.
type withToken struct {
	token string
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (w withToken) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+w.token)
	next := w.next
	if next == nil {
		next = http.DefaultTransport
	}
	return next.RoundTrip(r)
}

type hotlineSearch struct {
	Reading   string `required:"" help:"Reading of the name, in kana of any width."`
	BirthDate string `required:"" help:"1980-12-17"`
	Telephone string `required:"" help:"With its area code."`
}

func (c hotlineSearch) Run(s *session, of *hotlineCommand) error {
	d, err := of.door(s)
	if err != nil {
		return err
	}
	in := map[string]string{"reading": c.Reading, "birthDate": c.BirthDate, "telephone": c.Telephone}
	var found struct {
		Receipt   string     `json:"receipt"`
		Matched   int        `json:"matched"`
		Match     string     `json:"match,omitempty"`
		ExpiresAt *time.Time `json:"expiresAt,omitempty"`
	}
	if err := d.Post(s.ctx, "/api/v1/hotline/searches", in, &found); err != nil {
		return err
	}
	key := "hotline.found-none"
	if found.Match != "" {
		key = "hotline.found-one"
	} else if found.Matched > 1 {
		key = "hotline.found-more"
	}
	return s.say(found, key, map[string]string{"receipt": found.Receipt, "match": found.Match, "matched": strconv.Itoa(found.Matched)})
}

type hotlineSuspend struct {
	Match    string `arg:"" help:"Of warifu hotline search."`
	Caller   string `required:"" enum:"holder,household,police" help:"Who calls: holder, household or police."`
	Phone    string `required:"" enum:"lost,stolen,broken" help:"The phone is lost, stolen or broken."`
	Card     string `required:"" enum:"kept,lost,stolen,unknown" help:"The card is kept, lost, stolen or unknown; lost or stolen, its bureau is told."`
	CallBack bool   `help:"The caller left a number to be called back."`
}

func (c hotlineSuspend) Run(s *session, of *hotlineCommand) error {
	d, err := of.door(s)
	if err != nil {
		return err
	}
	in := map[string]any{"match": c.Match, "callBackNumberGiven": c.CallBack, "caller": c.Caller, "phone": c.Phone, "card": c.Card}
	var done hotlineDone
	if err := d.Post(s.ctx, "/api/v1/hotline/suspensions", in, &done); err != nil {
		return err
	}
	if err := s.say(done, "hotline.done", map[string]string{"receipt": done.Receipt}); err != nil {
		return err
	}
	return s.sayOfBureau(done.CardBureau, done.CardToldAt)
}

// sayOfBureau says whether a card's bureau knows; nothing where no card was reported. The
// JSON answer has it already.
func (s *session) sayOfBureau(told string, at *time.Time) error {
	switch {
	case s.json || told == "":
		return nil
	case at == nil:
		return s.say(nil, "hotline.bureau-not-yet", nil)
	}
	return s.say(nil, "hotline.bureau-told", map[string]string{"at": at.Format(time.RFC3339)})
}

type hotlineDone struct {
	Receipt    string     `json:"receipt"`
	CardBureau string     `json:"cardBureau,omitempty"`
	CardToldAt *time.Time `json:"cardToldAt,omitempty"`
}

type hotlineCallBack struct {
	Receipt string `arg:"" help:"受付番号 of warifu hotline search."`
	Outcome string `required:"" enum:"answered,unanswered,denied" help:"answered: the holder, who wants it. unanswered: nobody, or somebody else. denied: the holder knows nothing of it."`
}

func (c hotlineCallBack) Run(s *session, of *hotlineCommand) error {
	d, err := of.door(s)
	if err != nil {
		return err
	}
	var call hotlineRecord
	if err := d.Post(s.ctx, "/api/v1/hotline/calls/"+url.PathEscape(c.Receipt)+"/call-backs", map[string]string{"outcome": c.Outcome}, &call); err != nil {
		return err
	}
	return call.say(s)
}

type hotlineShow struct {
	Receipt string `arg:"" help:"受付番号."`
}

func (c hotlineShow) Run(s *session, of *hotlineCommand) error {
	d, err := of.door(s)
	if err != nil {
		return err
	}
	var call hotlineRecord
	if err := d.Get(s.ctx, "/api/v1/hotline/calls/"+url.PathEscape(c.Receipt), &call); err != nil {
		return err
	}
	return call.say(s)
}

// hotlineRecord is the record of a call.
type hotlineRecord struct {
	hotlineDone
	Operator string    `json:"operator"`
	Matched  int       `json:"matched"`
	At       time.Time `json:"at"`
	CallBack string    `json:"callBack,omitempty"`
	Done     []struct {
		What   string            `json:"what"`
		By     string            `json:"by"`
		At     time.Time         `json:"at"`
		Detail map[string]string `json:"detail,omitempty"`
	} `json:"done"`
}

// say prints the deeds a line each, with their words in order of their names.
func (r hotlineRecord) say(s *session) error {
	if err := s.say(r, "hotline.record", map[string]string{"receipt": r.Receipt, "operator": r.Operator, "matched": strconv.Itoa(r.Matched)}); err != nil || s.json {
		return err
	}
	for _, d := range r.Done {
		var words []string
		for _, name := range slices.Sorted(maps.Keys(d.Detail)) {
			words = append(words, name+"="+d.Detail[name])
		}
		line := map[string]string{"at": d.At.Format(time.RFC3339), "what": d.What, "by": d.By, "words": strings.Join(words, " ")}
		if err := s.say(nil, "hotline.deed", line); err != nil {
			return err
		}
	}
	return s.sayOfBureau(r.CardBureau, r.CardToldAt)
}

// HotlineTwo is what takes two operators; exported so that its options are read.
type HotlineTwo struct {
	Match   string `arg:"" optional:"" help:"Of warifu hotline search: to propose."`
	Cause   string `help:"To resume: found or mistaken. To revoke: holder-request, misissued, key-compromise or court-order."`
	Confirm string `placeholder:"PROPOSAL" help:"Confirm what another operator proposed."`
}

func (c HotlineTwo) run(s *session, of *hotlineCommand, door string) error {
	if (c.Match == "") == (c.Confirm == "") || (c.Match == "") != (c.Cause == "") {
		return usage("MATCH --cause, --confirm")
	}
	d, err := of.door(s)
	if err != nil {
		return err
	}
	if c.Confirm != "" {
		var done hotlineDone
		if err := d.Post(s.ctx, door+"/"+url.PathEscape(c.Confirm)+"/confirmation", struct{}{}, &done); err != nil {
			return err
		}
		return s.say(done, "hotline.done", map[string]string{"receipt": done.Receipt})
	}
	var p struct {
		Proposal  string    `json:"proposal"`
		Receipt   string    `json:"receipt"`
		ExpiresAt time.Time `json:"expiresAt"`
	}
	if err := d.Post(s.ctx, door, map[string]string{"match": c.Match, "cause": c.Cause}, &p); err != nil {
		return err
	}
	return s.say(p, "hotline.proposed", map[string]string{"proposal": p.Proposal, "receipt": p.Receipt, "until": p.ExpiresAt.Format(time.RFC3339)})
}

type hotlineResume struct{ HotlineTwo }

func (c hotlineResume) Run(s *session, of *hotlineCommand) error {
	return c.run(s, of, "/api/v1/hotline/resumptions")
}

type hotlineRevoke struct{ HotlineTwo }

func (c hotlineRevoke) Run(s *session, of *hotlineCommand) error {
	return c.run(s, of, "/api/v1/hotline/revocations")
}
