package counter_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/jpki"
	"warifu/sandbox/bureau"
	"warifu/sandbox/counter"
	"warifu/sandbox/field"
	"warifu/sandbox/folder"
	"warifu/sandbox/person"
)

var key = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// hall is a town hall with a kiosk around the corner, at ten in the morning.
type hall struct {
	now     time.Time
	bureau  *bureau.Bureau
	chips   *field.Field
	counter *counter.Counter
	kiosk   *counter.Kiosk
	proxies *counter.Proxies
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{now: time.Date(2026, time.November, 22, 10, 0, 0, 0, person.Tokyo)}
	clock := warifu.ClockFunc(func() time.Time { return h.now })
	b, err := bureau.Open(bureau.Config{Dir: t.TempDir(), Clock: clock, BaseURL: "http://127.0.0.1:8401/bureau", NewKey: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	bookings, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h.bureau = b
	h.chips = field.New(func(id string) (field.Chip, error) { return b.Card(id) })
	h.counter = counter.New(b, h.chips, clock)
	h.kiosk = counter.NewKiosk(h.counter, clock, bookings)
	h.proxies = counter.NewProxies(h.counter, clock, bookings, rand.Reader)
	return h
}

func pin(s string) warifu.CardPIN { return warifu.NewCardPIN([]byte(s)) }

func (h *hall) pins(t *testing.T, id string) person.PINs {
	t.Helper()
	v, err := h.bureau.Show(id)
	if err != nil {
		t.Fatal(err)
	}
	return v.Person.PINs
}

// try puts the PIN to the card and returns the problem it has with it.
func (h *hall) try(t *testing.T, id string, kind warifu.Kind, p warifu.CardPIN) string {
	t.Helper()
	held, err := h.chips.Hold(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer held.PutAway()
	token, err := jpki.Select(t.Context(), held)
	if err != nil {
		t.Fatal(err)
	}
	return problem(token.VerifyCard(t.Context(), kind, p))
}

func problem(err error) string {
	if err == nil {
		return ""
	}
	return warifu.ProblemOf(err).Problem
}

func TestWhoKnowsTheSecretMayChangeIt(t *testing.T) {
	h := newHall(t)
	old := h.pins(t, "taro").Signature
	if got := problem(h.counter.Change(t.Context(), "taro", warifu.Signature, pin("WRONG1"), pin("NEWTARO1"))); got != "card-pin-wrong" {
		t.Errorf("got %q", got)
	}
	if got := problem(h.counter.Change(t.Context(), "taro", warifu.Signature, old, pin("short"))); got != "card-pin-malformed" {
		t.Errorf("got %q", got)
	}
	if err := h.counter.Change(t.Context(), "taro", warifu.Signature, old, pin("NEWTARO1")); err != nil {
		t.Fatal(err)
	}
	if got := h.try(t, "taro", warifu.Signature, pin("NEWTARO1")); got != "" {
		t.Errorf("the new password: %q", got)
	}
	if !h.pins(t, "taro").Signature.Equal(pin("NEWTARO1")) {
		t.Error("the bureau prints the old password")
	}
	if !h.pins(t, "taro").Authentication.Equal(pin("1217")) {
		t.Error("the other secret changed too")
	}
}

func TestABlockedCardIsUnlockedAtTheCounter(t *testing.T) {
	h := newHall(t)
	right := h.pins(t, "wasure").Signature
	if got := problem(h.counter.Change(t.Context(), "wasure", warifu.Signature, right, pin("REMEMBER1"))); got != "card-pin-blocked" {
		t.Errorf("changing a blocked password: %q", got)
	}
	for kind, next := range map[warifu.Kind]string{warifu.Signature: "REMEMBER1", warifu.Authentication: "4649"} {
		if err := h.counter.Unlock(t.Context(), "wasure", kind, pin(next)); err != nil {
			t.Fatal(err)
		}
		if got := h.try(t, "wasure", kind, pin(next)); got != "" {
			t.Errorf("%s after unlocking: %q", kind, got)
		}
	}
}

func TestACardThatNoLongerServesIsNotUnlocked(t *testing.T) {
	h := newHall(t)
	for _, id := range []string{"mika", "shin", "goro"} {
		if got := problem(h.counter.Unlock(t.Context(), id, warifu.Authentication, pin("4649"))); got != "card-state" {
			t.Errorf("%s: %q", id, got)
		}
	}
	if err := h.counter.Unlock(t.Context(), "sakura", warifu.Signature, pin("SAKURA10")); err == nil {
		t.Error("a child got a signing password")
	}
}

func TestTheKioskWantsABookingItsHoursAndTheOtherSecret(t *testing.T) {
	h := newHall(t)
	pins := h.pins(t, "hanako")
	unlock := func(other warifu.CardPIN) string {
		return problem(h.kiosk.Unlock(t.Context(), "hanako", warifu.Signature, other, pin("HANAKO99")))
	}
	at := func(hour, minute int) { h.now = time.Date(2026, time.November, 23, hour, minute, 0, 0, person.Tokyo) }
	if got := unlock(pins.Authentication); got != "kiosk-not-booked" {
		t.Errorf("without a booking: %q", got)
	}
	if err := h.kiosk.Book("hanako", warifu.Signature); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		hour, minute int
		want         string
	}{{6, 29, "kiosk-closed"}, {23, 0, "kiosk-closed"}, {10, 0, "kiosk-not-booked"}} {
		if at(c.hour, c.minute); unlock(pins.Authentication) != c.want {
			t.Errorf("%02d:%02d: not %q", c.hour, c.minute, c.want)
		}
	}
	at(9, 59)
	if got := unlock(pin("0000")); got != "card-pin-wrong" {
		t.Errorf("with a wrong other secret: %q", got)
	}
	if got := problem(h.kiosk.Unlock(t.Context(), "hanako", warifu.Authentication, pins.Signature, pin("4649"))); got != "kiosk-not-booked" {
		t.Errorf("for the other kind: %q", got)
	}
	if got := unlock(pins.Authentication); got != "" {
		t.Fatalf("in order: %q", got)
	}
	if got := h.try(t, "hanako", warifu.Signature, pin("HANAKO99")); got != "" {
		t.Errorf("the new password: %q", got)
	}
	if got := unlock(pins.Authentication); got != "kiosk-not-booked" {
		t.Errorf("a second time: %q", got)
	}
}

func TestNobodyUnlocksWhatIsNotThere(t *testing.T) {
	h := newHall(t)
	err := h.counter.Unlock(t.Context(), "nobody", warifu.Signature, pin("NOBODY11"))
	if !errors.Is(err, &warifu.Error{Problem: "person-unknown"}) {
		t.Errorf("got %v", err)
	}
	if got := problem(h.counter.Unlock(t.Context(), "taro", 7, pin("4649"))); got != "kind-unknown" {
		t.Errorf("got %q", got)
	}
}

// A move ends the signing certificate alone: the PIN of the other is still unlocked.
func TestAMoveDoesNotKeepTheOtherSecretFromTheCounter(t *testing.T) {
	h := newHall(t)
	if _, err := h.bureau.Card("taro"); err != nil {
		t.Fatal(err)
	}
	v, err := h.bureau.Show("taro")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.bureau.Move("taro", v.Person.Elsewhere()); err != nil {
		t.Fatal(err)
	}
	if err := h.counter.Unlock(t.Context(), "taro", warifu.Authentication, pin("4649")); err != nil {
		t.Errorf("the PIN after a move: %v", err)
	}
	if got := problem(h.counter.Unlock(t.Context(), "taro", warifu.Signature, pin("NEWTARO1"))); got != "card-state" {
		t.Errorf("the signing password after a move: %q", got)
	}
	if err := h.bureau.Suspend("taro"); err != nil {
		t.Fatal(err)
	}
	if got := problem(h.counter.Unlock(t.Context(), "taro", warifu.Authentication, pin("9464"))); got != "card-state" {
		t.Errorf("the PIN of a suspended card: %q", got)
	}
}

func TestAProxyBringsTheLetterThatWentToTheHolder(t *testing.T) {
	h := newHall(t)
	unlock := func(number string) string {
		return problem(h.proxies.Unlock(t.Context(), "wasure", warifu.Signature, number, pin("REMEMBER1")))
	}
	if got := unlock("00000000"); got != "letter-unknown" {
		t.Errorf("without a letter: %q", got)
	}
	letter, err := h.proxies.Inquire("wasure", warifu.Signature)
	if err != nil {
		t.Fatal(err)
	}
	if letter.Name == "" || letter.Address == "" || len(letter.Number) != 8 {
		t.Errorf("the letter is %+v", letter)
	}
	letters, err := h.proxies.Letters("wasure")
	if err != nil || len(letters) != 1 || letters[0].Number != letter.Number {
		t.Errorf("the holder's letters are %v (%v)", letters, err)
	}
	if got := problem(h.proxies.Unlock(t.Context(), "wasure", warifu.Authentication, letter.Number, pin("4649"))); got != "letter-unknown" {
		t.Errorf("for the other secret: %q", got)
	}
	if got := unlock(letter.Number[1:] + "x"); got != "letter-unknown" {
		t.Errorf("with another number: %q", got)
	}
	if got := problem(h.proxies.Unlock(t.Context(), "wasure", warifu.Signature, letter.Number, pin("short"))); got != "card-pin-malformed" {
		t.Errorf("with a password of the wrong form: %q", got)
	}
	if got := unlock(letter.Number); got != "" {
		t.Fatalf("in order: %q", got)
	}
	if got := h.try(t, "wasure", warifu.Signature, pin("REMEMBER1")); got != "" {
		t.Errorf("the new password: %q", got)
	}
	if got := unlock(letter.Number); got != "letter-unknown" {
		t.Errorf("a second time: %q", got)
	}
	late, err := h.proxies.Inquire("wasure", warifu.Signature)
	if err != nil {
		t.Fatal(err)
	}
	h.now = h.now.AddDate(0, 0, 30)
	if got := unlock(late.Number); got != "letter-unknown" {
		t.Errorf("after thirty days: %q", got)
	}
}

// Who is under fifteen is represented by law: a parent comes along, and no letter goes out.
func TestAParentUnlocksAChildsCardAtOnce(t *testing.T) {
	h := newHall(t)
	if err := h.proxies.Unlock(t.Context(), "sakura", warifu.Authentication, "", pin("4649")); err != nil {
		t.Fatal(err)
	}
	if got := h.try(t, "sakura", warifu.Authentication, pin("4649")); got != "" {
		t.Errorf("the new PIN: %q", got)
	}
}

// The card's passwords are changed here and in no app (R30, R31, K16): the one client call
// that does it is made by this package alone.
func TestNobodyElseChangesTheCardsPasswords(t *testing.T) {
	found := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(source, []byte(".ChangeCard(")) {
			if found++; filepath.Base(filepath.Dir(path)) != "counter" {
				t.Errorf("%s changes a card's password", path)
			}
		}
		return nil
	})
	if err != nil || found == 0 {
		t.Errorf("%d places found (%v): the search is broken", found, err)
	}
}
