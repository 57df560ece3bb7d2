package world

import (
	"archive/tar"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"warifu"
	"warifu/sandbox/desk"
	"warifu/sandbox/folder"
)

const (
	// snapshotsDir is where a world's snapshots lie, in its own folder and in none of them.
	snapshotsDir = "snapshots"
	// snapshotSuffix ends a snapshot's file: a tar archive of the world's files.
	snapshotSuffix = ".tar"
	// loadingDir is where a snapshot is unpacked; complete, inside it, says that all is there
	// and that it takes the world's place, whatever happens.
	loadingDir, complete = "loading", "complete"
	// Fresh is the snapshot of a world when its authorities had keys and nothing else had
	// happened: what a reset goes back to.
	Fresh = "fresh"
)

// Bounds of a snapshot that comes from outside.
const (
	maxSnapshotFiles  = 20_000
	maxSnapshotOctets = 1 << 30
)

var snapshotName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,59}$`)

// Save writes down the world in the folder, which must not be running, under a name; an
// older snapshot of that name is replaced. The clock is written down too: a world that is
// loaded goes on at the instant at which it was saved. Error: Invalid "snapshot-name".
func Save(dir, name string, real warifu.Clock) (err error) {
	if !snapshotName.MatchString(name) {
		return warifu.Invalid("snapshot-name")
	}
	snapshots := filepath.Join(dir, snapshotsDir)
	if err := os.MkdirAll(snapshots, 0o700); err != nil {
		return err
	}
	if err := setClock(dir, func(c clockFile) clockFile {
		if now := real.Now().Add(c.Offset).Round(0); now.After(c.Latest) {
			c.Latest = now
		}
		return c
	}); err != nil {
		return err
	}
	out, err := os.CreateTemp(snapshots, "."+name+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(out.Name())
		}
	}()
	if err := errors.Join(pack(dir, out), out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), filepath.Join(snapshots, name+snapshotSuffix))
}

// setClock changes what a world's clock remembers.
func setClock(dir string, change func(clockFile) clockFile) error {
	f, err := folder.Open(dir)
	if err != nil {
		return err
	}
	var c clockFile
	if there, err := f.ReadJSON(clockName, &c); err != nil || !there {
		return err
	}
	return f.WriteJSON(clockName, change(c))
}

// pack writes the files of a folder, but for its snapshots, in the order of their names.
func pack(dir string, to io.Writer) error {
	w := tar.NewWriter(to)
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		name, relative := filepath.Rel(dir, file)
		if err = errors.Join(err, relative); err != nil {
			return err
		}
		switch {
		case d.IsDir() && (name == snapshotsDir || name == loadingDir):
			return filepath.SkipDir
		case !d.Type().IsRegular():
			return nil // folders are made by their files; sockets and links are none of ours
		}
		return packFile(w, file, filepath.ToSlash(name))
	})
	return errors.Join(err, w.Close())
}

func packFile(w *tar.Writer, file, name string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(b)), Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// Load puts a snapshot in the place of the world in the folder, which must not be running;
// snapshots stay. It is done whole or not at all, also over a crash. Errors: Invalid
// "snapshot-name", NotFound "snapshot-unknown", Invalid "snapshot-damaged", Conflict
// "world-ports" where it was made at other ports, which its certificates name.
func Load(dir, name string, real warifu.Clock) error {
	if !snapshotName.MatchString(name) {
		return warifu.Invalid("snapshot-name")
	}
	in, err := os.Open(filepath.Join(dir, snapshotsDir, name+snapshotSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return warifu.NotFound("snapshot-unknown", "name", name)
	}
	if err != nil {
		return err
	}
	defer in.Close()
	loading := filepath.Join(dir, loadingDir)
	if err := os.RemoveAll(loading); err != nil {
		return err
	}
	err = unpack(in, loading)
	if err == nil {
		err = samePorts(dir, loading)
	}
	if err == nil {
		err = setClock(loading, func(c clockFile) clockFile {
			c.Offset = c.Latest.Sub(real.Now())
			return c
		})
	}
	if err == nil {
		err = listWhole(loading)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(loading))
	}
	return finishLoading(dir)
}

// samePorts refuses a snapshot from other ports: its certificates name them.
func samePorts(dir, loading string) error {
	now, then := portsOf(dir), portsOf(loading)
	switch {
	case len(then) == 0:
		return warifu.Invalid("snapshot-damaged")
	case len(now) > 0 && now[0] != then[0]:
		return warifu.Conflict("world-ports", "ports", then[0])
	}
	return nil
}

// portsOf are the addresses a world was made with; none where there is no world.
func portsOf(dir string) []string {
	var k kept
	b, err := os.ReadFile(filepath.Join(dir, keptName))
	if err != nil || json.Unmarshal(b, &k) != nil {
		return nil
	}
	return k.Ports
}

// unpack writes an archive's files into a folder. What is no plain file with a plain name
// inside the folder is "snapshot-damaged".
func unpack(from io.Reader, dir string) error {
	files, octets := 0, int64(0)
	for r := tar.NewReader(from); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return warifu.Invalid("snapshot-damaged").With(err)
		}
		files, octets = files+1, octets+h.Size
		name := h.Name
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(name) || path.Clean(name) != name || strings.ContainsAny(name, `\:`) ||
			files > maxSnapshotFiles || octets > maxSnapshotOctets || strings.HasPrefix(name, snapshotsDir+"/") || name == complete {
			return warifu.Invalid("snapshot-damaged")
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return warifu.Invalid("snapshot-damaged").With(err)
		}
		if err := os.WriteFile(file, b, 0o600); err != nil {
			return err
		}
	}
}

// finishLoading moves a snapshot that was unpacked whole into the world's place; one that
// was not is thrown away. It may be interrupted and done again: what the list names and is
// no longer unpacked has been moved.
func finishLoading(dir string) error {
	loading := filepath.Join(dir, loadingDir)
	list, err := os.ReadFile(filepath.Join(loading, complete))
	if err != nil {
		return os.RemoveAll(loading)
	}
	listed := strings.Split(string(list), "\n")
	waiting := func(name string) bool {
		_, err := os.Lstat(filepath.Join(loading, name))
		return err == nil
	}
	old, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range old {
		name := e.Name()
		moved := slices.Contains(listed, name) && !waiting(name)
		if name == snapshotsDir || name == loadingDir || moved {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	for _, name := range listed {
		if !waiting(name) {
			continue
		}
		if err := os.Rename(filepath.Join(loading, name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return os.RemoveAll(loading)
}

// listWhole writes what was unpacked into a folder, which from then on is complete.
func listWhole(loading string) error {
	entries, err := os.ReadDir(loading)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return os.WriteFile(filepath.Join(loading, complete), []byte(strings.Join(names, "\n")), 0o600)
}

// Snapshots lists what was saved in a world's folder, newest first.
func Snapshots(dir string) ([]desk.Snapshot, error) {
	entries, err := os.ReadDir(filepath.Join(dir, snapshotsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []desk.Snapshot
	for _, e := range entries {
		name, is := strings.CutSuffix(e.Name(), snapshotSuffix)
		info, failed := e.Info()
		if !is || failed != nil || !snapshotName.MatchString(name) {
			continue
		}
		out = append(out, desk.Snapshot{Name: name, Saved: info.ModTime().UTC(), Octets: info.Size()})
	}
	slices.SortFunc(out, func(a, b desk.Snapshot) int {
		return cmp.Or(b.Saved.Compare(a.Saved), cmp.Compare(a.Name, b.Name))
	})
	return out, err
}
