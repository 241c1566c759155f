package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sama/run"

	"github.com/spf13/pflag"
)

func TestExitCodes(t *testing.T) {
	locked := &run.ErrLocked{Dir: "out"}
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("disk on fire"), 1},
		{&failedCheck{"damaged"}, 1},
		{usagef("no such flag"), 2},
		{fmt.Errorf("wrapped: %w", usagef("no such flag")), 2},
		{rejectedf("too many"), 3},
		{locked, 4},
		{errors.Join(errors.New("other"), fmt.Errorf("wrapped: %w", locked)), 4},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.want)
		}
	}
}

func TestEveryCommandSaysHowItIsUsed(t *testing.T) {
	for _, cmd := range (&cli{}).root().Commands() {
		if cmd.Short == "" || !strings.Contains(cmd.Long, "Exit codes:") || !strings.Contains(cmd.Example, "sama "+cmd.Name()) {
			t.Errorf("%s: short %q, example %q, long %q", cmd.Name(), cmd.Short, cmd.Example, cmd.Long)
		}
	}
}

// TestFlagsMeanTheSameEverywhere compares the help texts of flags that several
// commands have.
func TestFlagsMeanTheSameEverywhere(t *testing.T) {
	usage := make(map[string]string)
	for _, cmd := range (&cli{}).root().Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "out" { // where the output goes: a directory, or a file where the output is one
				return
			}
			if before, ok := usage[f.Name]; ok && before != f.Shorthand+" "+f.Usage {
				t.Errorf("%s --%s: %q, elsewhere %q", cmd.Name(), f.Name, f.Shorthand+" "+f.Usage, before)
			}
			usage[f.Name] = f.Shorthand + " " + f.Usage
		})
	}
}

// peopleFiles are the three small silos.
func peopleFiles(t *testing.T) []string {
	t.Helper()
	dir := filepath.Join(moduleRoot(t), "cmd", "sama", "testdata", "people")
	return []string{filepath.Join(dir, "crm.csv"), filepath.Join(dir, "service.csv"), filepath.Join(dir, "webshop.csv")}
}

func TestASecondRunIsRefusedWhileOneWrites(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	lock, err := run.Acquire(out, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"resolve", "--quiet", "--out", out}, peopleFiles(t)...)
	_, stderr := mustRun(t, exitLocked, args...)
	if want := fmt.Sprintf("process %d has been writing a run there", os.Getpid()); !strings.Contains(stderr, want) {
		t.Errorf("stderr %q does not say %q", stderr, want)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	mustRun(t, exitDone, args...)
}

// TestIdentityIDsAreNeverUsedTwice puts current back to the first of two runs:
// the third run's ids must be neither's.
// TestIdentityIDsAreNeverUsedTwice rolls a run back and goes on with others: an
// id that the run issued comes back with the same records or not at all.
func TestIdentityIDsAreNeverUsedTwice(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	header, rows := csvRows(t, peopleFiles(t)[0])
	night := func(rows []string) map[string]string {
		file := filepath.Join(dir, "crm.csv")
		writeFile(t, file, header+strings.Join(rows, ""))
		mustRun(t, exitDone, "resolve", "--quiet", "--out", out, file)
		return keysByIdentity(t, out)
	}
	n := len(rows) / 3
	night(rows[:n])
	rolledBack := night(rows[:2*n])
	mustRun(t, exitDone, "rollback", "--out", out)
	other := night(slices.Concat(rows[:n], rows[2*n:]))
	for id, keys := range other {
		if before, twice := rolledBack[id]; twice && before != keys && !strings.HasPrefix(id, "0001") {
			t.Errorf("id %s had %s and has %s", id, before, keys)
		}
	}
	again := night(rows[:2*n])
	for id, keys := range rolledBack {
		if again[id] != keys {
			t.Errorf("id %s had %s; the same records again have another id, it has %q", id, keys, again[id])
		}
	}
	mustRun(t, exitDone, "check", "--all", out)
}

// keysByIdentity returns the keys of every identity of the current run.
func keysByIdentity(t *testing.T, out string) map[string]string {
	t.Helper()
	r, err := run.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Members()
	if err != nil {
		t.Fatal(err)
	}
	keys := make(map[string]string)
	for i := range uint32(m.Len()) {
		keys[m.Identities.At(m.Identity[i])] += m.Key(i).String() + " "
	}
	return keys
}

func TestTooManyRejectsAndUsageHaveTheirCodes(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.csv")
	writeFile(t, bad, "record_id,email,first_name\n1,a@example.com,Anna\n1,b@example.com,Pekka\n2,c@example.com,Liisa\n")
	mustRun(t, exitRejected, "resolve", bad, "--out", filepath.Join(dir, "out"), "--key", "record_id")
	mustRun(t, exitUsage, "resolve", bad, "--out", filepath.Join(dir, "out"), "--nonsense")
	mustRun(t, exitFailed, "resolve", filepath.Join(dir, "nothing.csv"), "--out", filepath.Join(dir, "out"))
	if _, err := os.Stat(filepath.Join(dir, "out")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused run left an output directory: %v", err)
	}
}

// TestAnInterruptedRunLeavesTheOutputAsItWas interrupts a run at the beginning
// of every stage.
func TestAnInterruptedRunLeavesTheOutputAsItWas(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	args := []string{"resolve", "--out", out, peopleFiles(t)[0]}
	mustRun(t, exitDone, args...)
	before := listing(t, out)
	for _, s := range resolveLine[:len(resolveLine)-1] {
		ctx, cancel := context.WithCancel(context.Background())
		var stdout bytes.Buffer
		stderr := &interrupter{after: s.name, cancel: cancel}
		if code := Run(ctx, args, strings.NewReader(""), &stdout, stderr); code != exitFailed {
			t.Errorf("interrupted after %s: exit code %d, want %d", s.name, code, exitFailed)
		}
		if !strings.HasSuffix(stderr.String(), "sama: interrupted; nothing was changed\n") {
			t.Errorf("interrupted after %s: stderr ends %q", s.name, stderr.String())
		}
		if after := listing(t, out); !slices.Equal(after, before) {
			t.Errorf("interrupted after %s: files were %v, are %v", s.name, before, after)
		}
		cancel()
	}
	mustRun(t, exitDone, "check", out)
}

// interrupter cancels when the line of a stage is written to it.
type interrupter struct {
	bytes.Buffer
	after  string
	cancel func()
}

func (i *interrupter) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte(i.after+" ")) {
		i.cancel()
	}
	return i.Buffer.Write(p)
}

// listing names all files below a folder.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestExplanationsWeighAsTheRunDid compares explanations with the run's edges:
// same weight, and steps that sum to it.
func TestExplanationsWeighAsTheRunDid(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	mustRun(t, exitDone, append([]string{"resolve", "--quiet", "--out", out}, peopleFiles(t)...)...)
	c := &cli{stdout: new(bytes.Buffer), stderr: new(bytes.Buffer), now: time.Now}
	p, err := c.reopen(context.Background(), &options{out: out, workers: 2, changed: func(string) bool { return false }})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.edges) < 100 {
		t.Fatalf("%d edges", len(p.edges))
	}
	for _, e := range p.edges {
		x := p.pair(e.A, e.B, e.A, e.B)
		if x.Weight != e.Weight.Bits() {
			t.Fatalf("%s and %s: explained %v bits, edge %v", x.A, x.B, x.Weight, e.Weight.Bits())
		}
		sum := x.Prior + x.OtherKinds
		for _, s := range x.Steps {
			sum += s.Bits
		}
		if sum != x.Weight {
			t.Fatalf("%s and %s: steps sum to %v, weight %v", x.A, x.B, sum, x.Weight)
		}
		if x.Same != (p.members.Identity[e.A] == p.members.Identity[e.B]) {
			t.Fatalf("%s and %s: same identity %v", x.A, x.B, x.Same)
		}
		if !x.Same && x.Weight >= x.Threshold && !strings.Contains(x.Verdict, "stay apart") {
			t.Fatalf("%s and %s: verdict %q", x.A, x.B, x.Verdict)
		}
	}
}

// TestEvaluationAgreesWithPlainCounting counts pairs one by one.
func TestEvaluationAgreesWithPlainCounting(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	files := peopleFiles(t)
	mustRun(t, exitDone, append([]string{"resolve", "--quiet", "--out", out}, files...)...)
	truthFile := filepath.Join(filepath.Dir(files[0]), "truth.csv")
	stdout, _ := mustRun(t, exitDone, "evaluate", "--truth", truthFile, "--out", out, "--json")
	var got struct {
		Precision, Recall, F1 float64
		TruePairs             int     `json:"true_pairs"`
		BlockingRecall        float64 `json:"blocking_recall"`
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(truthFile)
	if err != nil {
		t.Fatal(err)
	}
	r, err := run.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Members()
	if err != nil {
		t.Fatal(err)
	}
	who := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, ",")
		who[cells[0]+":"+cells[1]] = cells[2]
	}
	var both, found, truly float64
	for a := range uint32(m.Len()) {
		for b := range a {
			same, one := who[m.Key(a).String()] == who[m.Key(b).String()], m.Identity[a] == m.Identity[b]
			if same {
				truly++
			}
			if one {
				found++
			}
			if same && one {
				both++
			}
		}
	}
	if got.Precision != both/found || got.Recall != both/truly || got.TruePairs != int(truly) {
		t.Errorf("got %+v; plain counting gives %v right of %v found and %v true", got, both, found, truly)
	}
	if got.BlockingRecall != 1 {
		t.Errorf("all pairs were compared, but blocking recall is %v", got.BlockingRecall)
	}
}

func TestSizesAreRead(t *testing.T) {
	for text, want := range map[string]byteSize{"512MiB": 512 << 20, "4G": 4 << 30, "1.5 gib": 3 << 29, "1000000000": 1e9, "64MB": 64e6, "2tb": 2e12} {
		var b byteSize
		if err := b.Set(text); err != nil || b != want {
			t.Errorf("%q: %d (%v), want %d", text, int64(b), err, int64(want))
		}
	}
	for _, text := range []string{"", "x", "-4G", "3", "1e300G", "4 Q"} {
		var b byteSize
		if err := b.Set(text); err == nil {
			t.Errorf("%q was taken as %d", text, int64(b))
		}
	}
}

func TestValuesCannotSteerTheTerminal(t *testing.T) {
	if got, want := printable("a\x1b[31mb\nc\u202ed\u009be"), "a [31mb c d e"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
