package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Row is one figure: a value, the peer's where there is one, their ratio (ours
// through the peer's; above 1 is more), the goal as written, and whether it holds.
// Where something does not apply it is null.
type Row struct {
	Name      string   `json:"name"`
	Value     float64  `json:"value"`
	Unit      string   `json:"unit"`
	Peer      string   `json:"peer,omitempty"`
	PeerValue *float64 `json:"peer_value"`
	Ratio     *float64 `json:"ratio"`
	Goal      string   `json:"goal,omitempty"`
	Holds     *bool    `json:"holds"`
}

// plain is a figure that stands for itself.
func plain(name string, value float64, unit string) Row {
	return Row{Name: name, Value: value, Unit: unit}
}

// against puts a peer's figure in the same unit beside it.
func (r Row) against(peer string, value float64) Row {
	r.Peer, r.PeerValue = peer, &value
	if value > 0 {
		ratio := r.Value / value
		r.Ratio = &ratio
	}
	return r
}

// below sets the goal that the value stays under limit.
func (r Row) below(limit float64) Row {
	holds := r.Value < limit
	r.Goal, r.Holds = "< "+number(limit)+" "+r.Unit, &holds
	return r
}

// ratioAtLeast sets the goal that the ratio is no less than limit.
func (r Row) ratioAtLeast(limit float64) Row {
	holds := r.Ratio != nil && *r.Ratio >= limit
	r.Goal, r.Holds = "ratio ≥ "+number(limit), &holds
	return r
}

// ratioAtMost sets the goal that the ratio is no more than limit.
func (r Row) ratioAtMost(limit float64) Row {
	holds := r.Ratio != nil && *r.Ratio <= limit
	r.Goal, r.Holds = "ratio ≤ "+number(limit), &holds
	return r
}

// exactly sets the goal that the value is what it must be.
func (r Row) exactly(want float64) Row {
	holds := r.Value == want
	r.Goal, r.Holds = "= "+number(want), &holds
	return r
}

func number(f float64) string {
	switch {
	case f == float64(int64(f)):
		return strconv.FormatInt(int64(f), 10)
	case f >= 100:
		return strconv.FormatFloat(f, 'f', 0, 64)
	case f >= 1:
		return strconv.FormatFloat(f, 'f', 2, 64)
	}
	return strconv.FormatFloat(f, 'g', 3, 64)
}

// table prints the rows for people.
func table(w io.Writer, rows []Row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "what\tvalue\tunit\tbeside\tits value\tratio\tgoal\t")
	for _, r := range rows {
		peer, ratio, verdict := "", "", ""
		if r.PeerValue != nil {
			peer = number(*r.PeerValue)
		}
		if r.Ratio != nil {
			ratio = strconv.FormatFloat(*r.Ratio, 'f', 2, 64)
		}
		if r.Holds != nil {
			verdict = map[bool]string{true: "reached", false: "NOT REACHED"}[*r.Holds]
		}
		fmt.Fprintln(t, strings.Join([]string{r.Name, number(r.Value), r.Unit, r.Peer, peer, ratio, r.Goal, verdict}, "\t"))
	}
	return t.Flush()
}

// write replaces the file of rows.
func write(file string, rows []Row) error {
	b, err := json.MarshalIndent(rows, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	// Whoever looks on, or is interrupted, finds the rows of before or those of now.
	err = os.WriteFile(file+".new", append(b, '\n'), 0o644)
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		_ = os.Remove(file + ".new") // it may not be there
	}
	return err
}
