package housetest_test

import (
	"testing"

	"warifu"
	"warifu/internal/housetest"
)

func TestTheWholeWalk(t *testing.T) {
	for _, scheme := range []string{"badge", "jp-mobile"} {
		t.Run(scheme, func(t *testing.T) {
			h := housetest.New(t, housetest.Options{Scheme: scheme})
			p := h.Phone(t)
			a := p.Apply(t, "taro")
			h.Check(t)
			h.Drain(t)
			h.Check(t)
			if err := p.Personalize(); err != nil {
				t.Fatal(err)
			}
			h.Check(t)
			if got := h.Application(t, a.ID); got.State != warifu.ApplicationPersonalized {
				t.Fatalf("the application is %s (%s)", got.State, got.Problem)
			}
			if told := h.Pushed.Told(); len(told) != 1 || told[0] != a.ID {
				t.Errorf("notices %v, want one about %s", told, a.ID)
			}
		})
	}
}
