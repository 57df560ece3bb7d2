package ledger_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/ledger"
	"warifu/store"
)

var ctx = context.Background()

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var holder = warifu.DigestOf([]byte("a holder"))

// book is a ledger with some lines.
func book(t *testing.T, lines int) (*housetest.House, *ledger.Ledger) {
	t.Helper()
	h := housetest.New(t, housetest.Options{})
	l := ledger.New(h.Store, h.Scheme.LedgerKeep, h.Clock)
	for i := range lines {
		write(t, h, l, strings.Repeat("x", i+1))
	}
	return h, l
}

func write(t *testing.T, h *housetest.House, l *ledger.Ledger, purpose string) {
	t.Helper()
	h.Write(t, func(tx *store.Tx) error {
		return l.Append(tx, holder, ledger.Entry{At: h.Clock.Now(), By: "bank", What: ledger.Signed, Purpose: purpose, Result: "good"})
	})
	h.Clock.Forward(time.Hour)
}

func read(t *testing.T, l *ledger.Ledger, after int64) ledger.Page {
	t.Helper()
	p, err := l.Read(ctx, holder, after)
	must(t, err)
	return p
}

func TestAPageIsReadInOrderAndGoesOnWhereAnotherEnded(t *testing.T) {
	_, l := book(t, 4)
	whole := read(t, l, 0)
	if len(whole.Lines) != 4 || whole.Head != 4 || whole.Lines[3].Entry.Purpose != "xxxx" {
		t.Fatalf("%+v", whole)
	}
	rest := read(t, l, 2)
	if len(rest.Lines) != 2 || rest.After != 2 || rest.Chain != whole.Lines[1].Chain || !rest.Follows(whole) {
		t.Errorf("%+v", rest)
	}
	if _, err := l.Read(ctx, holder, 9); warifu.ProblemOf(err).Problem != "ledger-line-unknown" {
		t.Error(err)
	}
	none, err := l.Read(ctx, warifu.DigestOf([]byte("nobody")), 0)
	if err != nil || len(none.Lines) != 0 || none.Check() != nil {
		t.Errorf("%+v %v", none, err)
	}
}

// Whatever is changed in an exported page is found, but for the copy of the entry, which is
// taken from what the chain covers.
func TestAnExportedPageShowsEveryChange(t *testing.T) {
	_, l := book(t, 3)
	page := read(t, l, 0)
	for name, change := range map[string]func(*ledger.Page){
		"a line taken away":        func(p *ledger.Page) { p.Lines = slices.Delete(p.Lines, 1, 2) },
		"the last line taken away": func(p *ledger.Page) { p.Lines = p.Lines[:2] },
		"lines in another order":   func(p *ledger.Page) { p.Lines[0], p.Lines[1] = p.Lines[1], p.Lines[0] },
		"another record":           func(p *ledger.Page) { p.Lines[1].Record = p.Lines[0].Record },
		"another commitment":       func(p *ledger.Page) { p.Lines[1].Commitment[0] ^= 1 },
		"another beginning":        func(p *ledger.Page) { p.Chain[0] ^= 1 },
		"another head":             func(p *ledger.Page) { p.Head++ },
		"another format":           func(p *ledger.Page) { p.Format = "v0" },
	} {
		changed := page
		changed.Lines = slices.Clone(page.Lines)
		change(&changed)
		b, err := json.Marshal(changed)
		must(t, err)
		if _, err := ledger.ParsePage(b); warifu.ProblemOf(err).Problem != "ledger-page-broken" {
			t.Errorf("%s: %v", name, err)
		}
	}
	page.Lines[0].Entry = &ledger.Entry{By: "somebody else"}
	b, err := json.Marshal(page)
	must(t, err)
	got, err := ledger.ParsePage(b)
	must(t, err)
	if got.Lines[0].Entry.By != "bank" {
		t.Error("what stands beside the record is believed")
	}
}

func TestWhatIsOlderThanIsKeptIsPurgedAndTheChainGoesOn(t *testing.T) {
	h, l := book(t, 3)
	before := read(t, l, 0)
	h.Clock.Forward(h.Scheme.LedgerKeep - 90*time.Minute)
	write(t, h, l, "new")
	n, err := l.Purge(ctx)
	must(t, err)
	page := read(t, l, 0)
	if n != 3 && n != 2 || page.Purged != int64(n) || int(page.Purged)+len(page.Lines) != 4 || !page.Follows(before) {
		t.Errorf("purged %d: %+v", n, page)
	}
	if again, err := l.Purge(ctx); err != nil || again != 0 {
		t.Errorf("%d %v", again, err)
	}
	write(t, h, l, "newer")
	if p := read(t, l, 0); p.Head != 5 || !p.Follows(page) {
		t.Errorf("%+v", p)
	}
}

func TestErasingAPersonLeavesTheChainAndNothingToRead(t *testing.T) {
	h, l := book(t, 2)
	h.Write(t, func(tx *store.Tx) error { return tx.ErasePerson(holder) })
	page := read(t, l, 0)
	if len(page.Lines) != 2 {
		t.Fatalf("%+v", page)
	}
	for _, line := range page.Lines {
		if line.Entry != nil || line.Record != nil {
			t.Errorf("%+v", line)
		}
	}
}

func FuzzParsePage(f *testing.F) {
	f.Add([]byte(`{"format":"warifu-ledger-v1","after":0,"chain":"0000000000000000000000000000000000000000000000000000000000000000","purged":0,"lines":[],"head":0}`))
	f.Add([]byte(`{"format":"warifu-ledger-v1","lines":[{"number":1,"record":"AAAA"}],"head":1}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ledger.ParsePage(b)
		if err == nil && p.Check() != nil {
			t.Error("what was read does not check")
		}
	})
}
