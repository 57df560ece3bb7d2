package lifetest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tables are the root package's tables of transitions and holds, and what reads them. The
// model must know none of it: it would agree with every mistake in them.
var tables = []string{
	"ApplicationLife", "CredentialLife", "Life", "Transition", "HoldRules", "HoldRule", "Party", "ParseHoldReason",
	"PartyDevice", "PartyCard", "PartyCode", "PartyOperator", "PartyOperators", "PartyBureau", "PartyClock",
}

// readers are methods of theirs, whatever they are called on.
var readers = []string{"MayPut", "MayLift", "Rule", "Final", "States", "Arrows"}

// tableUses lists where a file looks at the tables.
func tableUses(name string, source any) (uses []string, err error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, 0)
	if err != nil {
		return nil, err
	}
	root := "warifu"
	for _, i := range file.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return nil, err
		}
		if path == "warifu" && i.Name != nil {
			root = i.Name.Name
		}
		if path == "warifu" && root == "." {
			uses = append(uses, name+": the root package by a dot")
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		s, is := n.(*ast.SelectorExpr)
		if !is {
			return true
		}
		of, plain := s.X.(*ast.Ident)
		if plain && of.Name == root && slices.Contains(tables, s.Sel.Name) || slices.Contains(readers, s.Sel.Name) {
			uses = append(uses, set.Position(n.Pos()).String()+": "+s.Sel.Name)
		}
		return true
	})
	return uses, nil
}

func TestTheModelKnowsNoTableOfTheProduct(t *testing.T) {
	files := 0
	for _, pattern := range []string{"*.go", "../housetest/check.go"} {
		paths, err := filepath.Glob(pattern)
		must(t, err)
		for _, path := range paths {
			files++
			uses, err := tableUses(path, nil)
			must(t, err)
			for _, use := range uses {
				t.Error(use)
			}
		}
	}
	if files < 12 {
		t.Fatalf("only %d files were read", files)
	}
}

func TestALookAtATableIsSeen(t *testing.T) {
	for _, body := range []string{
		"var _ = warifu.CredentialLife", "var _ = warifu.ApplicationLife.States()", "var _, _ = warifu.HoldLost.Rule()",
		"var _ = warifu.HoldLost.MayPut(x)", "var _ = warifu.HoldRules[0]", "func f(l warifu.Life[string]) {}",
	} {
		uses, err := tableUses("f.go", "package f\nimport \"warifu\"\n"+body)
		if err != nil || len(uses) == 0 {
			t.Errorf("%s: %v, %v", body, uses, err)
		}
	}
	uses, err := tableUses("f.go", "package f\nimport root \"warifu\"\nvar _ = root.HoldRules")
	if err != nil || len(uses) != 1 || !strings.Contains(uses[0], "HoldRules") {
		t.Errorf("under another name: %v, %v", uses, err)
	}
}
