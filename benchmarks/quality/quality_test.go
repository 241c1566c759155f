package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sama/benchmarks/measure"
)

// TestMain makes the test binary three programs: the tests, the process between
// them and what they measure, and a sama that finds what the column "joins" says.
func TestMain(m *testing.M) {
	measure.Helper()
	if len(os.Args) > 1 && os.Args[1] == "resolve" {
		if err := pretend(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "sama:", err)
			os.Exit(3)
		}
		return
	}
	os.Exit(m.Run())
}

type inputRow struct {
	RecordID string `parquet:"record_id"`
	Joins    string `parquet:"joins"`
}

type truthRow struct {
	RecordID string `parquet:"record_id"`
	EntityID string `parquet:"entity_id"`
}

type memberRow struct {
	Source     string `parquet:"source"`
	RecordID   string `parquet:"record_id"`
	IdentityID string `parquet:"identity_id"`
}

// pretend does what `sama resolve FILE --out DIR --quiet --json` does, as far as
// measuring sees it.
func pretend(args []string) error {
	if len(args) != 5 || args[1] != "--out" || args[3] != "--quiet" || args[4] != "--json" {
		return fmt.Errorf("arguments %q", args)
	}
	rows, err := parquet.ReadFile[inputRow](args[0])
	if err != nil {
		return err
	}
	var members []memberRow
	for _, r := range rows {
		switch r.Joins {
		case "":
			return fmt.Errorf("no column identifies anybody")
		case "rejected":
		default:
			members = append(members, memberRow{"records", r.RecordID, r.Joins})
		}
	}
	dir := filepath.Join(args[2], "runs", "1")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.Symlink(filepath.Join("runs", "1"), filepath.Join(args[2], "current")); err != nil {
		return err
	}
	fmt.Printf(`{"records": %d, "candidate_pairs": 42, "threshold": {"bits": 1.5}, "quality": {"expected_f1": 0.25}}`, len(rows))
	return parquet.WriteFile(filepath.Join(dir, "members.parquet"), members)
}

// writeSet makes a set of records whose ids are a, b … of which "joins" says what
// the pretended sama finds.
func writeSet(t *testing.T, root, name string, persons, joins []string) {
	t.Helper()
	dir := filepath.Join(root, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var records []inputRow
	var truth []truthRow
	for i := range persons {
		id := string(rune('a' + i))
		records, truth = append(records, inputRow{id, joins[i]}), append(truth, truthRow{id, persons[i]})
	}
	if err := parquet.WriteFile(filepath.Join(dir, "records.parquet"), records); err != nil {
		t.Fatal(err)
	}
	if err := parquet.WriteFile(filepath.Join(dir, "truth.parquet"), truth); err != nil {
		t.Fatal(err)
	}
}

// measureSets runs the command on sets with the pretended sama, in a module of
// its own.
func measureSets(t *testing.T, root string, args ...string) (code int, stdout string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code = Run(context.Background(), append([]string{"-data", root, "-sama", self}, args...), &out, &errs)
	if code == 2 || out.Len() == 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	return code, out.String()
}

// inModule makes a folder with a go.mod the current one and returns its
// accepted.txt.
func inModule(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	t.Chdir(root)
	path := filepath.Join(root, "benchmarks", "quality", "accepted.txt")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("go.mod", []byte("module x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFiguresAreAcceptedAndChangesShown(t *testing.T) {
	accepted, root := inModule(t), t.TempDir()
	writeSet(t, root, "easy", []string{"1", "1", "2"}, []string{"i", "i", "j"})
	writeSet(t, root, "febrl3", []string{"1", "1", "2"}, []string{"i", "i", "i"})
	code, out := measureSets(t, root, "-update")
	if code != 1 || !strings.Contains(out, "below") {
		t.Errorf("febrl3 at F1 .5 gave exit code %d and\n%s", code, out)
	}
	want := acceptedHead +
		"set     records       P       R      F1      B³   exact\n" +
		"febrl3        3  0.3333  1.0000  0.5000  0.7143  0.0000\n" +
		"easy          3  1.0000  1.0000  1.0000  1.0000  1.0000\n"
	if got, err := os.ReadFile(accepted); err != nil || string(got) != want {
		t.Errorf("accepted.txt holds\n%s\nwant\n%s", got, want)
	}
	if code, out = measureSets(t, root, "-sets", "easy"); code != 0 || !strings.Contains(out, "All figures are the accepted ones") {
		t.Errorf("the same again gave exit code %d and\n%s", code, out)
	}
	writeSet(t, root, "easy", []string{"1", "1", "2"}, []string{"i", "k", "j"})
	_, out = measureSets(t, root, "-sets", "easy")
	if !strings.Contains(out, "- easy        3  1.0000  1.0000") || !strings.Contains(out, "+ easy        3  1.0000  0.0000") {
		t.Errorf("a change is not shown:\n%s", out)
	}
	if got, _ := os.ReadFile(accepted); string(got) != want {
		t.Errorf("accepted.txt changed without -update:\n%s", got)
	}
	measureSets(t, root, "-sets", "easy", "-update")
	if got, _ := os.ReadFile(accepted); !strings.Contains(string(got), "febrl3        3  0.3333") || !strings.Contains(string(got), "easy          3  1.0000  0.0000") {
		t.Errorf("after an update of one set accepted.txt holds\n%s", got)
	}
}

func TestRunThatFailsIsShownAndFails(t *testing.T) {
	inModule(t)
	root := t.TempDir()
	writeSet(t, root, "refused", []string{"1", "1"}, []string{"", ""})
	code, out := measureSets(t, root)
	if code != 1 || !strings.Contains(out, "refused failed:") || !strings.Contains(out, "no column identifies anybody") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

func TestRejectedRecordsCountAsAlone(t *testing.T) {
	inModule(t)
	root := t.TempDir()
	writeSet(t, root, "part", []string{"1", "1"}, []string{"i", "rejected"})
	_, out := measureSets(t, root)
	if !strings.Contains(out, "part        2  1.0000  0.0000") || !strings.Contains(out, "1 records were rejected") {
		t.Errorf("got\n%s", out)
	}
}

func TestJSONIsAllOfStdout(t *testing.T) {
	inModule(t)
	root := t.TempDir()
	writeSet(t, root, "easy", []string{"1", "1", "2"}, []string{"i", "i", "j"})
	_, out := measureSets(t, root, "-json")
	for _, want := range []string{`"set": "easy"`, `"f1": 1`, `"candidate_pairs": 42`, `"threshold_bits": 1.5`, `"expected_f1": 0.25`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	if !strings.HasPrefix(out, "[") || !strings.HasSuffix(out, "]\n") {
		t.Errorf("more than JSON:\n%s", out)
	}
}

func TestChangedInputIsComparedWithTheInputAsItIs(t *testing.T) {
	inModule(t)
	root := t.TempDir()
	persons, joins := strings.Split("1122334455", ""), strings.Split("iijjkkllmn", "")
	writeSet(t, root, "febrl3", persons, joins)
	code, out := measureSets(t, root, "-shuffle", "5", "-seeds", "2")
	if code != 0 || strings.Count(out, "=") != 4 || !strings.Contains(out, "none moved") {
		t.Errorf("shuffled: exit code %d\n%s", code, out)
	}
	code, out = measureSets(t, root, "-rename")
	if code != 1 || !strings.Contains(out, "failed") {
		t.Errorf("the pretended sama knows its column by name; renamed: exit code %d\n%s", code, out)
	}
	code, out = measureSets(t, root, "-subset", "0.5", "-seeds", "3")
	if code != 0 || strings.Count(out, "\nfebrl3") != 3 || !strings.Contains(out, "Largest moves of F1: febrl3") {
		t.Errorf("subsets: exit code %d\n%s", code, out)
	}
}

func TestWrongFlagsAreSaidAllAtOnce(t *testing.T) {
	var out, errs bytes.Buffer
	code := Run(context.Background(), []string{"-subset", "2", "-seeds", "0", "-update", "-rename"}, &out, &errs)
	for _, want := range []string{"-subset 2", "-seeds 0", "-update"} {
		if code != 2 || !strings.Contains(errs.String(), want) {
			t.Errorf("exit code %d, no %s in %s", code, want, errs.String())
		}
	}
	if code := Run(context.Background(), []string{"-noise", "loud"}, &out, &errs); code != 2 {
		t.Errorf("-noise loud gave exit code %d", code)
	}
}
