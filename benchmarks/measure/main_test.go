package measure

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestFlagsSayWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-sama", "bin/sama", "-records", "5"}, ""},
		{[]string{"-sama", "bin/sama", "-records", "4", "more"}, "unexpected argument \"more\"; see -help\n-records 4: want at least 5"},
	} {
		var program string
		f := Flags("nothing", io.Discard, &program)
		records := f.Int("records", 5, "")
		if err := f.Parse(c.args); err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := errors.Join(NoArguments(f), AtLeast("records", *records, 5)); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%v: %q, want %q", c.args, got, c.want)
		}
		if used, err := Use(t.Context(), program, t.TempDir()); err != nil || used != "bin/sama" {
			t.Errorf("%q is used: %v", used, err)
		}
	}
}

// TestACopyOfAnOutputDirectory has the same files and links, and no lock.
func TestACopyOfAnOutputDirectory(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	if err := errors.Join(os.MkdirAll(filepath.Join(from, "runs", "1"), 0o777), os.WriteFile(filepath.Join(from, "runs", "1", "run.json"), []byte("{}"), 0o666),
		os.WriteFile(filepath.Join(from, "lock"), nil, 0o666), os.Symlink(filepath.Join("runs", "1"), filepath.Join(from, "current"))); err != nil {
		t.Fatal(err)
	}
	if err := CopyOutput(from, to); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, pattern := range []string{"*", "current/*"} {
		found, err := filepath.Glob(filepath.Join(to, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			below, _ := filepath.Rel(to, name) // both are absolute
			names = append(names, filepath.ToSlash(below))
		}
	}
	if want := []string{"current", "runs", "current/run.json"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
	if link, err := os.Readlink(filepath.Join(to, "current")); err != nil || link != filepath.Join("runs", "1") {
		t.Errorf("current leads to %q: %v", link, err)
	}
}
