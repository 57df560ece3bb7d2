package desk

import (
	"net/http"
	"strconv"

	"warifu"
	"warifu/sandbox/doorway"
	"warifu/sandbox/fault"
)

var faultsPage = page("faults")

// faultsData is the board of switches.
type faultsData struct {
	view
	Switches []faultSwitch
	On       int
}

// faultSwitch is one fault as the page shows it.
type faultSwitch struct {
	Name   string
	Key    string // of its sentence
	On     bool
	Length string // as it is, or as it usually is; empty: it has none
	Times  int
}

func (d *Desk) faultBoard(w http.ResponseWriter, r *http.Request, problem error) {
	data := faultsData{view: d.view(r, "/faults")}
	on := map[fault.Name]fault.Setting{}
	for _, s := range d.config.Faults.List() {
		on[s.Name] = s
	}
	data.On = len(on)
	for _, name := range fault.All {
		usual, err := fault.Parse(string(name))
		if err != nil {
			continue // every name of All parses
		}
		s, is := on[name]
		if !is {
			s = usual
		}
		one := faultSwitch{Name: string(name), Key: "fault." + string(name), On: is, Times: s.Times}
		if s.Length > 0 {
			one.Length = s.Length.String()
		}
		data.Switches = append(data.Switches, one)
	}
	doorway.Show(w, r, faultsPage, "desk.faults-title", data, problem)
}

// faultByForm switches a fault on or off, or all of them off.
func (d *Desk) faultByForm(w http.ResponseWriter, r *http.Request) {
	d.form(w, r, "/faults", func(err error) { d.faultBoard(w, r, err) }, func() error {
		name := r.FormValue("name")
		switch {
		case r.FormValue("do") == "clear":
			return d.config.Faults.Clear()
		case r.FormValue("do") == "off":
			return d.config.Faults.Off(fault.Name(name))
		}
		word := name
		if length := r.FormValue("length"); length != "" {
			word += "=" + length
		}
		s, err := fault.Parse(word)
		if err != nil {
			return err
		}
		if times := r.FormValue("times"); times != "" {
			if s.Times, err = strconv.Atoi(times); err != nil || s.Times < 0 || s.Times > maxTimes {
				return warifu.Invalid("fault-unknown", "known", name)
			}
		}
		return d.config.Faults.On(s)
	})
}

// maxTimes is how often at most the page lets a fault strike before it is off.
const maxTimes = 1000
