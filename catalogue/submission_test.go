package catalogue_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"warifu"
	"warifu/catalogue"
	"warifu/store"
)

// plainSealer keeps nothing secret: a catalogue has no personal data to seal.
type plainSealer struct{}

func (plainSealer) Seal(plain, _ []byte) ([]byte, error)  { return plain, nil }
func (plainSealer) Open(sealed, _ []byte) ([]byte, error) { return sealed, nil }
func (plainSealer) Index(value []byte) ([]byte, error)    { return value, nil }

// storages are the two that there are; everything below holds for both.
func storages(t *testing.T) map[string]catalogue.Storage {
	ctx := context.Background()
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "catalogue.db")
	if err := store.Migrate(ctx, dsn); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(ctx, dsn, plainSealer{}, clock())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return map[string]catalogue.Storage{"memory": catalogue.InMemory(), "store": catalogue.InStore(s)}
}

func over(t *testing.T, s catalogue.Storage, models ...catalogue.Model) *catalogue.Catalogue {
	t.Helper()
	c, err := catalogue.New(context.Background(), s, clock(), 54)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Replace(context.Background(), models, "operator:test"); err != nil {
		t.Fatal(err)
	}
	return c
}

func problem(t *testing.T, err error, want string) {
	t.Helper()
	if !errors.Is(err, &warifu.Error{Problem: want}) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestR17ASubmittedModelIsListedOnceItPassed(t *testing.T) {
	ctx := context.Background()
	for name, s := range storages(t) {
		t.Run(name, func(t *testing.T) {
			c := over(t, s, phone("OLD"))
			b, err := c.Submit(ctx, "s-1", catalogue.Carrier, "Carrier", phone("NEW"))
			if err != nil || b.State != catalogue.Open {
				t.Fatal(b, err)
			}
			problem(t, c.Eligible("new", "", 54), "device-not-verified")
			_, err = c.Submit(ctx, "s-2", catalogue.Maker, "Maker", phone("New"))
			problem(t, err, "submission-open")

			b, err = c.Decide(ctx, "s-1", catalogue.Decision{By: "Agency", Result: catalogue.Passed, MinOSBuild: "16", MinAppVersion: 60})
			if err != nil || b.State != catalogue.Accepted {
				t.Fatal(b, err)
			}
			problem(t, c.Eligible("NEW", "15", 60), "device-os-update")
			problem(t, c.Eligible("NEW", "16", 59), "app-too-old")
			if err := c.Eligible("NEW", "16", 60); err != nil {
				t.Error(err)
			}
			if l := c.List(""); len(l.Models) != 2 || l.Revised != "2026-06-01" {
				t.Errorf("%d on the list, revised %s", len(l.Models), l.Revised)
			}
			if c.List("2026-05-31").Revised == "2026-06-01" || len(c.List("2026-05-31").Models) != 1 {
				t.Error("the list of yesterday changed")
			}
			_, err = c.Decide(ctx, "s-1", catalogue.Decision{By: "Agency", Result: catalogue.Passed})
			problem(t, err, "submission-unknown")
			_, err = c.Submit(ctx, "s-3", catalogue.Maker, "Maker", phone("NEW"))
			problem(t, err, "model-listed")
			reads(t, s, "NEW")
		})
	}
}

// reads wants another process to see what this one wrote.
func reads(t *testing.T, s catalogue.Storage, model string) {
	t.Helper()
	other, err := catalogue.New(context.Background(), s, clock(), 54)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Model(model); err != nil {
		t.Error(err)
	}
}

func TestR17ASubmissionThatFailsIsARefusalWithItsReason(t *testing.T) {
	ctx := context.Background()
	for name, s := range storages(t) {
		t.Run(name, func(t *testing.T) {
			c := over(t, s)
			for i, m := range []string{"BAD", "NONSENSE"} {
				if _, err := c.Submit(ctx, fmt.Sprint("s-", i), catalogue.Maker, "Maker", phone(m)); err != nil {
					t.Fatal(err)
				}
			}
			_, err := c.Decide(ctx, "s-0", catalogue.Decision{By: "Agency", Result: catalogue.Failed})
			problem(t, err, "submission-invalid") // a refusal gives its reason
			for i, result := range []catalogue.Result{catalogue.Failed, catalogue.Pending} {
				if _, err := c.Decide(ctx, fmt.Sprint("s-", i), catalogue.Decision{By: "Agency", Result: result, Reason: "loses the key after a restart"}); err != nil {
					t.Fatal(err)
				}
			}
			problem(t, c.Eligible("BAD", "", 54), "device-verification-failed")
			problem(t, c.Eligible("NONSENSE", "", 54), "device-unknown")
			refused, err := c.Submissions(ctx, catalogue.Refused)
			if err != nil || len(refused) != 2 || refused[0].Reason == "" {
				t.Errorf("%v %v", refused, err)
			}
			if _, err := c.Submit(ctx, "s-9", catalogue.Maker, "Maker", phone("BAD")); err != nil {
				t.Errorf("a model that failed may be submitted again: %v", err)
			}
		})
	}
}

func TestSubmitRefuses(t *testing.T) {
	c := with(t)
	bad := phone("X")
	bad.ID = "=X"
	for want, submit := range map[string]func() (catalogue.Submission, error){
		"submission-invalid": func() (catalogue.Submission, error) {
			return c.Submit(context.Background(), "1", "shop", "Shop", phone("X"))
		},
		"model-invalid": func() (catalogue.Submission, error) {
			return c.Submit(context.Background(), "1", catalogue.Maker, "Maker", bad)
		},
	} {
		_, err := submit()
		problem(t, err, want)
	}
}

func TestSubmissionsAreBounded(t *testing.T) {
	ctx, c := context.Background(), with(t)
	for i := range 20 {
		if _, err := c.Submit(ctx, fmt.Sprint(i), catalogue.Maker, "Maker", phone(fmt.Sprint("M", i))); err != nil {
			t.Fatal(err)
		}
	}
	restore := catalogue.SetMaxOpen(20)
	defer restore()
	_, err := c.Submit(ctx, "over", catalogue.Maker, "Maker", phone("OVER"))
	problem(t, err, "submissions-full")
}
