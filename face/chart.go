package face

import (
	"bytes"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"

	"warifu/text"
)

// Chart is a picture of numbers, drawn here as SVG: it needs no script, prints, scales and
// follows light and dark. A picture says nothing to who cannot see it, so that Says tells its
// sense in a sentence and the table beside it has every number. Lines and bars of more than
// one series differ by dashes and hatching as well as by colour.
//
// All words are in the reader's language. Places along the axis go from 0 to 1.
type Chart struct {
	Lang        text.Lang
	Name        string // of the chart on its page: a word for identifiers
	Title, Says string
	Unit        string // of the numbers; may be empty
	Whole       bool   // the numbers count something: there is no half of one
	Ticks       []Tick // below the axis
	Lines       []Line
	Bars        []Bars
	Marks       []Mark // upright lines at an instant that matters
	Head        []string
	Rows        [][]string // the table: as many cells a row as Head
	Export      string     // address of the table as CSV; empty: none
}

// Tick is a word below the axis.
type Tick struct {
	At    float64
	Label string
}

// Line is a series drawn as a line, dashed where it is a forecast.
type Line struct {
	Name   string
	Points []Point
	Dashed bool
}

// Point is one of a line's.
type Point struct{ At, Value float64 }

// Bars is a series drawn as upright bars, one in each of as many slots as it has values.
type Bars struct {
	Name   string
	Values []float64
}

// Mark is an upright line with a word.
type Mark struct {
	At    float64
	Label string
	Bad   bool
}

// The drawing's measures, in its own units: a phone shows it at about eight tenths.
const (
	chartWidth, chartHeight = 440.0, 220.0
	plotLeft, plotRight     = 58.0, 428.0
	plotTop, plotBottom     = 36.0, 184.0
)

// drawn is a chart as the template writes it.
type drawn struct {
	Chart
	ViewBox string
	Grid    []drawnGrid
	Below   []drawnWord
	Upright []drawnMark
	Boxes   []drawnBars
	Paths   []drawnPath
	Empty   bool
}

type drawnGrid struct{ Y, Label string }
type drawnWord struct{ X, Label, Anchor string }
type drawnMark struct {
	X, Y, Anchor, Label string
	Bad                 bool
}
type drawnBars struct {
	Series int
	Name   string
	Path   string
}
type drawnPath struct {
	Series int
	Name   string
	Path   string
	Dashed bool
	Last   *drawnDot
}
type drawnDot struct{ X, Y string }

var charts = template.Must(template.New("chart.html").Funcs(template.FuncMap{
	"say": say,
	"add": func(a, b int) int { return a + b },
}).ParseFS(templates, "templates/chart.html"))

// HTML draws the chart: a figure with its legend, its picture and its table.
func (c Chart) HTML() template.HTML {
	var b bytes.Buffer
	if err := charts.ExecuteTemplate(&b, "chart", c.draw()); err != nil {
		return "" // a fault of the program
	}
	return template.HTML(b.String())
}

func (c Chart) draw() drawn {
	top := c.highest()
	d := drawn{Chart: c, ViewBox: fmt.Sprintf("0 0 %g %g", chartWidth, chartHeight), Empty: top == 0}
	step := niceStep(top)
	if c.Whole {
		step = math.Max(1, step)
	}
	ceiling := math.Max(step, math.Ceil(top/step)*step)
	y := func(v float64) float64 { return plotBottom - (plotBottom-plotTop)*math.Min(v, ceiling)/ceiling }
	for v := 0.0; v <= ceiling+step/2; v += step {
		d.Grid = append(d.Grid, drawnGrid{number(y(v)), strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64)})
	}
	for _, t := range c.Ticks {
		d.Below = append(d.Below, drawnWord{number(along(t.At)), t.Label, anchorAt(t.At)})
	}
	for i, m := range c.Marks {
		d.Upright = append(d.Upright, drawnMark{X: number(along(m.At)), Y: number(plotTop - 4 - 15*float64(i%2)), Anchor: markAnchor(m.At), Label: m.Label, Bad: m.Bad})
	}
	for i, s := range c.Bars {
		d.Boxes = append(d.Boxes, drawnBars{i, s.Name, barsPath(s.Values, i, len(c.Bars), y)})
	}
	for i, l := range c.Lines {
		d.Paths = append(d.Paths, linePath(l, i+len(c.Bars), y))
	}
	return d
}

// highest is the greatest number in the picture; what is no number counts nothing.
func (c Chart) highest() float64 {
	top := 0.0
	see := func(v float64) {
		if v > top && !math.IsInf(v, 0) {
			top = v
		}
	}
	for _, s := range c.Bars {
		for _, v := range s.Values {
			see(v)
		}
	}
	for _, l := range c.Lines {
		for _, p := range l.Points {
			see(p.Value)
		}
	}
	return top
}

// niceStep is the distance of the grid's lines: 1, 2 or 5 times a power of ten, so that
// there are three to six of them.
func niceStep(top float64) float64 {
	if top <= 0 {
		return 1
	}
	step := math.Pow(10, math.Floor(math.Log10(top)))
	for _, f := range []float64{0.2, 0.5, 1, 2} {
		if top/(step*f) <= 5 {
			return step * f
		}
	}
	return step * 5
}

func along(at float64) float64 {
	return plotLeft + (plotRight-plotLeft)*math.Max(0, math.Min(1, at))
}

// anchorAt keeps words at the edges inside the picture.
func anchorAt(at float64) string {
	switch {
	case at < 0.05:
		return "start"
	case at > 0.95:
		return "end"
	}
	return "middle"
}

// markAnchor puts a mark's word to the left of its line in the right half.
func markAnchor(at float64) string {
	if at > 0.5 {
		return "end"
	}
	return "start"
}

func number(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// barsPath is one path for all bars of a series; series of one chart stand side by side.
func barsPath(values []float64, series, of int, y func(float64) float64) string {
	if len(values) == 0 {
		return ""
	}
	slot := (plotRight - plotLeft) / float64(len(values))
	width := slot * 0.8 / float64(of)
	var b strings.Builder
	for i, v := range values {
		if !(v > 0) {
			continue
		}
		x := plotLeft + slot*(float64(i)+0.1) + width*float64(series)
		fmt.Fprintf(&b, "M%s %sV%sH%sV%sZ", number(x), number(plotBottom), number(y(v)), number(x+width), number(plotBottom))
	}
	return b.String()
}

func linePath(l Line, series int, y func(float64) float64) drawnPath {
	out := drawnPath{Series: series, Name: l.Name, Dashed: l.Dashed}
	var b strings.Builder
	for i, p := range l.Points {
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		fmt.Fprintf(&b, "%s%s %s", verb, number(along(p.At)), number(y(p.Value)))
		out.Last = &drawnDot{number(along(p.At)), number(y(p.Value))}
	}
	out.Path = b.String()
	return out
}
