package lineartest_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"warifu"
)

// This file is the sequential specification: what one person's credentials may be told to
// be, one call after the other. It is written from design §3, R55, R75, K9, K10, K14 and
// B.5, and uses nothing of the registration authority's code.

// verb is what a client did.
type verb string

const (
	apply       verb = "apply"       // a phone's application is in
	reject      verb = "reject"      // the authority has refused it
	personalize verb = "personalize" // a phone's certificates are in use
	byDevice    verb = "device"      // an order of the phone
	byCard      verb = "card"        // an order with the card
	byCode      verb = "code"        // the suspension code
	byOperator  verb = "operator"    // one operator suspends, two resume or revoke
	cardSays    verb = "bureau"      // the bureau's register changes: seen by whoever asks it
	cardEvent   verb = "event"       // what the bureau told of that has been followed
	read        verb = "read"        // somebody asked for the status
)

// call is what was asked.
type call struct {
	person      int
	verb        verb
	application int           // whose certificates; for apply, personalize, reject, code, read
	phone       int           // for apply and orders of a phone
	order       warifu.Verb   // suspend, resume or revoke; for the card also "end"
	reason      holdSet       // one hold
	kinds       []warifu.Kind // of an order
	kind        warifu.Kind   // of a read
	how         string        // a read's way: "GET", "POST", "cache", "list", "delta", "history"
}

// answer is what came back.
type answer struct {
	lost    bool          // the answer was lost: it may have been done, or not
	problem string        // slug of a refusal; "" when it was done
	status  warifu.Status // of a read
}

// holdSet is a set of reasons.
type holdSet uint8

const (
	lost holdSet = 1 << iota
	repair
	ownWish
	cardHeld
)

var holdNames = map[holdSet]warifu.HoldReason{lost: warifu.HoldLost, repair: warifu.HoldRepair, ownWish: warifu.HoldOwnWish, cardHeld: warifu.HoldCard}

// credential is one certificate's state. Its application says whether it is in use yet.
type credential struct {
	holds holdSet
	ended warifu.Reason // zero: not ended
}

type stage uint8

const (
	open stage = iota // applied for, perhaps issued
	over              // withdrawn or rejected before it was on a phone
	used              // personalized
)

// application is one application with its two certificates.
type application struct {
	number, phone int8
	stage         stage
	holds         holdSet // on the application itself, while it is open
	of            [2]credential
}

// maxApplications bounds one person's history, so that a state is a comparable value.
const maxApplications = 40

// state is everything about one person.
type state struct {
	n       int8
	all     [maxApplications]application // in the order of applying
	atBoard cardState                    // the card, as the bureau's register has it
}

type cardState uint8

const (
	cardGood cardState = iota
	cardSuspended
	cardEnded
)

func at(kind warifu.Kind) int { return int(kind - warifu.Kinds[0]) }

func (a application) live(k int) bool { return a.stage == used && a.of[k].ended == 0 }

func (s *state) find(number int) *application {
	for i := range s.all[:s.n] {
		if int(s.all[i].number) == number {
			return &s.all[i]
		}
	}
	return nil
}

// target is a certificate that an order means.
type target struct{ i, k int }

// means finds the certificates of the kinds that an order means among the applications
// that are looked at: of each kind the live one, or else the last that was live.
func (s *state) means(kinds []warifu.Kind, looked func(application) bool) (out []target) {
	for _, kind := range kinds {
		best := target{-1, at(kind)}
		for i, a := range s.all[:s.n] {
			if looked(a) && a.stage == used && (best.i < 0 || !s.all[best.i].live(best.k)) {
				best.i = i
			}
		}
		if best.i >= 0 {
			out = append(out, best)
		}
	}
	return out
}

// narrowed leaves out what has ended where something else has not.
func (s *state) narrowed(t []target, order warifu.Verb) []target {
	dead := func(t target) bool { return !s.all[t.i].live(t.k) }
	if order == warifu.VerbRevoke || !slices.ContainsFunc(t, func(t target) bool { return !dead(t) }) {
		return t
	}
	return slices.DeleteFunc(slices.Clone(t), dead)
}

func (s *state) openOn(looked func(application) bool) *application {
	for i := range s.all[:s.n] {
		if a := &s.all[i]; a.stage == open && looked(*a) {
			return a
		}
	}
	return nil
}

// met reports whether an order asks for what is so already.
func (s *state) met(t []target, waiting *application, c call) bool {
	so := func(holds holdSet) bool { return (holds&c.reason != 0) == (c.order == warifu.VerbSuspend) }
	for _, t := range t {
		one := s.all[t.i].of[t.k]
		if c.order == warifu.VerbRevoke {
			if one.ended == 0 {
				return false
			}
		} else if one.ended != 0 || !so(one.holds) {
			return false
		}
	}
	return waiting == nil || c.order != warifu.VerbRevoke && so(waiting.holds)
}

// carry does what an order asks for: the problem, or "".
func (s *state) carry(t []target, waiting *application, c call) string {
	if s.met(t, waiting, c) {
		return ""
	}
	if c.order == warifu.VerbResume && c.reason == lost && c.verb == byDevice {
		return "hold-not-yours" // R76, B.5
	}
	for _, t := range t {
		one := &s.all[t.i].of[t.k]
		switch {
		case c.order == warifu.VerbRevoke && one.ended == 0:
			*one = credential{ended: warifu.ReasonCessationOfOperation}
		case c.order == warifu.VerbRevoke:
		case one.ended != 0:
			return "credential-ended"
		case c.order == warifu.VerbSuspend:
			one.holds |= c.reason
		default:
			one.holds &^= c.reason
		}
	}
	if waiting != nil {
		switch c.order {
		case warifu.VerbSuspend:
			waiting.holds |= c.reason
		case warifu.VerbResume:
			waiting.holds &^= c.reason
		default:
			waiting.stage, waiting.holds = over, 0
		}
	}
	return ""
}

// ofPhone is an order of the phone itself (R75, K10).
func (s *state) ofPhone(c call) string {
	mine := func(a application) bool { return int(a.phone) == c.phone }
	t := s.means(c.kinds, mine)
	if len(t) < len(c.kinds) {
		return "credential-absent"
	}
	var waiting *application
	if c.order != warifu.VerbRevoke {
		waiting = s.openOn(mine)
	}
	return s.carry(s.narrowed(t, c.order), waiting, c)
}

// ofCode is the use of the suspension code that was shown for an application (B.5).
func (s *state) ofCode(c call) string {
	a := s.find(c.application)
	if a == nil {
		return "suspension-code-unknown"
	}
	t := s.means(warifu.Kinds[:], func(b application) bool { return b.number == a.number })
	if len(t) == 0 {
		return "suspension-code-unknown"
	}
	return s.carry(s.narrowed(t, c.order), s.openOn(func(b application) bool { return b.phone == a.phone }), c)
}

// ofPerson is an order with the card or by operators (K9, K15): it means the live phone,
// and an open application unless another phone is live.
func (s *state) ofPerson(c call) string {
	t := s.means(c.kinds, func(application) bool { return true })
	elsewhere := func(open application) bool {
		return slices.ContainsFunc(s.all[:s.n], func(a application) bool { return (a.live(0) || a.live(1)) && a.phone != open.phone })
	}
	waiting := s.openOn(func(a application) bool { return !elsewhere(a) })
	if waiting != nil && !slices.ContainsFunc(t, func(t target) bool { return s.all[t.i].live(t.k) }) {
		t = nil
	}
	if len(t) == 0 && waiting == nil {
		return "credential-absent"
	}
	return s.carry(s.narrowed(t, c.order), waiting, c)
}

// follow is what an event of the bureau does (K14).
func (s *state) follow(order warifu.Verb) {
	for i := range s.all[:s.n] {
		a := &s.all[i]
		if a.stage == over {
			continue
		}
		if a.stage == open {
			s.followOne(&a.holds, order)
			if order == endCard {
				a.stage, a.holds = over, 0
			}
			continue
		}
		for k := range a.of {
			if a.live(k) {
				s.followOne(&a.of[k].holds, order)
				if order == endCard {
					a.of[k] = credential{ended: warifu.ReasonPrivilegeWithdrawn}
				}
			}
		}
	}
}

// endCard is the bureau's word that the card is worth nothing any more.
const endCard warifu.Verb = "end"

func (s *state) followOne(holds *holdSet, order warifu.Verb) {
	switch order {
	case warifu.VerbSuspend:
		*holds |= cardHeld
	case warifu.VerbResume:
		*holds &^= cardHeld
	}
}

// personalized makes an open application's certificates the person's only ones (R55).
func (s *state) personalized(number int) string {
	a := s.find(number)
	switch {
	case a == nil || a.stage == over:
		return "application-not-issued"
	case a.stage == used:
		return ""
	case a.holds != 0:
		return "application-held"
	}
	for i := range s.all[:s.n] {
		for k := range s.all[i].of {
			if s.all[i].live(k) {
				s.all[i].of[k] = credential{ended: warifu.ReasonSuperseded}
			}
		}
	}
	a.stage = used
	return ""
}

// told reports whether the status may be told of the certificate in this state.
func (s *state) told(c call, got warifu.Status) bool {
	a := s.find(c.application)
	listed := c.how == "list" || c.how == "delta" // which say nothing of good and unknown
	switch {
	case a == nil || a.stage == open:
		return got.Cert == warifu.StatusUnknown || listed && got.Cert == warifu.StatusGood
	case a.stage == over: // what was signed for it is revoked as soon as its authority is heard of it
		return got.Cert == warifu.StatusUnknown || listed && got.Cert == warifu.StatusGood || got.Cert == warifu.StatusRevoked && got.Reason == warifu.ReasonCessationOfOperation
	}
	one := a.of[at(c.kind)]
	switch {
	case one.ended != 0:
		return got.Cert == warifu.StatusRevoked && got.Reason == one.ended
	case one.holds != 0:
		return got.Cert == warifu.StatusRevoked && got.Reason == warifu.ReasonCertificateHold
	}
	return got.Cert == warifu.StatusGood
}

// do is one call done in a state: the state after it, and the problem that it must have
// been answered with.
func (s state) do(c call) (state, string) {
	problem := ""
	switch c.verb {
	case apply: // a newer application withdraws the older (design §3.3)
		for i := range s.all[:s.n] {
			if s.all[i].stage == open {
				s.all[i].stage, s.all[i].holds = over, 0
			}
		}
		s.all[s.n] = application{number: int8(c.application), phone: int8(c.phone)}
		s.n++
	case reject:
		if a := s.find(c.application); a != nil && a.stage == open {
			a.stage, a.holds = over, 0
		}
	case personalize:
		problem = s.personalized(c.application)
	case byDevice:
		problem = s.ofPhone(c)
	case byCode:
		problem = s.ofCode(c)
	case byCard, byOperator:
		problem = s.ofPerson(c)
	case cardSays:
		s.atBoard = map[warifu.Verb]cardState{warifu.VerbSuspend: cardSuspended, warifu.VerbResume: cardGood, endCard: cardEnded}[c.order]
	case cardEvent:
		s.follow(c.order)
	}
	return s, problem
}

// nothingDone reports whether a refusal that changed nothing is justified in this state,
// where it does not follow from the person's credentials alone.
func (s state) nothingDone(c call, problem string) bool {
	switch problem {
	case "suspension-codes-too-many":
		return c.verb == byCode
	case "card-held", "card-revoked": // the bureau was asked
		return (c.verb == apply || c.verb == personalize || c.verb == byCard) && s.atBoard != cardGood
	case "application-not-issued":
		a := s.find(c.application) // personalized before, and something of it has ended since
		return c.verb == personalize && a != nil && a.stage == used && (a.of[0].ended != 0 || a.of[1].ended != 0)
	case "application-ended":
		a := s.find(c.application)
		return c.verb == personalize && a != nil && a.stage == over
	}
	return false
}

// step is the specification as porcupine wants it: the states that may follow.
func step(in state, c call, out answer) []any {
	if c.verb == read {
		if in.told(c, out.status) {
			return []any{in}
		}
		return nil
	}
	after, problem := in.do(c)
	switch {
	case out.lost && problem == "" && after != in:
		return []any{in, after}
	case out.lost:
		return []any{in}
	case out.problem == "" && problem == "":
		return []any{after}
	case out.problem != "" && (out.problem == problem || in.nothingDone(c, out.problem)):
		return []any{in}
	}
	return nil
}

// specification is step for every person by themselves.
func specification() porcupine.Model {
	m := porcupine.NondeterministicModel{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			by := map[int][]porcupine.Operation{}
			for _, o := range history {
				p := o.Input.(call).person
				by[p] = append(by[p], o)
			}
			var out [][]porcupine.Operation
			for _, one := range by {
				out = append(out, one)
			}
			return out
		},
		Init: func() []any { return []any{state{}} },
		Step: func(s, in, out any) []any { return step(s.(state), in.(call), out.(answer)) },
		DescribeOperation: func(in, out any) string {
			return fmt.Sprintf("%v → %v", in.(call), out.(answer))
		},
		DescribeState: func(s any) string { return s.(state).String() },
	}
	return m.ToModel()
}

// String names what matters, for the picture of a history that does not fit.
func (s state) String() string {
	var out strings.Builder
	for _, a := range s.all[:s.n] {
		fmt.Fprintf(&out, "#%d on phone %d: %s", a.number, a.phone, [...]string{"open", "over", "used"}[a.stage])
		if a.stage == open {
			fmt.Fprintf(&out, " %v", a.holds)
		}
		for k, one := range a.of {
			if a.stage == used {
				fmt.Fprintf(&out, " %s:%v/%d", warifu.Kinds[k], one.holds, one.ended)
			}
		}
		out.WriteString("; ")
	}
	return out.String()
}

func (h holdSet) String() string {
	var names []string
	for _, one := range []holdSet{lost, repair, ownWish, cardHeld} {
		if h&one != 0 {
			names = append(names, string(holdNames[one]))
		}
	}
	return "{" + strings.Join(names, " ") + "}"
}

func (c call) String() string {
	s := fmt.Sprintf("person %d %s", c.person, c.verb)
	switch c.verb {
	case read:
		return s + fmt.Sprintf(" %s #%d %s", c.how, c.application, c.kind)
	case apply, personalize, reject:
		return s + fmt.Sprintf(" #%d on phone %d", c.application, c.phone)
	}
	return s + fmt.Sprintf(" %s %v %v #%d phone %d", c.order, c.reason, c.kinds, c.application, c.phone)
}

func (a answer) String() string {
	switch {
	case a.lost:
		return "lost"
	case a.problem != "":
		return a.problem
	case a.status.Cert != 0:
		return fmt.Sprintf("%s %s", a.status.Cert, a.status.Reason)
	}
	return "done"
}
