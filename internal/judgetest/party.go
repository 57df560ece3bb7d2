package judgetest

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Party is one outside relying party as it is started: where it is to stand, at which
// provider, as which client.
type Party struct {
	Port             int
	Issuer, ClientID string
	Key              jose.JSONWebKey // private, with its identifier
	ACR              string          // acr_values it demands; "" none
	MaxAge           string          // seconds; "" none
	NoPAR            bool            // it pushes no requests
}

// Origin is where it stands.
func (p Party) Origin() string { return "http://127.0.0.1:" + strconv.Itoa(p.Port) }

// Port is a port below 32768 that was free a moment ago: above, the kernel gives ports away
// to anybody's connections.
func Port(t testing.TB, from int) int {
	t.Helper()
	for port := from; port < from+500; port++ {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return port
	}
	t.Fatal("no free port")
	return 0
}

// Need skips the test where a program is not on the machine, and says so; where CI runs,
// `make prepare` has installed it.
func Need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not on this machine: this judge was not heard", program)
	}
	return path
}

// said is what a program writes, kept for when a test fails.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// run starts a program and ends it with the test. It is there when its address answers.
func run(t testing.TB, address string, command *exec.Cmd) {
	t.Helper()
	out := &said{}
	command.Stdout, command.Stderr = out, out
	apart(command)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = command.Wait() }()
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = command.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("%s wrote:\n%s", filepath.Base(command.Path), out)
		}
	})
	awaitAnswer(t, address, ended, out)
}

func awaitAnswer(t testing.TB, address string, ended chan struct{}, out *said) {
	t.Helper()
	tick, late := time.NewTicker(20*time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	for {
		r, err := http.Get(address)
		if err == nil {
			r.Body.Close()
			return
		}
		select {
		case <-tick.C:
		case <-ended:
			t.Fatalf("it ended at once:\n%s", out)
		case <-late:
			t.Fatalf("%s does not answer: %v\n%s", address, err, out)
		}
	}
}

// OpenIDClient starts the relying party of testdata/openid-client.
func OpenIDClient(t testing.TB, p Party) {
	t.Helper()
	node := Need(t, "node")
	dir := modules(t)
	key, err := json.Marshal(p.Key)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(node, "rp.mjs")
	command.Dir = dir
	command.Env = append(os.Environ(), "ISSUER="+p.Issuer, "CLIENT_ID="+p.ClientID, "KEY="+string(key), "PORT="+strconv.Itoa(p.Port), "ACR="+p.ACR, "MAX_AGE="+p.MaxAge)
	if p.NoPAR {
		command.Env = append(command.Env, "PAR=no")
	}
	run(t, p.Origin()+"/me", command)
}

// installed is openid-client's folder, made once for all tests.
var installed struct {
	sync.Once
	dir string
	err error
	out []byte
}

// modules installs openid-client as its lock file has it, into a temporary folder.
func modules(t testing.TB) string {
	t.Helper()
	npm := Need(t, "npm")
	installed.Do(func() {
		if installed.dir, installed.err = os.MkdirTemp("", "warifu-openid-client-"); installed.err != nil {
			return
		}
		if installed.err = os.CopyFS(installed.dir, os.DirFS("testdata/openid-client")); installed.err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
		defer cancel()
		c := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		c.Dir = installed.dir
		installed.out, installed.err = c.CombinedOutput()
	})
	if installed.err != nil {
		t.Fatalf("openid-client: %v\n%s", installed.err, installed.out)
	}
	return installed.dir
}

// Sweep removes what was installed; TestMain calls it.
func Sweep() { _ = os.RemoveAll(installed.dir) }
