package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// faces measures the first pages of all places in chromium, as a browser that comes for the
// first time at a phone's size sees them: the heaviest, and the slowest; how long the taps of the
// first walk are without an answer; and how soon a login is on a phone's open screen. It runs the
// tests that go there, since the browser belongs to them (docs/face.md).
func faces(ctx context.Context, b *bench) ([]Row, error) {
	var f struct {
		Pages, Octets       int
		Interactive, Loaded float64
	}
	if err := seen(ctx, b, "TestFirstPagesAreLight", &f); err != nil {
		return nil, err
	}
	var tap, prompt struct {
		Times        int
		Median, Most float64
	}
	if err := errors.Join(seen(ctx, b, "TestEveryTapIsAnswered", &tap), seen(ctx, b, "TestALoginReachesEveryOpenScreen", &prompt)); err != nil {
		return nil, err
	}
	return []Row{
		plain(fmt.Sprintf("first page over the wire, the heaviest of %d places", f.Pages), float64(f.Octets)/1000, "kB").below(100),
		plain("first page until it can be used, the slowest", f.Interactive, "ms").below(1000),
		plain("first page until all of it is there, the slowest", f.Loaded, "ms"),
		plain(fmt.Sprintf("tap of the first walk until it is answered, the slowest of %d", tap.Times), tap.Most, "ms").below(100),
		plain("tap of the first walk until it is answered, median", tap.Median, "ms"),
		plain(fmt.Sprintf("login until it is on a phone's open screen, the slowest of %d", prompt.Times), prompt.Most, "ms").below(300),
		plain("login until it is on a phone's open screen, median", prompt.Median, "ms"),
	}, nil
}

// seen runs a test in the browser and reads the figures that it keeps.
func seen(ctx context.Context, b *bench, test string, figures any) error {
	out := filepath.Join(b.dir, test+".json")
	run := exec.CommandContext(ctx, "go", "test", "-count=1", "-run", "^"+test+"$", "./internal/facetest")
	run.Dir, run.Env = "..", append(os.Environ(), "WARIFU_FIGURES="+out)
	said, err := run.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	read, err := os.ReadFile(out)
	if err != nil {
		return errors.New("the pages were not measured: there is no chromium, node or java on this machine")
	}
	return json.Unmarshal(read, figures)
}
