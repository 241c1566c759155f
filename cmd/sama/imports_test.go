package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// importPolicy says which packages of the module a package may import. It is a
// statement of the design: a package that needs more is a question for the
// design, not for this table. A package that is not listed, and whose parents
// are not, fails. "all" may import anything of the module.
var importPolicy = map[string][]string{
	"record":           {},
	"match/strsim":     {},
	"ingest/normalize": {},
	"ingest":           {"record", "ingest/normalize"},
	"match/blocking":   {"record"},
	"match/comparison": {"record", "match/strsim"},
	"match":            {"record", "match/blocking", "match/comparison"},
	"graph":            {"record"},
	"graph/golden":     {"record", "graph"},
	"graph/quality":    {"record", "graph"},
	"run":              {"record", "match", "graph", "graph/golden", "graph/quality", "run/columns", "run/index"},
	"run/columns":      {"record"},
	"run/index":        {"record"},
	"run/report":       {},
	"serve/online":     {"record", "ingest/normalize", "match", "match/blocking", "match/comparison", "graph", "graph/golden", "run/index", "serve/consent"},
	"serve/consent":    {},
	"serve/store":      {"record", "serve/consent"},
	"serve/extract":    {"record", "graph", "run", "run/index", "run/columns", "serve/online", "serve/store", "serve/consent"},
	"serve/login":      {"serve/store"},
	"serve/web":        {},
	"serve/api":        {},
	"serve":            {"serve/api", "record", "ingest/normalize", "match", "graph", "graph/golden", "run", "run/index", "serve/online", "serve/store", "serve/consent", "serve/login", "serve/web"},
	"cmd":              {"all"},
	"benchmarks":       {"all"},
}

// outsidePolicy says where a package from outside may be imported, by folder.
// What is not listed may be imported anywhere.
var outsidePolicy = []struct {
	outside string   // and what is below it
	only    []string // folders, with what is below them
}{
	{"github.com/parquet-go/parquet-go", []string{"ingest", "run", "benchmarks"}},
	{"net/http", []string{"serve", "cmd"}},
	{"database/sql", []string{"serve/store"}},
	{"modernc.org/sqlite", []string{"serve/store"}},
	{"github.com/pressly/goose", []string{"serve/store"}},
	{"github.com/jackc/pgx", []string{"serve/store"}},
	{"github.com/apache/arrow", []string{"run/columns"}},
	{"github.com/antzucaro/matchr", nil}, // GPL: an oracle of tests, linked into no binary
}

// sourceFile is one parsed file of the module.
type sourceFile struct {
	path string // relative to the module, with forward slashes
	dir  string
	fset *token.FileSet
	ast  *ast.File
}

// moduleFiles parses all Go files of the module that are neither tests nor
// generated.
func moduleFiles(t *testing.T) []sourceFile {
	t.Helper()
	root := moduleRoot(t)
	ignored := ignoredFolders(t, root)
	var files []sourceFile
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); base == "testdata" || base == "node_modules" || slices.Contains(ignored, name) || name != root && strings.HasPrefix(base, ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		if ast.IsGenerated(f) {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		files = append(files, sourceFile{rel, path.Dir(rel), fset, f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// ignoredFolders are the folders that git is told, from the root, to ignore.
func ignoredFolders(t *testing.T, root string) []string {
	t.Helper()
	var folders []string
	for _, name := range []string{".gitignore", ".git/info/exclude"} {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "/") && strings.HasSuffix(line, "/") {
				folders = append(folders, filepath.Join(root, filepath.FromSlash(line)))
			}
		}
	}
	return folders
}

// moduleRoot walks up to the folder of go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}

// allowed returns what the package in a folder may import: by its own line, or
// that of the nearest folder above.
func allowed(dir string) ([]string, bool) {
	for ; dir != "."; dir = path.Dir(dir) {
		if list, ok := importPolicy[dir]; ok {
			return list, true
		}
	}
	return nil, false
}

func TestImportsFollowTheDesign(t *testing.T) {
	const module = "sama/"
	for _, f := range moduleFiles(t) {
		list, known := allowed(f.dir)
		if !known {
			t.Errorf("%s: folder %s is not in the import policy", f.path, f.dir)
			continue
		}
		for _, spec := range f.ast.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if own, ok := strings.CutPrefix(name, module); ok {
				if !slices.Contains(list, "all") && !slices.Contains(list, own) {
					t.Errorf("%s imports %s: the design lets %s import %v only", f.path, own, f.dir, list)
				}
				continue
			}
			for _, p := range outsidePolicy {
				if within(name, p.outside) && !slices.ContainsFunc(p.only, func(dir string) bool { return within(f.dir, dir) }) {
					t.Errorf("%s imports %s: the design allows that in %v only", f.path, name, p.only)
				}
			}
		}
	}
}

// within reports whether a path is a folder or lies below it.
func within(name, folder string) bool {
	return name == folder || strings.HasPrefix(name, folder+"/")
}
