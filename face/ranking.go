package face

import (
	"bytes"
	"html/template"
	"strconv"

	"warifu/text"
)

// Ranking is a table of counts with a bar beside each number, the most frequent first.
type Ranking struct {
	Lang        text.Lang
	Name        string // on its page: a word for identifiers
	Title, Says string
	Head        []string // of the title, the name and the count
	Items       []Ranked
	Export      string // address as CSV; empty: none
}

// Ranked is one line: what it is called, the name that programs have for it, how often.
type Ranked struct {
	Title, Name string
	Count       int64
}

// Rows are the table as cells.
func (r Ranking) Rows() (rows [][]string) {
	for _, i := range r.Items {
		rows = append(rows, []string{i.Title, i.Name, strconv.FormatInt(i.Count, 10)})
	}
	return rows
}

// Share is a line's part of the longest one, from 0 to 100.
func (r Ranking) Share(count int64) int64 {
	top := int64(1)
	for _, i := range r.Items {
		top = max(top, i.Count)
	}
	return max(1, count*100/top)
}

// HTML draws it.
func (r Ranking) HTML() template.HTML {
	var b bytes.Buffer
	if err := charts.ExecuteTemplate(&b, "ranking", r); err != nil {
		return "" // a fault of the program
	}
	return template.HTML(b.String())
}
