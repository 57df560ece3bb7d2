package main

import (
	"fmt"
	"strings"
	"time"

	"warifu"
	"warifu/sandbox/bank"
	"warifu/text"
	"warifu/verify"
)

// opinion is one signature as it is told: what the bank would tell, and about the time and
// the document.
type opinion struct {
	bank.Judgement
	At       time.Time     `json:"at"`               // the instant judged
	Stamped  time.Time     `json:"stamped,omitzero"` // of the trusted time-stamp on it
	Warnings []bank.Reason `json:"warnings,omitempty"`
	// Of a PDF file: the signature's field, whether it covers the file to its end, what came
	// later and changed nothing, and what changed.
	Field     string   `json:"field,omitempty"`
	Whole     *bool    `json:"whole,omitempty"`
	Additions []string `json:"additions,omitempty"`
	Changes   []string `json:"changes,omitempty"`
}

// verified is a file: one signature, or those of a PDF file.
type verified struct {
	opinion
	Form       verify.Form `json:"form"`
	Signatures []opinion   `json:"signatures,omitempty"`
	// Of a record of evidence: its id, the document's SHA-256, until when it proves anything.
	Record   string    `json:"record,omitempty"`
	Document string    `json:"document,omitempty"`
	Until    time.Time `json:"until,omitzero"`
}

func opinionFrom(r *verify.Result) opinion {
	j := opinion{Judgement: bank.Judge(r), At: r.At, Stamped: r.Stamped}
	for _, e := range r.Warnings {
		en, _, _ := text.Problem(e, text.English)
		ja, _, _ := text.Problem(e, text.Japanese)
		j.Warnings = append(j.Warnings, bank.Reason{Problem: e.Problem, Title: en, TitleJa: ja})
	}
	return j
}

func found(form verify.Form, r *verify.Result) verified {
	if r == nil { // the context ended
		return verified{Form: form}
	}
	return verified{opinion: opinionFrom(r), Form: form}
}

// pdfFound is the file's verdict, which is its worst signature's, and each signature's own.
func pdfFound(all []*verify.PDFResult) verified {
	out := verified{Form: verify.FormPDF}
	worst := map[verify.Verdict]int{verify.Good: 0, verify.Unknown: 1, verify.Bad: 2}
	reached := -1
	for _, r := range all {
		j := opinionFrom(r.Result)
		if r.Field != "" {
			j.Field, j.Whole, j.Additions, j.Changes = r.Field, &r.Whole, r.Additions, r.Changes
		}
		out.Signatures = append(out.Signatures, j)
		if worst[r.Verdict] > reached {
			reached, out.opinion = worst[r.Verdict], j
		}
	}
	if len(out.Signatures) == 1 {
		out.Signatures = nil
	}
	return out
}

func recorded(v verified, e *verify.Evidence) verified {
	v.Record, v.Document = e.ID().String(), warifu.Digest(e.Subject.Document).String()
	if until, err := e.Until(); err == nil {
		v.Until = until
	}
	return v
}

// tellFound prints who, what, when, the verdict and why; its error is the exit code.
func (s *session) tellFound(v verified) error {
	all := v.Signatures
	if len(all) == 0 {
		all = []opinion{v.opinion}
	}
	var rows [][]string
	for i, j := range all {
		if i > 0 {
			rows = append(rows, nil)
		}
		rows = append(rows, s.rows(j)...)
	}
	add := func(key, value string) { rows = append(rows, []string{s.word(key), value}) }
	if v.Record != "" {
		add("record", v.Record)
		add("document", v.Document)
	}
	if !v.Until.IsZero() {
		add("until", v.Until.Format(time.RFC3339))
	}
	if err := s.table(v, rows); err != nil {
		return err
	}
	if v.Verdict != verify.Good.String() {
		return errTold
	}
	return nil
}

func (s *session) rows(j opinion) [][]string {
	verdict := j.Verdict
	if verdict == "" {
		verdict = verify.Unknown.String()
	}
	rows := [][]string{{s.word("verdict"), s.word("verdict-" + verdict)}}
	add := func(key, value string) {
		if value != "" {
			rows = append(rows, []string{s.word(key), value})
		}
	}
	at := func(key string, t time.Time) {
		if !t.IsZero() {
			add(key, t.Format(time.RFC3339))
		}
	}
	add("name", j.Name)
	add("address", j.Address)
	add("subject", j.Subject)
	if j.Class != "" {
		add("class", s.word("class-"+j.Class))
	}
	add("field", j.Field)
	if j.Whole != nil {
		covers := "covers-part"
		if *j.Whole {
			covers = "covers-whole"
		}
		add("covers", s.word(covers))
	}
	add("additions", strings.Join(j.Additions, ", "))
	add("changes", strings.Join(j.Changes, ", "))
	at("claimed", j.SigningTime)
	at("stamped", j.Stamped)
	at("judged-at", j.At)
	add("status", strings.TrimSpace(j.Status+" "+j.StatusFrom))
	if age := j.At.Sub(j.StatusTime); !j.StatusTime.IsZero() {
		add("status-of", fmt.Sprintf("%s (%s)", j.StatusTime.Format(time.RFC3339), max(0, age).Round(time.Second)))
	}
	for _, r := range j.Reasons {
		add("reason", r.In(s.lang)+" ("+r.Problem+")")
	}
	for _, r := range j.Warnings {
		add("warning", r.In(s.lang)+" ("+r.Problem+")")
	}
	return rows
}
