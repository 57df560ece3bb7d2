package crashtest_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// role is which process of a tour a process is.
type role string

// The processes of a tour. The app is the tour itself.
const (
	theServer  role = "server"
	theCard    role = "card"
	theElement role = "element"
	theApp     role = "app"
)

// witness watches the processes of a tour from outside: every file that any of them
// opens in the world's folder, as the kernel tells it, and what they hold open and have
// mapped after each stop.
type witness struct {
	dir string

	mu    sync.Mutex
	stop  int // the latest that is over
	opens []opening
	found map[role]bool
}

// opening is one file opened by one process.
type opening struct {
	by    role
	file  string // below the world's folder
	write bool
	stop  int // the latest that was over then
}

// observe has the command's system calls told to the witness.
func observe(t *testing.T, cmd *exec.Cmd, dir string) *witness {
	t.Helper()
	canJudge(t)
	w := &witness{dir: dir, found: map[role]bool{}}
	judged(t, cmd, func(q question) unix.Errno { w.note(q); return 0 }, unix.SYS_OPENAT)
	return w
}

// note remembers an openat(2) below the folder.
func (w *witness) note(q question) {
	path := pathOf(q)
	below, err := filepath.Rel(w.dir, path)
	if err != nil || strings.HasPrefix(below, "..") {
		return
	}
	by := roleOf(processOf(q.PID))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opens = append(w.opens, opening{by, lastingName(below), q.Args[2]&(unix.O_WRONLY|unix.O_RDWR|unix.O_CREAT) != 0, w.stop})
}

// pathOf reads the path out of the memory of who asks.
func pathOf(q question) string {
	memory, err := os.Open(proc(q.PID, "mem"))
	if err != nil {
		return ""
	}
	defer memory.Close()
	octets := make([]byte, 512)
	n, _ := memory.ReadAt(octets, int64(q.Args[1]))
	path, _, _ := strings.Cut(string(octets[:n]), "\x00")
	if filepath.IsAbs(path) || path == "" {
		return path
	}
	base := proc(q.PID, "cwd")
	if at := int32(q.Args[0]); at >= 0 {
		base = proc(q.PID, "fd", strconv.Itoa(int(at)))
	}
	dir, _ := os.Readlink(base)
	return filepath.Join(dir, path)
}

var temporaryName = regexp.MustCompile(`^\.(.+)\.\d+$`)

// lastingName is the name that a file written beside and renamed is going to have.
func lastingName(below string) string {
	dir, name := filepath.Split(below)
	if m := temporaryName.FindStringSubmatch(name); m != nil {
		name = m[1]
	}
	return dir + name
}

// processOf returns the process of a thread.
func processOf(thread uint32) uint32 {
	status, _ := os.ReadFile(proc(thread, "status"))
	for line := range strings.Lines(string(status)) {
		if id, ok := strings.CutPrefix(line, "Tgid:"); ok {
			n, _ := strconv.ParseUint(strings.TrimSpace(id), 10, 32)
			return uint32(n)
		}
	}
	return thread
}

// roleOf tells by its arguments which process it is.
func roleOf(id uint32) role {
	line, _ := os.ReadFile(proc(id, "cmdline"))
	args := strings.Split(string(bytes.TrimRight(line, "\x00")), "\x00")
	switch {
	case slices.Contains(args, "demo"):
		return theServer
	case slices.Contains(args, "--card") && slices.Contains(args, "chip"):
		return theCard
	case slices.Contains(args, "--phone") && slices.Contains(args, "chip"):
		return theElement
	case slices.Contains(args, "tour"):
		return theApp
	}
	return role(fmt.Sprint(args))
}

// holdings is what a process holds at one moment that another could share with it.
type holdings struct {
	files   map[string]bool // regular files open
	memory  map[string]bool // shared mappings of something that has a name
	sockets map[string]bool
	pipes   map[string]bool
}

// look compares what the processes hold after a stop.
func (w *witness) look(t *testing.T, cmd *exec.Cmd, stop int) {
	t.Helper()
	w.mu.Lock()
	w.stop = stop
	w.mu.Unlock()
	ours := holdingsOf(uint32(os.Getpid())) // inherited from the test: where they complain to
	all := map[role]holdings{theApp: holdingsOf(uint32(cmd.Process.Pid))}
	for _, id := range childrenOf(cmd.Process.Pid) {
		h := holdingsOf(id)
		maps.DeleteFunc(h.pipes, func(pipe string, _ bool) bool { return ours.pipes[pipe] })
		all[roleOf(id)] = h
		w.found[roleOf(id)] = true
	}
	for a, mine := range all {
		if (a == theCard || a == theElement) && len(mine.sockets) > 0 {
			t.Errorf("stop %d: the %s has a socket: %v", stop, a, mine.sockets)
		}
		for b, theirs := range all {
			if a >= b {
				continue
			}
			apart(t, stop, a, b, "a file", mine.files, theirs.files)
			apart(t, stop, a, b, "memory", mine.memory, theirs.memory)
			apart(t, stop, a, b, "a socket", mine.sockets, theirs.sockets)
			if a != theApp && b != theApp {
				apart(t, stop, a, b, "a pipe", mine.pipes, theirs.pipes)
			}
		}
	}
}

// apart fails the test where two processes hold the same thing.
func apart(t *testing.T, stop int, a, b role, what string, mine, theirs map[string]bool) {
	t.Helper()
	for name := range mine {
		if theirs[name] {
			t.Errorf("stop %d: %s and %s share %s: %s", stop, a, b, what, name)
		}
	}
}

func holdingsOf(id uint32) holdings {
	h := holdings{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	descriptors, _ := os.ReadDir(proc(id, "fd"))
	for _, d := range descriptors {
		link, _ := os.Readlink(proc(id, "fd", d.Name()))
		info, err := os.Stat(proc(id, "fd", d.Name()))
		switch {
		case strings.HasPrefix(link, "socket:"):
			h.sockets[link] = true
		case strings.HasPrefix(link, "pipe:"):
			h.pipes[link] = true
		case strings.HasPrefix(link, "anon_inode:"), strings.HasPrefix(link, "/sys/"), strings.HasPrefix(link, "/proc/"):
			// the kernel's own: a poller of the process, what it tells about itself
		case err == nil && info.Mode().IsRegular():
			h.files[link] = true
		}
	}
	mapped, _ := os.ReadFile(proc(id, "maps"))
	for line := range strings.Lines(string(mapped)) {
		// address perms offset dev inode path (proc_pid_maps(5)); the fourth permission is s for shared
		if f := strings.Fields(line); len(f) >= 5 && len(f[1]) == 4 && f[1][3] == 's' {
			h.memory[strings.Join(f[3:], " ")] = true
		}
	}
	return h
}

// childrenOf lists the processes whose parent it is.
func childrenOf(parent int) []uint32 {
	var out []uint32
	names, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range names {
		stat, err := os.ReadFile(name)
		_, rest, cut := strings.Cut(string(stat), ") ") // the name in parentheses may hold anything
		if f := strings.Fields(rest); err == nil && cut && len(f) > 1 && f[1] == strconv.Itoa(parent) {
			if id, err := strconv.ParseUint(filepath.Base(filepath.Dir(name)), 10, 32); err == nil {
				out = append(out, uint32(id))
			}
		}
	}
	return out
}

// conclude holds what was seen against what is stated: a chip's process reads, at its
// birth, what the world's folder says its chip was made with. From the first stop on it
// opens its own memory and nothing else, the app its own folder, and nobody opens
// another's; at no time does anybody read what a chip or the app has written.
func (w *witness) conclude(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	own := map[role]string{theCard: "bureau/chips", theElement: "makers/chips", theApp: "tour-phone"}
	for _, r := range []role{theServer, theCard, theElement} {
		if !w.found[r] {
			t.Errorf("no process was the %s", r)
		}
	}
	writer := map[string]role{}
	for _, o := range w.opens {
		wrote, written := writer[o.file]
		if written && wrote != o.by && wrote != theServer {
			t.Errorf("after stop %d the %s opened %s, which the %s had written", o.stop, o.by, o.file, wrote)
		}
		if o.write {
			writer[o.file] = o.by
		}
		if o.stop == 0 {
			continue
		}
		for who, folder := range own {
			inside := o.file == folder || strings.HasPrefix(o.file, folder+"/")
			if (who == o.by) != inside && (who == o.by || inside && written && wrote == who) {
				t.Errorf("after stop %d the %s opened %s", o.stop, o.by, o.file)
			}
		}
	}
	if len(w.opens) < 50 {
		t.Errorf("only %d openings were seen: the witness is blind", len(w.opens))
	}
}
