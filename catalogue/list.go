package catalogue

// List is the public list of eligible models as of a day (R16): a value, whatever page
// or export shows it.
type List struct {
	AsOf    Date    `json:"asOf"`
	Revised Date    `json:"revised"` // the last day on or before AsOf on which the list changed
	Models  []Model `json:"models"`  // by maker, name, identifier
	Sample  bool    `json:"sample"`  // some entries are samples that nobody vouches for
}

func (x *index) list(day Date) List {
	l := List{AsOf: day, Models: []Model{}}
	for _, m := range x.models {
		if m.unfit(day) != nil {
			continue
		}
		l.Models = append(l.Models, m)
		l.Sample = l.Sample || m.Sample
		for _, d := range append([]Date{m.Since}, m.Revised...) {
			if d <= day {
				l.Revised = max(l.Revised, d)
			}
		}
	}
	return l
}
