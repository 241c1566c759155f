package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

// Limits of what fits on a screen and in a head.
const (
	maxFunctionLines = 70
	maxFileLines     = 600
)

func TestFunctionsAndFilesAreShort(t *testing.T) {
	for _, f := range moduleFiles(t) {
		if lines := f.fset.File(f.ast.Pos()).LineCount(); lines > maxFileLines {
			t.Errorf("%s: %d lines, want at most %d", f.path, lines, maxFileLines)
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			from, to := f.fset.Position(fn.Pos()).Line, f.fset.Position(fn.End()).Line
			if n := to - from + 1; n > maxFunctionLines {
				t.Errorf("%s:%d: function %s has %d lines, want at most %d", f.path, from, fn.Name.Name, n, maxFunctionLines)
			}
		}
	}
}

func TestEverythingExportedHasASentence(t *testing.T) {
	for _, f := range moduleFiles(t) {
		for _, d := range f.ast.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s:%d: %s has no comment", f.path, f.fset.Position(d.Pos()).Line, name)
			}
		}
	}
}

// undocumented returns the exported names of a declaration that no comment is
// about. In a group, the comment above the group or one beside the name will
// do.
func undocumented(d ast.Decl) []string {
	var names []string
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && exportedReceiver(d) && d.Doc.Text() == "" {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc.Text() == "" && s.Doc.Text() == "" && s.Comment.Text() == "" {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && d.Doc.Text() == "" && s.Doc.Text() == "" && s.Comment.Text() == "" {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

// exportedReceiver reports whether a function can be seen from outside its
// package: a method only if its type can.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

// leftovers are words that say that something is not done.
var leftovers = []string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "for " + "now", "not yet " + "implemented", "place" + "holder code"}

func TestNothingIsLeftHalfDone(t *testing.T) {
	for _, f := range moduleFiles(t) {
		for _, group := range f.ast.Comments {
			for _, word := range leftovers {
				if strings.Contains(group.Text(), word) {
					t.Errorf("%s: a comment says %q", position(f, group.Pos()), word)
				}
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if id, ok := call.Fun.(*ast.Ident); ok && (id.Name == "println" || id.Name == "print") && id.Obj == nil {
				t.Errorf("%s: a call of the builtin %s", position(f, call.Pos()), id.Name)
			}
			return true
		})
	}
}

func position(f sourceFile, p token.Pos) string {
	return fmt.Sprintf("%s:%d", f.path, f.fset.Position(p).Line)
}
