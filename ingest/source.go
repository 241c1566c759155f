package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Input names files of one source, or of several.
type Input struct {
	// Paths are files, directories (all data files below, but for those whose
	// names begin with a dot or underscore) and glob patterns.
	Paths []string
	// Source, where given, makes all files one source of that name. Without it
	// each file is a source named after itself, and a directory one named after
	// it; and a column named "source" with few values (see maxSources) makes
	// one source a value instead.
	Source string
	// Format is "parquet", "csv" or "jsonl"; "" finds it from the content.
	Format string
	CSV    CSVOptions
	// Encoding of text, such as "windows-1252"; "" finds it from the content.
	Encoding string
}

// ReadOptions are the limits of reading. Zero values mean the defaults.
type ReadOptions struct {
	Workers int // files and columns read at a time; default 1
	MaxCell int // bytes of a value; longer ones are null and counted; default 16 MiB
	// KeepRejects is how many rejects are listed; all are counted in
	// File.Skipped and File.Repaired. Default 100,000.
	KeepRejects int
}

func (o ReadOptions) withDefaults() ReadOptions {
	o.Workers = max(o.Workers, 1)
	o.MaxCell = cmp.Or(max(o.MaxCell, 0), 16<<20)
	o.KeepRejects = cmp.Or(max(o.KeepRejects, 0), 100_000)
	return o
}

// maxSources is the number of distinct values up to which a source column
// names sources.
const maxSources = 64

// sourceFiles are the files of one source to be.
type sourceFiles struct {
	name  string
	split bool // a source column may split it
	input Input
	paths []string
}

// ReadSources reads all inputs and returns their sources, sorted by name, and
// what was rejected, in the order of sources and files. The result does not
// depend on the order of inputs and paths nor on the number of workers.
//
// A file that cannot be read, a file given twice and two sources of one name
// are errors; all of them are returned together.
func ReadSources(ctx context.Context, inputs []Input, opt ReadOptions) ([]*Raw, []Reject, error) {
	opt = opt.withDefaults()
	sources, err := findSources(inputs)
	if err != nil {
		return nil, nil, err
	}
	tables, err := readFiles(ctx, sources, opt)
	if err != nil {
		return nil, nil, err
	}
	var raws []*Raw
	var rejected []Reject
	for i, s := range sources {
		raw, err := unite(s.name, tables[i])
		if err != nil {
			return nil, nil, err
		}
		for _, t := range tables[i] {
			rejected = append(rejected, t.rejects...)
		}
		if !s.split {
			raws = append(raws, raw)
			continue
		}
		parts, more, err := splitBySource(raw, opt)
		if err != nil {
			return nil, nil, err
		}
		raws, rejected = append(raws, parts...), append(rejected, more...)
	}
	slices.SortStableFunc(raws, func(a, b *Raw) int { return strings.Compare(a.Source, b.Source) })
	for i := 1; i < len(raws); i++ {
		if a, b := raws[i-1], raws[i]; a.Source == b.Source {
			return nil, nil, fmt.Errorf("two sources are named %s: %s and %s; rename one, or give both files as one source in the configuration",
				a.Source, a.Files[0].Path, b.Files[0].Path)
		}
	}
	return raws, rejected[:min(len(rejected), opt.KeepRejects)], nil
}

// findSources lists the files of each source, sorted by name, then path.
func findSources(inputs []Input) ([]sourceFiles, error) {
	var sources []sourceFiles
	var errs []error
	for _, in := range inputs {
		var all []string
		for _, path := range in.Paths {
			found, err := expand(path)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			for _, f := range found {
				if in.Source == "" {
					sources = append(sources, sourceFiles{SourceName(f.name), true, in, f.paths})
				}
				all = append(all, f.paths...)
			}
		}
		if in.Source != "" && len(all) > 0 {
			sources = append(sources, sourceFiles{SourceName(in.Source), false, in, all})
		}
	}
	if len(sources) == 0 && len(errs) == 0 {
		errs = append(errs, errors.New("no input files"))
	}
	for i := range sources {
		slices.Sort(sources[i].paths)
	}
	slices.SortFunc(sources, func(a, b sourceFiles) int {
		return cmp.Or(strings.Compare(a.name, b.name), slices.Compare(a.paths, b.paths))
	})
	errs = append(errs, findTwice(sources))
	return sources, errors.Join(errs...)
}

// namedPaths are the files that one path stands for.
type namedPaths struct {
	name  string
	paths []string
}

// expand returns what a path stands for: itself, the files of a directory, or
// the matches of a pattern.
func expand(path string) ([]namedPaths, error) {
	info, err := os.Stat(path)
	if err == nil {
		return expandFound(path, info)
	}
	if !errors.Is(err, fs.ErrNotExist) || !strings.ContainsAny(path, "*?[") {
		return nil, fmt.Errorf("cannot read %s: %w", path, rootCause(err))
	}
	matches, err := filepath.Glob(path)
	if err != nil {
		return nil, fmt.Errorf("pattern %s: %w", path, err)
	}
	if len(matches) == 0 {
		return nil, fmt.Errorf("pattern %s matches no file", path)
	}
	var all []namedPaths
	for _, m := range matches {
		info, err := os.Stat(m)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", m, rootCause(err))
		}
		found, err := expandFound(m, info)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func expandFound(path string, info fs.FileInfo) ([]namedPaths, error) {
	if !info.IsDir() {
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is not a regular file; write the export to a file first", path)
		}
		return []namedPaths{{baseName(path), []string{path}}}, nil
	}
	var paths []string
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := p != path && strings.ContainsAny(d.Name()[:1], "._")
		if d.IsDir() {
			if hidden {
				return fs.SkipDir
			}
			return nil
		}
		if !hidden && isDataFile(p) {
			paths = append(paths, p)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read directory %s: %w", path, rootCause(err))
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("directory %s holds no data files (.parquet, .csv, .tsv, .jsonl, also with .gz or .zst)", path)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return []namedPaths{{filepath.Base(abs), paths}}, nil
}

// isDataFile says whether a file of a directory is one to read, by its name.
func isDataFile(path string) bool {
	if hasExtension(path, ".gz", ".zst", ".zstd") {
		path = path[:len(path)-len(filepath.Ext(path))]
	}
	return hasExtension(path, "", ".parquet", ".pq", ".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".json")
}

// baseName returns a file's name without directory and extensions. A name that
// begins with a dot keeps its first part.
func baseName(path string) string {
	name := filepath.Base(path)
	if i := strings.IndexByte(name[1:], '.'); i >= 0 {
		return name[:i+1]
	}
	return name
}

// SourceName makes a name fit for a source: letters and digits of ASCII, "_",
// "-" and "."; any other rune becomes "_".
func SourceName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-', r == '.':
			return r
		}
		return '_'
	}, s)
}

// findTwice reports files that are given more than once, by whatever path.
func findTwice(sources []sourceFiles) error {
	type seen struct {
		path string
		info fs.FileInfo
	}
	bySize := make(map[int64][]seen)
	var errs []error
	for _, s := range sources {
		for _, path := range s.paths {
			info, err := os.Stat(path)
			if err != nil {
				errs = append(errs, fmt.Errorf("cannot read %s: %w", path, rootCause(err)))
				continue
			}
			for _, other := range bySize[info.Size()] {
				if os.SameFile(other.info, info) {
					errs = append(errs, fmt.Errorf("the file %s is given twice (also as %s); give it once", path, other.path))
				}
			}
			bySize[info.Size()] = append(bySize[info.Size()], seen{path, info})
		}
	}
	return errors.Join(errs...)
}

// rootCause strips the operation and path from an error of package os.
func rootCause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
