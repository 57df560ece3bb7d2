package pkitest

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
)

// The modules that vectors are taken from, and their versions. They are not in go.mod: a
// test that wants one has the Go command fetch it, which checks it against the checksum
// database, and is skipped where it cannot.
const (
	Wycheproof = "github.com/C2SP/wycheproof@v0.0.0-20250901140545-b51abcfb8daf"
	BetterTLS  = "github.com/Netflix/bettertls@v0.0.0-20250909192348-e1e99e353074"
)

// TB is what a test brings: *testing.T does.
type TB interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
	Context() context.Context
}

// Module returns the folder of a module's files.
func Module(t TB, module string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module).Output()
	var said struct{ Dir, Error string }
	if json.Unmarshal(out, &said) != nil || err != nil || said.Dir == "" {
		t.Skipf("%s cannot be had here (no network?), so its vectors are not tried: %v %s", module, err, said.Error)
	}
	return said.Dir
}

// PKITS returns the folder of NIST's certificates in the Go distribution.
func PKITS(t TB) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "crypto/x509").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return filepath.Join(string(out[:len(out)-1]), "testdata", "nist-pkits")
}
