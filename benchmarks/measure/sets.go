package measure

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Set is data with known truth.
type Set struct {
	Name   string
	Inputs []string // files, in the order in which they are given to sama
	Truth  string   // truth.parquet
}

// inputSuffixes are the files that can be input.
var inputSuffixes = []string{".parquet", ".csv", ".csv.gz", ".csv.zst", ".jsonl", ".jsonl.gz", ".jsonl.zst"}

// notInput are the files beside the input.
var notInput = []string{"truth.parquet", "extra.parquet", "pairs.parquet"}

// Sets returns the sets of that name under a folder, in the order of names; all
// of them, by name, if names is empty.
func Sets(root string, names []string) ([]Set, error) {
	if len(names) == 0 {
		folders, err := filepath.Glob(filepath.Join(root, "*", "truth.parquet"))
		if err != nil {
			return nil, err
		}
		if len(folders) == 0 {
			return nil, fmt.Errorf("no folder of %s holds a truth.parquet; name the folder of the sets with -data", root)
		}
		for _, f := range folders {
			names = append(names, filepath.Base(filepath.Dir(f)))
		}
	}
	var sets []Set
	var errs []error
	for _, name := range names {
		s, err := SetIn(filepath.Join(root, name))
		sets, errs = append(sets, s), append(errs, err)
	}
	return sets, errors.Join(errs...)
}

// SetIn returns the set in a folder, named after it.
func SetIn(dir string) (Set, error) {
	s := Set{Name: filepath.Base(dir), Truth: filepath.Join(dir, "truth.parquet")}
	if _, err := os.Stat(s.Truth); err != nil {
		return s, fmt.Errorf("set %s: %w", s.Name, err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return s, fmt.Errorf("set %s: %w", s.Name, err)
	}
	for _, f := range files {
		isInput := slices.ContainsFunc(inputSuffixes, func(suffix string) bool { return strings.HasSuffix(f.Name(), suffix) })
		if isInput && !slices.Contains(notInput, f.Name()) {
			s.Inputs = append(s.Inputs, filepath.Join(dir, f.Name()))
		}
	}
	if len(s.Inputs) == 0 {
		return s, fmt.Errorf("set %s: %s holds no records beside the truth", s.Name, dir)
	}
	return s, nil
}
