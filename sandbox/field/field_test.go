package field_test

import (
	"context"
	"errors"
	"testing"

	"warifu"
	"warifu/sandbox/field"
)

// echo answers with the command and counts how often its power was cut.
type echo struct{ cuts int }

func (e *echo) Transmit(_ context.Context, command []byte) ([]byte, error) { return command, nil }
func (e *echo) PowerOff()                                                  { e.cuts++ }
func (e *echo) ATR() []byte                                                { return nil }

func TestAChipHasOneHolderAtATime(t *testing.T) {
	chip := &echo{}
	f := field.New(func(string) (field.Chip, error) { return chip, nil })
	first, err := f.Hold(t.Context(), "taro")
	if err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Hold(over, "taro"); !errors.Is(err, &warifu.Error{Problem: "chip-busy"}) {
		t.Errorf("a second holder: %v", err)
	}
	if _, err := f.Hold(t.Context(), "hanako"); err != nil {
		t.Errorf("another chip: %v", err)
	}
	first.PutAway()
	second, err := f.Hold(t.Context(), "taro")
	if err != nil || chip.cuts != 1 {
		t.Errorf("after it was put away: %v, power cut %d times", err, chip.cuts)
	}
	second.Release()
	if chip.cuts != 1 {
		t.Error("releasing cut the power")
	}
}

func TestAnUnknownChipHoldsNothing(t *testing.T) {
	unknown := warifu.NotFound("person-unknown")
	f := field.New(func(string) (field.Chip, error) { return nil, unknown })
	for range 2 {
		if _, err := f.Hold(t.Context(), "nobody"); !errors.Is(err, unknown) {
			t.Errorf("got %v", err)
		}
	}
}
