package progress_test

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/progress"
	"warifu/text"
)

// hand is a clock that a test moves.
type hand struct{ at time.Time }

func (h *hand) Now() time.Time { return h.at }

func TestWhereThereIsNoTerminalALineComesNowAndThen(t *testing.T) {
	var out bytes.Buffer
	clock := &hand{time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)}
	l := progress.New(&out, text.English, clock)
	l.Begin("Issuing", 100)
	for n := 1; n <= 100; n++ {
		clock.at = clock.at.Add(300 * time.Millisecond)
		l.Done(n)
	}
	l.End()
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 2 || strings.ContainsAny(out.String(), "\r\x1b") {
		t.Fatalf("thirty seconds want two whole lines, got %q", out.String())
	}
	if want := "Issuing: 34/100 (34 %), about 20 s left"; lines[0] != want {
		t.Errorf("got %q, want %q", lines[0], want)
	}
}

func TestWhatIsSoonDoneSaysNothingToALog(t *testing.T) {
	var out bytes.Buffer
	l := progress.New(&out, text.Japanese, warifu.SystemClock{})
	l.Begin("発行", 3)
	l.Done(3)
	l.Aside(func() { out.WriteString("aside") })
	l.End()
	if out.String() != "aside" {
		t.Errorf("got %q", out.String())
	}
}

func TestATerminalsLineIsWrittenOverAndTakenAway(t *testing.T) {
	terminal, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	if !progress.Terminal(terminal) || progress.Terminal(&bytes.Buffer{}) {
		t.Error("a device is taken for a file, or memory for a device")
	}
	var out screen
	clock := &hand{time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)}
	l := progress.NewTerminal(&out, text.Japanese, clock)
	l.Begin("発行", 4)
	clock.at = clock.at.Add(2 * time.Second)
	l.Done(1)
	l.Aside(func() { _, _ = out.Write([]byte("1件\n")) })
	l.End()
	l.End()
	got := out.String()
	for _, want := range []string{"\r\x1b[K発行：0/4（0％）", "\r\x1b[K発行：1/4（25％）　残り約6秒", "\r\x1b[K1件\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	if !strings.HasSuffix(got, "\r\x1b[K") {
		t.Errorf("the line stays: %q", got)
	}
	var none *progress.Line
	none.Begin("x", 1)
	none.Done(1)
	none.End()
}

// screen is memory that more than one goroutine may write to.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
