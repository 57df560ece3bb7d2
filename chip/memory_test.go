package chip_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"warifu"
	"warifu/chip"
	"warifu/iso7816"
)

func TestCountersAndPINsOutlastThePower(t *testing.T) {
	m := new(chip.Volatile)
	play(t, newCard(t, m), []step{
		{selectJPKI, "9000"}, {ef("0018"), "9000"}, {verify("0000"), "63C2"},
		{ef("001B"), "9000"}, {verify(signaturePassword), "9000"}, {"00240180" + ascii("NEWSECRET9"), "9000"},
	})
	play(t, newCard(t, m), []step{
		{selectJPKI, "9000"}, {ef("0018"), "9000"}, {"00200080", "63C2"},
		{ef("001B"), "9000"}, {verify(signaturePassword), "63C4"}, {verify("NEWSECRET9"), "9000"},
	})
}

func TestOneCardsMemoryIsNeverAnothers(t *testing.T) {
	m := new(chip.Volatile)
	newCard(t, m)
	p := testPersonality()
	p.TokenSerial = "0000000020500004"
	if _, err := chip.NewCard(p, m); !errors.Is(err, &warifu.Error{Problem: "chip-memory-other"}) {
		t.Fatalf("got %v", err)
	}
}

// docs/card-facts.md §1.8: only power-off clears what was verified.
func TestOnlyPowerOffForgets(t *testing.T) {
	c := newCard(t, new(chip.Volatile))
	play(t, c, []step{{selectJPKI, "9000"}, {ef("0018"), "9000"}, {verify(authenticationPIN), "9000"}})
	c.Reset()
	play(t, c, []step{{ef("0017"), "9000"}, {"802A0080023131 00", "256:9000"}})
	c.PowerOff()
	play(t, c, []step{{"00A40000", "6A86"}, {selectJPKI, "9000"}, {ef("0017"), "9000"}, {"802A0080023131 00", "6982"}})
}

// brokenMemory fails to save when told to.
type brokenMemory struct {
	chip.Volatile
	broken bool
}

func (b *brokenMemory) Save(state []byte) error {
	if b.broken {
		return errors.New("no space left")
	}
	return b.Volatile.Save(state)
}

func TestAVerdictThatCannotBeSavedIsNotTold(t *testing.T) {
	m := new(brokenMemory)
	c := newCard(t, m)
	play(t, c, []step{{selectJPKI, "9000"}, {ef("0018"), "9000"}, {verify("0000"), "63C2"}})
	m.broken = true
	play(t, c, []step{
		{verify("0000"), "6581"}, {"00200080", "63C1"},
		{verify(authenticationPIN), "6581"}, {ef("0017"), "9000"}, {"802A0080023131 00", "6982"},
	})
}

func TestTheCounterAtTheTownHallGivesANewSecret(t *testing.T) {
	m := new(chip.Volatile)
	c := newCard(t, m)
	play(t, c, []step{{selectJPKI, "9000"}, {ef("0018"), "9000"}, {verify("0000"), "63C2"}, {verify("0000"), "63C1"}, {verify("0000"), "63C0"}})
	if err := c.Restore(warifu.Authentication, warifu.NewCardPIN([]byte("abcd"))); err == nil {
		t.Error("a PIN of letters was accepted")
	}
	if err := c.Restore(warifu.Authentication, warifu.NewCardPIN([]byte("7777"))); err != nil {
		t.Fatal(err)
	}
	play(t, newCard(t, m), []step{{selectJPKI, "9000"}, {ef("0018"), "9000"}, {"00200080", "63C3"}, {verify("7777"), "9000"}})
}

// pinModel is what one secret must be like, in a sentence: a wrong value takes one try,
// the right one gives all back, none left is for good.
type pinModel struct {
	file, key string
	value     string
	tries     int
	left      int
	verified  bool
}

// cardModel plays random commands and power cuts against the card and beside them this
// model of counters and security status (docs/card-facts.md §1.6–§1.8).
type cardModel struct {
	t        *testing.T
	memory   *chip.Volatile
	card     *chip.Card
	pins     []*pinModel
	selected bool
}

func (m *cardModel) wordOf(command string) iso7816.StatusWord {
	_, sw := send(m.t, m.card, command)
	return sw
}

func (m *cardModel) forget() {
	for _, p := range m.pins {
		p.verified = false
	}
}

func (m *cardModel) want(r *rapid.T, command string, want iso7816.StatusWord) {
	if got := m.wordOf(command); got != want {
		r.Fatalf("%s: %v, want %v", command, got, want)
	}
}

// Verify tries a secret, right or wrong.
func (m *cardModel) Verify(r *rapid.T) {
	if !m.selected {
		r.Skip("nothing selected")
	}
	p := rapid.SampledFrom(m.pins).Draw(r, "secret")
	guess := rapid.SampledFrom([]string{p.value, "0000", "WRONG00", "00000000000000000"}).Draw(r, "guess")
	m.want(r, ef(p.file), iso7816.SWOK)
	want := iso7816.SWOK
	switch {
	case p.left == 0:
		want = iso7816.SWBlocked
	case guess != p.value:
		p.left--
		p.verified = false
		want = iso7816.RetriesLeft(p.left)
	default:
		p.left, p.verified = p.tries, true
	}
	m.want(r, verify(guess), want)
}

// Ask asks for the tries left.
func (m *cardModel) Ask(r *rapid.T) {
	if !m.selected {
		r.Skip("nothing selected")
	}
	p := rapid.SampledFrom(m.pins).Draw(r, "secret")
	m.want(r, ef(p.file), iso7816.SWOK)
	m.want(r, "00200080", iso7816.RetriesLeft(p.left))
}

// Change sets a new value, which only a verified secret allows.
func (m *cardModel) Change(r *rapid.T) {
	if !m.selected {
		r.Skip("nothing selected")
	}
	p := rapid.SampledFrom(m.pins).Draw(r, "secret")
	value := rapid.StringMatching(`[1-9]{6,16}`).Draw(r, "value")
	if p.tries == 3 {
		value = value[:4]
	}
	m.want(r, ef(p.file), iso7816.SWOK)
	if !p.verified {
		m.want(r, "00240180"+ascii(value), iso7816.SWSecurityStatus)
		return
	}
	m.want(r, "00240180"+ascii(value), iso7816.SWOK)
	p.value, p.left = value, p.tries
}

// Use signs, which a verified secret allows and nothing else.
func (m *cardModel) Use(r *rapid.T) {
	if !m.selected {
		r.Skip("nothing selected")
	}
	p := rapid.SampledFrom(m.pins).Draw(r, "secret")
	want := iso7816.SWSecurityStatus
	if p.verified {
		want = iso7816.SWOK
	}
	m.want(r, ef(p.key), iso7816.SWOK)
	m.want(r, "802A0080023131 00", want)
}

// Select selects the application again, or another one.
func (m *cardModel) Select(r *rapid.T) {
	if rapid.Bool().Draw(r, "another") {
		m.want(r, selectCommon, iso7816.SWOK)
		m.selected = false
		m.forget()
		return
	}
	m.want(r, selectJPKI, iso7816.SWOK)
	m.selected = true
}

// Cut takes the power, or the process, away.
func (m *cardModel) Cut(r *rapid.T) {
	if rapid.Bool().Draw(r, "process") {
		m.card = newCard(m.t, m.memory)
	} else {
		m.card.PowerOff()
	}
	m.selected = false
	m.forget()
}

// Check holds after every step: what memory holds is what the model says.
func (m *cardModel) Check(r *rapid.T) {
	if got, want := savedCounters(m.t, m.memory), []int{m.pins[0].left, m.pins[1].left}; !slices.Equal(got, want) {
		r.Fatalf("memory holds %v tries, want %v", got, want)
	}
}

// savedCounters reads what memory holds of the signature password and the
// authentication PIN.
func savedCounters(t testing.TB, m chip.Memory) []int {
	t.Helper()
	b, err := m.Load()
	if err != nil {
		t.Fatal(err)
	}
	var saved struct {
		Secrets map[string]struct{ Left int } `json:"secrets"`
	}
	if err := json.Unmarshal(b, &saved); err != nil {
		t.Fatal(err)
	}
	return []int{saved.Secrets["jpki.signature"].Left, saved.Secrets["jpki.authentication"].Left}
}

func TestCountersAndStatusFollowTheRulesWhateverHappens(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		memory := new(chip.Volatile)
		m := &cardModel{t: t, memory: memory, card: newCard(t, memory), pins: []*pinModel{
			{file: "001B", key: "001A", value: signaturePassword, tries: 5, left: 5},
			{file: "0018", key: "0017", value: authenticationPIN, tries: 3, left: 3},
		}}
		r.Repeat(rapid.StateMachineActions(m))
	})
}
