package measure

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Change is a way to copy a set's input. The zero value copies nothing.
type Change struct {
	Drop    []string // columns to leave out
	Shuffle bool     // rows, columns and files in random order
	Rename  bool     // columns named c1, c2 … in their order, but for record_id and source, by which records are named
	Subset  float64  // share of the records to keep, drawn by record id; 0 = all
	Seed    uint64   // of Shuffle and Subset
}

// Apply returns the set to use: copies of its files in dir, which must be there,
// or the files themselves where nothing changes. A subset has its truth cut to
// the same records. Only Parquet files can be changed.
func (c Change) Apply(s Set, dir string) (Set, error) {
	out := Set{Name: s.Name, Truth: s.Truth}
	random := rand.New(rand.NewPCG(c.Seed, textHash(s.Name)))
	for _, path := range s.Inputs {
		copied, err := c.file(path, dir, random)
		if err != nil {
			return out, fmt.Errorf("set %s: %w", s.Name, err)
		}
		out.Inputs = append(out.Inputs, copied)
	}
	if c.Shuffle {
		random.Shuffle(len(out.Inputs), func(i, j int) { out.Inputs[i], out.Inputs[j] = out.Inputs[j], out.Inputs[i] })
	}
	if c.Subset > 0 {
		truth, err := readFrame(s.Truth)
		if err != nil {
			return out, fmt.Errorf("set %s: %w", s.Name, err)
		}
		if err := c.subset(truth); err != nil {
			return out, fmt.Errorf("set %s: truth: %w", s.Name, err)
		}
		// Aside, so that it can stand beside the input without being input.
		out.Truth = filepath.Join(dir, "truth", "truth.parquet")
		if err := os.MkdirAll(filepath.Dir(out.Truth), 0o755); err != nil {
			return out, err
		}
		if err := truth.write(out.Truth); err != nil {
			return out, fmt.Errorf("set %s: %w", s.Name, err)
		}
	}
	return out, nil
}

// file copies one file to dir and returns its new path, or the old one where
// nothing changes.
func (c Change) file(path, dir string, random *rand.Rand) (string, error) {
	if !strings.HasSuffix(path, ".parquet") {
		if c.Shuffle || c.Rename || c.Subset > 0 {
			return "", fmt.Errorf("%s is no Parquet file and cannot be changed", path)
		}
		return path, nil
	}
	if !c.Shuffle && !c.Rename && c.Subset == 0 {
		has, err := hasColumn(path, c.Drop)
		if err != nil || !has {
			return path, err
		}
	}
	f, err := readFrame(path)
	if err != nil {
		return "", err
	}
	f.choose(c.columns(f, random))
	if c.Rename {
		for i, name := range f.names {
			if name != "record_id" && name != "source" {
				f.names[i] = fmt.Sprintf("c%d", i+1)
			}
		}
	}
	if c.Subset > 0 {
		if err := c.subset(f); err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
	}
	if c.Shuffle {
		random.Shuffle(len(f.rows), func(i, j int) { f.rows[i], f.rows[j] = f.rows[j], f.rows[i] })
	}
	to := filepath.Join(dir, filepath.Base(path))
	return to, f.write(to)
}

// columns returns the places of the columns to keep, in their new order.
func (c Change) columns(f *frame, random *rand.Rand) []int {
	var places []int
	for i, name := range f.names {
		if !slices.Contains(c.Drop, name) {
			places = append(places, i)
		}
	}
	if c.Shuffle {
		random.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
	}
	return places
}

// subset keeps a share of the rows. Whether a row is kept follows from the seed
// and its record id, so that records and truth lose the same ones.
func (c Change) subset(f *frame) error {
	id := f.column("record_id")
	if id < 0 {
		return fmt.Errorf("no column record_id to draw records by")
	}
	kept := f.rows[:0]
	for i := range f.rows {
		if c.keeps(f.text(i, id)) {
			kept = append(kept, f.rows[i])
		}
	}
	f.rows = kept
	return nil
}

func (c Change) keeps(recordID string) bool {
	draw := rand.NewPCG(c.Seed, textHash(recordID)).Uint64()
	return float64(draw) < c.Subset*math.MaxUint64
}

func textHash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return binary.BigEndian.Uint64(h.Sum(nil))
}
