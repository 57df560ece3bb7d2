package world_test

import (
	"archive/tar"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"warifu"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
)

// turning keeps a world in dir and hands every world that stands to the next of the steps,
// which may ask for a turn; after the last step the world is stopped.
func turning(t *testing.T, dir string, steps ...func(w *world.World)) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := 0
	err := world.Keep(ctx, world.Config{Dir: dir, AnyPort: true, Scheme: "badge"}, func(w *world.World, turns int) error {
		if turns != done {
			t.Errorf("turned %d times, want %d", turns, done)
		}
		done++
		go func() {
			steps[turns](w)
			if turns == len(steps)-1 || t.Failed() {
				stop()
			}
		}()
		return nil
	})
	if err != nil || done != len(steps) {
		t.Fatalf("%d of %d steps: %v", done, len(steps), err)
	}
}

func turn(t *testing.T, w *world.World, do desk.Turn) error {
	t.Helper()
	return doorway.NewClient(w.Places.Desk).Post(t.Context(), "/api/world", do, nil)
}

func personalized(t *testing.T, w *world.World) bool {
	_, err := w.Phones.Sign(t.Context(), "phone-1", phones.Sign{Document: []byte("x"), Password: "PHONE123"})
	return err == nil
}

func personalize(t *testing.T, w *world.World) {
	if _, err := w.Phones.Apply(t.Context(), "phone-1", application(w)); err != nil {
		t.Error(err)
		return
	}
	waitFor(t, func() bool {
		a, err := w.Phones.Status(t.Context(), "phone-1")
		return err == nil && a.State == warifu.ApplicationIssued
	})
	if _, err := w.Phones.Personalize(t.Context(), "phone-1", phones.Personalize{}); err != nil {
		t.Error(err)
	}
}

// What was saved is there again after a load, at the same addresses and the same instant; a
// reset goes back to the beginning and keeps the authorities' keys.
func TestAWorldIsSavedLoadedAndReset(t *testing.T) {
	dir := t.TempDir()
	var places desk.Places
	var saved time.Time
	var trust []byte
	authority := func() []byte {
		b, err := os.ReadFile(filepath.Join(dir, "server", "signature.cer"))
		if err != nil {
			t.Error(err)
		}
		return b
	}
	turning(t, dir, func(w *world.World) {
		places, trust = w.Places, authority()
		personalize(t, w)
		saved = w.Clock.Now()
		if err := turn(t, w, desk.Turn{Do: desk.WorldSave, Name: "taro-ready"}); err != nil {
			t.Error(err)
		}
	}, func(w *world.World) {
		if !personalized(t, w) {
			t.Error("saving changed the world")
		}
		if err := w.Clock.Forward(48 * time.Hour); err != nil {
			t.Error(err)
		}
		if err := turn(t, w, desk.Turn{Do: desk.WorldReset}); err != nil {
			t.Error(err)
		}
	}, func(w *world.World) {
		if w.Places != places || string(authority()) != string(trust) {
			t.Error("a reset moved the places or made other keys")
		}
		if personalized(t, w) {
			t.Error("a reset left a credential")
		}
		if err := turn(t, w, desk.Turn{Do: desk.WorldLoad, Name: "taro-ready"}); err != nil {
			t.Error(err)
		}
	}, func(w *world.World) {
		if now := w.Clock.Now(); now.Before(saved) || now.After(saved.Add(time.Hour)) {
			t.Errorf("the clock goes on at %v, saved at %v", now, saved)
		}
		if !personalized(t, w) {
			t.Error("what was saved is not there again")
		}
		for _, wrong := range []desk.Turn{{Do: desk.WorldLoad, Name: "nothing"}, {Do: desk.WorldSave, Name: "../up"}, {Do: desk.WorldSave, Name: world.Fresh}, {Do: "burn"}} {
			if err := turn(t, w, wrong); err == nil {
				t.Errorf("%+v was taken", wrong)
			}
		}
	})
}

// A snapshot that is no snapshot changes nothing.
func TestADamagedSnapshotIsRefused(t *testing.T) {
	dir := t.TempDir()
	turning(t, dir, func(*world.World) {})
	before, err := os.ReadFile(filepath.Join(dir, "world.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, header := range map[string]tar.Header{
		"outside":   {Name: "../world.json", Typeflag: tar.TypeReg},
		"absolute":  {Name: "/tmp/world.json", Typeflag: tar.TypeReg},
		"link":      {Name: "world.json", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
		"unclean":   {Name: "server/../world.json", Typeflag: tar.TypeReg},
		"no-world":  {Name: "clock.json", Typeflag: tar.TypeReg},
		"snapshots": {Name: "snapshots/x.tar", Typeflag: tar.TypeReg},
	} {
		file, err := os.Create(filepath.Join(dir, "snapshots", name+".tar"))
		if err != nil {
			t.Fatal(err)
		}
		w := tar.NewWriter(file)
		if err := errors.Join(w.WriteHeader(&header), w.Close(), file.Close()); err != nil {
			t.Fatal(err)
		}
		if err := world.Load(dir, name, warifu.SystemClock{}); err == nil {
			t.Errorf("%s was loaded", name)
		}
	}
	after, err := os.ReadFile(filepath.Join(dir, "world.json"))
	if err != nil || string(after) != string(before) {
		t.Errorf("the world was changed: %v", err)
	}
}

// A load that a crash cut short is finished at the next start, wherever it was cut.
func TestALoadIsDoneWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	turning(t, dir, func(*world.World) {})
	loading := filepath.Join(dir, "loading")
	put := func(name, what string) {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(what), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	marker, err := os.ReadFile(filepath.Join(dir, "world.json"))
	if err != nil {
		t.Fatal(err)
	}
	// Cut before the list was written: the old world stands.
	put(filepath.Join(loading, "new.txt"), "new")
	turning(t, dir, func(*world.World) {})
	if _, err := os.Stat(filepath.Join(dir, "new.txt")); err == nil {
		t.Error("half a snapshot was taken over")
	}
	// Cut after one of two had moved: the other follows, what is of the old world goes.
	put(filepath.Join(dir, "moved.txt"), "new")
	put(filepath.Join(dir, "old.txt"), "old")
	put(filepath.Join(loading, "world.json"), string(marker))
	put(filepath.Join(loading, "complete"), "moved.txt\nworld.json")
	turning(t, dir, func(*world.World) {})
	_, moved := os.Stat(filepath.Join(dir, "moved.txt"))
	_, old := os.Stat(filepath.Join(dir, "old.txt"))
	if moved != nil || old == nil {
		t.Errorf("moved: %v, old: %v", moved, old)
	}
}
