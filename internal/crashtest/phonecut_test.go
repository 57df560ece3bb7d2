package crashtest_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/handset"
)

// phoneLife is a holder's phone whose power may go at any APDU, before a server that stands.
type phoneLife struct {
	*town
	who     *resident
	job     phoneJob // with what is the same in every job
	pin     string   // the phone's, now
	books   *sql.DB
	last    phoneAnswer
	next    map[string]int
	beyond  map[string]bool
	points  map[string]int
	guessed bool
}

// act is one thing that the holder does with the phone.
type act struct {
	name   string
	to     string // the phone's PIN afterwards; "" for as before
	stride int    // between two cuts of the short test
	before func(*testing.T)
	// holds what must be so when it is done.
	live, shadow int
	clean        string
}

func TestPowerMayGoBetweenAnyTwoAPDUs(t *testing.T) {
	t.Parallel()
	l := beginPhone(t)
	p := l.start(t)
	acts := l.acts()
	for {
		over := true
		for _, a := range acts {
			cut := l.nextOf(a)
			over = over && cut == 0
			if l.try(t, a, cut); t.Failed() {
				return
			}
		}
		if over {
			break
		}
	}
	p.stop(t)
	p.complain(t)
	l.report(t)
	neverSaid(t, l.books)
}

func beginPhone(t *testing.T) *phoneLife {
	t.Helper()
	tn := settle(t, places["sqlite"])
	l := &phoneLife{town: tn, pin: "2468", books: bare(t, tn.db.registration), next: map[string]int{}, beyond: map[string]bool{}, points: map[string]int{}}
	var err error
	l.who, err = tn.resident(1)
	must(t, err)
	model, err := pixel()
	must(t, err)
	made, err := tn.maker.Make("phone-1", phoneMaker, phoneModel)
	must(t, err)
	tap := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		command, err := io.ReadAll(r.Body)
		if err == nil {
			command, err = l.who.card.Transmit(r.Context(), command)
		}
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = w.Write(command)
	}))
	t.Cleanup(tap.Close)
	l.job = phoneJob{
		Server: tn.origin, Makers: tn.makers, Handset: besides(t), Card: tap.URL, CardPIN: string(l.who.pins.Signature.Reveal()),
		Record: handset.Record{ID: made.ID, Model: phoneModel, OSBuild: model.MinOSBuild, AppVersion: max(model.MinAppVersion, tn.scheme.MinimumAppVersion), Element: made.Element, IMEI: made.IMEI},
	}
	return l
}

// acts are the whole life of a phone, twice from the application to the end.
func (l *phoneLife) acts() []act {
	begin := []act{{name: "apply", stride: 5, shadow: 2}, {name: "personalize", stride: 2, live: 2, before: l.awaitIssued}}
	out := append(slices.Clone(begin),
		act{name: "screen lock", live: 2, stride: 2},
		act{name: "log in by finger", live: 2, stride: 3},
		act{name: "change", to: "1357", live: 2, stride: 1},
		act{name: "screen lock", live: 2, stride: 2},
		act{name: "unlock with the card", to: "2468", live: 2, stride: 3},
		act{name: "suspend", live: 2, stride: 3, before: l.guesses},
		act{name: "resume", live: 2, stride: 3},
		act{name: "clean proof", live: 2, stride: 2, clean: "not-clean", before: l.nextSecond},
		act{name: "revoke", stride: 2},
		act{name: "clean proof", stride: 2, clean: "clean", before: l.nextSecond})
	out = append(out, begin...)
	return append(out, act{name: "wipe", stride: 1, before: l.revokeByCard})
}

// nextOf is the cut to make this time. Twice the number of the APDU: an odd one is before
// it, an even one when the chip has answered.
func (l *phoneLife) nextOf(a act) int {
	if l.beyond[a.name] {
		return 0
	}
	stride := a.stride
	if soaking() {
		stride = 1
	}
	if l.next[a.name] == 0 {
		l.next[a.name] = 1 + stride/2
	} else {
		l.next[a.name] += stride
	}
	return l.next[a.name]
}

// try does one thing, cut or not, and again after a cut.
func (l *phoneLife) try(t *testing.T, a act, cut int) {
	t.Helper()
	if a.before != nil {
		a.before(t)
	}
	job := l.job
	job.Do, job.From, job.To, job.Proof = a.name, l.pin, l.pin, l.asks()
	if a.to != "" {
		job.To = a.to
	}
	job.Cut, job.After = (cut+1)/2, cut > 0 && cut%2 == 0
	answer, alive := l.run(t, job)
	if cut > 0 && !alive {
		l.points[a.name]++
		l.torn(t, fmt.Sprintf("%s, cut at %d/2", a.name, cut), a)
		job.Cut = 0
		answer, _ = l.run(t, job)
	} else if cut > 0 {
		l.beyond[a.name] = true
	}
	l.done(t, fmt.Sprintf("%s, cut at %d/2, taken up again", a.name, cut), a, answer)
	l.pin = job.To
}

// run starts the phone for one job. It reports false when its power went.
func (l *phoneLife) run(t *testing.T, job phoneJob) (answer phoneAnswer, alive bool) {
	t.Helper()
	l.who.card.PowerOff() // taken from the phone it lay on
	in, err := json.Marshal(job)
	must(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), phoneVariable+"=1")
	var out, complaint bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &complaint
	_ = cmd.Run()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
		return phoneAnswer{}, false
	}
	if !cmd.ProcessState.Success() {
		t.Fatalf("the phone ended as %v: %s", cmd.ProcessState, complaint.String())
	}
	must(t, json.Unmarshal(out.Bytes(), &answer))
	return answer, true
}

// torn looks at a phone whose power went, before anything else is done with it: its chip
// has lost no counter, and carries nothing live that the server never made active.
func (l *phoneLife) torn(t *testing.T, what string, a act) {
	t.Helper()
	job := l.job
	job.Do = "look"
	if a.name == "change" || a.name == "unlock with the card" {
		// Whatever the finger opens now must not spend the PIN's tries.
		job.Do = "log in by finger"
	}
	seen, _ := l.run(t, job)
	if seen.Problem != "" && !strings.HasPrefix(seen.Problem, "screen-lock-") {
		t.Errorf("%s: the phone says %s", what, seen.Error)
	}
	if seen.Live.Counter < l.last.Live.Counter {
		t.Errorf("%s: the chip counted %d personalizations and now %d", what, l.last.Live.Counter, seen.Live.Counter)
	}
	for kind, left := range seen.Tries {
		if before, known := l.last.Tries[kind]; known && left < before {
			t.Errorf("%s: the %s secret has %d tries left, of %d", what, kind, left, before)
		}
	}
	for _, slot := range seen.Live.Slots {
		if n := count(t, l.books, fmt.Sprintf(`SELECT COUNT(*) FROM credentials WHERE activated_at <> 0 AND public_key = x'%x'`, slot.PublicKey[:])); n != 1 {
			t.Errorf("%s: a %s key is live that the server never made active", what, slot.Kind)
		}
	}
	neverSaid(t, l.books)
}

// done holds what the phone says after something was done against what must be so, and
// against the server's books.
func (l *phoneLife) done(t *testing.T, what string, a act, answer phoneAnswer) {
	t.Helper()
	if answer.Problem != "" {
		t.Fatalf("%s: %s", what, answer.Error)
	}
	want(t, what+": live keys", len(answer.Live.Slots), a.live)
	want(t, what+": keys on their way", len(answer.Shadow.Slots), a.shadow)
	want(t, what+": the proof", answer.Clean, a.clean)
	for _, slot := range answer.Live.Slots {
		query := fmt.Sprintf(`SELECT COUNT(*) FROM credentials WHERE state IN ('active', 'held') AND public_key = x'%x'`, slot.PublicKey[:])
		want(t, what+": live at the server", count(t, l.books, query), 1)
	}
	want(t, what+": credentials at the server", count(t, l.books, `SELECT COUNT(*) FROM credentials WHERE state IN ('active', 'held')`), a.live)
	if answer.Live.Counter < l.last.Live.Counter {
		t.Errorf("%s: the chip's counter went back", what)
	}
	neverSaid(t, l.books)
	l.last = answer
}

// guesses has somebody try a wrong PIN and pull the battery at each APDU: who tears the
// phone away has spent the try as soon as the chip was asked, and not before.
func (l *phoneLife) guesses(t *testing.T) {
	t.Helper()
	if l.guessed {
		return
	}
	l.guessed = true
	right, wrong, look := l.job, l.job, l.job
	right.Do, right.From, wrong.Do, wrong.From, look.Do = "log in", l.pin, "log in", "9753", "look"
	whole, _ := l.run(t, wrong)
	want(t, "a wrong PIN", whole.Problem, "secret-wrong")
	for cut := 1; cut <= 2*whole.APDUs; cut++ {
		answer, _ := l.run(t, right)
		full := answer.Tries[warifu.Authentication]
		wrong.Cut, wrong.After = (cut+1)/2, cut%2 == 0
		if _, alive := l.run(t, wrong); alive {
			t.Fatalf("a wrong PIN of %d APDUs outlives the cut at %d/2", whole.APDUs, cut)
		}
		l.points["guess"]++
		spent := 0
		if cut == 2*whole.APDUs { // the last is the VERIFY
			spent = 1
		}
		answer, _ = l.run(t, look)
		want(t, fmt.Sprintf("tries spent on a wrong PIN that was cut at %d/2", cut), full-answer.Tries[warifu.Authentication], spent)
	}
	answer, _ := l.run(t, right)
	want(t, "the right PIN", answer.Problem, "")
}

// asks is a marketplace's question of now.
func (l *phoneLife) asks() phone.CleanQuestion {
	q := phone.CleanQuestion{Marketplace: "https://market.example", Nonce: make([]byte, 16), Identifiers: []string{"imei:" + l.job.Record.IMEI}, Time: clock.Now().UTC().Truncate(time.Second)}
	_, _ = rand.Read(q.Nonce) // never fails (crypto/rand)
	return q
}

// nextSecond waits for one: a proof of the very second of a personalization says nothing.
func (l *phoneLife) nextSecond(t *testing.T) {
	now := clock.Now()
	wait(t.Context(), now.Truncate(time.Second).Add(time.Second).Sub(now))
}

// awaitIssued waits for the certificates.
func (l *phoneLife) awaitIssued(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for count(t, l.books, `SELECT COUNT(*) FROM applications WHERE state = 'issued'`) == 0 {
		if ctx.Err() != nil {
			t.Fatal("the application is not issued")
		}
		wait(ctx, glance)
	}
}

// revokeByCard has the holder revoke on another device.
func (l *phoneLife) revokeByCard(t *testing.T) {
	t.Helper()
	server, err := phone.NewServer(l.origin, nil)
	must(t, err)
	l.who.card.PowerOff()
	elsewhere := phone.Elsewhere{Server: server, Scheme: l.scheme, Clock: clock}
	_, err = elsewhere.Order(t.Context(), phone.CardOrder{Verb: warifu.VerbRevoke, Card: l.who.card, CardPassword: l.job.CardPIN})
	must(t, err)
}

func (l *phoneLife) report(t *testing.T) {
	t.Helper()
	all := 0
	var each []string
	for name, n := range l.points {
		all += n
		each = append(each, fmt.Sprintf("%s %d", name, n))
	}
	slices.Sort(each)
	t.Logf("%d cut points over %d operations of a phone, all finished or undone: %s", all, len(l.points), strings.Join(each, ", "))
	if all < 100 {
		t.Errorf("only %d cuts were made", all)
	}
}
