package warifu_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// required reads go.mod's requirements: those asked for by name, and all.
func required(t *testing.T) (direct, all []string) {
	t.Helper()
	line := regexp.MustCompile(`(?m)^\s*(?:require\s+)?([a-z0-9.-]+\.[a-z]+/\S+|[a-z]+\.[a-z]+/\S+)\s+v\S+(\s*// indirect)?$`)
	for _, m := range line.FindAllStringSubmatch(readPage(t, "go.mod"), -1) {
		all = append(all, m[1])
		if m[2] == "" {
			direct = append(direct, m[1])
		}
	}
	if len(direct) == 0 || len(all) == len(direct) {
		t.Fatalf("go.mod was not understood: %v of %v", direct, all)
	}
	slices.Sort(direct)
	return direct, all
}

// imported says which modules the code imports, and whether anything that ships does.
func imported(t *testing.T, modules []string) map[string]bool {
	t.Helper()
	ships := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (path == "bench" || strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "tmp") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		test := strings.HasSuffix(path, "_test.go") || strings.HasPrefix(filepath.ToSlash(path), "internal/")
		for _, i := range file.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			for _, m := range modules {
				if p == m || strings.HasPrefix(p, m+"/") {
					ships[m] = ships[m] || !test
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ships
}

// tabled reads the table under a heading of docs/dependencies.md: module, reason.
func tabled(t *testing.T, title string) (out []string) {
	t.Helper()
	_, part, ok := strings.Cut(readPage(t, "docs/dependencies.md"), "\n## "+title+"\n")
	if !ok {
		t.Fatalf("docs/dependencies.md has no %q", title)
	}
	part, _, _ = strings.Cut(part, "\n## ")
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z][^ |]+/[^ |]+) \| (.+) \|$`).FindAllStringSubmatch(part, -1) {
		if len(m[2]) < 20 || !strings.HasSuffix(m[2], ".") {
			t.Errorf("docs/dependencies.md: %s has no sentence that says why", m[1])
		}
		out = append(out, m[1])
	}
	return out
}

func TestEveryDependencyHasItsReason(t *testing.T) {
	direct, all := required(t)
	ships := imported(t, all)
	var inShip, inTests []string
	for _, m := range slices.Sorted(maps.Keys(ships)) {
		if ships[m] {
			inShip = append(inShip, m)
		} else {
			inTests = append(inTests, m)
		}
	}
	if got := tabled(t, "What ships"); !slices.Equal(got, inShip) {
		t.Errorf("docs/dependencies.md says %v ship; the code imports %v", got, inShip)
	}
	if got := tabled(t, "Tests alone"); !slices.Equal(got, inTests) {
		t.Errorf("docs/dependencies.md says tests use %v; they import %v", got, inTests)
	}
	if both := slices.Sorted(maps.Keys(ships)); !slices.Equal(direct, both) {
		t.Errorf("go.mod asks for %v by name; the code imports %v (go mod tidy)", direct, both)
	}
	if len(inShip) > maxDependencies {
		t.Errorf("%d dependencies ship, over %d", len(inShip), maxDependencies)
	}
}
