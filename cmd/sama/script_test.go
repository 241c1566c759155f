package main

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// rewrite makes the scripts write the outputs that they compare.
var rewrite = flag.Bool("rewrite", false, "rewrite the expected outputs in testdata/script")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sama": main})
}

// TestScripts runs the commands as a person would, each script in a folder of
// its own with the three small silos of testdata/people.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *rewrite,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			return os.CopyFS(e.WorkDir, people(t))
		},
	})
}

// people returns the folder of the three small silos.
func people(t *testing.T) fs.FS {
	t.Helper()
	return os.DirFS(filepath.Join(moduleRoot(t), "cmd", "sama", "testdata", "people"))
}
