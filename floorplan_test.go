package warifu_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floors is the house of docs/design.md §2: a total order. A package imports only
// from rows above its own, and never what its row forbids. A new row or arrow is a
// decision with a page in docs/adr.
var floors = []struct {
	room  string
	never []string // rooms or standard packages, beyond the order itself
}{
	{"", []string{"net/http", "database/sql", "os"}}, // the root: the words
	{"text", nil},
	{"progress", []string{"net/http", "os"}},
	{"iso7816", nil},
	{"keystore", nil},
	{"signed", []string{"net/http"}},
	{"scheme", nil},
	{"profile", nil},
	{"cms", nil},
	{"ocsp", []string{"net/http"}},
	{"crl", []string{"net/http"}},
	{"offline", []string{"net/http"}},
	{"timestamp", []string{"net/http"}},
	{"globalplatform", nil},
	{"jpki", []string{"globalplatform"}},
	{"attest", []string{"database/sql", "net", "net/http"}},
	{"store", nil},
	{"queue", nil},
	{"status", []string{"store", "queue"}},
	{"notify", []string{"store", "queue"}},
	{"document", []string{"store", "queue"}},
	{"verify", []string{"store", "queue", "status", "notify"}},
	{"relyingparty", []string{"store", "queue", "status", "notify"}},
	{"ca", []string{"store", "queue", "status", "notify", "net", "net/http", "database/sql", "os"}},
	{"provision", []string{"store", "queue", "net", "net/http"}},
	{"chip", []string{"store", "queue", "status", "notify", "verify", "ca", "provision"}},
	{"phone", []string{"store", "queue", "status", "notify", "verify", "ca", "provision", "chip", "database/sql"}},
	{"catalogue", []string{"chip", "phone"}},
	{"events", []string{"chip", "phone"}},
	{"ledger", []string{"chip", "phone"}},
	{"verification", []string{"chip", "phone", "ca", "net/http"}},
	{"registration", []string{"ca", "notify", "chip", "phone", "status", "net/http"}},
	{"console", []string{"ca", "notify", "chip", "phone", "status", "net/http"}}, // the operators' entrance (ADR 0020)
	{"oidc", []string{"chip", "phone"}},
	{"docs", []string{"net/http", "os"}},
	{"handbook", []string{"net/http", "os"}},
	{"face", []string{"store", "chip", "phone", "registration"}},
	{"web", []string{"store", "ca", "chip", "phone"}},
	{"server", []string{"chip", "phone"}},
	{"sandbox", nil},
	{"cmd/warifud", []string{"sandbox", "chip", "phone"}},
	{"cmd/warifu", nil},
	{"internal", nil}, // test harnesses: nothing that ships imports them
}

// onlyFor says which rooms alone may touch a package of the standard library or a
// room that holds private keys or chips.
var onlyFor = map[string][]string{
	"net/http":        {"status", "notify", "verify", "phone", "relyingparty", "oidc", "face", "web", "server", "sandbox", "cmd/warifud", "cmd/warifu", "internal"},
	"database/sql":    {"store"},
	"os":              {"keystore", "store", "server", "sandbox", "cmd/warifud", "cmd/warifu", "internal"},
	"warifu/keystore": {"server", "sandbox", "cmd/warifud", "cmd/warifu", "internal"},
	"warifu/chip":     {"sandbox", "cmd/warifu", "internal"},
}

// forbiddenNames are words that name no room.
var forbiddenNames = []string{"util", "utils", "common", "helper", "helpers", "manager", "service", "model", "types", "misc", "base", "impl"}

func roomOf(dir string) (int, string) {
	best, name := -1, ""
	for i, f := range floors {
		if (f.room == "" && dir == ".") || (f.room != "" && (dir == f.room || strings.HasPrefix(dir, f.room+"/"))) {
			best, name = i, f.room
		}
	}
	return best, name
}

type sourceFile struct {
	path, dir string
	imports   []string
	ast       *ast.File
	set       *token.FileSet
}

// lines is how many lines a part of the file has.
func (f sourceFile) lines(n ast.Node) int {
	return f.set.Position(n.End()).Line - f.set.Position(n.Pos()).Line + 1
}

// shippedFiles parses every Go file that ships, whatever its build tags, so that
// neither a tag nor the test cache hides an arrow.
func shippedFiles(t *testing.T) []sourceFile {
	t.Helper()
	var out []sourceFile
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules" || path == "bench" || path == "dist") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		f := sourceFile{path: path, dir: filepath.ToSlash(filepath.Dir(path)), ast: file, set: set}
		for _, i := range file.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, p)
		}
		out = append(out, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 10 {
		t.Fatalf("found only %d files: the test does not see the house", len(out))
	}
	return out
}

func TestFloorPlan(t *testing.T) {
	for _, f := range shippedFiles(t) {
		floor, room := roomOf(f.dir)
		if floor < 0 {
			t.Errorf("%s: folder %q has no row in the floor plan", f.path, f.dir)
			continue
		}
		for _, p := range f.imports {
			checkArrow(t, f, floor, room, p)
		}
	}
}

func checkArrow(t *testing.T, f sourceFile, floor int, room, imported string) {
	t.Helper()
	target := imported
	if imported == "warifu" || strings.HasPrefix(imported, "warifu/") {
		dir := strings.TrimPrefix(strings.TrimPrefix(imported, "warifu"), "/")
		if dir == "" {
			dir = "."
		}
		to, name := roomOf(dir)
		switch {
		case to < 0:
			t.Errorf("%s imports %s, which has no row in the floor plan", f.path, imported)
		case to > floor:
			t.Errorf("%s (%s) imports %s: an arrow up", f.path, room, imported)
		case name == "internal" && room != "internal":
			t.Errorf("%s imports %s: test harnesses are for tests", f.path, imported)
		}
		target = name
	}
	if slices.Contains(floors[floor].never, target) && target != room {
		t.Errorf("%s (%s) imports %s: its row says never", f.path, room, imported)
	}
	key := imported
	if target != imported {
		key = "warifu/" + target
	}
	if allowed, ok := onlyFor[key]; ok && !slices.Contains(allowed, room) && target != room {
		t.Errorf("%s (%s) imports %s: only %v may", f.path, room, imported, allowed)
	}
}

// TestProvisionHoldsNoPrivateKey: the room writes to chips at a distance; it may look at
// public keys, and names nothing that could sign.
func TestProvisionHoldsNoPrivateKey(t *testing.T) {
	seen := false
	for _, f := range shippedFiles(t) {
		if f.dir != "provision" {
			continue
		}
		seen = true
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && (strings.Contains(id.Name, "PrivateKey") || id.Name == "Signer" || id.Name == "SignerOpts") {
				t.Errorf("%s names %s", f.path, id.Name)
			}
			return true
		})
	}
	if !seen {
		t.Fatal("provision is not there")
	}
}

func TestEveryPackageHasOneComment(t *testing.T) {
	comments := map[string][]string{}
	dirs := map[string]bool{}
	for _, f := range shippedFiles(t) {
		dirs[f.dir] = true
		if f.ast.Doc != nil && strings.TrimSpace(f.ast.Doc.Text()) != "" {
			comments[f.dir] = append(comments[f.dir], f.path)
		}
	}
	for dir := range dirs {
		if n := len(comments[dir]); n != 1 {
			t.Errorf("package %s has %d package comments, want exactly one %v", dir, n, comments[dir])
		}
		if name := filepath.Base(dir); slices.Contains(forbiddenNames, name) {
			t.Errorf("%q names no room", dir)
		}
	}
}

func TestExportedNamesHaveComments(t *testing.T) {
	for _, f := range shippedFiles(t) {
		if strings.HasPrefix(f.dir, "cmd/") {
			continue
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || receiverExported(d)) {
					t.Errorf("%s: %s has no comment", f.path, d.Name.Name)
				}
			case *ast.GenDecl:
				checkGenDecl(t, f, d)
			}
		}
	}
}

func receiverExported(d *ast.FuncDecl) bool {
	e := d.Recv.List[0].Type
	if s, ok := e.(*ast.StarExpr); ok {
		e = s.X
	}
	if g, ok := e.(*ast.IndexExpr); ok {
		e = g.X
	}
	id, ok := e.(*ast.Ident)
	return ok && id.IsExported()
}

func checkGenDecl(t *testing.T, f sourceFile, d *ast.GenDecl) {
	t.Helper()
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
				t.Errorf("%s: type %s has no comment", f.path, s.Name.Name)
			}
		case *ast.ValueSpec:
			for _, n := range s.Names {
				if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					t.Errorf("%s: %s has no comment", f.path, n.Name)
				}
			}
		}
	}
}

func TestFileAndFunctionSizes(t *testing.T) {
	for _, f := range shippedFiles(t) {
		body, err := os.ReadFile(f.path)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(body), "\n"); n > 600 {
			t.Errorf("%s has %d lines, over 600", f.path, n)
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				if n := f.lines(fn); n > 100 {
					t.Errorf("%s: %s has %d lines, over 100", f.path, fn.Name.Name, n)
				}
			}
		}
	}
}
