package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"sama/benchmarks/generate"
)

// silo is one source: the rows that its export holds now, those that are yet to
// come and those that were deleted. A row is a line of CSV without its end.
type silo struct {
	name      string
	header    string
	separator string
	rows      []string
	waiting   []string
	gone      []string
}

// silos are the sources, and the luck that moves them.
type silos struct {
	*rand.Rand
	rates rates
	list  []*silo
}

// change is what happened to a source in a night.
type change struct {
	rows []string // new or changed
	gone []string // keys
}

// newSilos generates silos and lets about as many rows be there as is asked for.
func newSilos(ctx context.Context, o *options, dir string) (*silos, error) {
	there := firstShare(o.nights, o.rates)
	opt := generate.Options{Records: int(float64(o.records) / there), Seed: o.seed, Format: generate.CSV}
	if _, err := generate.Run(ctx, opt, dir, nil); err != nil {
		return nil, err
	}
	s := &silos{Rand: rand.New(rand.NewPCG(o.seed, 0x6e6967687473)), rates: o.rates}
	for _, name := range []string{"crm", "service", "webshop"} {
		x, err := readSilo(filepath.Join(dir, name+".csv"), name)
		if err != nil {
			return nil, err
		}
		s.Shuffle(len(x.rows), func(i, j int) { x.rows[i], x.rows[j] = x.rows[j], x.rows[i] })
		n := int(math.Round(there * float64(len(x.rows))))
		x.rows, x.waiting = append([]string(nil), x.rows[:n]...), x.rows[n:]
		s.list = append(s.list, x)
	}
	return s, nil
}

// firstShare is the share of all rows that is there at first: 70 %, or less, so
// that new ones last for all nights.
func firstShare(nights int, r rates) float64 {
	growth, size, come := 1+r.new-r.deleted, 1.0, 0.0
	for range nights {
		come += size * r.new
		size *= growth
	}
	return math.Min(0.7, 1/(1+come))
}

func readSilo(path, name string) (*silo, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	lines := strings.Split(strings.ReplaceAll(strings.TrimSpace(string(text)), "\r\n", "\n"), "\n")
	x := &silo{name: name, header: lines[0], rows: lines[1:]}
	at := strings.IndexAny(x.header, ",;\t")
	if at < 0 || len(x.rows) == 0 {
		return nil, fmt.Errorf("%s: no columns or no rows", path)
	}
	x.separator = x.header[at : at+1]
	return x, nil
}

// key returns the id of a row's record.
func (x *silo) key(row string) string {
	key, _, _ := strings.Cut(row, x.separator)
	return key
}

// write writes rows with the source's header to a file of that name.
func (x *silo) write(path string, rows []string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	var text bytes.Buffer
	text.WriteString(x.header + "\n")
	for _, row := range rows {
		text.WriteString(row + "\n")
	}
	return os.WriteFile(path, text.Bytes(), 0o666)
}

// pass lets a night pass and tells what happened to every source.
func (s *silos) pass() []change {
	changes := make([]change, len(s.list))
	for i, x := range s.list {
		changes[i] = s.passOne(x)
	}
	return changes
}

func (s *silos) passOne(x *silo) change {
	var c change
	come := int(math.Round(s.rates.new * float64(len(x.rows))))
	back := len(x.gone)
	left := x.rows[:0]
	for _, row := range x.rows {
		switch p := s.Float64(); {
		case p < s.rates.deleted:
			x.gone = append(x.gone, row)
			c.gone = append(c.gone, x.key(row))
			continue
		case p < s.rates.deleted+s.rates.changed:
			if to := s.changed(x, row); to != row {
				row = to
				c.rows = append(c.rows, row)
			}
		}
		left = append(left, row)
	}
	x.rows = left
	for range come {
		var row string
		switch {
		case back > 0 && (s.IntN(10) == 0 || len(x.waiting) == 0):
			at := s.IntN(back)
			row = x.gone[at]
			back--
			// Those of this night stay behind the ones that may come back.
			x.gone[at] = x.gone[back]
			x.gone = append(x.gone[:back], x.gone[back+1:]...)
		case len(x.waiting) > 0:
			row = x.waiting[len(x.waiting)-1]
			x.waiting = x.waiting[:len(x.waiting)-1]
		default:
			return c
		}
		x.rows = append(x.rows, row)
		c.rows = append(c.rows, row)
	}
	return c
}

// changed returns a row with one value changed: a digit or letter is another, or
// the value is that of another row, or it is emptied. Rows with quotes stay.
func (s *silos) changed(x *silo, row string) string {
	values := strings.Split(row, x.separator)
	other := strings.Split(x.rows[s.IntN(len(x.rows))], x.separator)
	if strings.Contains(row, `"`) || len(values) != len(other) || len(values) < 2 {
		return row
	}
	at := 1 + s.IntN(len(values)-1)
	switch text := values[at]; {
	case text == "" || s.IntN(3) == 0:
		values[at] = other[at]
	case s.IntN(4) == 0:
		values[at] = ""
	default:
		i := s.IntN(len(text))
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			values[at] = text[:i] + string('0'+rune(s.IntN(10))) + text[i+1:]
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			values[at] = text[:i] + string('a'+rune(s.IntN(26))) + text[i+1:]
		}
	}
	return strings.Join(values, x.separator)
}
