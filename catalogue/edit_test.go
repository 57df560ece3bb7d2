package catalogue_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/catalogue"
)

// moved is a clock that a test moves.
type moved struct{ at time.Time }

func (m *moved) Now() time.Time { return m.at }

func edited(t *testing.T) (*catalogue.Catalogue, *moved) {
	t.Helper()
	clock := &moved{time.Date(2026, 4, 1, 3, 0, 0, 0, time.UTC)}
	c, err := catalogue.New(context.Background(), catalogue.InMemory(), clock, 1)
	if err != nil {
		t.Fatal(err)
	}
	return c, clock
}

func fresh(id string) catalogue.Model {
	return catalogue.Model{ID: id, Maker: "Maker", Names: []string{"Phone"}, Platform: catalogue.Android, SecureElement: true, Market: catalogue.MarketJapan, Biometric: catalogue.BiometricClass3, NFC: catalogue.NFCMark}
}

func TestChecksAreRecordedAndTheEarlierOnesKept(t *testing.T) {
	c, clock := edited(t)
	ctx := context.Background()
	m, err := c.Save(ctx, fresh("P-1"), "operator:yui")
	if err != nil || m.Verification.Result != catalogue.Pending {
		t.Fatal(m, err)
	}
	if err := c.Eligible("P-1", "15", 9); warifu.ProblemOf(err).Problem != "device-not-verified" {
		t.Errorf("before a check: %v", err)
	}
	failed := catalogue.Verification{By: "Digital Agency", On: "2026-04-01", Result: catalogue.Failed, OSBuild: "15/2026-03-05"}
	if _, err := c.Record(ctx, "p-1", failed, "operator:yui"); err != nil {
		t.Fatal(err)
	}
	clock.at = clock.at.AddDate(0, 0, 9)
	passed := catalogue.Verification{By: "Digital Agency", On: "2026-04-10", Result: catalogue.Passed, OSBuild: "15/2026-04-05"}
	m, err = c.Record(ctx, "P-1", passed, "operator:yui")
	if err != nil || len(m.Earlier) != 1 || m.Earlier[0] != failed || m.Verification != passed || m.Since != "2026-04-10" || len(m.Revised) != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	if err := c.Eligible("P-1", "15", 9); err != nil {
		t.Errorf("after it passed: %v", err)
	}
	// The list is dated: the day before, the model was not on it.
	if n, m := len(c.List("2026-04-09").Models), len(c.List("2026-04-10").Models); n != 0 || m != 1 {
		t.Errorf("%d and %d models", n, m)
	}
	// An editor's save touches no check; neither does what goes out and in as CSV.
	if m, err = c.Save(ctx, fresh("P-1"), "operator:yui"); err == nil || m.ID != "" {
		t.Errorf("a listed model lost its day: %+v %v", m, err)
	}
	var b bytes.Buffer
	if err := c.Export(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "15/2026-04-05") {
		t.Errorf("the build is not in %s", b.String())
	}
	if problems, err := c.Import(ctx, &b, "import"); err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	if m, err = c.Model("P-1"); err != nil || len(m.Earlier) != 1 || m.Verification != passed {
		t.Errorf("after export and import: %+v %v", m, err)
	}
}

func TestWhatIsWrongIsNotSaved(t *testing.T) {
	c, _ := edited(t)
	ctx := context.Background()
	wrong := fresh("P-1")
	wrong.Maker = ""
	if _, err := c.Save(ctx, wrong, "operator:yui"); warifu.ProblemOf(err).Problem != "model-invalid" || c.Len() != 0 {
		t.Errorf("%v, %d models", err, c.Len())
	}
	if _, err := c.Record(ctx, "P-1", catalogue.Verification{By: "x", On: "2026-04-01", Result: catalogue.Passed}, "operator:yui"); warifu.ProblemOf(err).Problem != "model-unknown" {
		t.Errorf("a check of an unknown model: %v", err)
	}
	if _, err := c.Save(ctx, fresh("P-1"), "operator:yui"); err != nil {
		t.Fatal(err)
	}
	for _, v := range []catalogue.Verification{{Result: "splendid"}, {Result: catalogue.Passed}, {Result: catalogue.Passed, By: "x", On: "2026-13-01"}, {Result: catalogue.Pending, OSBuild: "1"}} {
		if _, err := c.Record(ctx, "P-1", v, "operator:yui"); warifu.ProblemOf(err).Problem != "model-invalid" {
			t.Errorf("%+v: %v", v, err)
		}
	}
}

func TestOfTwoEditorsTheSecondIsTold(t *testing.T) {
	c, _ := edited(t)
	ctx := context.Background()
	first, err := c.SaveOver(ctx, fresh("P-1"), "", "operator:yui")
	if err != nil {
		t.Fatal(err)
	}
	mine, theirs := first, first
	mine.Maker, theirs.Maker = "Mine", "Theirs"
	if _, err := c.SaveOver(ctx, theirs, first.Mark(), "operator:rei"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SaveOver(ctx, mine, first.Mark(), "operator:yui"); warifu.ProblemOf(err).Problem != "model-edited" {
		t.Errorf("%v", err)
	}
	now, err := c.Model("p-1")
	if err != nil || now.Maker != "Theirs" {
		t.Errorf("%s, %v", now.Maker, err)
	}
	if _, err := c.SaveOver(ctx, mine, now.Mark(), "operator:yui"); err != nil { // having seen it
		t.Error(err)
	}
	if _, err := c.SaveOver(ctx, fresh("p-1"), "", "operator:yui"); warifu.ProblemOf(err).Problem != "model-there" {
		t.Errorf("%v", err)
	}
	if _, err := c.SaveOver(ctx, fresh("P-2"), now.Mark(), "operator:yui"); warifu.ProblemOf(err).Problem != "model-edited" {
		t.Errorf("%v", err) // it was taken away by an import
	}
}

func TestTheTimeToSupportIsMeasured(t *testing.T) {
	c, clock := edited(t)
	ctx := context.Background()
	for i, id := range []string{"P-1", "P-2", "P-3", "P-4"} {
		if _, err := c.Submit(ctx, id, catalogue.Maker, "Maker", fresh(id)); err != nil {
			t.Fatal(err)
		}
		clock.at = clock.at.AddDate(0, 0, i+1)
		result := catalogue.Passed
		switch i {
		case 2:
			result = catalogue.Failed
		case 3:
			continue
		}
		if _, err := c.Decide(ctx, id, catalogue.Decision{By: "Digital Agency", Result: result, Reason: "checked", OSBuild: "15", Actor: "operator:yui"}); err != nil {
			t.Fatal(err)
		}
	}
	day := 24 * time.Hour
	want := catalogue.Support{Accepted: 2, Refused: 1, Waiting: 1, Median: 2 * day, Longest: 2 * day, OldestWaiting: 4 * day}
	if got, err := c.Support(ctx); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}
