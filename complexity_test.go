package warifu_test

import (
	"go/ast"
	"go/token"
	"slices"
	"testing"
)

// maxBranches bounds what a reader has to keep in mind at once: the ways through one
// function, counted as McCabe does.
const maxBranches = 25

func TestFunctionsAreSimple(t *testing.T) {
	var lengths []int
	for _, f := range shippedFiles(t) {
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			if n := branches(fn); n > maxBranches {
				t.Errorf("%s: %s branches %d times, over %d", f.path, fn.Name.Name, n, maxBranches)
			}
			lengths = append(lengths, f.lines(fn))
		}
	}
	slices.Sort(lengths)
	if n := lengths[len(lengths)*9/10]; n > 45 {
		t.Errorf("one function in ten has over %d lines; 45 is the habit", n)
	}
}

func branches(fn *ast.FuncDecl) int {
	n := 1
	ast.Inspect(fn, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			n++
		case *ast.CaseClause:
			if node.List != nil {
				n++
			}
		case *ast.CommClause:
			if node.Comm != nil {
				n++
			}
		case *ast.BinaryExpr:
			if node.Op == token.LAND || node.Op == token.LOR {
				n++
			}
		}
		return true
	})
	return n
}
