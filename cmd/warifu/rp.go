package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"warifu"
	"warifu/sandbox/doorway"
)

// rpCommand is for developers whose own services people are to log in to.
type rpCommand struct {
	New    rpNew    `cmd:"" help:"Register a service of yours: makes its keys and a ready .env."`
	Try    rpTry    `cmd:"" help:"Run a ten-line service with a registration, to see a login."`
	List   rpList   `cmd:"" help:"List the registrations in the folders here."`
	Show   rpShow   `cmd:"" help:"Show how a registration stands at the server."`
	Rotate rpRotate `cmd:"" help:"New keys, a new API key and a new token; the old ones end at once."`
	Remove rpRemove `cmd:"" help:"End a registration. The folder's files are removed."`
}

// The files of a registration's folder.
const (
	rpRecordName  = "registration.json"
	rpEnvName     = ".env"
	rpKeySetName  = "jwks.json"
	rpSignName    = "sign"
	rpDecryptName = "decrypt"
)

// rpRecord is what a folder remembers: enough to change the registration and to write its
// .env again. Its file is its owner's alone, as the keys are.
type rpRecord struct {
	Server string `json:"server"`
	ID     string `json:"id"`
	Token  string `json:"registrationToken"`
	Key    string `json:"apiKey"`
}

// rpClient is a registration as the server shows it (/api/v1/clients).
type rpClient struct {
	ID              string            `json:"id"`
	Issuer          string            `json:"issuer"`
	Name            map[string]string `json:"name"`
	RedirectURIs    []string          `json:"redirectUris"`
	LoopbackPort    bool              `json:"loopbackPort,omitempty"`
	JWKS            json.RawMessage   `json:"jwks,omitempty"`
	JWKSURI         string            `json:"jwksUri,omitempty"`
	Scopes          []string          `json:"scopes,omitempty"`
	BirthdateFormat string            `json:"birthdateFormat,omitempty"`
	GenderFormat    string            `json:"genderFormat,omitempty"`
	Token           string            `json:"registrationToken,omitempty"`
	Key             string            `json:"apiKey,omitempty"`
}

// rpFolder is the argument by which commands find a registration.
type rpFolder struct {
	Dir string `arg:"" optional:"" type:"path" default:"warifu-rp" help:"The registration's folder, as \"rp new\" made it."`
}

func (f rpFolder) record() (r rpRecord, err error) {
	name := filepath.Join(f.Dir, rpRecordName)
	b, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil || r.ID == "" {
		return r, warifu.NotFound("rp-folder", "folder", f.Dir).With(err)
	}
	return r, nil
}

// door is a client of the registration's server that shows its token.
func (r rpRecord) door() doorway.Client {
	d := doorway.NewClient(r.Server)
	own := *d.Client
	own.Transport = withToken{r.Token, http.DefaultTransport}
	d.Client = &own
	return d
}

func (r rpRecord) path() string { return "/api/v1/clients/" + r.ID }

type rpShow struct{ rpFolder }

// Run implements the command.
func (c rpShow) Run(s *session) error {
	r, err := c.record()
	if err != nil {
		return err
	}
	var got rpClient
	if err := r.door().Get(s.ctx, r.path(), &got); err != nil {
		return err
	}
	return s.table(got, [][]string{
		{"client_id", got.ID}, {"issuer", got.Issuer}, {"name", got.Name["ja"] + " / " + got.Name["en"]},
		{"redirect_uri", strings.Join(got.RedirectURIs, " ")}, {"scope", strings.Join(append([]string{"openid"}, got.Scopes...), " ")},
		{"birthdate", orElse(got.BirthdateFormat, "iso")}, {"gender", orElse(got.GenderFormat, "word")},
	})
}

func orElse(v, other string) string {
	if v == "" {
		return other
	}
	return v
}

type rpList struct {
	In string `arg:"" optional:"" type:"path" default:"." help:"Where the folders are."`
}

// Run implements the command.
func (c rpList) Run(s *session) error {
	names, err := filepath.Glob(filepath.Join(c.In, "*", rpRecordName))
	if err != nil {
		return usage(c.In)
	}
	type row struct {
		Folder string `json:"folder"`
		ID     string `json:"id"`
		Server string `json:"server"`
	}
	found, rows := []row{}, [][]string{}
	for _, name := range append(names, filepath.Join(c.In, rpRecordName)) {
		dir := filepath.Dir(name)
		if r, err := (rpFolder{dir}).record(); err == nil {
			found, rows = append(found, row{dir, r.ID, r.Server}), append(rows, []string{r.ID, dir, r.Server})
		}
	}
	if len(found) == 0 && !s.json {
		return s.say(nil, "rp.none", nil)
	}
	return s.table(found, rows)
}

type rpRemove struct{ rpFolder }

// Run implements the command.
func (c rpRemove) Run(s *session) error {
	r, err := c.record()
	if err != nil {
		return err
	}
	err = r.door().Delete(s.ctx, r.path())
	if err != nil && warifu.ProblemOf(err).Problem != "client-unknown" { // it is gone already: the files are all that is left
		return err
	}
	for _, name := range rpFiles() {
		if err := os.Remove(filepath.Join(c.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return warifu.Refused("cli-file", "file", filepath.Join(c.Dir, name)).With(err)
		}
	}
	_ = os.Remove(c.Dir) // stays where something else lies in it
	return s.say(map[string]string{"id": r.ID}, "rp.removed", map[string]string{"id": r.ID})
}

// rpFiles are the names of everything that "rp new" writes.
func rpFiles() []string {
	return []string{
		rpRecordName, rpEnvName, rpKeySetName, rpSignName + ".pem", rpSignName + ".jwk.json", rpDecryptName + ".pem", rpDecryptName + ".jwk.json",
	}
}
