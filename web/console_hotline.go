package web

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/width"

	"warifu"
	"warifu/console"
	"warifu/registration"
)

// atCalls may open the record of a call.
var atCalls = []console.Role{console.Hotline, console.Registrar, console.Auditor}

// consoleHotline adds the desk at which calls are answered. Everything goes through the
// registration authority's doors, as whoever is signed in.
func (s *site) consoleHotline(mux *http.ServeMux) {
	s.atConsole(mux, "GET /console/hotline", atHotline, func(w http.ResponseWriter, r *http.Request, _ console.Operator) {
		s.consolePage(w, r, http.StatusOK, "hotline", "console.hotline.title", deskView{}, nil)
	})
	s.atConsole(mux, "POST /console/hotline", atHotline, s.lookUp)
	s.atConsole(mux, "GET /console/hotline/find", atHotline, s.findCall)
	s.atConsole(mux, "GET /console/hotline/{receipt}", atHotline, s.callPage)
	s.atConsole(mux, "POST /console/hotline/{receipt}/suspend", atHotline, s.suspendCall)
	s.atConsole(mux, "POST /console/hotline/{receipt}/call-back", atHotline, s.callBack)
	s.atConsole(mux, "POST /console/hotline/{receipt}/propose", atHotline, s.proposeCall)
	s.atConsole(mux, "GET /console/queue", atHotline, s.queuePage)
	s.atConsole(mux, "POST /console/queue/{proposal}", atHotline, s.confirmProposal)
	s.atConsole(mux, "POST /console/queue/{proposal}/decline", atHotline, s.declineProposal)
	s.atConsole(mux, "POST /console/hotline/{receipt}/over", atHotline, s.callOver)
	s.atConsole(mux, "GET /console/calls", atAudit, s.callsPage)
	s.atConsole(mux, "GET /console/calls/{receipt}", atCalls, s.callPage)
}

// acting is the context in which the registration authority sees who is signed in.
func acting(r *http.Request, o console.Operator) context.Context {
	return registration.AtConsole(r.Context(), o.Name)
}

type deskView struct {
	registration.Contact
	Wrong string // the field that was not understood
}

// dashes are what keyboards write between digits where Japanese is typed.
var dashes = strings.NewReplacer("−", "-", "ー", "-", "―", "-", "‐", "-", "–", "-")

func (s *site) lookUp(w http.ResponseWriter, r *http.Request, o console.Operator) {
	f := r.PostForm
	asked := registration.Contact{Reading: f.Get("reading"), BirthDate: dashes.Replace(f.Get("birth")), Telephone: dashes.Replace(f.Get("telephone"))}
	found, err := s.Registration.HotlineSearch(acting(r, o), "", asked)
	if err != nil {
		v := deskView{Contact: asked, Wrong: warifu.ProblemOf(err).Params["field"]}
		s.consolePage(w, r, http.StatusOK, "hotline", "console.hotline.title", v, err)
		return
	}
	s.keepMatch(w, found)
	http.Redirect(w, r, "/console/hotline/"+found.Receipt, http.StatusSeeOther)
}

// callCookie holds the match of the call at hand, which is good for this operator and ten minutes.
func (s *site) callCookie() string { return strings.Replace(s.consoleCookie(), "console", "call", 1) }

func (s *site) keepMatch(w http.ResponseWriter, f registration.Found) {
	c := &http.Cookie{
		Name: s.callCookie(), Path: "/console/hotline", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: strings.HasPrefix(s.Origin, "https:"), MaxAge: -1,
	}
	if f.Match != "" {
		c.Value, c.MaxAge = f.Receipt+"."+f.Match+"."+strconv.FormatInt(f.Expires.Unix(), 10), 600
	}
	http.SetCookie(w, c)
}

// match is what the cookie has for a call, and until when.
func (s *site) match(r *http.Request, receipt string) (match string, until time.Time) {
	c, err := r.Cookie(s.callCookie())
	if err != nil {
		return "", time.Time{}
	}
	part := strings.Split(c.Value, ".")
	if len(part) != 3 || part[0] != receipt {
		return "", time.Time{}
	}
	at, err := strconv.ParseInt(part[2], 10, 64)
	if err != nil || !s.Clock.Now().Before(time.Unix(at, 0)) {
		return "", time.Time{}
	}
	return part[1], time.Unix(at, 0)
}

// narrow folds what keyboards write full-width where Japanese is typed.
func narrow(s string) string { return dashes.Replace(width.Narrow.String(s)) }

var receiptForm = regexp.MustCompile(`^[0-9]{4}-[0-9]{4}-[0-9]{4}$`)

// receiptOf folds a receipt number as people type it.
func receiptOf(typed string) string {
	var digits []rune
	for _, c := range typed {
		switch {
		case c >= '0' && c <= '9':
			digits = append(digits, c)
		case c >= '０' && c <= '９':
			digits = append(digits, c-'０'+'0')
		}
	}
	if len(digits) != 12 {
		return typed
	}
	return string(digits[:4]) + "-" + string(digits[4:8]) + "-" + string(digits[8:])
}

func (s *site) findCall(w http.ResponseWriter, r *http.Request, o console.Operator) {
	receipt := receiptOf(r.URL.Query().Get("receipt"))
	err := error(warifu.NotFound("receipt-unknown"))
	if receiptForm.MatchString(receipt) {
		if _, err = s.Registration.HotlineCall(acting(r, o), "", receipt); err == nil {
			http.Redirect(w, r, "/console/hotline/"+receipt, http.StatusSeeOther)
			return
		}
	}
	s.consolePage(w, r, http.StatusOK, "hotline", "console.hotline.title", deskView{}, err)
}

type callView struct {
	registration.HotlineCall
	Age       int // seconds since the look-up
	Works     bool
	Live      bool // the match can be used
	Until     time.Time
	Left      int // seconds until then
	Mine      bool
	Suspended bool
	Done      string // what was done a moment ago
	Causes    struct{ Resume, Revoke []string }
	Waiting   []registration.HotlineWaiting // of this call
	Words     struct{ Callers, Phones, Cards, Outcomes []string }
	Deeds     []registration.HotlineDeed
}

func (s *site) callPage(w http.ResponseWriter, r *http.Request, o console.Operator) {
	s.showCall(w, r, o, nil)
}

func (s *site) showCall(w http.ResponseWriter, r *http.Request, o console.Operator, said error) {
	receipt := r.PathValue("receipt")
	if !receiptForm.MatchString(receipt) {
		s.consoleProblem(w, r, warifu.NotFound("receipt-unknown"))
		return
	}
	call, err := s.Registration.HotlineCall(acting(r, o), "", receipt)
	if err != nil {
		s.consoleProblem(w, r, err)
		return
	}
	v := callView{HotlineCall: call, Deeds: call.Done, Age: max(0, int(s.Clock.Now().Sub(call.At).Seconds())), Works: o.Is(atHotline...), Mine: call.Operator == o.Name}
	for _, d := range call.Done {
		v.Suspended = v.Suspended || d.What == "call"
	}
	if v.Works {
		_, v.Until = s.match(r, receipt)
		v.Live = v.Mine && !v.Until.IsZero()
		v.Left = max(0, int(v.Until.Sub(s.Clock.Now()).Seconds()))
		if v.Done = r.URL.Query().Get("done"); !slices.Contains([]string{"suspend", "back", "propose"}, v.Done) {
			v.Done = ""
		}
		v.Words.Callers, v.Words.Phones, v.Words.Cards, v.Words.Outcomes = registration.CallersOfRecord, registration.PhonesOfRecord, registration.CardsOfRecord, registration.CallBackOutcomes
		v.Causes.Resume = registration.CausesOfResuming
		if o.Is(console.Registrar) {
			v.Causes.Revoke = registration.CausesOfRevoking
		}
		if v.Waiting, err = s.waitingOf(r, o, receipt); err != nil {
			s.consoleProblem(w, r, err)
			return
		}
	}
	s.consolePage(w, r, http.StatusOK, "call", "console.call.title", v, said)
}

func (s *site) waitingOf(r *http.Request, o console.Operator, receipt string) ([]registration.HotlineWaiting, error) {
	all, err := s.Registration.HotlineQueue(acting(r, o), "")
	return slices.DeleteFunc(all, func(p registration.HotlineWaiting) bool { return p.Receipt != receipt }), err
}

// callDone leads back to the call, where what was done is said.
func (s *site) callDone(w http.ResponseWriter, r *http.Request, o console.Operator, what string, err error) {
	if err != nil {
		s.showCall(w, r, o, err)
		return
	}
	http.Redirect(w, r, "/console/hotline/"+url.PathEscape(r.PathValue("receipt"))+"?done="+what, http.StatusSeeOther)
}

func (s *site) suspendCall(w http.ResponseWriter, r *http.Request, o console.Operator) {
	match, _ := s.match(r, r.PathValue("receipt"))
	f := r.PostForm
	_, err := s.Registration.HotlineSuspend(acting(r, o), "", registration.CallRecord{
		Match: match, Caller: f.Get("caller"), Phone: f.Get("phone"), Card: f.Get("card"), CallBackNumberGiven: f.Get("back") != "",
	})
	s.callDone(w, r, o, "suspend", err)
}

func (s *site) callBack(w http.ResponseWriter, r *http.Request, o console.Operator) {
	_, err := s.Registration.HotlineCallBack(acting(r, o), "", r.PathValue("receipt"), r.PostForm.Get("outcome"))
	s.callDone(w, r, o, "back", err)
}

// verbOf is the verb of a proposal's form; anything else is a verb that nobody may propose.
func verbOf(r *http.Request) warifu.Verb {
	if v := warifu.Verb(r.PostForm.Get("verb")); v == warifu.VerbResume || v == warifu.VerbRevoke {
		return v
	}
	return ""
}

func (s *site) proposeCall(w http.ResponseWriter, r *http.Request, o console.Operator) {
	match, _ := s.match(r, r.PathValue("receipt"))
	_, err := s.Registration.HotlinePropose(acting(r, o), "", verbOf(r), match, r.PostForm.Get("cause"))
	s.callDone(w, r, o, "propose", err)
}

type queueView struct {
	Waiting []registration.HotlineWaiting
	Done    string
}

func (s *site) queuePage(w http.ResponseWriter, r *http.Request, o console.Operator) {
	s.showQueue(w, r, o, nil)
}

func (s *site) showQueue(w http.ResponseWriter, r *http.Request, o console.Operator, said error) {
	var v queueView
	var err error
	if v.Waiting, err = s.Registration.HotlineQueue(acting(r, o), ""); err != nil {
		s.consoleProblem(w, r, err)
		return
	}
	if done := r.URL.Query().Get("done"); done == "resume" || done == "revoke" || done == "decline" {
		v.Done = done
	}
	s.consolePage(w, r, http.StatusOK, "queue", "console.queue.title", v, said)
}

// confirmProposal is the second pair of eyes; what is for good takes the passkey once more.
func (s *site) confirmProposal(w http.ResponseWriter, r *http.Request, o console.Operator) {
	verb := verbOf(r)
	var err error
	if verb == warifu.VerbRevoke {
		if err = s.Console.Verified(o); err != nil {
			http.Redirect(w, r, "/console/step-up?back=/console/queue", http.StatusSeeOther)
			return
		}
	}
	if _, err = s.Registration.HotlineConfirm(acting(r, o), "", verb, r.PathValue("proposal")); err != nil {
		s.showQueue(w, r, o, err)
		return
	}
	http.Redirect(w, r, "/console/queue?done="+string(verb), http.StatusSeeOther)
}

// declineProposal ends a proposal that does not convince, or that its maker takes back.
func (s *site) declineProposal(w http.ResponseWriter, r *http.Request, o console.Operator) {
	if _, err := s.Registration.HotlineDecline(acting(r, o), "", r.PathValue("proposal")); err != nil {
		s.showQueue(w, r, o, err)
		return
	}
	http.Redirect(w, r, "/console/queue?done=decline", http.StatusSeeOther)
}

// callOver ends the call at this desk: the match is dropped here, so that nothing meant for the next
// caller is done to this one.
func (s *site) callOver(w http.ResponseWriter, r *http.Request, _ console.Operator) {
	s.keepMatch(w, registration.Found{})
	http.Redirect(w, r, "/console/hotline", http.StatusSeeOther)
}

type callsView struct {
	Calls []registration.HotlineCall
	From  string // as typed
	Next  string // of the page after; "" where there is none
}

// callsOnPage is how many calls the registration authority lists at once.
const callsOnPage = 200

func (s *site) callsPage(w http.ResponseWriter, r *http.Request, o console.Operator) {
	v := callsView{From: r.URL.Query().Get("from")}
	from, err := instantTyped(v.From)
	if err != nil {
		s.consolePage(w, r, http.StatusOK, "calls", "console.calls.title", v, warifu.Invalid("console-audit-malformed", "field", "from"))
		return
	}
	if v.Calls, err = s.Registration.HotlineCalls(acting(r, o), "", from); err != nil {
		s.consoleProblem(w, r, err)
		return
	}
	if len(v.Calls) == callsOnPage {
		v.Next = v.Calls[callsOnPage-1].At.In(japan).Format("2006-01-02T15:04:05.000000")
	}
	s.consolePage(w, r, http.StatusOK, "calls", "console.calls.title", v, nil)
}

// japan is the zone in which pages take and tell instants.
var japan = time.FixedZone("JST", 9*60*60)

// instantTyped reads an instant as a person types it, in Japan's time; the zero instant for nothing.
func instantTyped(s string) (time.Time, error) {
	if s = strings.TrimSpace(narrow(s)); s == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02T15:04:05.000000", "2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.ParseInLocation(form, s, japan); err == nil {
			return at, nil
		}
	}
	return time.Time{}, warifu.Invalid("console-audit-malformed", "field", "from")
}
