package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"sama/benchmarks/generate"
	"sama/record"
)

// row is a record as its source exports it.
type row struct {
	key    record.Key
	header []string // the first column is the key
	cells  []string
}

// fields returns the values by the source's own column names.
func (r *row) fields() map[string]string {
	m := make(map[string]string)
	for i, name := range r.header[1:] {
		if v := r.cells[i+1]; v != "" {
			m[name] = v
		}
	}
	return m
}

// field returns one value, "" if there is none.
func (r *row) field(name string) string {
	for i, n := range r.header {
		if n == name {
			return r.cells[i]
		}
	}
	return ""
}

// silos are exports of three sources. One in ten of the records that were
// generated is not in them: it waits to come online.
type silos struct {
	files   []string
	waiting []row // in random order
	known   []row // a sample of those that are in the files, in random order
}

// Shares and sizes of what is kept of generated silos.
const (
	waitingShare = 0.1
	maxKnown     = 20000
)

// delimiters are those of generated silos.
var delimiters = []struct {
	name  string
	comma rune
}{{"crm", ','}, {"service", '\t'}, {"webshop", ';'}}

// makeSilos generates silos of about that many records below dir. Equal
// arguments give equal silos.
func makeSilos(ctx context.Context, records int, seed uint64, dir string) (*silos, error) {
	all := filepath.Join(dir, "all")
	o := generate.Options{Records: int(float64(records) / (1 - waitingShare)), Seed: seed, Format: generate.CSV}
	if _, err := generate.Run(ctx, o, all, nil); err != nil {
		return nil, err
	}
	s := new(silos)
	random := rand.New(rand.NewPCG(seed, 11))
	for _, d := range delimiters {
		file := filepath.Join(dir, d.name+".csv")
		if err := s.part(filepath.Join(all, d.name+".csv"), file, d.name, d.comma, min(1, maxKnown/float64(records)), random); err != nil {
			return nil, fmt.Errorf("%s: %w", d.name, err)
		}
		s.files = append(s.files, file)
	}
	random.Shuffle(len(s.waiting), func(i, j int) { s.waiting[i], s.waiting[j] = s.waiting[j], s.waiting[i] })
	random.Shuffle(len(s.known), func(i, j int) { s.known[i], s.known[j] = s.known[j], s.known[i] })
	return s, os.RemoveAll(all)
}

// part copies a file without the records that wait.
func (s *silos) part(from, to, source string, comma rune, share float64, random *rand.Rand) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	text := bufio.NewReaderSize(in, 1<<20)
	if mark, _ := text.Peek(3); string(mark) == "\ufeff" {
		_, _ = text.Discard(3) // they are in the buffer
	}
	r := csv.NewReader(text)
	r.Comma = comma
	header, err := r.Read()
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(out, 1<<20)
	w := csv.NewWriter(buffered)
	w.Comma = comma
	defer func() {
		w.Flush()
		err = errors.Join(err, w.Error(), buffered.Flush(), out.Close())
	}()
	if err := w.Write(header); err != nil {
		return err
	}
	for {
		cells, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		one := row{record.Key{Source: source, ID: cells[0]}, header, cells}
		if random.Float64() < waitingShare {
			s.waiting = append(s.waiting, one)
			continue
		}
		if random.Float64() < share {
			s.known = append(s.known, one)
		}
		if err := w.Write(cells); err != nil {
			return err
		}
	}
}

// with writes the exports with further records into a folder, and returns the
// files.
func (s *silos) with(more []row, dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	var files []string
	for i, d := range delimiters {
		file := filepath.Join(dir, d.name+".csv")
		if err := appended(s.files[i], file, d.comma, d.name, more); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

func appended(from, to string, comma rune, source string, more []row) (err error) {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma = comma
	for i := range more {
		if more[i].key.Source == source {
			if err := w.Write(more[i].cells); err != nil {
				return err
			}
		}
	}
	w.Flush()
	return errors.Join(w.Error(), os.WriteFile(to, append(text, b.String()...), 0o666))
}

// arriving is request n of records that come online: a new record first, then
// one of the run that changed, and so on. Once all that wait have come they come
// again under other ids.
func (s *silos) arriving(n int, seed uint64) (record.Key, map[string]string) {
	random := rand.New(rand.NewPCG(seed, uint64(n)))
	if n%2 == 1 {
		r := &s.known[n/2%len(s.known)]
		fields := r.fields()
		change(fields, random)
		return r.key, fields
	}
	r := &s.waiting[n/2%len(s.waiting)]
	fields, key := r.fields(), r.key
	if round := n / 2 / len(s.waiting); round > 0 {
		key.ID += fmt.Sprintf("-%d", round)
		change(fields, random)
	}
	return key, fields
}

// change gives a record another phone number, as people do; each source calls it
// otherwise.
func change(fields map[string]string, random *rand.Rand) {
	for _, name := range []string{"phone", "phone1", "mobile"} {
		if _, ok := fields[name]; ok {
			fields[name] = fmt.Sprintf("+35850%07d", random.IntN(1e7))
			return
		}
	}
}
