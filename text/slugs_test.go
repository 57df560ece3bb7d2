package text_test

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

	"warifu/text"
)

// site is one place in shipped code that makes a problem.
type site struct {
	at     string
	slug   string
	params []string
	open   bool // further parameters are added that a parser cannot see
}

var makers = []string{"Invalid", "Unauthenticated", "Refused", "NotFound", "Conflict", "TooLarge", "TooMany", "Unavailable"}

// TestEveryProblemHasItsSentences parses every shipped file of the module and wants an
// entry for every slug that code can make. Every place that makes it must fill the {names}
// of its title and next step; a detail is left out where it cannot be filled, but some
// place must fill it.
func TestEveryProblemHasItsSentences(t *testing.T) {
	sites := sitesUnder(t, "..")
	if len(sites) < 10 {
		t.Fatalf("only %d problems found: the search is broken", len(sites))
	}
	detailed := map[string]bool{}
	for _, s := range sites {
		if !text.Has("problem." + s.slug) {
			t.Errorf("%s: problem %q has no entry in text/catalogue", s.at, s.slug)
			continue
		}
		if lacks := s.lacks("title", "next"); lacks != "" {
			t.Errorf("%s: problem %q is made without its parameter {%s}", s.at, s.slug, lacks)
		}
		detailed[s.slug] = detailed[s.slug] || s.lacks("detail") == ""
	}
	for slug, filled := range detailed {
		if !filled {
			t.Errorf("problem %q: nobody fills its detail (%v)", slug, text.ParamsOf("problem."+slug, "detail"))
		}
	}
}

// lacks returns a name that the fields want filled and the site does not give, "" when none.
func (s site) lacks(fields ...string) string {
	for _, want := range text.ParamsOf("problem."+s.slug, fields...) {
		if want == "secret" { // is told from the kind
			want = "kind"
		}
		if !s.open && !slices.Contains(s.params, want) {
			return want
		}
	}
	return ""
}

func sitesUnder(t *testing.T, root string) []site {
	t.Helper()
	var sites []site
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipDir(root, path, d.Name())
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			found, err := sitesIn(path)
			sites = append(sites, found...)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sites
}

// skipDir leaves out what is not code of this module.
func skipDir(root, path, name string) error {
	if path == root {
		return nil
	}
	if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil || strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" {
		return fs.SkipDir
	}
	return nil
}

func sitesIn(path string) ([]site, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, 0)
	if err != nil {
		return nil, err
	}
	var sites []site
	ast.Inspect(file, func(n ast.Node) bool {
		var s site
		var ok bool
		switch n := n.(type) {
		case *ast.CallExpr:
			if isComparison(n) {
				return false
			}
			s, ok = siteOfCall(file, n)
		case *ast.CompositeLit:
			s, ok = siteOfLiteral(n)
		}
		if ok {
			s.at = fset.Position(n.Pos()).String()
			sites = append(sites, s)
		}
		return true
	})
	return sites, nil
}

// siteOfCall reads warifu.Invalid("slug", "name", value, …), and Invalid(…) in the root package.
func siteOfCall(file *ast.File, call *ast.CallExpr) (site, bool) {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok && x.Name == "warifu" {
			name = f.Sel.Name
		}
	case *ast.Ident:
		if file.Name.Name == "warifu" {
			name = f.Name
		}
	}
	if !slices.Contains(makers, name) || len(call.Args) == 0 {
		return site{}, false
	}
	slug, ok := constant(call.Args[0])
	s := site{slug: slug, open: call.Ellipsis.IsValid()}
	for i := 1; i < len(call.Args); i += 2 {
		p, literal := constant(call.Args[i])
		s.params, s.open = append(s.params, p), s.open || !literal
	}
	return s, ok
}

// siteOfLiteral reads warifu.Error{Problem: "slug", Params: …}.
func siteOfLiteral(lit *ast.CompositeLit) (site, bool) {
	s, ok := site{}, false
	for _, e := range lit.Elts {
		kv, isPair := e.(*ast.KeyValueExpr)
		if !isPair {
			continue
		}
		switch key, _ := kv.Key.(*ast.Ident); {
		case key == nil:
		case key.Name == "Problem":
			s.slug, ok = constant(kv.Value)
		case key.Name == "Params":
			s.open = true
		}
	}
	return s, ok && s.slug != ""
}

// constant returns the value of a string literal or of a constant declared in the same file.
func constant(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			s, err := strconv.Unquote(e.Value)
			return s, err == nil
		}
	case *ast.Ident:
		if e.Obj == nil || e.Obj.Kind != ast.Con {
			return "", false
		}
		if spec, ok := e.Obj.Decl.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			return constant(spec.Values[0])
		}
	}
	return "", false
}

// isComparison reports whether the call is errors.Is, whose problem is not made but
// looked for.
func isComparison(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || f.Sel.Name != "Is" {
		return false
	}
	of, ok := f.X.(*ast.Ident)
	return ok && of.Name == "errors"
}
