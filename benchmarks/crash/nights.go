package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"sama/benchmarks/generate"
)

// What happens to the records between the two nights.
const (
	shareAdded   = 0.02
	shareGone    = 0.005
	shareChanged = 0.01 // one digit, whatever field it is in
)

// silos are the exports of two nights, as files of CSV.
type silos struct{ first, second []string }

// makeSilos generates about that many records and writes both nights below dir.
// Equal arguments give equal bytes.
func makeSilos(ctx context.Context, records int, seed uint64, dir string) (silos, error) {
	var s silos
	all := filepath.Join(dir, "all")
	if _, err := generate.Run(ctx, generate.Options{Records: records, Seed: seed, Format: generate.CSV}, all, nil); err != nil {
		return s, err
	}
	for i, name := range []string{"crm.csv", "service.csv", "webshop.csv"} {
		first, second := filepath.Join(dir, "first", name), filepath.Join(dir, "second", name)
		if err := splitNights(filepath.Join(all, name), first, second, rand.New(rand.NewPCG(seed, uint64(i)))); err != nil {
			return s, err
		}
		s.first, s.second = append(s.first, first), append(s.second, second)
	}
	return s, os.RemoveAll(all)
}

// splitNights writes the rows of a file as they are in either night.
func splitNights(from, first, second string, random *rand.Rand) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	rows := bufio.NewReaderSize(in, 1<<20)
	a, err := newSilo(first)
	if err != nil {
		return err
	}
	b, err := newSilo(second)
	if err != nil {
		return errors.Join(err, a.Close())
	}
	for n := 0; err == nil; n++ {
		var row []byte
		if row, err = csvRow(rows); err != nil {
			break
		}
		p := random.Float64()
		if n == 0 { // the header
			p = 1
		}
		if p >= shareAdded {
			_, err = a.Write(row)
		}
		p -= shareAdded
		if p >= shareGone && p < shareGone+shareChanged {
			row = changeDigit(row, random)
		}
		if err == nil && (p < 0 || p >= shareGone) {
			_, err = b.Write(row)
		}
	}
	if err == io.EOF {
		err = nil
	}
	return errors.Join(err, a.Close(), b.Close())
}

// csvRow reads a row with its end of line; quoted cells may hold ends of lines.
func csvRow(r *bufio.Reader) ([]byte, error) {
	var row []byte
	for {
		line, err := r.ReadBytes('\n')
		row = append(row, line...)
		if err != nil && len(row) > 0 {
			err = nil
		} else if err == nil && bytes.Count(row, []byte{'"'})%2 == 1 {
			continue
		}
		return row, err
	}
}

// changeDigit changes a digit that is not in the key, if the row has one.
func changeDigit(row []byte, random *rand.Rand) []byte {
	key := bytes.IndexAny(row, ",;\t")
	for i := len(row) - 1; i > key; i-- {
		if row[i] >= '0' && row[i] <= '9' && random.IntN(3) == 0 {
			row[i] = '0' + byte(random.IntN(10))
			break
		}
	}
	return row
}

// silo is a file that is being written.
type silo struct {
	*bufio.Writer
	file *os.File
}

func newSilo(path string) (*silo, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	f, err := os.Create(path)
	return &silo{bufio.NewWriterSize(f, 1<<20), f}, err
}

// Close writes what is left.
func (s *silo) Close() error { return errors.Join(s.Flush(), s.file.Close()) }
