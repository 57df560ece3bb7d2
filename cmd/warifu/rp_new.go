package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"warifu"
	"warifu/sandbox/doorway"
)

type rpNew struct {
	Name         string   `arg:"" help:"What people are shown, in whatever language."`
	NameEn       string   `name:"name-en" help:"The same in English, where NAME is Japanese."`
	RedirectURI  []string `name:"redirect-uri" sep:"none" default:"http://127.0.0.1:3000/callback" placeholder:"URL" help:"Where browsers come back to, letter for letter; may be repeated. By default ${default}."`
	Scope        []string `default:"name" help:"What you may ask for: name, address, birthdate, gender, sign; several with commas."`
	LoopbackPort bool     `help:"Any port of redirect URIs at 127.0.0.1: for apps on a computer."`
	RealFormats  bool     `help:"Birth dates as 20010203 and genders as 1 and 2."`
	Out          string   `type:"path" default:"warifu-rp" help:"Folder for keys and .env."`
	Try          bool     `help:"Go on with \"rp try\"."`
}

// Run implements the command.
func (c rpNew) Run(s *session) error {
	if strings.ContainsAny(c.Out, unquotable) {
		return usage("--out")
	}
	if _, err := os.Stat(filepath.Join(c.Out, rpRecordName)); !errors.Is(err, fs.ErrNotExist) {
		return warifu.Conflict("rp-folder-taken", "folder", c.Out)
	}
	if err := os.MkdirAll(c.Out, 0o700); err != nil {
		return warifu.Refused("cli-file", "file", c.Out).With(err)
	}
	keys, err := newRPKeys()
	if err != nil {
		return err
	}
	asked := rpClient{Name: map[string]string{"ja": c.Name}, RedirectURIs: c.RedirectURI, LoopbackPort: c.LoopbackPort, JWKS: keys.public(), Scopes: c.Scope}
	if c.NameEn != "" {
		asked.Name["en"] = c.NameEn
	}
	if c.RealFormats {
		asked.BirthdateFormat, asked.GenderFormat = "compact", "number"
	}
	var got rpClient
	if err := doorway.NewClient(s.server).Post(s.ctx, "/api/v1/clients", asked.entry(), &got); err != nil {
		_ = os.Remove(c.Out) // where it was made for this
		return err
	}
	if err := keepRegistration(c.Out, s.server, got, keys); err != nil {
		return errors.Join(err, rpRecord{Server: s.server, ID: got.ID, Token: got.Token}.door().Delete(s.ctx, "/api/v1/clients/"+got.ID))
	}
	if err := c.tell(s, got); err != nil || !c.Try {
		return err
	}
	return rpTry{rpFolder: rpFolder{c.Out}}.Run(s)
}

// entry is what is sent of it: not what the server gives.
func (r rpClient) entry() map[string]any {
	out := map[string]any{"name": r.Name, "redirectUris": r.RedirectURIs, "scopes": r.Scopes}
	if len(r.JWKS) > 0 {
		out["jwks"] = r.JWKS
	}
	if r.LoopbackPort {
		out["loopbackPort"] = true
	}
	if r.BirthdateFormat != "" {
		out["birthdateFormat"] = r.BirthdateFormat
	}
	if r.GenderFormat != "" {
		out["genderFormat"] = r.GenderFormat
	}
	return out
}

// keepRegistration writes everything that a registration's folder has.
func keepRegistration(dir, server string, got rpClient, keys rpKeys) error {
	files, err := keys.files()
	if err != nil {
		return err
	}
	r := rpRecord{Server: server, ID: got.ID, Token: got.Token, Key: got.Key}
	if files[rpRecordName], err = json.MarshalIndent(r, "", "  "); err != nil {
		return err
	}
	files[rpEnvName] = rpEnv(dir, got, r, keys.keyID())
	return writePrivately(dir, files)
}

// tell says what was made and what to do next.
func (c rpNew) tell(s *session, got rpClient) error {
	if s.json {
		return s.print(map[string]string{"id": got.ID, "issuer": got.Issuer, "folder": c.Out, "env": filepath.Join(c.Out, rpEnvName)})
	}
	dir := c.Out
	if here, err := os.Getwd(); err == nil {
		if short, err := filepath.Rel(here, dir); err == nil && !strings.HasPrefix(short, "..") {
			dir = short
		}
	}
	if strings.ContainsAny(dir, " '\"$") {
		dir = "'" + strings.ReplaceAll(dir, "'", `'\''`) + "'"
	}
	fmt.Fprintln(s.std.out, s.sentence("rp.made", map[string]string{"id": got.ID, "folder": dir}))
	for _, next := range []string{"warifu persona make hanako+phone", "warifu rp try " + dir, "set -a; . " + filepath.Join(dir, rpEnvName) + "; set +a"} {
		fmt.Fprintln(s.std.out, "  "+next)
	}
	return nil
}

type rpRotate struct{ rpFolder }

// Run implements the command.
func (c rpRotate) Run(s *session) error {
	r, err := c.record()
	if err != nil {
		return err
	}
	keys, err := newRPKeys()
	if err != nil {
		return err
	}
	var got rpClient
	if err := r.door().Post(s.ctx, r.path()+"/rotate", map[string]any{"jwks": keys.public()}, &got); err != nil {
		return err
	}
	if err := keepRegistration(c.Dir, r.Server, got, keys); err != nil {
		return err
	}
	return s.say(map[string]string{"id": r.ID}, "rp.rotated", map[string]string{"id": r.ID, "folder": c.Dir})
}
