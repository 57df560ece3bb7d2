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
// first time at a phone's size sees them: the heaviest, and the slowest. It runs the test that
// holds the first of the two, since the browser belongs to the tests (docs/face.md).
func faces(ctx context.Context, b *bench) ([]Row, error) {
	out := filepath.Join(b.dir, "face.json")
	run := exec.CommandContext(ctx, "go", "test", "-count=1", "-run", "^TestFirstPagesAreLight$", "./internal/facetest")
	run.Dir, run.Env = "..", append(os.Environ(), "WARIFU_FIGURES="+out)
	said, err := run.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, said)
	}
	read, err := os.ReadFile(out)
	if err != nil {
		return nil, errors.New("the pages were not measured: there is no chromium, node or java on this machine")
	}
	var f struct {
		Pages, Octets       int
		Interactive, Loaded float64
	}
	if err := json.Unmarshal(read, &f); err != nil {
		return nil, err
	}
	return []Row{
		plain(fmt.Sprintf("first page over the wire, the heaviest of %d places", f.Pages), float64(f.Octets)/1000, "kB").below(100),
		plain("first page until it can be used, the slowest", f.Interactive, "ms").below(1000),
		plain("first page until all of it is there, the slowest", f.Loaded, "ms"),
	}, nil
}
