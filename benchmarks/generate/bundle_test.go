package generate

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
)

// bundled are the options that testdata was made with.
var bundled = Options{Records: 5000, Seed: 2026, Format: Mixed}

func TestBundledSilosAreWhatTheGeneratorMakes(t *testing.T) {
	bundle := filepath.Join(repoRoot(t), "testdata")
	dir := t.TempDir()
	if *update {
		dir = bundle
	}
	m, err := Run(context.Background(), bundled, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, f := range append(m.Files, ManifestFile{Name: "manifest.json"}) {
		want, err := os.ReadFile(filepath.Join(bundle, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("testdata/%s is not what the generator makes now; -update rewrites it", f.Name)
		}
		total += int64(len(want))
	}
	if total > 600<<10 {
		t.Errorf("testdata takes %d bytes", total)
	}
}
