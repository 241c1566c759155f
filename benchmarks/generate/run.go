package generate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// Run makes the silos, their truth and the manifest in dir, which is created if
// need be; files of the same names are replaced. Progress, if not nil, is told
// how many of the steps are done: each record is made and then written. A run
// that fails or is cancelled leaves no file behind. The error is a *CheckError
// when the output is not like its reference.
func Run(ctx context.Context, opt Options, dir string, progress func(done, total int)) (*Manifest, error) {
	p, err := newPopulation(ctx, opt)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	step := stepper(progress, 2*int(p.records()))
	rows := newRowStore(p)
	tally, err := rows.fill(ctx, opt.workers(), step)
	if err != nil {
		return nil, err
	}
	m := newManifest(p, tally)
	if err := m.failed(); err != nil {
		return m, err
	}
	out := outputs(rows, opt.Format)
	files := make([]ManifestFile, len(out))
	defer func() {
		for _, o := range out {
			os.Remove(partialName(dir, o.name))
		}
	}()
	errs := make([]error, len(out))
	err = parallel(ctx, opt.workers(), len(out), func() func(int) {
		return func(i int) {
			files[i], errs[i] = out[i].writeTo(ctx, dir)
			step(out[i].steps)
		}
	})
	if err = errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	m.Files = files
	return m, m.publish(dir, out)
}

// stepper counts steps and tells progress about each thousandth of them.
func stepper(progress func(done, total int), total int) func(n int) {
	if progress == nil {
		return func(int) {}
	}
	var mu sync.Mutex // guards done and the calls of progress
	done := 0
	return func(n int) {
		mu.Lock()
		defer mu.Unlock()
		before := done
		done += n
		if every := max(1, total/1000); done/every != before/every || done == total {
			progress(done, total)
		}
	}
}

// A Manifest says what a run made. It is the same for the same options.
type Manifest struct {
	Records    int            `json:"records_wanted"`
	Seed       uint64         `json:"seed"`
	Noise      Profile        `json:"noise"`
	Format     Format         `json:"format"`
	Parameters map[string]any `json:"parameters"`
	Counts     Counts         `json:"counts"`
	Checks     []Check        `json:"checks"`
	Files      []ManifestFile `json:"files"`
}

// Counts are the sizes of the output.
type Counts struct {
	Households int            `json:"households"`
	Persons    int            `json:"persons_with_records"`
	Records    map[string]int `json:"records"`
	TruePairs  int            `json:"true_pairs"`
}

// A ManifestFile is one file of the output.
type ManifestFile struct {
	Name   string `json:"name"`
	Rows   int    `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func newManifest(p *population, t *tally) *Manifest {
	m := &Manifest{
		Records: p.opt.Records, Seed: p.opt.Seed, Noise: p.opt.Noise, Format: p.opt.Format,
		Parameters: parameters(), Checks: t.checks(p.opt.Noise),
		Counts: Counts{Households: int(p.households), Persons: t.persons, TruePairs: t.pairs, Records: map[string]int{}},
	}
	for s, name := range sourceNames {
		m.Counts.Records[name] = int(p.total[s])
	}
	return m
}

// failed returns the checks that fail the run.
func (m *Manifest) failed() error {
	var failed []Check
	for _, c := range m.Checks {
		if c.Must && !c.OK && (m.Records >= checkedFrom || c.Want == 0) {
			failed = append(failed, c)
		}
	}
	if len(failed) > 0 {
		return &CheckError{failed}
	}
	return nil
}

// publish writes the manifest and gives all files their names.
func (m *Manifest) publish(dir string, out []output) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("generate: manifest: %w", err)
	}
	for _, o := range out {
		if err := os.Rename(partialName(dir, o.name), filepath.Join(dir, o.name)); err != nil {
			return fmt.Errorf("generate: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	return nil
}

func partialName(dir, name string) string { return filepath.Join(dir, "."+name+".partial") }

// writeTo writes the file under its partial name.
func (o *output) writeTo(ctx context.Context, dir string) (ManifestFile, error) {
	f, err := os.Create(partialName(dir, o.name))
	if err != nil {
		return ManifestFile{}, fmt.Errorf("generate: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	counted := &countingWriter{w: io.MultiWriter(f, sum)}
	if err := o.write(ctx, counted); err != nil {
		return ManifestFile{}, fmt.Errorf("generate: write %s: %w", o.name, err)
	}
	if err := f.Close(); err != nil {
		return ManifestFile{}, fmt.Errorf("generate: %w", err)
	}
	return ManifestFile{Name: o.name, Rows: o.rows, Bytes: counted.n, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}

type countingWriter struct {
	w io.Writer
	n int64
}

// Write implements io.Writer.
func (c *countingWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
