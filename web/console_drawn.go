package web

import (
	"regexp"
	"slices"
	"strconv"
	"time"

	"warifu"
	"warifu/face"
	"warifu/text"
)

// charts draws the figures for a reader.
func (s *site) charts(f Figures, lang text.Lang) []face.Chart {
	d := drawing{lang: lang, zone: s.Scheme.Hours.Zone}
	if d.zone == nil {
		d.zone = time.FixedZone("JST", 9*60*60)
	}
	return []face.Chart{d.promise(f), d.hours(f), d.waits(f), d.days(f), d.answers(f), d.visible(f)}
}

// drawing draws for one reader.
type drawing struct {
	lang text.Lang
	zone *time.Location
}

// word is a sentence below the console's charts; pairs are names and values.
func (d drawing) word(key string, pairs ...string) string {
	params := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		params[pairs[i]] = pairs[i+1]
	}
	return text.Sentence("console.chart."+key, d.lang, params)
}

func (d drawing) words(keys ...string) (out []string) {
	for _, k := range keys {
		out = append(out, d.word(k))
	}
	return out
}

func (d drawing) chart(name, unit string) face.Chart {
	return face.Chart{Lang: d.lang, Name: name, Title: d.word(name), Unit: unit, Whole: unit != d.word("unit.seconds"), Export: "/console/figures/" + name + ".csv"}
}

func (d drawing) clock(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return t.In(d.zone).Format("15:04")
}

func whole(n int64) string { return strconv.FormatInt(n, 10) }

// grouped is a number in a sentence: with a comma every three digits. Tables and files have plain ones.
func grouped(n int64) string {
	s := whole(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// seconds with three significant digits or so.
func seconds(t time.Duration) string {
	if t < 0 {
		return "—"
	}
	places := 1
	if t < time.Second {
		places = 3
	}
	return strconv.FormatFloat(t.Seconds(), 'f', places, 64)
}

// promise draws today: what was complete, what was issued, and the forecast of the rest
// beside the cut-off and closing time (K1).
func (d drawing) promise(f Figures) face.Chart {
	p, c := f.Promise, d.chart("promise", d.word("unit.applications"))
	y, m, day := f.At.In(d.zone).Date()
	midnight := time.Date(y, m, day, 0, 0, 0, 0, d.zone)
	at := func(t time.Time) float64 { return float64(t.Sub(midnight)) / float64(24*time.Hour) }
	for h := 0; h <= 24; h += 4 {
		c.Ticks = append(c.Ticks, face.Tick{At: float64(h) / 24, Label: strconv.Itoa(h) + ":00"})
	}
	if !p.Closes.IsZero() {
		c.Marks = []face.Mark{{At: at(p.CutOff), Label: d.word("promise.cut-off", "at", d.clock(p.CutOff))}, {At: at(p.Closes), Label: d.word("promise.closes", "at", d.clock(p.Closes)), Bad: p.Late}}
	}
	complete, issued := rising(p.Complete, at, f.At), rising(p.Issued, at, f.At)
	c.Lines = []face.Line{{Name: d.word("complete"), Points: complete}, {Name: d.word("issued"), Points: issued}}
	if last := issued[len(issued)-1]; p.Waiting > 0 && !p.Finish.IsZero() {
		end := face.Point{At: min(1, at(p.Finish)), Value: last.Value + float64(p.Waiting)}
		c.Lines = append(c.Lines, face.Line{Name: d.word("promise.forecast"), Points: []face.Point{last, end}, Dashed: true})
	}
	waiting, rate := grouped(p.Waiting), strconv.FormatFloat(p.Rate, 'f', 1, 64)
	switch {
	case p.Waiting == 0:
		c.Says = d.word("promise.says.none")
	case p.Late && p.Finish.IsZero():
		c.Says = d.word("promise.says.never", "n", waiting)
	case p.Late:
		c.Says = d.word("promise.says.late", "n", waiting, "rate", rate, "finish", d.clock(p.Finish), "closes", d.clock(p.Closes))
	default:
		c.Says = d.word("promise.says", "n", waiting, "rate", rate, "finish", d.clock(p.Finish))
	}
	c.Head, c.Rows = d.words("from", "complete", "issued"), d.pairs(p.Complete, p.Issued)
	return c
}

// rising sums counts up into a line that ends now.
func rising(counts []Count, at func(time.Time) float64, now time.Time) []face.Point {
	sum, out := 0.0, []face.Point{{}}
	for _, c := range counts {
		out = append(out, face.Point{At: at(c.From), Value: sum})
		sum += float64(c.Count)
		out = append(out, face.Point{At: at(c.From), Value: sum})
	}
	return append(out, face.Point{At: at(now), Value: sum})
}

// pairs makes rows of two series by their time.
func (d drawing) pairs(a, b []Count) (rows [][]string) {
	at := map[time.Time][2]int64{}
	var times []time.Time
	for i, series := range [][]Count{a, b} {
		for _, c := range series {
			v, known := at[c.From]
			if !known {
				times = append(times, c.From)
			}
			v[i] = c.Count
			at[c.From] = v
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	for _, t := range times {
		rows = append(rows, []string{d.clock(t), whole(at[t][0]), whole(at[t][1])})
	}
	return rows
}

func (d drawing) hours(f Figures) face.Chart {
	c := d.chart("hours", d.word("unit.applications"))
	complete, issued := face.Bars{Name: d.word("complete")}, face.Bars{Name: d.word("issued")}
	var in, out int64
	for _, h := range f.Hours {
		complete.Values, issued.Values = append(complete.Values, float64(h.Complete)), append(issued.Values, float64(h.Issued))
		in, out = in+h.Complete, out+h.Issued
		c.Rows = append(c.Rows, []string{d.clock(h.From), whole(h.Complete), whole(h.Issued)})
	}
	c.Bars, c.Ticks = []face.Bars{complete, issued}, d.hourTicks(f.Hours)
	c.Says, c.Head = d.word("hours.says", "complete", grouped(in), "issued", grouped(out)), d.words("from", "complete", "issued")
	return c
}

func (d drawing) hourTicks(hours []Hour) (out []face.Tick) {
	for i, h := range hours {
		if h.From.In(d.zone).Hour()%6 == 0 {
			out = append(out, face.Tick{At: float64(i) / float64(len(hours)), Label: d.clock(h.From)})
		}
	}
	return out
}

// waits draws the queue: how long the issued had waited since they were due.
func (d drawing) waits(f Figures) face.Chart {
	c := d.chart("waits", d.word("unit.seconds"))
	mean, longest := face.Bars{Name: d.word("waits.mean")}, face.Bars{Name: d.word("waits.longest")}
	var worst time.Duration
	for _, h := range f.Hours {
		mean.Values, longest.Values = append(mean.Values, h.Mean.Seconds()), append(longest.Values, h.Longest.Seconds())
		worst = max(worst, h.Longest)
		c.Rows = append(c.Rows, []string{d.clock(h.From), whole(h.Issued), seconds(h.Mean), seconds(h.Longest)})
	}
	c.Bars, c.Ticks = []face.Bars{mean, longest}, d.hourTicks(f.Hours)
	c.Says, c.Head = d.word("waits.says", "longest", seconds(worst)), d.words("from", "issued", "waits.mean", "waits.longest")
	return c
}

func (d drawing) days(f Figures) face.Chart {
	c := d.chart("days", d.word("unit.applications"))
	bars := face.Bars{Name: d.word("issued")}
	var all int64
	for i, day := range f.Days {
		bars.Values = append(bars.Values, float64(day.Count))
		all += day.Count
		date := day.From.In(d.zone)
		c.Rows = append(c.Rows, []string{date.Format(time.DateOnly), whole(day.Count)})
		if (len(f.Days)-1-i)%3 == 0 {
			c.Ticks = append(c.Ticks, face.Tick{At: (float64(i) + 0.5) / float64(len(f.Days)), Label: date.Format("1/2")})
		}
	}
	c.Bars, c.Says, c.Head = []face.Bars{bars}, d.word("days.says", "n", grouped(all)), d.words("day", "issued")
	return c
}

// answers draws how status questions were answered, round by round.
func (d drawing) answers(f Figures) face.Chart {
	c := d.chart("answers", d.word("unit.answers"))
	names := []string{"good", "revoked", "unknown"}
	totals := map[string]int64{}
	rounds := f.Answers[max(0, len(f.Answers)-60):]
	lines := make([]face.Line, len(names))
	for n, name := range names {
		lines[n].Name = d.word("answers." + name)
	}
	for i, round := range rounds {
		row := []string{d.clock(round.To)}
		for n, name := range names {
			v := round.Counts[name]
			totals[name] += v
			lines[n].Points = append(lines[n].Points, face.Point{At: along(i, len(rounds)), Value: float64(v)})
			row = append(row, whole(v))
		}
		c.Rows = append(c.Rows, row)
		if i == 0 || i == len(rounds)-1 || i == len(rounds)/2 {
			c.Ticks = append(c.Ticks, face.Tick{At: along(i, len(rounds)), Label: d.clock(round.To)})
		}
	}
	c.Lines, c.Head = lines, d.words("until", "answers.good", "answers.revoked", "answers.unknown")
	c.Says = d.word("answers.says", "good", whole(totals["good"]), "revoked", whole(totals["revoked"]), "unknown", whole(totals["unknown"]))
	return c
}

func along(i, of int) float64 {
	if of < 2 {
		return 1
	}
	return float64(i) / float64(of-1)
}

// visible draws how soon a stop was on the list; by status answers it is too soon to be seen
// beside that, and stands in the sentence and the table.
func (d drawing) visible(f Figures) face.Chart {
	c := d.chart("visible", d.word("unit.seconds"))
	stops := f.Visible[max(0, len(f.Visible)-40):]
	bars := face.Bars{Name: d.word("visible.list")}
	var answer, list time.Duration
	for i, v := range stops {
		bars.Values = append(bars.Values, v.List.Seconds())
		answer, list = max(answer, v.Answer), max(list, v.List)
		c.Rows = append(c.Rows, []string{v.At.In(d.zone).Format("15:04:05"), seconds(v.Answer), seconds(v.List)})
		if i == 0 || i == len(stops)-1 {
			c.Ticks = append(c.Ticks, face.Tick{At: (float64(i) + 0.5) / float64(len(stops)), Label: d.clock(v.At)})
		}
	}
	c.Bars, c.Head = []face.Bars{bars}, d.words("visible.at", "visible.answer", "visible.list")
	c.Says = d.word("visible.says", "n", strconv.Itoa(len(stops)), "answer", seconds(answer), "list", seconds(list))
	if len(stops) == 0 {
		c.Says = d.word("visible.says.none")
	}
	return c
}

// unfilled is the place of a parameter, which a count of many has no value for.
var unfilled = regexp.MustCompile(`\{[a-zA-Z]+\}`)

// rankings are the refusals and the rejections, the most frequent first.
func rankings(f Figures, lang text.Lang) []face.Ranking {
	d := drawing{lang: lang}
	var out []face.Ranking
	for _, one := range []struct {
		name   string
		counts []Named
	}{{"refusals", f.Refusals}, {"rejected", f.Rejected}} {
		r := face.Ranking{Lang: lang, Name: one.name, Title: d.word(one.name), Says: d.word(one.name + ".says"), Head: d.words("problem", "problem.slug", "count"), Export: "/console/figures/" + one.name + ".csv"}
		for _, n := range one.counts {
			title := n.Name
			if text.Has("problem." + n.Name) {
				title, _, _ = text.Problem(&warifu.Error{Problem: n.Name}, lang)
				title = unfilled.ReplaceAllString(title, "…")
			}
			r.Items = append(r.Items, face.Ranked{Title: title, Name: n.Name, Count: n.Count})
		}
		out = append(out, r)
	}
	return out
}
