package recipes_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/nodetest"
	"warifu/internal/worldtest"
	"warifu/relyingparty"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
)

// patience bounds one recipe, a start of node or Java within it.
const patience = time.Minute

// stage is a world with a person whose phone answers, and a registered service.
type stage struct {
	t     *testing.T
	w     *world.World
	phone string
}

func newStage(t *testing.T) *stage {
	w := worldtest.Stand(t)
	phone := worldtest.Buy(t, w)
	worldtest.Own(t, w, phone, "hanako")
	return &stage{t, w, phone}
}

// register makes a service on a free port of loopback, and its settings as `warifu rp new`
// writes them.
func (s *stage) register(t *testing.T) (origin string, env []string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	origin = "http://" + l.Addr().String()
	must(t, l.Close())
	dir := t.TempDir()
	warifu := exec.Command(warifuCommand(t), "--server", s.w.Places.Server, "rp", "new", "見本の店", "--scope", "name,birthdate", "--redirect-uri", origin+"/callback", "--out", dir)
	out, err := warifu.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, ".env"))
	must(t, err)
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			env = append(env, name+"="+strings.Trim(value, `"`))
		}
	}
	return origin, env
}

// warifuCommand is the command, built once for the tests of this package.
func warifuCommand(t *testing.T) string {
	t.Helper()
	if built == "" {
		t.Fatal("the command was not built")
	}
	return built
}

var built string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "warifu-recipes-")
	if err != nil {
		panic(err)
	}
	built = filepath.Join(dir, "warifu")
	if out, err := exec.Command("go", "build", "-o", built, "warifu/cmd/warifu").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// browser is a person's: it keeps cookies and stops before the address it is told.
type browser struct {
	*http.Client
	before string
	ended  string // where it would have gone
}

func newBrowser(t *testing.T, before string) *browser {
	jar, err := cookiejar.New(nil)
	must(t, err)
	b := &browser{before: before}
	b.Client = &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if b.before != "" && strings.HasPrefix(r.URL.String(), b.before) {
			b.ended = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return b
}

// open goes to an address once somebody listens there.
func (b *browser) open(t *testing.T, address string) *http.Response {
	t.Helper()
	r, err := b.Get(address)
	must(t, err)
	_, err = io.Copy(io.Discard, r.Body)
	must(t, err)
	must(t, r.Body.Close())
	return r
}

// answer goes to where a login begins, answers on the phone and returns to the service.
func (s *stage) answer(t *testing.T, b *browser, begin string, decline bool) {
	t.Helper()
	at := b.open(t, begin).Request.URL.String()
	if !strings.HasPrefix(at, s.w.Places.Server+"/login/") {
		t.Fatalf("the browser is at %s", at)
	}
	decided, err := s.w.Phones.Approve(context.Background(), s.phone, phones.Approve{Link: phones.Link{Link: at + "/app"}, Unlock: phones.Unlock{PIN: worldtest.PIN}, Decline: decline})
	must(t, err)
	next := decided.Return
	if decline {
		next = at + "/done"
	}
	b.open(t, next)
}

// TestADevelopersWays goes every way that the page for relying parties shows, in one world.
func TestADevelopersWays(t *testing.T) {
	s := newStage(t)
	t.Run("the key files are of one key", s.testKeys)
	t.Run("the table for brokers is the provider's own", s.testTable)
	t.Run("the trial service shows a first login", s.testTrial)
	t.Run("the codes are those of the table of troubles", s.testTroubles)
	t.Run("each recipe logs in and is refused", s.testRecipes)
	worldtest.Forward(t, s.w, "+25h")
	t.Run("a service's own clock need not follow the world's", s.testTrial)
}

// recipe is one program and how it is started.
type recipe struct {
	name    string
	command func(t *testing.T) *exec.Cmd
	pasted  bool // no service of its own: the address that the browser ended at is typed in
}

func recipes() []recipe {
	in := func(dir, program string, args ...string) func(t *testing.T) *exec.Cmd {
		return func(t *testing.T) *exec.Cmd {
			path, err := exec.LookPath(program)
			if err != nil {
				t.Skipf("NOT TESTED: there is no %s on this machine", program)
			}
			c := exec.Command(path, args...)
			c.Dir = dir
			return c
		}
	}
	node := func(dir string) func(t *testing.T) *exec.Cmd {
		return func(t *testing.T) *exec.Cmd {
			modules := nodetest.Modules(t, dir)
			run := t.TempDir()
			must(t, os.Symlink(filepath.Join(modules, "node_modules"), filepath.Join(run, "node_modules")))
			b, err := os.ReadFile(filepath.Join(dir, "login.mjs"))
			must(t, err)
			must(t, os.WriteFile(filepath.Join(run, "login.mjs"), b, 0o600))
			c := exec.Command(nodetest.Node(t), "login.mjs")
			c.Dir = run
			return c
		}
	}
	return []recipe{
		{"curl", in("curl", "bash", "login.sh"), true},
		{"python", in("python", "/usr/bin/python3", "login.py"), false},
		{"java", in("java", "java", "Login.java"), false},
		{"node", node("node"), false},
		{"passport", node("passport"), false},
	}
}

// Each recipe logs somebody in and prints the claims; somebody who says no is not logged in.
func (s *stage) testRecipes(t *testing.T) {
	for _, r := range recipes() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			origin, env := s.register(t)
			said, _, failed := s.run(t, r, origin, env, false)
			var claims struct {
				Subject   string `json:"sub"`
				Class     string `json:"warifu_class"`
				Name      string `json:"name"`
				BirthDate string `json:"birthdate"`
			}
			if failed != nil || json.Unmarshal([]byte(said), &claims) != nil {
				t.Fatalf("%v: %q", failed, said)
			}
			if claims.Subject == "" || claims.Class != "phone" || claims.Name != "割符　花子" || claims.BirthDate != "1985-11-03" {
				t.Errorf("%+v", claims)
			}
			said, complained, failed := s.run(t, r, origin, env, true)
			if failed == nil || said != "" || !strings.Contains(complained, "access_denied") {
				t.Errorf("declined: %v, %q, %q", failed, said, complained)
			}
		})
	}
}

// run starts the program and walks to it and back.
func (s *stage) run(t *testing.T, r recipe, origin string, env []string, decline bool) (said, complained string, failed error) {
	t.Helper()
	c := r.command(t)
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	go func() {
		<-ctx.Done()
		if ctx.Err() == context.DeadlineExceeded && c.Process != nil {
			_ = c.Process.Kill()
		}
	}()
	c.Env = append(os.Environ(), env...)
	typed, err := c.StdinPipe()
	must(t, err)
	var out strings.Builder
	c.Stdout = &out
	told, err := c.StderrPipe()
	must(t, err)
	must(t, c.Start())
	lines := bufio.NewScanner(told)
	var all strings.Builder
	begin := ""
	for begin == "" && lines.Scan() {
		all.WriteString(lines.Text() + "\n")
		if _, address, ok := strings.Cut(lines.Text(), "Open"); ok {
			begin = strings.TrimSpace(strings.TrimPrefix(address, ":"))
		}
	}
	if begin == "" {
		t.Fatalf("it did not begin: %s", all.String())
	}
	b := newBrowser(t, "")
	if r.pasted {
		b.before = origin
	}
	s.answer(t, b, begin, decline)
	if r.pasted {
		_, err = io.WriteString(typed, b.ended+"\n")
		must(t, err)
	}
	must(t, typed.Close())
	for lines.Scan() {
		all.WriteString(lines.Text() + "\n")
	}
	failed = c.Wait()
	return strings.TrimSpace(out.String()), all.String(), failed
}

// The service that `warifu rp try` runs, with the .env that `warifu rp new` wrote.
func (s *stage) testTrial(t *testing.T) {
	origin, env := s.register(t)
	dir := ""
	for _, v := range env {
		if file, ok := strings.CutPrefix(v, "WARIFU_KEY_FILE="); ok {
			dir = filepath.Dir(file)
		}
	}
	c := exec.Command(warifuCommand(t), "--lang", "en", "rp", "try", dir, "--once")
	out, err := c.StdoutPipe()
	must(t, err)
	c.Stderr = os.Stderr
	must(t, c.Start())
	lines := bufio.NewScanner(out)
	if !lines.Scan() || !strings.Contains(lines.Text(), origin) {
		t.Fatal(lines.Text())
	}
	s.answer(t, newBrowser(t, ""), origin+"/login", false)
	if !lines.Scan() || !strings.Contains(lines.Text(), "(phone, name: 割符") {
		t.Error(lines.Text())
	}
	must(t, c.Wait())
}

// The table for brokers says what the provider says of itself.
func (s *stage) testTable(t *testing.T) {
	issuer := s.w.Places.Server + "/api/realms/main"
	r, err := http.Get(issuer + "/.well-known/openid-configuration")
	must(t, err)
	defer r.Body.Close()
	var said map[string]any
	must(t, json.NewDecoder(r.Body).Decode(&said))
	page, err := os.ReadFile("keycloak.md")
	must(t, err)
	table := map[string]string{}
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, "|"); len(cells) == 4 {
			value := strings.TrimSpace(cells[2])
			if _, quoted, ok := strings.Cut(value, "`"); ok {
				value, _, _ = strings.Cut(quoted, "`")
			}
			table[strings.TrimSpace(cells[1])] = strings.ReplaceAll(value, "{issuer}", issuer)
		}
	}
	for setting, name := range map[string]string{
		"Issuer": "issuer", "Authorization URL": "authorization_endpoint", "Token URL": "token_endpoint", "User Info URL": "userinfo_endpoint", "JWKS URL": "jwks_uri",
		"Client assertion audience": "token_endpoint",
	} {
		if table[setting] != said[name] || table[setting] == "" {
			t.Errorf("%s: %q, the provider's %s is %v", setting, table[setting], name, said[name])
		}
	}
	for setting, name := range map[string]string{
		"Client authentication": "token_endpoint_auth_methods_supported", "Client assertion signature algorithm": "token_endpoint_auth_signing_alg_values_supported",
		"ID token signature algorithm": "id_token_signing_alg_values_supported", "Use PKCE, PKCE method": "code_challenge_methods_supported", "Default scopes": "scopes_supported",
	} {
		offered, _ := said[name].([]any)
		for _, want := range strings.Fields(table[setting]) {
			if !contains(offered, want) {
				t.Errorf("%s: %s is not among %v", setting, want, offered)
			}
		}
		if table[setting] == "" {
			t.Errorf("no row %q", setting)
		}
	}
}

func contains(all []any, want string) bool {
	for _, v := range all {
		if v == want {
			return true
		}
	}
	return false
}

// A key that openssl reads is the key that the JWK set publishes.
func (s *stage) testKeys(t *testing.T) {
	_, env := s.register(t)
	for _, v := range env {
		file, ok := strings.CutPrefix(v, "WARIFU_KEY_FILE=")
		if !ok {
			continue
		}
		pem, err := os.ReadFile(file)
		must(t, err)
		key, err := relyingparty.LoadKey(pem)
		must(t, err)
		jwk, err := os.ReadFile(strings.TrimSuffix(file, ".pem") + ".jwk.json")
		must(t, err)
		other, err := relyingparty.LoadKey(jwk)
		must(t, err)
		if string(relyingparty.JWKS(key)) != string(relyingparty.JWKS(other)) {
			t.Error("two keys")
		}
	}
}

// testTroubles makes the mistakes of the page's table, and wants the code that it names.
func (s *stage) testTroubles(t *testing.T) {
	origin, env := s.register(t)
	set := map[string]string{}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		set[name] = value
	}
	pem, err := os.ReadFile(set["WARIFU_KEY_FILE"])
	must(t, err)
	own, err := relyingparty.LoadKey(pem)
	must(t, err)
	other, err := relyingparty.NewKey()
	must(t, err)
	page, err := os.ReadFile("../../relying-party.md")
	must(t, err)
	for _, c := range []struct {
		code   string
		change func(*relyingparty.Config)
		wish   relyingparty.Wish
	}{
		{"invalid_client", func(c *relyingparty.Config) { c.Key = other }, relyingparty.Wish{}},
		{"invalid_client", func(c *relyingparty.Config) { c.ClientID = "RP09999999" }, relyingparty.Wish{}},
		{"invalid_client", func(c *relyingparty.Config) {
			c.Clock = warifu.ClockFunc(func() time.Time { return warifu.SystemClock{}.Now().Add(-time.Hour) })
		}, relyingparty.Wish{}},
		{"invalid_scope", nil, relyingparty.Wish{Scopes: []string{"sign"}}},
		{"invalid_request", func(c *relyingparty.Config) { c.RedirectURI += "/" }, relyingparty.Wish{}},
		{"login_required", nil, relyingparty.Wish{Prompt: "none"}},
	} {
		config := relyingparty.Config{Issuer: set["WARIFU_ISSUER"], ClientID: set["WARIFU_CLIENT_ID"], Key: own, RedirectURI: origin + "/callback"}
		if c.change != nil {
			c.change(&config)
		}
		party, err := relyingparty.Open(t.Context(), config)
		must(t, err)
		_, err = party.Begin(t.Context(), c.wish)
		if problem := warifu.ProblemOf(err); problem == nil || problem.Params["error"] != c.code {
			t.Errorf("%v, wanted %s", err, c.code)
		}
		if !strings.Contains(string(page), "`"+c.code+"`") {
			t.Errorf("the page has no %s", c.code)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
