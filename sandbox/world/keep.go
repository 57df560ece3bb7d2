package world

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"warifu"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
)

// Keep opens the world and serves it until ctx ends, and whenever somebody asks at the desk
// has it saved, loaded or reset: it stops, is changed, and stands again at the same
// addresses. stands, where not nil, is called each time every door is open; turns is how
// often the world has been turned before.
func Keep(ctx context.Context, c Config, stands func(w *World, turns int) error) error {
	k := &keeper{dir: c.Dir, asked: make(chan desk.Turn, 1)}
	if c.Real == nil {
		c.Real = warifu.SystemClock{}
	}
	c.keeper = k
	for {
		turn, err := k.once(ctx, c, stands)
		if err != nil || turn == nil {
			return err
		}
		k.note(k.carryOut(*turn, c.Real))
		c.Port, c.AnyPort = 0, false // those it has
	}
}

// keeper stands between a world that runs and what is done to the whole of it.
type keeper struct {
	dir   string
	asked chan desk.Turn

	mu     sync.Mutex
	turns  int
	failed *doorway.Problem
}

// once serves the world until ctx ends (then the turn is nil) or a turn is asked for.
func (k *keeper) once(ctx context.Context, c Config, stands func(*World, int) error) (*desk.Turn, error) {
	w, err := Open(ctx, c)
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	turns := k.count()
	ended := make(chan error, 1)
	go func() {
		ended <- w.Run(running, func() error {
			if stands == nil {
				return nil
			}
			return stands(w, turns)
		})
	}()
	select {
	case err := <-ended:
		return nil, err
	case turn := <-k.asked:
		stop()
		return &turn, <-ended
	}
}

// carryOut does to the folder what was asked for.
func (k *keeper) carryOut(t desk.Turn, real warifu.Clock) error {
	switch t.Do {
	case desk.WorldSave:
		return Save(k.dir, t.Name, real)
	case desk.WorldLoad:
		return Load(k.dir, t.Name, real)
	}
	return Load(k.dir, Fresh, real)
}

func (k *keeper) note(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.turns++
	k.failed = nil
	if err != nil {
		p := doorway.ProblemOf(err)
		k.failed = &p
	}
}

func (k *keeper) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.turns
}

// Turn implements desk.Worlds. Errors: Invalid "world-turn-unknown", "snapshot-name",
// NotFound "snapshot-unknown", Conflict "world-turning" while another turn waits.
func (k *keeper) Turn(t desk.Turn) error {
	switch t.Do {
	case desk.WorldReset:
		t.Name = Fresh
	case desk.WorldSave, desk.WorldLoad:
	default:
		return warifu.Invalid("world-turn-unknown")
	}
	if !snapshotName.MatchString(t.Name) || t.Do == desk.WorldSave && t.Name == Fresh {
		return warifu.Invalid("snapshot-name")
	}
	if _, err := os.Stat(filepath.Join(k.dir, snapshotsDir, t.Name+snapshotSuffix)); t.Do != desk.WorldSave && err != nil {
		return warifu.NotFound("snapshot-unknown", "name", t.Name)
	}
	select {
	case k.asked <- t:
		return nil
	default:
		return warifu.Conflict("world-turning")
	}
}

// Turned implements desk.Worlds.
func (k *keeper) Turned() (desk.Turned, error) {
	snapshots, err := Snapshots(k.dir)
	k.mu.Lock()
	defer k.mu.Unlock()
	return desk.Turned{Turns: k.turns, Failed: k.failed, Snapshots: snapshots}, err
}

// keepFresh writes down a new world at its beginning: keys and certificates of its
// authorities, and no database yet, so that a reset keeps what others trust.
func (w *World) keepFresh(context.Context) error {
	if _, err := os.Stat(w.path("server", "registration.db")); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return Save(w.config.Dir, Fresh, w.config.Real)
}
