package face_test

import (
	"encoding/xml"
	"math"
	"strings"
	"testing"

	"warifu/face"
	"warifu/text"
)

func chart(lang text.Lang, values ...float64) face.Chart {
	return face.Chart{
		Lang: lang, Name: "hours", Title: "<b>Title", Says: "Three things.", Unit: "件",
		Ticks: []face.Tick{{At: 0, Label: "7"}, {At: 0.5, Label: "8"}, {At: 1, Label: "9"}},
		Bars:  []face.Bars{{Name: "one", Values: values}, {Name: "two", Values: values}},
		Lines: []face.Line{{Name: "forecast", Dashed: true, Points: []face.Point{{At: 0, Value: 1}, {At: 1, Value: 2}}}},
		Marks: []face.Mark{{At: 0.9, Label: "20:00", Bad: true}},
		Head:  []string{"hour", "n"}, Rows: [][]string{{"7", "1"}}, Export: "/x.csv",
	}
}

func TestAChartIsWellFormedAndNamed(t *testing.T) {
	for _, values := range [][]float64{{1, 2, 3}, {0, 0, 0}, {}, {1e9, 3}, {0.004, 0.001}, {math.NaN(), math.Inf(1), -4, 7}} {
		got := string(chart(text.English, values...).HTML())
		d := xml.NewDecoder(strings.NewReader(got))
		for {
			if _, err := d.Token(); err != nil {
				if err.Error() != "EOF" {
					t.Fatalf("%v: %v in %s", values, err, got)
				}
				break
			}
		}
		for _, want := range []string{`role="img"`, `aria-labelledby="chart-hours-title chart-hours-says"`, "&lt;b&gt;Title", "Show the numbers", `<th scope="row">7</th>`, `href="/x.csv"`, "chart-dashed"} {
			if !strings.Contains(got, want) {
				t.Errorf("%v: %q is not in %s", values, want, got)
			}
		}
		for _, never := range []string{"NaN", "Inf", "style=", "<b>"} {
			if strings.Contains(got, never) {
				t.Errorf("%v: %q is in %s", values, never, got)
			}
		}
	}
}

func TestBarsReachTheHeightOfTheirNumber(t *testing.T) {
	got := string(face.Chart{Lang: text.English, Name: "n", Bars: []face.Bars{{Name: "one", Values: []float64{10, 5}}}}.HTML())
	// The plot goes from 184 at the bottom to 36 at the top: ten reaches it, five half of it.
	for _, want := range []string{"V36H", "V110H"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	if n := strings.Count(got, `class="chart-grid"`); n < 3 || n > 7 {
		t.Errorf("%d lines of the grid", n)
	}
}

func TestTheAxisIsWrittenAsPeopleWriteNumbers(t *testing.T) {
	bars := []face.Bars{{Name: "one", Values: []float64{1}}}
	if got := string(face.Chart{Lang: text.English, Name: "n", Bars: bars}.HTML()); !strings.Contains(got, ">0.6</text>") {
		t.Error(got)
	}
	if got := string(face.Chart{Lang: text.English, Name: "n", Bars: bars, Whole: true}.HTML()); strings.Contains(got, "0.") && strings.Contains(got, ">0.2</text>") {
		t.Error("a count has halves")
	}
}

func TestAChartOfNothingSaysSo(t *testing.T) {
	got := string(face.Chart{Lang: text.Japanese, Name: "n", Title: "受付", Says: "なし"}.HTML())
	if !strings.Contains(got, "まだ何もありません。") || strings.Contains(got, "<svg") {
		t.Error(got)
	}
}
