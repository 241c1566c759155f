package extract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"sama/record"
	"sama/serve/consent"
	"sama/serve/store"

	"golang.org/x/sync/errgroup"
)

// newsletterWorld is a world of which every third person wants the newsletter.
func newsletterWorld(t testing.TB, persons int) *world {
	w := fixedWorld(t, persons)
	var events []store.ConsentEvent
	for i := 0; i < persons; i += 3 {
		events = append(events, store.ConsentEvent{Anchor: consent.OfRecord("crm", fmt.Sprintf("%06d", i)).String(), Act: "grant", Purpose: "newsletter",
			Channel: "email", Controller: "us", At: start.Add(-2 * time.Hour), Source: "page", Authenticated: "account"})
	}
	if _, err := w.store.AddConsents(context.Background(), events, store.Also{}); err != nil {
		t.Fatal(err)
	}
	return w
}

// extracted writes a file and returns its bytes.
func (w *world) extracted(t testing.TB, name string, workers int) []byte {
	t.Helper()
	x, err := New(context.Background(), w.options(workers), Request{Client: "mailer", Purpose: "newsletter", Channel: "email"})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(w.dir, name)
	if _, err := x.Write(context.Background(), path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// python runs a script in a folder and returns what it prints. It skips the test
// where Python or a module is missing, unless SAMA_TEST_REQUIRE=all.
func python(t *testing.T, dir, script string, modules ...string) []byte {
	t.Helper()
	exe, err := exec.LookPath("python3")
	if err == nil {
		err = exec.Command(exe, "-c", "import "+strings.Join(modules, ", ")).Run()
	}
	if err != nil {
		if os.Getenv("SAMA_TEST_REQUIRE") == "all" {
			t.Fatalf("python3 with %v is needed: %v", modules, err)
		}
		t.Skipf("python3 with %v not found", modules)
	}
	cmd := exec.Command(exe, "-c", script)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python: %v\n%s", err, stderr.Bytes())
	}
	return out
}

// TestOthersReadEveryFormat reads the files with DuckDB, pandas and pyarrow.
func TestOthersReadEveryFormat(t *testing.T) {
	w := newsletterWorld(t, 9)
	w.put(record.Key{Source: "web", ID: "1"}, []string{"On\xffline", "on@x.fi", "", "", "", ""}, "id000003x")
	w.put(record.Key{Source: "crm", ID: "000006"}, nil, "")
	if _, err := w.store.AddConsents(t.Context(), []store.ConsentEvent{{Anchor: "record:web:1", Act: "grant", Purpose: "newsletter", Controller: "us",
		Channel: "email", At: start.Add(-2 * time.Hour), Source: "page", Authenticated: "account"}}, store.Also{}); err != nil {
		t.Fatal(err)
	}
	for _, f := range []Format{Parquet, CSV, CSVGzip, Arrow} {
		w.extracted(t, "people"+string(f), 2)
	}
	out := python(t, w.dir, `
import duckdb, json, pandas, pyarrow.ipc
rows = {
    'parquet': duckdb.execute("select * from 'people.parquet'").fetchall(),
    'csv': duckdb.execute("select * from read_csv('people.csv', header=true, all_varchar=true)").fetchall(),
    'gzip': duckdb.execute("select * from read_csv('people.csv.gz', header=true, all_varchar=true)").fetchall(),
    'arrow': [tuple(r.values()) for r in pyarrow.ipc.open_file('people.arrow').read_all().to_pylist()],
    'pandas': [tuple(None if v != v else v for v in r) for r in pandas.read_csv('people.csv.gz', dtype=str).itertuples(index=False)],
    'columns': [tuple(r[:2]) for r in duckdb.execute("describe select * from 'people.parquet'").fetchall()],
}
print(json.dumps(rows))
`, "duckdb", "pandas", "pyarrow")
	var got map[string][][]*string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	for _, reader := range []string{"parquet", "csv", "gzip", "arrow", "pandas"} {
		text := ""
		for _, row := range got[reader] {
			for _, v := range row {
				if v == nil {
					text += "null|"
				} else {
					text += *v + "|"
				}
			}
			text += "\n"
		}
		if want := "id000000|Anna, \"A\"|p0@x.fi|null|\nid000003|Anna, \"A\"|p3@x.fi|null|\nid000003x|On\uFFFDline|on@x.fi|null|\n"; text != want {
			t.Errorf("%s reads\n%swant\n%s", reader, text, want)
		}
	}
	names := ""
	for _, c := range got["columns"] {
		names += *c[0] + " "
		if *c[1] != "VARCHAR" {
			t.Errorf("column %s is %s", *c[0], *c[1])
		}
	}
	if names != "identity_id given_name email email_2 " {
		t.Errorf("columns %s", names)
	}
}

func TestWorkersChangeNoByte(t *testing.T) {
	w := newsletterWorld(t, 3*max(rangeSize, eventsAtOnce)+2)
	if lines := bytes.Count(w.extracted(t, "all.csv", 2), []byte("\n")); lines != 1+max(rangeSize, eventsAtOnce)+1 {
		t.Errorf("%d lines", lines)
	}
	for _, f := range []Format{Parquet, CSV, CSVGzip, Arrow} {
		one := w.extracted(t, "a"+string(f), 1)
		for workers := 1; workers <= 3; workers++ {
			if !bytes.Equal(one, w.extracted(t, "b"+string(f), workers)) {
				t.Errorf("%s of %d workers is another file", f, workers)
			}
		}
	}
}

// TestKilledAtAnyTimeTheFileIsWhole kills an extract again and again; what stands
// under the name is the file of before or the new one.
func TestKilledAtAnyTimeTheFileIsWhole(t *testing.T) {
	if dir := os.Getenv("SAMA_TEST_EXTRACT"); dir != "" {
		extractOnAndOn(t, dir)
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w := newsletterWorld(t, 3000)
	folder := t.TempDir()
	path := filepath.Join(folder, "people.csv")
	whole := w.extracted(t, "whole.csv", 2)
	before := []byte("what was there before\n")
	writeFile := func() {
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	writeFile()
	appeared := 0
	for kill := range 12 {
		cmd := exec.Command(exe, "-test.run=^TestKilledAtAnyTimeTheFileIsWhole$")
		cmd.Env = append(os.Environ(), "SAMA_TEST_EXTRACT="+w.dir, "SAMA_TEST_EXTRACT_TO="+path)
		started, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// It is killed after so many lines: one a stage of each extract.
		lines := 0
		buf := make([]byte, 1)
		for lines <= kill {
			if n, err := started.Read(buf); n == 0 && err != nil {
				t.Fatalf("the child ended: %v", err)
			}
			if buf[0] == '\n' {
				lines++
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		text, err := os.ReadFile(path)
		switch {
		case err != nil:
			t.Fatal(err)
		case bytes.Equal(text, whole):
			appeared++
			writeFile()
		case !bytes.Equal(text, before):
			t.Fatalf("killed after %d lines, the file has %d bytes, want %d or %d", lines, len(text), len(before), len(whole))
		}
	}
	if appeared == 0 || appeared == 12 {
		t.Errorf("the file was new %d times of 12", appeared)
	}
	v, err := w.store.VerifyAccess(t.Context())
	if err != nil || v.Rows < int64(appeared)+1 {
		t.Errorf("%d files appeared, the access log has %d rows: %v", appeared, v.Rows-1, err)
	}
	// The next extract clears what the killed ones left.
	w.dir = folder
	w.extracted(t, "people.csv", 1)
	if left, _ := os.ReadDir(folder); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}

// extractOnAndOn is the child that is killed.
func extractOnAndOn(t *testing.T, dir string) {
	w := openWorld(t, dir)
	for {
		o := w.options(2)
		o.Begin = func(name, _ string) Progress {
			fmt.Println(name)
			return silent{}
		}
		x, err := New(t.Context(), o, Request{Client: "mailer", Purpose: "newsletter", Channel: "email"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.Write(t.Context(), os.Getenv("SAMA_TEST_EXTRACT_TO")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatCannotBeWrittenLeavesNothing lets the writing fail.
func TestWhatCannotBeWrittenLeavesNothing(t *testing.T) {
	w := newsletterWorld(t, 3)
	x, err := New(t.Context(), w.options(1), Request{Client: "mailer", Purpose: "newsletter"})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(w.dir, "no", "people.csv"), filepath.Join(w.dir, "people.xlsx"), w.dir + ".csv"} {
		if path == w.dir+".csv" {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := x.Write(t.Context(), path); err == nil {
			t.Errorf("%s was written", path)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	o := w.options(1)
	o.Begin = func(name, _ string) Progress {
		if name == "write" {
			cancel()
		}
		return silent{}
	}
	if x, err = New(t.Context(), o, Request{Client: "mailer", Purpose: "newsletter"}); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Write(ctx, filepath.Join(w.dir, "people.csv")); err == nil {
		t.Error("an extract that was given up was written")
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, "*people*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, tempPrefix+"*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if v, err := w.store.VerifyAccess(t.Context()); err != nil || v.Rows != 0 {
		t.Errorf("%+v %v", v, err)
	}
}

// TestNobodyRemovesAFileThatIsBegun begins files in one folder, where each clears
// away what it takes for left, and takes none for left that another has begun.
func TestNobodyRemovesAFileThatIsBegun(t *testing.T) {
	dir := t.TempDir()
	var g errgroup.Group
	for n := range 4 {
		g.Go(func() error {
			for i := range 400 {
				f, err := create(filepath.Join(dir, fmt.Sprintf("%d.csv", n)))
				if err != nil {
					return err
				}
				if _, err := os.Lstat(f.temp.Name()); err != nil {
					return fmt.Errorf("file %d: %w", i, err)
				}
				if err := f.publish(); err != nil {
					return fmt.Errorf("file %d: %w", i, err)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

// TestALockThatThereIsNotIsNoOtherExtract: a file system without locks is named.
func TestALockThatThereIsNotIsNoOtherExtract(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var two [2]*os.File
	for i := range two {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		two[i] = f
	}
	if err := lock(two[0]); err != nil {
		t.Fatal(err)
	}
	if err := lock(two[1]); runtime.GOOS != "windows" && !errors.Is(err, errHeld) {
		t.Errorf("the second lock: %v", err)
	}
	two[0].Close()
	if err := lock(two[0]); runtime.GOOS != "windows" && (err == nil || errors.Is(err, errHeld)) {
		t.Errorf("the lock of a file that is closed: %v", err)
	}
}
