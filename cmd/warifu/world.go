package main

import (
	"strings"
	"time"

	"warifu"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/sandbox/world"
)

type worldCommand struct {
	Where worldWhere `cmd:"" default:"1" help:"Say where the world's folder is."`
	Save  worldSave  `cmd:"" help:"Write the running world down under a name."`
	Load  worldLoad  `cmd:"" help:"Go back to what was written down, to the second of the world's clock."`
	Reset worldReset `cmd:"" help:"Go back to the beginning: the authorities' keys stay, everything else is gone. With --dir --yes: throw a world that does not run away, keys and all."`
	List  worldList  `cmd:"" help:"List what was written down."`
}

type worldWhere struct{}

func (worldWhere) Run(s *session) error {
	dir, err := dataDir()
	if err != nil {
		return err
	}
	return s.say(map[string]string{"dir": dir}, "cli.world-where", map[string]string{"dir": dir})
}

type worldSave struct {
	Name string `arg:"" help:"Lower-case letters, digits, dots, hyphens."`
}

func (c worldSave) Run(s *session) error {
	return s.turnWorld(desk.Turn{Do: desk.WorldSave, Name: c.Name}, "cli.world-saved")
}

type worldLoad struct {
	Name string `arg:"" help:"What it was saved under."`
}

func (c worldLoad) Run(s *session) error {
	return s.turnWorld(desk.Turn{Do: desk.WorldLoad, Name: c.Name}, "cli.world-loaded")
}

type worldReset struct {
	Dir string `type:"path" placeholder:"DIR" help:"Throw the world in this folder away, which must not be running."`
	Yes bool   `help:"Yes, do it."`
}

func (c worldReset) Run(s *session) error {
	if !c.Yes {
		return usage("--yes")
	}
	if c.Dir == "" {
		return s.turnWorld(desk.Turn{Do: desk.WorldReset}, "cli.world-fresh")
	}
	if err := world.Remove(c.Dir); err != nil {
		return err
	}
	return s.say(map[string]string{"dir": c.Dir}, "cli.world-reset", map[string]string{"dir": c.Dir})
}

type worldList struct{}

func (worldList) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	var now desk.Turned
	if err := d.Get(s.ctx, "/api/world", &now); err != nil {
		return err
	}
	if s.json {
		return s.print(now.Snapshots)
	}
	for _, one := range now.Snapshots {
		if err := s.say(one, "cli.world-snapshot", map[string]string{"name": one.Name, "saved": one.Saved.Local().Format(time.DateTime)}); err != nil {
			return err
		}
	}
	return nil
}

// Bounds of waiting for a world that is turned: as long as making all its keys anew.
const (
	turnWait = 2 * time.Minute
	turnPoll = 50 * time.Millisecond
)

// turnWorld asks the desk for a turn and waits until the world stands again.
func (s *session) turnWorld(t desk.Turn, done string) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	defer s.working("progress.turn")()
	var before desk.Turned
	if err := d.Post(s.ctx, "/api/world", t, &before); err != nil {
		return err
	}
	after, err := s.awaitTurn(d, before.Turns)
	if err != nil {
		return err
	}
	if after.Failed != nil {
		return &warifu.Error{Code: warifu.CodeRefused, Problem: strings.TrimPrefix(after.Failed.Type, "urn:warifu:problem:"), Params: after.Failed.Params}
	}
	return s.say(t, done, map[string]string{"name": t.Name})
}

func (s *session) awaitTurn(d doorway.Client, before int) (desk.Turned, error) {
	tick, late := time.NewTicker(turnPoll), time.After(turnWait)
	defer tick.Stop()
	for {
		var now desk.Turned
		if err := d.Get(s.ctx, "/api/world", &now); err == nil && now.Turns > before {
			return now, nil
		}
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			return desk.Turned{}, s.ctx.Err()
		case <-late:
			return desk.Turned{}, warifu.Unavailable("world-turn-late")
		}
	}
}
