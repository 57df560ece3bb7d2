package doctor

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"warifu/text"
)

// WriteLine writes one result for people: a line, and below it what was seen and what to
// mend where something is to be mended.
func (r Result) WriteLine(w io.Writer, l text.Lang) error {
	_, err := fmt.Fprintf(w, "%-8s %-28s %s\n", r.Outcome.Word(l), r.ID, r.Title(l))
	if err != nil || r.Outcome == Pass {
		return err
	}
	if seen := r.Seen(l); seen != "" {
		_, err = fmt.Fprintf(w, "         %s\n", seen)
	}
	if err == nil && r.wants() {
		_, err = fmt.Fprintf(w, "         → %s (%s)\n", r.Mend(l), r.Clause)
	}
	return err
}

// Summary is the report's last line.
func (r Report) Summary(l text.Lang) string {
	return text.Sentence("doctor.summary", l, map[string]string{
		"cases": fmt.Sprint(len(r.Results)), "pass": fmt.Sprint(r.Count(Pass)), "fault": fmt.Sprint(r.Count(Fault)),
		"advice": fmt.Sprint(r.Count(Advice)), "unclear": fmt.Sprint(r.Count(Unclear)), "skipped": fmt.Sprint(r.Count(Skipped)),
		"took": fmt.Sprintf("%.1f", r.Took.Seconds()),
	})
}

// both is a sentence in every language.
type both map[text.Lang]string

func inAll(say func(text.Lang) string) both {
	out := both{}
	for _, l := range text.Languages {
		out[l] = say(l)
	}
	return out
}

// told is a result as JSON tells it.
type told struct {
	ID      string  `json:"id"`
	Theme   string  `json:"theme"`
	Level   Level   `json:"level"`
	Clause  string  `json:"clause"`
	Title   both    `json:"title"`
	Outcome Outcome `json:"outcome,omitempty"`
	Notes   []Note  `json:"notes,omitempty"`
	Seen    both    `json:"seen,omitempty"`
	Mend    both    `json:"mend,omitempty"`
	Millis  float64 `json:"ms,omitempty"`
}

func (c Case) told() told {
	return told{ID: c.ID, Theme: c.Theme, Level: c.Level, Clause: c.Clause, Title: inAll(c.Title), Mend: inAll(c.Mend)}
}

// MarshalJSON implements json.Marshaler: a case as `--list --json` tells it.
func (c Case) MarshalJSON() ([]byte, error) { return json.Marshal(c.told()) }

// MarshalJSON implements json.Marshaler. The mend stands there only where something is to
// be mended.
func (r Result) MarshalJSON() ([]byte, error) {
	t := r.Case.told()
	t.Outcome, t.Notes, t.Millis = r.Outcome, r.Notes, millis(r.Took)
	if len(r.Notes) > 0 {
		t.Seen = inAll(r.Finding.Seen)
	}
	if !r.wants() {
		t.Mend = nil
	}
	return json.Marshal(t)
}

// MarshalJSON implements json.Marshaler.
func (r Report) MarshalJSON() ([]byte, error) {
	counts := map[Outcome]int{}
	for _, o := range []Outcome{Pass, Fault, Advice, Unclear, Skipped} {
		counts[o] = r.Count(o)
	}
	return json.Marshal(struct {
		Suite   string          `json:"suite"`
		Target  string          `json:"target"`
		Began   time.Time       `json:"began"`
		Millis  float64         `json:"ms"`
		Counts  map[Outcome]int `json:"counts"`
		Results []Result        `json:"results"`
	}{r.Suite, r.Target, r.Began, millis(r.Took), counts, r.Results})
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// The elements of a JUnit file, as CI systems read it: there is no standard, and these
// elements and attributes are what all of them know.
type (
	junitSuite struct {
		XMLName   xml.Name    `xml:"testsuite"`
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Time      string      `xml:"time,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string     `xml:"classname,attr"`
		Name    string     `xml:"name,attr"`
		Time    string     `xml:"time,attr"`
		Failure *junitNote `xml:"failure"`
		Error   *junitNote `xml:"error"`
		Skipped *junitNote `xml:"skipped"`
		Out     string     `xml:"system-out,omitempty"`
	}
	junitNote struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the report for CI: a fault is a failure, what is unclear an error;
// advice is a failure only where strict is set, and otherwise stands in system-out.
func (r Report) WriteJUnit(w io.Writer, l text.Lang, strict bool) error {
	suite := junitSuite{Name: "warifu doctor " + r.Suite, Tests: len(r.Results), Errors: r.Count(Unclear), Skipped: r.Count(Skipped),
		Time: seconds(r.Took), Timestamp: r.Began.UTC().Format("2006-01-02T15:04:05")}
	for _, c := range r.Results {
		out := junitCase{Class: "doctor." + r.Suite + "." + c.Theme, Name: c.ID, Time: seconds(c.Took)}
		note := &junitNote{Message: plain(c.Title(l)), Text: plain(c.Seen(l) + "\n" + c.Mend(l) + "\n" + c.Clause)}
		switch {
		case c.Outcome == Fault, c.Outcome == Advice && strict:
			out.Failure = note
			suite.Failures++
		case c.Outcome == Unclear:
			out.Error = note
		case c.Outcome == Skipped:
			out.Skipped = &junitNote{Message: plain(c.Seen(l))}
		case c.Outcome == Advice:
			out.Out = note.Message + "\n" + note.Text
		}
		suite.Cases = append(suite.Cases, out)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(suite); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// plain leaves out what XML 1.0 has no way to write.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
}
