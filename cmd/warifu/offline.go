package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"warifu"
	pack "warifu/offline" // the bare name is taken here
	"warifu/profile"
	"warifu/verify"
)

type offlineCommand struct {
	Fetch offlineFetchCommand `cmd:"" help:"Fetch what is needed to check certificates without a line, or what changed since."`
	Show  offlineShowCommand  `cmd:"" help:"Say what a pack is and what it covers."`
}

type offlineFetchCommand struct {
	Dir   string `arg:"" help:"The folder of the packs: KIND.pack, KIND.delta, and numbers, which keeps older ones from being taken for new."`
	Trust string `placeholder:"DIR" help:"Whom to believe, as 'warifu trust DIR' saved it; by default the running demo is asked."`
	Now   string `placeholder:"TIME" help:"What counts as now; by default the demo's clock, or with --trust this machine's."`
}

// numbersName is the file beside the packs that remembers which were seen.
const numbersName = "numbers"

// Run brings the folder up to date: the update where the whole pack is there already.
func (c offlineFetchCommand) Run(s *session) error {
	k, err := s.anchors(c.Trust, c.Now)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return warifu.Refused("cli-file", "file", c.Dir).With(err)
	}
	var packs verify.Offline
	if err := readNumbers(&packs, c.Dir); err != nil {
		return err
	}
	var rows [][]string
	told := map[string]packTold{}
	line := s.progress()
	line.Begin(s.sentence("progress.packs", nil), len(warifu.Kinds))
	defer line.End()
	for done, kind := range warifu.Kinds {
		line.Done(done)
		believed := k.trust.Authorities(profile.ClassPhone, kind)
		if len(believed) == 0 {
			return warifu.Refused("certificate-authority-untrusted")
		}
		issuer := believed[len(believed)-1]
		name := filepath.Join(c.Dir, kind.String())
		for _, file := range []string{name + ".pack", name + ".delta"} { // what is wrong with them is told by fetching anew
			if der, err := os.ReadFile(file); err == nil {
				_ = packs.Take(der, issuer, k.clock.Now())
			}
		}
		if err := packs.Fetch(s.ctx, nil, s.server+"/offline/"+kind.String(), issuer, k.clock.Now()); err != nil {
			return err
		}
		whole, delta := packs.Packs(issuer)
		if err := keep(name, whole, delta); err != nil {
			return err
		}
		told[kind.String()] = tell(whole, delta)
		rows = append(rows, append([]string{s.kind(kind)}, told[kind.String()].row(s)...))
	}
	if err := writeNumbers(&packs, c.Dir); err != nil {
		return err
	}
	line.End()
	return s.table(told, rows)
}

// keep writes an authority's packs; a delta on a pack that is gone is taken away.
func keep(name string, whole, delta *pack.SignedPack) error {
	if err := replaceFile(name+".pack", whole.Raw); err != nil {
		return err
	}
	if delta != nil {
		return replaceFile(name+".delta", delta.Raw)
	}
	if err := os.Remove(name + ".delta"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return warifu.Refused("cli-file", "file", name+".delta").With(err)
	}
	return nil
}

// readNumbers reads what was seen before; a folder that is new has seen nothing.
func readNumbers(packs *verify.Offline, dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, numbersName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return warifu.NotFound("cli-file", "file", numbersName).With(err)
	}
	return packs.ReadNumbers(bytes.NewReader(b))
}

func writeNumbers(packs *verify.Offline, dir string) error {
	var out bytes.Buffer
	if err := packs.WriteNumbers(&out); err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, numbersName), out.Bytes())
}

// readPacks takes the packs of --pack, the one that stands on none first, and remembers
// beside them that it did.
func (s *session) readPacks(names string, k known) (*verify.Offline, error) {
	packs := &verify.Offline{}
	files := strings.Split(names, ",")
	dir := filepath.Dir(files[0])
	if err := readNumbers(packs, dir); err != nil {
		return nil, err
	}
	for _, name := range files {
		der, err := s.readFile(name)
		if err != nil {
			return nil, err
		}
		if err := packs.TakeOf(der, k.trust, k.clock.Now()); err != nil {
			return nil, err
		}
	}
	return packs, writeNumbers(packs, dir)
}

// packTold is what a pack says of itself.
type packTold struct {
	Number     uint64    `json:"number"`
	Base       uint64    `json:"base,omitempty"`
	ProducedAt time.Time `json:"producedAt"`
	CoveredTo  time.Time `json:"coveredTo"`
	NextUpdate time.Time `json:"nextUpdate"`
	Recent     int       `json:"recent"`
	Held       int       `json:"held"`
	Unused     int       `json:"unused"`
	Octets     int       `json:"octets"`
}

// tell describes the newest of the two; the octets are both's.
func tell(whole, delta *pack.SignedPack) packTold {
	p, octets := whole, len(whole.Raw)
	if delta != nil {
		p, octets = delta, octets+len(delta.Raw)
	}
	return packTold{p.Number, p.Base, p.ProducedAt, p.CoveredTo, p.NextUpdate, len(p.Recent), len(p.Held), len(p.Unused), octets}
}

func (t packTold) row(s *session) []string {
	return []string{s.sentence("cli.pack-row", map[string]string{
		"number": strconv.FormatUint(t.Number, 10), "at": t.ProducedAt.Format(time.RFC3339), "covered": t.CoveredTo.Format(time.RFC3339),
		"recent": strconv.Itoa(t.Recent), "octets": strconv.Itoa(t.Octets),
	})}
}

type offlineShowCommand struct {
	File string `arg:"" help:"A pack or a delta."`
}

// Run tells what the file says; whether it is to be believed is seen when it is used.
func (c offlineShowCommand) Run(s *session) error {
	der, err := s.readFile(c.File)
	if err != nil {
		return err
	}
	p, err := pack.Parse(der)
	if err != nil {
		return err
	}
	t := tell(p, nil)
	rows := [][]string{
		{s.word("pack-number"), strconv.FormatUint(t.Number, 10)},
		{s.word("pack-made"), t.ProducedAt.Format(time.RFC3339)},
		{s.word("pack-covered"), t.CoveredTo.Format(time.RFC3339)},
		{s.word("pack-recent"), strconv.Itoa(t.Recent)},
		{s.word("pack-next"), t.NextUpdate.Format(time.RFC3339)},
		{s.word("pack-held"), strconv.Itoa(t.Held)},
		{s.word("pack-unused"), strconv.Itoa(t.Unused)},
		{s.word("pack-octets"), strconv.Itoa(t.Octets)},
		{s.word("pack-signed"), s.word("pack-unchecked")},
	}
	if t.Base != 0 {
		rows = append(rows[:1], append([][]string{{s.word("pack-base"), strconv.FormatUint(t.Base, 10)}}, rows[1:]...)...)
	}
	return s.table(t, rows)
}
