package warifu_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"warifu"
)

var update = flag.Bool("update", false, "write docs/lifecycle.md anew from the tables")

const lifecyclePage = "docs/lifecycle.md"

// TestLifecyclePageIsTheTables keeps docs/lifecycle.md equal to the tables it is drawn
// from. After a change of a table: go test -run Lifecycle -update .
func TestLifecyclePageIsTheTables(t *testing.T) {
	want := lifecycle()
	if *update {
		if err := os.WriteFile(lifecyclePage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(lifecyclePage)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the tables say; write it anew with: go test -run Lifecycle -update .", lifecyclePage)
	}
}

// meanings say what each state is, in a clause.
var meanings = map[string]string{
	"application submitted":    "accepted and durable; waits for its hour (K1) or for an authority",
	"application issued":       "both authorities have signed; the phone has been told and may fetch",
	"application rejected":     "refused for good; the problem says why",
	"application withdrawn":    "taken back by its phone, or replaced by a newer application of the same person",
	"application personalized": "written to the chip; the receipt was checked and the credentials became active",
	"application lapsed":       "not fetched in time",
	"credential pending":       "signed, not on a phone yet; whoever asks is told *unknown*",
	"credential active":        "good",
	"credential held":          "suspended: at least one hold stands on it",
	"credential revoked":       "ended, for the reason the list gives",
	"credential superseded":    "ended by a newer device or a newer application",
	"credential expired":       "past its notAfter",
}

func lifecycle() string {
	var b strings.Builder
	b.WriteString(`# The lives of an application and a credential

Drawn from the tables in ` + "`life.go` and `hold.go`" + ` by ` + "`lifecycle_test.go`" + `, which fails when this page is not what they say. There is
no other arrow: the database holds the same list, and refuses a move along any other, whoever asks.
Every move has its line in the audit trail, in the same transaction.
`)
	draw(&b, "The application (利用申請)", warifu.ApplicationLife)
	b.WriteString(`
A hold may stand on an open application: it is issued all the same, and personalizing waits until the last hold is
lifted. What ends after an authority was asked is settled five minutes later: whatever the authority signed
or meant to sign for it is listed as revoked.
`)
	draw(&b, "The credential (one certificate on a phone)", warifu.CredentialLife)
	b.WriteString(`
A credential is held while its set of holds is not empty; each hold lifts only itself. Revocation is final.
`)
	holds(&b)
	return b.String()
}

func draw[S ~string](b *strings.Builder, title string, life warifu.Life[S]) {
	fmt.Fprintf(b, "\n## %s\n\n```mermaid\nstateDiagram-v2\n    [*] --> %s\n", title, life.Initial)
	for _, a := range life.Arrows {
		fmt.Fprintf(b, "    %s --> %s : %s\n", a.From, a.To, a.Verb)
	}
	for _, s := range life.States() {
		if life.Final(s) {
			fmt.Fprintf(b, "    %s --> [*]\n", s)
		}
	}
	b.WriteString("```\n\n| state | what it is |\n|---|---|\n")
	for _, s := range life.States() {
		fmt.Fprintf(b, "| `%s` | %s |\n", s, meanings[life.Name+" "+string(s)])
	}
	b.WriteString("\n| from | verb | to | follows |\n|---|---|---|---|\n")
	for _, a := range life.Arrows {
		fmt.Fprintf(b, "| `%s` | %s | `%s` | %s |\n", a.From, a.Verb, a.To, a.Rule)
	}
}

func holds(b *strings.Builder) {
	b.WriteString("\n## Who puts and lifts a hold\n\n| reason | put by | lifted by | ends by itself | follows |\n|---|---|---|---|---|\n")
	names := func(parties []warifu.Party) string {
		var out []string
		for _, p := range parties {
			out = append(out, string(p))
		}
		return strings.Join(out, ", ")
	}
	for _, r := range warifu.HoldRules {
		dated := "no"
		if r.Dated {
			dated = "at its date"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", r.Reason, names(r.Put), names(r.Lift), dated, r.Rule)
	}
}

func TestEveryStateHasItsMeaning(t *testing.T) {
	for _, s := range warifu.ApplicationLife.States() {
		if meanings["application "+string(s)] == "" {
			t.Errorf("application state %s has no meaning on the page", s)
		}
	}
	for _, s := range warifu.CredentialLife.States() {
		if meanings["credential "+string(s)] == "" {
			t.Errorf("credential state %s has no meaning on the page", s)
		}
	}
}
