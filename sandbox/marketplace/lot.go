package marketplace

import (
	"context"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"warifu"
	"warifu/attest"
	"warifu/sandbox/doorway"
)

// The verdicts on a phone that is to be traded in.
const (
	Buy    = "buy"
	Refuse = "refuse"
	Wait   = "wait" // its holder has been asked, or the phone has to be tapped on arrival
)

// Lot is a delivery of used phones, judged together.
type Lot struct {
	ID   string `json:"id"`
	Rows []Row  `json:"rows"`
}

// Row is one phone of it: the number on its box with the proof of its chip, or its chip's
// identifier where the phone is not at hand yet.
type Row struct {
	IMEI    string   `json:"imei"`
	Proof   string   `json:"proof,omitempty"` // the text of the code
	Element string   `json:"element,omitempty"`
	Verdict string   `json:"verdict"`
	Why     []Reason `json:"why"`
	Asked   string   `json:"asked,omitempty"`
}

// Bounds of a table.
const (
	maxRows  = 200
	maxTable = 1 << 20
)

// columns of the table; the first line names them.
var columns = []string{"imei", "proof", "element"}

// ParseLot reads the table of a delivery: CSV (RFC 4180) whose first line is
// "imei,proof,element". Errors: Invalid "marketplace-table-malformed" with the line,
// TooLarge "marketplace-table-too-large".
func ParseLot(table string) ([]Row, error) {
	if len(table) > maxTable {
		return nil, warifu.TooLarge("marketplace-table-too-large", "rows", fmt.Sprint(maxRows))
	}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(table, "\ufeff")))
	r.FieldsPerRecord, r.TrimLeadingSpace = len(columns), true
	var out []Row
	for line := 1; ; line++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || line == 1 && !slices.Equal(record, columns) {
			return nil, warifu.Invalid("marketplace-table-malformed", "line", fmt.Sprint(line)).With(err)
		}
		if line == 1 {
			continue
		}
		if len(out) == maxRows {
			return nil, warifu.TooLarge("marketplace-table-too-large", "rows", fmt.Sprint(maxRows))
		}
		row := Row{IMEI: strings.TrimSpace(record[0]), Proof: strings.TrimSpace(record[1]), Element: strings.TrimSpace(record[2])}
		if !isIMEI(row.IMEI) || (row.Proof == "") == (row.Element == "") {
			return nil, warifu.Invalid("marketplace-table-malformed", "line", fmt.Sprint(line))
		}
		if row.Element != "" {
			if _, err := warifu.ParseElementID(row.Element); err != nil {
				return nil, warifu.Invalid("marketplace-table-malformed", "line", fmt.Sprint(line)).With(err)
			}
		}
		out = append(out, row)
	}
	if len(out) == 0 {
		return nil, warifu.Invalid("marketplace-table-malformed", "line", "2")
	}
	return out, nil
}

func (m *Marketplace) apiLot(w http.ResponseWriter, r *http.Request) (any, error) {
	table, err := doorway.Octets(w, r, maxTable)
	if err != nil {
		return nil, err
	}
	return m.takeLot(r.Context(), string(table))
}

// takeLot judges a table and keeps it, for what is still to be answered.
func (m *Marketplace) takeLot(ctx context.Context, table string) (Lot, error) {
	rows, err := ParseLot(table)
	if err != nil {
		return Lot{}, err
	}
	if err := m.judge(ctx, rows); err != nil {
		return Lot{}, err
	}
	return m.lots.Add(func(n int) (string, Lot, error) {
		id := fmt.Sprintf("lot-%04d", n)
		return id, Lot{id, rows}, nil
	})
}

// lot looks again at what waits, and at what was to be bought: it may be so no longer.
func (m *Marketplace) lot(ctx context.Context, id string) (Lot, error) {
	l, err := m.lots.Get(id)
	if err != nil {
		return l, err
	}
	if err := m.judge(ctx, l.Rows); err != nil {
		return l, err
	}
	return m.lots.Change(id, func(kept *Lot) error { kept.Rows = l.Rows; return nil })
}

// judge fills in the verdicts: proofs are asked about together, holders one by one.
func (m *Marketplace) judge(ctx context.Context, rows []Row) error {
	var asked []int
	var all []put
	seen := map[string]bool{}
	for i := range rows {
		row := &rows[i]
		row.Verdict, row.Why = Refuse, []Reason{}
		if seen[row.IMEI] {
			row.Why = append(row.Why, reason(warifu.Conflict("marketplace-row-twice")))
			continue
		}
		seen[row.IMEI] = true
		if row.Element != "" {
			if err := m.wait(ctx, row); err != nil {
				return err
			}
			continue
		}
		p, err := m.answers(*row)
		if err != nil {
			row.Why = append(row.Why, reason(warifu.ProblemOf(err)))
			continue
		}
		asked, all = append(asked, i), append(all, p)
	}
	answers, err := m.config.Issuer.cleanAll(ctx, all)
	if err != nil {
		return err
	}
	for k, i := range asked {
		rows[i].Why = answers[k].Reasons
		if answers[k].Answer == clean {
			rows[i].Verdict = Buy
		}
	}
	return nil
}

// answers makes the question that a row's proof has to answer: one that this shop gave out
// for that phone. Errors: those of the code, Refused "marketplace-nonce-foreign",
// "marketplace-other-phone".
func (m *Marketplace) answers(row Row) (put, error) {
	code, err := attest.ParseCleanCode(row.Proof)
	if err != nil {
		return put{}, err
	}
	said, err := code.Said()
	if err != nil {
		return put{}, err
	}
	q, err := m.questions.Get(hex.EncodeToString(said.Nonce))
	if err != nil {
		return put{}, warifu.Refused("marketplace-nonce-foreign").With(err)
	}
	if !slices.Contains(q.Identifiers, "imei:"+row.IMEI) {
		return put{}, warifu.Refused("marketplace-other-phone")
	}
	return puts(Proof{code.Proof, code.Chain}, q), nil
}

// wait asks the holder of a phone that is not at hand, or looks what they answered. Clean
// from afar still waits: only the tap on arrival ties the chip to the number on the box.
func (m *Marketplace) wait(ctx context.Context, row *Row) error {
	row.Verdict = Wait
	if row.Asked == "" {
		q, err := m.question([]string{"imei:" + row.IMEI}, "")
		if err != nil {
			return err
		}
		asked, err := m.config.Issuer.ask(ctx, row.Element, q.Nonce, m.config.Clock.Now().Add(askFor))
		if e := warifu.ProblemOf(err); err != nil && e.IsCode(warifu.CodeTooMany) {
			row.Verdict, row.Why = Refuse, append(row.Why, reason(e))
			return nil
		}
		if err != nil {
			return err
		}
		row.Asked = asked.ID
	}
	got, err := m.config.Issuer.asked(ctx, row.Asked)
	if err != nil {
		return err
	}
	switch got.State {
	case "pending":
		row.Why = append(row.Why, reason(warifu.Conflict("marketplace-holder-asked")))
	case clean:
		row.Why = append(row.Why, reason(warifu.Conflict(unnamed)))
	default:
		row.Verdict, row.Why = Refuse, append(row.Why, reason(warifu.Conflict("marketplace-not-proved")))
	}
	return nil
}
