package ingest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFilesThatChangeWhileTheyAreReadAreRefused changes a file between the
// moment it is opened and the moment all is read.
func TestFilesThatChangeWhileTheyAreReadAreRefused(t *testing.T) {
	const text = "id,email\n1,anna@example.com\n2,pekka@example.com\n"
	for _, c := range []struct {
		what   string
		change func(path string) error
		want   string
	}{
		{"nothing", func(string) error { return nil }, ""},
		{"truncated", func(path string) error { return os.Truncate(path, 20) }, "it had 48 bytes and has 20"},
		{"grown", func(path string) error { return os.WriteFile(path, []byte(text+"3,x@example.com\n"), 0o666) }, "it had 48 bytes and has 64"},
		{"rewritten", func(path string) error { return os.Chtimes(path, time.Time{}, time.Unix(1_800_000_000, 0)) }, "it changed while it was read;"},
		{"replaced", func(path string) error {
			if err := os.WriteFile(path+".new", []byte(text), 0o666); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		}, "it was replaced by another file"},
		{"removed", os.Remove, "it went away while it was read"},
	} {
		path := filepath.Join(t.TempDir(), "crm.csv")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		table := &fileTable{File: File{Path: path}}
		_, done, err := openFile(t.Context(), table, Input{}, ReadOptions{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		done()
		if err := c.change(path); err != nil {
			t.Fatal(err)
		}
		err = table.unchanged()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
}
