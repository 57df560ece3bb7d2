package main

import (
	"strings"
	"testing"
	"time"

	"warifu/registration"
)

func TestATreeOfCausesIsIndented(t *testing.T) {
	at := time.Date(2026, 5, 11, 9, 0, 0, 0, time.UTC)
	tree := registration.Cause{
		At: at, Actor: "card-bureau", Verb: "follow", Subject: "card-event-7", Detail: map[string]string{"event": "suspended", "paper": "00"},
		Effects: []registration.Cause{{At: at, Actor: "card-bureau", Verb: "hold", Subject: "c1", Detail: map[string]string{"reason": "card"},
			Effects: []registration.Cause{{At: at, Actor: "card-bureau", Verb: "suspend", Subject: "c1"}}}},
	}
	var out strings.Builder
	printCause(&out, tree, 0)
	printCause(&out, registration.Cause{At: at, Actor: "registration", Verb: "lift", Subject: "c1", Rule: "K5"}, 0)
	want := `2026-05-11T09:00:00Z follow card-event-7 by card-bureau event=suspended paper=00
  2026-05-11T09:00:00Z hold c1 by card-bureau reason=card
    2026-05-11T09:00:00Z suspend c1 by card-bureau
2026-05-11T09:00:00Z lift c1 by registration rule=K5
`
	if out.String() != want {
		t.Errorf("%s", out.String())
	}
}
