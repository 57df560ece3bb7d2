package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"warifu"
	"warifu/sandbox/desk"
	"warifu/sandbox/reader"
	"warifu/sandbox/world"
	"warifu/text"
)

type demoCommand struct {
	Dir       string `type:"path" placeholder:"DIR" help:"The world's folder; by default one under your data directory."`
	Port      int    `placeholder:"PORT" help:"First of the block of ports: server, desk, phones, bank. An old world keeps its own; 8400 for a new one."`
	Scheme    string `enum:"jp-mobile,jp-mobile-strict,jp-mobile-2023,badge" default:"jp-mobile" help:"Rules of a new world: jp-mobile, jp-mobile-strict, jp-mobile-2023 or badge."`
	ReadyFile string `type:"path" placeholder:"FILE" help:"Write a JSON object, name to URL, when everything listens."`
	Headless  bool   `help:"Open no browser."`
	AnyPort   bool   `hidden:"" help:"Ports of the system's choice, for tests."`
	Listen    string `placeholder:"ADDRESS" help:"Open the world to other machines at this address of yours as well; needs --tls."`
	TLS       bool   `help:"Speak TLS there, with a certificate of a local authority, and let in who types the pairing code shown."`
	// Real readers in place of the demo's own chips.
	KioskReader  string `placeholder:"NAME" help:"Have the kiosk read cards and phones on this PC/SC reader, by its name or a part of it."`
	ClinicReader string `placeholder:"NAME" help:"The same for the clinic."`
	Verbose      bool   `short:"v" help:"Log what the server logs."`
}

func (c demoCommand) Run(s *session) error {
	dir, err := c.dir()
	if err != nil {
		return err
	}
	if err := s.tell("demo.starting", map[string]string{"dir": dir}); err != nil {
		return err
	}
	door := &outside{}
	defer func() { door.shut() }()
	line := s.progress()
	line.Begin(s.sentence("progress.world", nil), 0)
	defer line.End()
	stands := func(w *world.World, turns int) error {
		line.End()
		if turns > 0 {
			return s.tell("demo.again", nil)
		}
		var err error
		if door, err = c.open(s, dir, w.Places); err != nil {
			return err
		}
		return errors.Join(c.ready(s, w.Places), door.tell(s, w.Places))
	}
	config := world.Config{
		Dir: dir, Port: c.Port, AnyPort: c.AnyPort, Scheme: c.Scheme, Background: true, Log: c.log(s),
		Tell: func(key string, params map[string]string) { line.Aside(func() { _ = s.tell(key, params) }) },
	}
	if c.KioskReader != "" {
		config.KioskReader = reader.PCSC(c.KioskReader)
	}
	if c.ClinicReader != "" {
		config.ClinicReader = reader.PCSC(c.ClinicReader)
	}
	err = world.Keep(s.ctx, config, stands)
	if err == nil {
		err = s.tell("demo.stopped", nil)
	}
	return err
}

func (c demoCommand) dir() (string, error) {
	if c.Dir != "" {
		return c.Dir, nil
	}
	return dataDir()
}

// dataDir is where a world lies when nobody says: the user's data directory as the
// system has it.
func dataDir() (string, error) {
	if d := os.Getenv("XDG_DATA_HOME"); d != "" {
		return filepath.Join(d, "warifu"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", usage("--dir")
	}
	switch runtime.GOOS {
	case "windows":
		return filepath.Join(home, "AppData", "Local", "warifu"), nil
	case "darwin":
		return filepath.Join(home, "Library", "Application Support", "warifu"), nil
	}
	return filepath.Join(home, ".local", "share", "warifu"), nil
}

func (c demoCommand) log(s *session) *slog.Logger {
	level := slog.LevelWarn
	if c.Verbose {
		level = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(s.std.err, &slog.HandlerOptions{Level: level}))
}

// ready tells everybody where everything stands.
func (c demoCommand) ready(s *session, p desk.Places) error {
	if c.ReadyFile != "" {
		b, err := json.Marshal(p)
		if err != nil {
			return err
		}
		if err := replaceFile(c.ReadyFile, append(b, '\n')); err != nil {
			return err
		}
	}
	if s.json {
		return s.print(p)
	}
	for _, place := range []struct{ key, url string }{{"demo.desk", p.Desk}, {"demo.phones", p.Phones}, {"demo.bank", p.Bank}, {"demo.server", p.Server}, {"demo.console", p.Server + "/console"}} {
		fmt.Fprintf(s.std.out, "  %-28s %s\n", place.url, text.Sentence(place.key, s.lang, nil))
	}
	if !c.Headless {
		openBrowser(p.Desk)
	}
	return s.tell("demo.ready", map[string]string{"desk": p.Desk})
}

// tell says a sentence to a person; a program that asked for JSON is told nothing.
func (s *session) tell(key string, params map[string]string) error {
	if s.json {
		return nil
	}
	_, err := fmt.Fprintln(s.std.out, text.Sentence(key, s.lang, params))
	return err
}

// replaceFile writes a file so that whoever waits for it never sees half of it.
func replaceFile(name string, b []byte) error {
	err := os.WriteFile(name+".new", b, 0o644)
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		_ = os.Remove(name + ".new") // it may not be there
		return warifu.Refused("cli-file", "file", name).With(err)
	}
	return nil
}

// openBrowser tries to show the page; a machine without a screen has none, and no harm done.
func openBrowser(url string) {
	var command *exec.Cmd
	switch {
	case runtime.GOOS == "windows":
		command = exec.Command("rundll32", "url.dll,FileProtocolHandler", url)
	case runtime.GOOS == "darwin":
		command = exec.Command("open", url)
	case os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "":
		command = exec.Command("xdg-open", url)
	default:
		return
	}
	if command.Start() == nil {
		go func() { _ = command.Wait() }()
	}
}
