package main

import (
	"context"
	"crypto/aes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/status"
)

// setSize is what one status set holds, and what it may take: 64 MiB for a hundred million
// live certificates, and ten octets for each that is revoked.
type setSize struct{ live, revoked int }

func (s setSize) limit() float64 {
	return 64*float64(s.live)/100_000_000 + 10*float64(s.revoked)/(1<<20)
}

func (s setSize) String() string {
	return fmt.Sprintf("status set of %s live and %s revoked", grouped(s.live), grouped(s.revoked))
}

func grouped(n int) string {
	digits := strconv.Itoa(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// statusSet builds a set in one process, which writes its snapshot, and starts another
// from that: both are weighed.
func statusSet(ctx context.Context, b *bench) ([]Row, error) {
	size := setSize{b.set, b.set / 100}
	file := filepath.Join(b.dir, "status.snapshot")
	var built, read setFigures
	if err := child(ctx, &built, "set-build", file, strconv.Itoa(size.live), strconv.Itoa(size.revoked)); err != nil {
		return nil, err
	}
	b.say("  built in %.0f s", built.Seconds)
	if err := child(ctx, &read, "set-read", file, strconv.Itoa(size.live), strconv.Itoa(size.revoked)); err != nil {
		return nil, err
	}
	return []Row{
		plain(size.String()+": heap, built", built.Heap, "MiB").below(size.limit()),
		plain(size.String()+": heap, from its snapshot", read.Heap, "MiB").below(size.limit()),
		plain(size.String()+": resident, from its snapshot, beyond an empty process", read.Resident-read.Empty, "MiB").below(size.limit()),
		plain(size.String()+": the whole process resident", read.Resident, "MiB"),
		plain(size.String()+": ready from its snapshot", read.Seconds, "s").below(5),
		plain(size.String()+": building it by a census", built.Seconds, "s"),
		plain(size.String()+": snapshot", built.File, "MiB"),
		plain(size.String()+": one question, serial number decrypted, CPU", read.Question, "ns"),
	}, nil
}

// setFigures are what a process found out about its set, in MiB, seconds and nanoseconds.
type setFigures struct{ Heap, Empty, Resident, File, Seconds, Question float64 }

// child runs a measure in a process of its own.
func child(ctx context.Context, into any, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	said, err := cmd.Output()
	if err != nil {
		return err
	}
	return json.Unmarshal(said, into)
}

// setOnce is `bench set-build FILE LIVE REVOKED` and `bench set-read FILE LIVE REVOKED`.
func setOnce(args []string) error {
	if len(args) != 4 {
		return errors.New(args[0] + " FILE LIVE REVOKED")
	}
	live, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	revoked, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	size := setSize{live, revoked}
	block, err := aes.NewCipher([]byte("a benchmark's key"[:16]))
	if err != nil {
		return err
	}
	serials, err := profile.NewSerialCipher(1, block)
	if err != nil {
		return err
	}
	set := status.NewSet(warifu.Signature, serials, warifu.SystemClock{})
	var out setFigures
	if out.Empty, err = resident(); err != nil {
		return err
	}
	before := heap() // a ballast is in it that nothing of this touches
	began := time.Now()
	if args[0] == "set-build" {
		err = size.build(set, serials)
	} else {
		err = size.read(set, args[1])
	}
	if err != nil {
		return err
	}
	out.Seconds = time.Since(began).Seconds()
	out.Heap = heap() - before
	if out.Resident, err = resident(); err != nil {
		return err
	}
	if args[0] == "set-build" {
		out.File, err = size.write(set, args[1])
	} else {
		out.Question, err = size.ask(set, serials)
	}
	if err != nil {
		return err
	}
	good, ended := set.Count()
	if good != live || ended != revoked {
		return fmt.Errorf("%d good and %d revoked where %d and %d should be", good, ended, live, revoked)
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

// heap is what is in use after a collection, in MiB.
func heap() float64 {
	debug.FreeOSMemory()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return float64(memory.HeapAlloc) / (1 << 20)
}

// resident is this process's resident set in MiB.
func resident() (float64, error) {
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, found := strings.Cut(string(b), "VmRSS:")
	if !found {
		return 0, errors.New("/proc/self/status has no VmRSS")
	}
	kB, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	return kB / 1024, err
}

// build fills the set by a census, as a server without a snapshot does, every serial number
// encrypted and decrypted. The indices are drawn at random out of four times as many, exactly as
// many as asked for (Knuth's algorithm S), and handed over in their order.
func (s setSize) build(set *status.Set, serials profile.SerialCipher) error {
	random := rand.New(rand.NewPCG(1, 2))
	all := s.live + s.revoked
	census := func(_ context.Context, add func(warifu.StatusRecord) error) (status.Change, error) {
		open, ended, space := all, s.revoked, 4*all
		for index := range space {
			if random.IntN(space-index) >= open {
				continue
			}
			r := warifu.StatusRecord{Kind: warifu.Signature, Serial: serials.Serial(uint64(index)), Status: warifu.Status{Cert: warifu.StatusGood}}
			if random.IntN(open) < ended {
				ended--
				r.Status = warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonKeyCompromise, RevokedAt: time.Unix(1_800_000_000+int64(index%90_000_000), 0)}
			}
			open--
			if err := add(r); err != nil {
				return status.Change{}, err
			}
		}
		return status.Change{Number: int64(all), Record: warifu.StatusRecord{Kind: warifu.Signature}}, nil
	}
	return status.NewFollower(nil, census, warifu.SystemClock{}, set).Load(context.Background())
}

// write writes the snapshot and returns its size in MiB.
func (s setSize) write(set *status.Set, name string) (float64, error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	err = errors.Join(set.WriteSnapshot(f), f.Sync())
	at, stat := f.Stat()
	if err = errors.Join(err, stat, f.Close()); err != nil {
		return 0, err
	}
	return float64(at.Size()) / (1 << 20), nil
}

func (s setSize) read(set *status.Set, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(set.ReadSnapshot(f), f.Close())
}

// ask asks about random serial numbers of the set's space, made beforehand, and returns
// what CPU time one question takes in nanoseconds.
func (s setSize) ask(set *status.Set, serials profile.SerialCipher) (float64, error) {
	const questions = 1 << 20
	random := rand.New(rand.NewPCG(3, 4))
	asked := make([][]byte, questions)
	for i := range asked {
		asked[i] = serials.Serial(random.Uint64N(4 * uint64(s.live+s.revoked)))
	}
	known := 0
	began, err := ownCPU()
	if err != nil {
		return 0, err
	}
	for _, serial := range asked {
		_, there, err := set.Status(context.Background(), warifu.Signature, serial)
		if err != nil {
			return 0, err
		}
		if there {
			known++
		}
	}
	ended, err := ownCPU()
	if err != nil {
		return 0, err
	}
	if share := float64(known) / questions; share < 0.24 || share > 0.26 {
		return 0, fmt.Errorf("a share of %.3f is known, where a quarter should be", share)
	}
	return float64((ended - began).Nanoseconds()) / questions, nil
}

// ownCPU is the user and system time of this process so far.
func ownCPU() (time.Duration, error) {
	var used syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), err
}
