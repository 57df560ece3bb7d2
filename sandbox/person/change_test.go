package person_test

import (
	"testing"

	"warifu"
	"warifu/sandbox/person"
)

func TestEverybodyCanMoveAndMarryAsOftenAsTheyLike(t *testing.T) {
	for id, p := range shipped(t) {
		for range 15 { // once round all the towns, and on
			moved, err := p.MovedTo(p.Elsewhere())
			if err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			if moved.Address == p.Address || moved.Municipality == p.Municipality || moved.SameRegister(p) {
				t.Fatalf("%s did not move: %s", id, moved.Address)
			}
			if moved.Name != p.Name || !moved.Birth.Equal(p.Birth) || moved.Number != p.Number || !moved.CardIssued.Equal(p.CardIssued) {
				t.Fatalf("%s: more than the address changed", id)
			}
			p = moved
		}
		for range 3 {
			married, err := p.Renamed(p.Married())
			if err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			if married.Family() == p.Family() || married.Address != p.Address || married.SameRegister(p) {
				t.Fatalf("%s did not change the family name: %s", id, married.Name)
			}
			p = married
		}
	}
}

func TestTheRegisterRefusesWhatACardCannotCarry(t *testing.T) {
	p := shipped(t)["taro"]
	for what, to := range map[string]person.Relocation{
		"no address":                {Municipality: "13101"},
		"a town that is none":       {Address: "東京都千代田区千代田1番1号", Municipality: "99999"},
		"201 characters":            {Address: longAddress(201), Municipality: "13101"},
		"substitutions too few":     {Address: "千代田区", AddressSubstitution: "0", Municipality: "13101"},
		"a control character in it": {Address: "千代田区\x00", Municipality: "13101"},
	} {
		if _, err := p.MovedTo(to); !warifu.ProblemOf(err).IsCode(warifu.CodeInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := p.Renamed(person.Renaming{}); err == nil {
		t.Error("no name at all")
	}
}

func longAddress(n int) string {
	out := make([]rune, n)
	for i := range out {
		out[i] = '区'
	}
	return string(out)
}
