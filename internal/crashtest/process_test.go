package crashtest_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var programs struct {
	mu     sync.Mutex
	folder string
	built  map[string]string
}

func TestMain(m *testing.M) {
	if launched() || phoned() {
		return
	}
	flag.Parse()
	if at := flag.Lookup("test.parallel"); at.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = at.Value.Set(strconv.Itoa(2 * runtime.GOMAXPROCS(0))) // these tests mostly wait for processes
	}
	code := m.Run()
	if programs.folder != "" {
		_ = os.RemoveAll(programs.folder)
	}
	os.Exit(code)
}

// program builds cmd/<name> once for this test binary; with sharpened behind the name, it
// is the program that dies at the statement it is told.
func program(t *testing.T, name string) string {
	t.Helper()
	programs.mu.Lock()
	defer programs.mu.Unlock()
	if path := programs.built[name]; path != "" {
		return path
	}
	if programs.folder == "" {
		dir, err := os.MkdirTemp("", "warifu-crash-bin-")
		must(t, err)
		programs.folder, programs.built = dir, map[string]string{}
	}
	path := filepath.Join(programs.folder, name)
	args := []string{"build", "-o", path}
	folder, sharp := strings.CutSuffix(name, sharpened)
	if sharp {
		args = append(args, "-tags", "crashpoints")
	}
	if folder != "due" {
		folder = "cmd/" + folder
	} else {
		folder = "internal/crashtest/due"
	}
	out, err := exec.Command("go", append(args, "warifu/"+folder)...).CombinedOutput()
	if err != nil {
		t.Fatalf("go build %s: %v\n%s", name, err, out)
	}
	programs.built[name] = path
	return path
}

// warifud is one of the server's commands, to be run where its disk is.
func (tn *town) warifud(t *testing.T, command string) *exec.Cmd {
	t.Helper()
	name := "warifud"
	if tn.blade != nil {
		name += sharpened
	}
	cmd := exec.Command(program(t, name), command, "--config", tn.config)
	if tn.blade != nil {
		cmd.Env = append(os.Environ(), bladeVariable+"="+tn.blade.file)
	}
	if tn.within != nil {
		tn.within(cmd)
	}
	return cmd
}

// mustRun runs one of warifud's commands to its end.
func (tn *town) mustRun(t *testing.T, command string) {
	t.Helper()
	out, err := tn.warifud(t, command).CombinedOutput()
	if err != nil {
		t.Fatalf("warifud %s: %v\n%s", command, err, out)
	}
}

// process is a running warifud.
type process struct {
	cmd   *exec.Cmd
	log   *tail
	ended chan struct{} // closed when it is gone; then state is set
	state *os.ProcessState
}

// tail keeps the end of what a process says.
type tail struct {
	mu sync.Mutex
	b  bytes.Buffer
}

const tailOctets = 16 << 10

// Write implements io.Writer.
func (l *tail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Write(p)
	if l.b.Len() > 2*tailOctets {
		l.b.Next(l.b.Len() - tailOctets)
	}
	return len(p), nil
}

// String returns what was kept.
func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serve starts the server.
func (tn *town) serve(t *testing.T) *process {
	t.Helper()
	p := &process{cmd: tn.warifud(t, "serve"), log: &tail{}, ended: make(chan struct{})}
	p.begin(t)
	return p
}

func (p *process) begin(t *testing.T) {
	t.Helper()
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	must(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait()
		p.state = p.cmd.ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
}

// kill sends SIGKILL to the process that was started, and waits until it is gone.
func (p *process) kill(t *testing.T) {
	t.Helper()
	must(t, p.cmd.Process.Signal(syscall.SIGKILL))
	<-p.ended
	if status, ok := p.state.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Errorf("the server was to be killed and ended as %v:\n%s", p.state, p.log)
	}
}

// stop sends SIGTERM and returns how long the server took to end with exit code 0.
func (p *process) stop(t *testing.T) time.Duration {
	t.Helper()
	began := clock.Now()
	must(t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		t.Fatalf("the server did not stop within 30 s:\n%s", p.log)
	}
	if p.state.ExitCode() != 0 {
		t.Errorf("the server stopped with %v:\n%s", p.state, p.log)
	}
	return clock.Now().Sub(began)
}

// alive reports whether the process still runs.
func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

var errEnded = errors.New("the server ended by itself")

// await waits until the server is ready.
func (tn *town) await(ctx context.Context, p *process) error {
	tick := time.NewTicker(4 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for {
		if response, err := http.Get(tn.origin + "/readyz"); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-p.ended:
			return fmt.Errorf("%w: %v\n%s", errEnded, p.state, p.log)
		case <-late:
			return fmt.Errorf("the server is not ready after a minute:\n%s", p.log)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// start starts the server, waits for it and lets the phones through.
func (tn *town) start(t *testing.T) *process {
	t.Helper()
	p := tn.serve(t)
	must(t, tn.await(t.Context(), p))
	tn.gate.open()
	return p
}

// complain fails the test for what no server should ever have to log, whenever it dies.
func (p *process) complain(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(p.log.String()) {
		if strings.Contains(line, "level=ERROR") || strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") {
			t.Errorf("the server logged: %s", line)
		}
	}
}

var rescuedJobs = regexp.MustCompile(`rescued jobs.*jobs=(\d+)`)

// rescued is how many jobs of dead workers the server took over.
func (p *process) rescued() (n int) {
	for _, found := range rescuedJobs.FindAllStringSubmatch(p.log.String(), -1) {
		jobs, _ := strconv.Atoi(found[1])
		n += jobs
	}
	return n
}
