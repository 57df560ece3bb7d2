//go:build linux

package pcsctest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"warifu/iso7816"
)

// Chip is what lies on a virtual reader.
type Chip struct {
	Chip iso7816.Transmitter
	ATR  []byte
}

// Stack is a running pcscd with chips on its readers: the first on reader 0 ("Virtual
// PCD 00 00"), the second on reader 1.
type Stack struct {
	t      testing.TB
	pcscd  *exec.Cmd
	rooted bool
	log    logBuffer
}

// ports are where Debian's virtual reader listens.
var ports = []int{35963, 35964}

// startLimit bounds the start of pcscd and of each client.
const startLimit = 60 * time.Second

// inside is run in the new namespaces: a loopback, a /run/pcscd of its own, pcscd. The
// driver writes each message in two pieces, so that an acknowledgement delayed as usual
// would cost 40 ms a command; the route asks for prompt ones.
const inside = `ip link set lo up || exit 3
ip route replace local 127.0.0.1 dev lo table local proto kernel scope host src 127.0.0.1 quickack 1
if [ -d /run/pcscd ]; then mount -t tmpfs tmpfs /run/pcscd; else mount -t tmpfs tmpfs /run && mkdir /run/pcscd; fi || exit 4
exec "$0" --foreground --info`

// Start runs pcscd with the chips on its readers and waits until it sees the first. It
// ends with the test. Where the machine truly cannot, the test is skipped with the
// reason.
func Start(t testing.TB, chips ...Chip) *Stack {
	t.Helper()
	if len(chips) == 0 || len(chips) > len(ports) {
		t.Fatalf("pcsctest: %d chips for %d readers", len(chips), len(ports))
	}
	daemon := need(t)
	s := &Stack{t: t, rooted: os.Getuid() == 0}
	s.launch(daemon)
	for i, c := range chips {
		s.insert(c, ports[i])
	}
	s.awaitChip()
	return s
}

// awaitChip asks for the first chip's ATR until it is there. opensc-tool's own --wait
// waits for the moment of insertion, for ever if that has passed.
func (s *Stack) awaitChip() {
	s.t.Helper()
	late := time.After(startLimit)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		out, err := s.Try("opensc-tool", "--reader", "0", "--atr")
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			s.t.Fatalf("no card on the virtual reader: %v\n%s\n%s", err, out, s.log.String())
		}
	}
}

// need finds pcscd and tries the namespaces.
func need(t testing.TB) string {
	t.Helper()
	daemon, err := exec.LookPath("pcscd")
	if err != nil {
		daemon = "/usr/sbin/pcscd" // not on everybody's path
	}
	if _, err := os.Stat(daemon); err != nil {
		t.Skip("no PC/SC stack here: Debian's packages pcscd, vsmartcard-vpcd and opensc are not installed")
	}
	if _, err := os.Stat("/etc/reader.conf.d/vpcd"); err != nil {
		t.Skip("no virtual reader here: Debian's package vsmartcard-vpcd is not installed")
	}
	for _, tool := range []string{"opensc-tool", "ip", "nsenter", "unshare", "bash"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no PC/SC stack here: %s is not installed", tool)
		}
	}
	if out, err := exec.Command("unshare", append(unshareFlags(), "true")...).CombinedOutput(); err != nil {
		t.Skipf("this machine lets nobody make a namespace, so no pcscd of our own can run: %v %s", err, out)
	}
	return daemon
}

func unshareFlags() []string {
	if os.Getuid() == 0 {
		return []string{"--net", "--mount"}
	}
	return []string{"--map-root-user", "--net", "--mount"}
}

func (s *Stack) launch(daemon string) {
	s.t.Helper()
	s.pcscd = exec.Command("unshare", append(unshareFlags(), "bash", "-c", inside, daemon)...)
	s.pcscd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := s.pcscd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.pcscd.Stderr = &s.log
	if err := s.pcscd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ready := make(chan error, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		s.follow(out, ready)
	}()
	s.t.Cleanup(func() {
		_ = s.pcscd.Process.Signal(syscall.SIGTERM)
		last := time.AfterFunc(5*time.Second, func() { _ = s.pcscd.Process.Kill() })
		<-drained
		_ = s.pcscd.Wait()
		last.Stop()
	})
	select {
	case err = <-ready:
	case <-time.After(startLimit):
		err = errors.New("not ready in time")
	}
	if err != nil {
		s.t.Fatalf("pcscd: %v\n%s", err, s.log.String())
	}
}

// follow keeps pcscd's log and says when it is ready.
func (s *Stack) follow(out io.Reader, ready chan<- error) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		fmt.Fprintln(&s.log, lines.Text())
		if strings.Contains(lines.Text(), "daemon ready") {
			ready <- nil
		}
	}
	select {
	case ready <- errors.New("ended before it was ready"):
	default:
	}
}

// insert puts a chip on the reader at port: a relay inside the namespaces joins the
// reader's socket to a pipe, at the other end of which the chip answers.
func (s *Stack) insert(c Chip, port int) {
	s.t.Helper()
	relay := s.Command("bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/"$0" || exit 1; cat <&3 & cat >&3; kill $!`, strconv.Itoa(port))
	in, err := relay.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := relay.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	relay.Stderr = &s.log
	relay.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := relay.Start(); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := iso7816.AnswerVPCD(ctx, pipe{out, in}, c.Chip, c.ATR); err != nil {
			fmt.Fprintf(&s.log, "chip at %d: %v\n", port, err)
		}
	}()
	s.t.Cleanup(func() {
		cancel()
		<-done
		_ = relay.Wait()
	})
}

// pipe is a relay's two ends as one stream.
type pipe struct {
	io.ReadCloser
	in io.WriteCloser
}

func (p pipe) Write(b []byte) (int, error) { return p.in.Write(b) }

// Close closes both ends.
func (p pipe) Close() error { return errors.Join(p.in.Close(), p.ReadCloser.Close()) }

// Command is a client inside the stack's namespaces, in the test's folder.
func (s *Stack) Command(name string, args ...string) *exec.Cmd {
	enter := []string{"--target", strconv.Itoa(s.pcscd.Process.Pid), "--net", "--mount", "--wd=."}
	if !s.rooted {
		enter = append(enter, "--user", "--preserve-credentials")
	}
	return exec.Command("nsenter", append(append(enter, "--", name), args...)...)
}

// Try runs a client and returns what it wrote to both streams.
func (s *Stack) Try(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	c := s.Command(name, args...)
	bounded := exec.CommandContext(ctx, c.Path, c.Args[1:]...)
	bounded.WaitDelay = time.Second
	out, err := bounded.CombinedOutput()
	return string(out), err
}

// Run is Try, and a client that fails fails the test.
func (s *Stack) Run(name string, args ...string) string {
	s.t.Helper()
	out, err := s.Try(name, args...)
	if err != nil {
		s.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return out
}

// Socket is where pcscd listens, as it is reached from outside the namespaces: for clients in
// the test's own process, which take it from PCSCLITE_CSOCK_NAME.
func (s *Stack) Socket() string {
	return "/proc/" + strconv.Itoa(s.pcscd.Process.Pid) + "/root/run/pcscd/pcscd.comm"
}

// Log is what pcscd has said so far.
func (s *Stack) Log() string { return s.log.String() }

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
