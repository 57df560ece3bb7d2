package typescript_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"warifu"
	"warifu/internal/nodetest"
	"warifu/internal/worldtest"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
)

var update = flag.Bool("update", false, "write what is generated in the place of src/api.ts")

// workshop is a folder with the sources and the packages of the lock file.
func workshop(t *testing.T) string {
	t.Helper()
	modules := nodetest.Modules(t, ".")
	dir := t.TempDir()
	must(t, os.Symlink(filepath.Join(modules, "node_modules"), filepath.Join(dir, "node_modules")))
	for _, name := range []string{"package.json", "tsconfig.json"} {
		b, err := os.ReadFile(name)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
	must(t, os.CopyFS(filepath.Join(dir, "src"), os.DirFS("src")))
	return dir
}

// node runs a script of the folder and returns what it says.
func node(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	c := exec.Command(nodetest.Node(t), args...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	var said, complained bytes.Buffer
	c.Stdout, c.Stderr = &said, &complained
	if err := c.Run(); err != nil {
		t.Fatalf("%v: %v\n%s%s", args, err, said.String(), complained.String())
	}
	return said.String()
}

// document is the server's description of /api/v1, without where this one server is.
func document(t *testing.T, w *world.World) []byte {
	t.Helper()
	r, err := http.Get(w.Places.Server + "/api/openapi.json")
	must(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	must(t, err)
	var d map[string]any
	must(t, json.Unmarshal(b, &d))
	delete(d, "servers")
	b, err = json.Marshal(d)
	must(t, err)
	return b
}

// The client is what the server's description makes it, and it works: a developer registers
// a service and has a signature checked with the key that came with it.
func TestTheClientIsGeneratedFromTheDescriptionAndWorks(t *testing.T) {
	dir := workshop(t)
	w := worldtest.Stand(t)
	must(t, os.WriteFile(filepath.Join(dir, "openapi.json"), document(t, w), 0o600))
	node(t, dir, nil, "node_modules/openapi-typescript/bin/cli.js", "openapi.json", "--output", "generated.ts", "--alphabetize")
	made, err := os.ReadFile(filepath.Join(dir, "generated.ts"))
	must(t, err)
	if *update {
		must(t, os.WriteFile("src/api.ts", made, 0o644))
		must(t, os.WriteFile(filepath.Join(dir, "src", "api.ts"), made, 0o600))
	}
	kept, err := os.ReadFile("src/api.ts")
	must(t, err)
	if !bytes.Equal(made, kept) {
		t.Fatal("the description has changed: go test ./sdk/typescript -update")
	}
	node(t, dir, nil, "node_modules/typescript/bin/tsc", "-p", ".")
	use(t, w, dir)
}

// use has a JavaScript program register a service and check a signature.
func use(t *testing.T, w *world.World, dir string) {
	t.Helper()
	phone := worldtest.Buy(t, w)
	worldtest.Own(t, w, phone, "taro")
	document := []byte("売買契約書\n")
	signed, err := w.Phones.Sign(t.Context(), phone, phones.Sign{Document: document, Password: worldtest.Password})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "contract.txt"), document, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "contract.p7s"), signed.Signature, 0o600))
	program, err := os.ReadFile("testdata/use.mjs")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "use.mjs"), program, 0o600))
	var said struct {
		ID, Verdict, Class, Refused string
		Removed                     bool
	}
	must(t, json.Unmarshal([]byte(node(t, dir, []string{"WARIFU_SERVER=" + w.Places.Server}, "use.mjs")), &said))
	if !strings.HasPrefix(said.ID, "RP") || said.Verdict != "good" || said.Class != "phone" || said.Refused != "relying-party-unknown" || !said.Removed {
		t.Errorf("%+v", said)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(warifu.ProblemOf(err), err)
	}
}
