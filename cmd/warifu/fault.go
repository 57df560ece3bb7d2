package main

import (
	"net/url"
	"strconv"

	"warifu/sandbox/fault"
)

type faultCommand struct {
	List faultList `cmd:"" default:"1" help:"Say which faults are on."`
	On   faultOn   `cmd:"" help:"Make something go wrong from now on."`
	Off  faultOff  `cmd:"" help:"Let it go right again."`
}

type faultList struct {
	All bool `help:"List every fault there is instead."`
}

func (c faultList) Run(s *session) error {
	if c.All {
		return s.sayFaults(fault.All)
	}
	d, err := s.desk()
	if err != nil {
		return err
	}
	var on []fault.Setting
	if err := d.Get(s.ctx, "/api/faults", &on); err != nil {
		return err
	}
	return s.sayFaultsOn(on)
}

type faultOn struct {
	Name   string `arg:"" help:"Which: see warifu fault list --all."`
	Length string `placeholder:"3s" help:"How long something takes, or how far a clock is off."`
	Times  int    `placeholder:"N" help:"How often, before it is off by itself; until it is switched off when left out."`
}

func (c faultOn) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	var on []fault.Setting
	if err := d.Put(s.ctx, "/api/faults/"+url.PathEscape(c.Name), fault.Switch{Length: c.Length, Times: c.Times}, &on); err != nil {
		return err
	}
	return s.sayFaultsOn(on)
}

type faultOff struct {
	Name string `arg:"" optional:"" help:"Which; all of them when left out."`
}

func (c faultOff) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	path := "/api/faults"
	if c.Name != "" {
		path += "/" + url.PathEscape(c.Name)
	}
	if err := d.Delete(s.ctx, path); err != nil {
		return err
	}
	return faultList{}.Run(s)
}

func (s *session) sayFaults(all []fault.Name) error {
	if s.json {
		return s.print(all)
	}
	for _, n := range all {
		if err := s.say(n, "cli.fault-known", map[string]string{"name": string(n), "what": s.sentence("fault."+string(n), nil)}); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) sayFaultsOn(on []fault.Setting) error {
	if s.json {
		return s.print(on)
	}
	if len(on) == 0 {
		return s.say(nil, "cli.fault-off", nil)
	}
	for _, f := range on {
		params := map[string]string{"name": string(f.Name), "what": s.sentence("fault."+string(f.Name), nil), "length": "", "times": ""}
		if f.Length > 0 {
			params["length"] = s.sentence("cli.fault-length", map[string]string{"length": f.Length.String()})
		}
		if f.Times > 0 {
			params["times"] = s.sentence("cli.fault-times", map[string]string{"times": strconv.Itoa(f.Times)})
		}
		if err := s.say(f, "cli.fault-on", params); err != nil {
			return err
		}
	}
	return nil
}
