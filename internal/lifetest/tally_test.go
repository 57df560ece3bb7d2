package lifetest_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// tally counts what walks came across: steps, faults by kind, and turns of life by name.
type tally struct {
	steps  int
	walks  int
	faults map[string]int
	seen   map[string]int
}

func newTally() *tally { return &tally{faults: map[string]int{}, seen: map[string]int{}} }

func (c *tally) fault(kind string) { c.faults[kind]++ }
func (c *tally) saw(what string)   { c.seen[what]++ }

// injected is how many faults there were.
func (c *tally) injected() (n int) {
	for _, of := range c.faults {
		n += of
	}
	return n
}

// missing names what walks must have met and have not met often enough.
func (c *tally) missing(steps int) (names []string) {
	if c.steps < steps {
		names = append(names, fmt.Sprintf("steps: %d of %d", c.steps, steps))
	}
	for what, least := range floor {
		if n := c.seen[what] + c.faults[what]; n < least {
			names = append(names, fmt.Sprintf("%s: %d of %d", what, n, least))
		}
	}
	slices.Sort(names)
	return names
}

// summary is one line.
func (c *tally) summary() string {
	return fmt.Sprintf("lifetest: %d steps in %d walks, %d faults injected (%s); met: %s", c.steps, c.walks, c.injected(), list(c.faults), list(c.seen))
}

func list(of map[string]int) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(of)) {
		out = append(out, fmt.Sprintf("%s %d", k, of[k]))
	}
	return strings.Join(out, ", ")
}
