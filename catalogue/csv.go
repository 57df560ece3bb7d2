package catalogue

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"warifu"
)

// MaxCSV bounds a CSV file, in octets: MaxModels lines of four hundred.
const MaxCSV = 8 << 20

// maxProblems bounds the report on a file that is wrong throughout.
const maxProblems = 100

// bom is what makes spreadsheets read UTF-8 as UTF-8.
const bom = "\ufeff"

// LineProblem is what is wrong with one line of a CSV file.
type LineProblem struct {
	Line   int    // counted from 1, the header included
	Column string // "" where the line as a whole is wrong
	Err    error  // *warifu.Error: csv-columns, csv-quote, csv-formula, csv-value or csv-duplicate
}

// WriteCSV writes models in the form that ParseCSV reads: UTF-8 with a byte order mark,
// a header, CRLF. A cell that a spreadsheet would run as a formula gets an apostrophe
// in front, as does one that begins with an apostrophe, so that nothing is ambiguous.
func WriteCSV(w io.Writer, models []Model) error {
	if _, err := io.WriteString(w, bom); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	record := make([]string, len(columns))
	for i, c := range columns {
		record[i] = c.name
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for n := range models {
		for i, c := range columns {
			record[i] = disarm(c.get(&models[n]))
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// ParseCSV reads what WriteCSV wrote, or a spreadsheet saved. It is strict: every column
// in its place, every cell in range, no identifier twice. A file that is no such CSV is
// one error (csv-too-large, csv-encoding, csv-header, catalogue-too-large); otherwise
// everything wrong with its lines comes back together, up to a hundred problems, and
// the models only when nothing is.
func ParseCSV(r io.Reader) ([]Model, []LineProblem, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxCSV+1))
	switch {
	case err != nil:
		return nil, nil, err
	case len(b) > MaxCSV:
		return nil, nil, warifu.TooLarge("csv-too-large", "limit", strconv.Itoa(MaxCSV>>20))
	case !utf8.Valid(b):
		return nil, nil, warifu.Invalid("csv-encoding")
	}
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte(bom))))
	in.FieldsPerRecord = -1
	in.ReuseRecord = true
	width, err := readHeader(in)
	if err != nil {
		return nil, nil, err
	}
	p := parsing{in: in, width: width, seen: map[string]int{}}
	if err := p.lines(); err != nil {
		return nil, nil, err
	}
	if len(p.problems) > 0 {
		return nil, p.problems, nil
	}
	return p.models, nil, nil
}

// readHeader returns how many columns the lines have.
func readHeader(in *csv.Reader) (int, error) {
	header, err := in.Read()
	if err != nil {
		return 0, warifu.Invalid("csv-header", "column", columns[0].name).With(err)
	}
	for i, c := range columns {
		if i == len(header) && i == firstColumns {
			break
		}
		if i >= len(header) || header[i] != c.name {
			return 0, warifu.Invalid("csv-header", "column", c.name)
		}
	}
	if len(header) > len(columns) {
		return 0, warifu.Invalid("csv-header", "column", columns[len(columns)-1].name)
	}
	return len(header), nil
}

type parsing struct {
	in       *csv.Reader
	width    int // columns of a line
	models   []Model
	problems []LineProblem
	seen     map[string]int // key → line
}

func (p *parsing) lines() error {
	for len(p.problems) < maxProblems {
		record, err := p.in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var quote *csv.ParseError
		if errors.As(err, &quote) {
			p.refuse(quote.Line, "", "csv-quote") // what follows an open quote cannot be told apart
			return nil
		}
		if err != nil {
			return err
		}
		if len(p.models) == MaxModels {
			return warifu.TooLarge("catalogue-too-large")
		}
		line, _ := p.in.FieldPos(0)
		p.line(line, record)
	}
	return nil
}

func (p *parsing) refuse(line int, column, problem string) {
	e := warifu.Invalid(problem)
	e.Params = map[string]string{"line": strconv.Itoa(line), "column": column}
	p.problems = append(p.problems, LineProblem{line, column, e})
}

func (p *parsing) line(line int, record []string) {
	if len(record) != p.width {
		p.refuse(line, "", "csv-columns")
		return
	}
	var m Model
	whole := true
	for i, c := range columns[:p.width] {
		cell, armed := rearm(record[i])
		switch {
		case armed:
			p.refuse(line, c.name, "csv-formula")
			whole = false
		case !c.set(&m, cell):
			p.refuse(line, c.name, "csv-value")
			whole = false
		}
	}
	if !whole {
		return
	}
	if err := m.Validate(); err != nil {
		p.refuse(line, warifu.ProblemOf(err).Params["field"], "csv-value")
		return
	}
	if _, twice := p.seen[key(m.ID)]; twice {
		p.refuse(line, columns[0].name, "csv-duplicate")
		return
	}
	p.seen[key(m.ID)] = line
	p.models = append(p.models, m)
}

// formula holds the first characters that make a cell a formula, and the apostrophe that
// disarms them.
const formula = "=+-@\t\r'"

func disarm(cell string) string {
	if cell != "" && strings.ContainsRune(formula, rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// rearm takes the apostrophe off again and reports a formula that never had one.
func rearm(cell string) (string, bool) {
	if cell == "" {
		return "", false
	}
	if cell[0] == '\'' {
		return cell[1:], false
	}
	return cell, strings.ContainsRune(formula, rune(cell[0]))
}

// Import makes the catalogue exactly what a CSV file holds, or leaves it as it was: Invalid
// "csv-refused" together with everything that is wrong with the lines.
func (c *Catalogue) Import(ctx context.Context, r io.Reader, actor string) ([]LineProblem, error) {
	models, problems, err := ParseCSV(r)
	if err != nil {
		return nil, err
	}
	if len(problems) > 0 {
		return problems, warifu.Invalid("csv-refused", "count", strconv.Itoa(len(problems)), "line", strconv.Itoa(problems[0].Line))
	}
	return nil, c.Replace(ctx, models, actor)
}

// Export writes every model, the refused ones included, as CSV.
func (c *Catalogue) Export(w io.Writer) error { return WriteCSV(w, c.index.Load().models) }
