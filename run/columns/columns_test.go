package columns

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

// TestParquetReadsBack writes random tables and reads them with parquet-go.
func TestParquetReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, cols := drawTable(t)
		var file bytes.Buffer
		if err := NewEncoder(rapid.IntRange(1, 4).Draw(t, "workers")).WriteParquet(context.Background(), &file, rows, cols); err != nil {
			t.Fatal(err)
		}
		f, err := parquet.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if f.NumRows() != int64(rows) {
			t.Fatalf("%d rows, want %d", f.NumRows(), rows)
		}
		for i, l := range flatten(cols) {
			if diff := cmp.Diff(plainly(&l, rows), readLeaf(t, f, i)); diff != "" {
				t.Fatalf("leaf %v: %s", l.path, diff)
			}
		}
	})
}

// TestLongColumnsReadBack takes columns over page and row group boundaries.
func TestLongColumnsReadBack(t *testing.T) {
	const rows = GroupRows*2 + 77
	codes, numbers := make([]uint32, rows), make([]uint32, rows)
	distinct := make(List, rows)
	starts := make([]uint32, rows+1)
	var inner []uint32
	for i := range codes {
		codes[i] = uint32(i * i % 5)
		numbers[i] = uint32((i * 7919) % rows)
		if i%1000 == 0 {
			numbers[i] = NoCode
		}
		distinct[i] = fmt.Sprintf("value %07d %s", i, strings.Repeat("x", i%40))
		if i == 5 {
			for range 300_000 { // one row with more entries than a page holds
				inner = append(inner, uint32(len(inner)%3))
			}
		}
		for range i % 3 {
			inner = append(inner, uint32(i%3))
		}
		starts[i+1] = uint32(len(inner))
	}
	cols := []Column{
		{Leaf: Leaf{Name: "few", Codes: codes, Texts: List{"", "a", "b", "c", "d"}, Nulls: ZeroIsNull}},
		{Leaf: Leaf{Name: "many", Codes: numbers, Texts: distinct, Nulls: LastIsNull}},
		{Leaf: Leaf{Name: "own", Texts: distinct, Sorted: true}},
		{Leaf: Leaf{Name: "list"}, Starts: starts, Elements: []Leaf{
			{Name: "x", Codes: inner, Texts: List{"", "p", "q"}, Nulls: ZeroIsNull},
			{Name: "y", Kind: Double, Codes: inner, Doubles: []float64{0, -1.5, math.Inf(1)}},
		}},
	}
	var file bytes.Buffer
	if err := NewEncoder(2).WriteParquet(context.Background(), &file, rows, cols); err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range flatten(cols) {
		if want, got := plainly(&l, rows), readLeaf(t, f, i); !slices.Equal(want, got) {
			t.Errorf("leaf %v differs", l.path)
		}
	}
	first := f.Metadata().RowGroups[1].Columns[2].MetaData.Statistics
	if got, want := string(first.MinValue), distinct[GroupRows]; got != want && len(want) <= statBytes {
		t.Errorf("least value of the second row group: %q, want %q", got, want)
	}
}

func TestBytesDoNotDependOnWorkers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, cols := drawTable(t)
		var first []byte
		for _, workers := range []int{1, 2, 7} {
			var file bytes.Buffer
			if err := NewEncoder(workers).WriteParquet(context.Background(), &file, rows, cols); err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = slices.Clone(file.Bytes())
			} else if !bytes.Equal(first, file.Bytes()) {
				t.Fatalf("other bytes with %d workers", workers)
			}
		}
	})
}

func TestInvalidTextIsReplaced(t *testing.T) {
	var file bytes.Buffer
	cols := []Column{{Leaf: Leaf{Name: "a", Texts: Valid(List{"a\xffb", "\xc3", "å"})}}}
	if err := NewEncoder(1).WriteParquet(context.Background(), &file, 3, cols); err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := readLeaf(t, f, 0), []string{"0 0 a\uFFFDb", "0 0 \uFFFD", "0 0 å"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestErrors(t *testing.T) {
	ok := Column{Leaf: Leaf{Name: "a", Texts: List{"x"}}}
	for name, cols := range map[string][]Column{
		"too short":      {{Leaf: Leaf{Name: "a", Texts: List{}}}},
		"name twice":     {ok, ok},
		"no name":        {{Leaf: Leaf{Texts: List{"x"}}}},
		"list too short": {{Leaf: Leaf{Name: "a"}, Starts: []uint32{0}, Elements: []Leaf{{Texts: List{}}}}},
		"elements short": {{Leaf: Leaf{Name: "a"}, Starts: []uint32{0, 2}, Elements: []Leaf{{Texts: List{"x"}}}}},
	} {
		if err := NewEncoder(1).WriteParquet(context.Background(), io.Discard, 1, cols); err == nil {
			t.Errorf("%s: no error", name)
		}
		if err := WriteArrow(context.Background(), io.Discard, 1, cols); err == nil {
			t.Errorf("%s: no error from Arrow", name)
		}
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if err := NewEncoder(1).WriteParquet(gone, io.Discard, 1, []Column{ok}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	full := errors.New("no space left")
	for n := range 4 {
		if err := NewEncoder(2).WriteParquet(context.Background(), &failing{n, full}, 1, []Column{ok}); n < 3 && !errors.Is(err, full) {
			t.Errorf("write %d fails: %v", n, err)
		}
	}
}

// failing fails at its n-th write.
type failing struct {
	n   int
	err error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.n--; f.n < 0 {
		return 0, f.err
	}
	return len(p), nil
}

// TestHybridDecodes checks the run-length and bit-packed encoding against a
// decoder written straight from the format's text.
func TestHybridDecodes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 20).Draw(t, "width")
		var vals []uint32
		for range rapid.IntRange(0, 12).Draw(t, "stretches") {
			v := rapid.Uint32Range(0, 1<<width-1).Draw(t, "value")
			for i := range rapid.IntRange(1, 40).Draw(t, "length") {
				if rapid.Bool().Draw(t, "run") {
					v = (v + uint32(i)) % (1 << width)
				}
				vals = append(vals, v)
			}
		}
		if got := decodeHybrid(appendHybrid(nil, vals, width), width, len(vals)); !slices.Equal(got, vals) {
			t.Fatalf("got %v, want %v", got, vals)
		}
	})
}

func decodeHybrid(data []byte, width, n int) []uint32 {
	var out []uint32
	for len(out) < n {
		header, size := uint64(0), 0
		for shift := 0; ; shift += 7 {
			b := data[size]
			size++
			header |= uint64(b&0x7f) << shift
			if b < 0x80 {
				break
			}
		}
		data = data[size:]
		if header&1 == 0 {
			var v uint32
			for i := range (width + 7) / 8 {
				v |= uint32(data[i]) << (8 * i)
			}
			data = data[(width+7)/8:]
			for range header >> 1 {
				out = append(out, v)
			}
			continue
		}
		for i := range int(header>>1) * 8 {
			var v uint32
			for b := range width {
				bit := i*width + b
				v |= uint32(data[bit/8]>>(bit%8)&1) << b
			}
			out = append(out, v)
		}
		data = data[int(header>>1)*width:]
	}
	return out[:n]
}

// drawTable draws a small table with every kind of column.
func drawTable(t *rapid.T) (int, []Column) {
	rows := rapid.IntRange(0, 60).Draw(t, "rows")
	var cols []Column
	for i := range rapid.IntRange(1, 5).Draw(t, "columns") {
		name := fmt.Sprintf("c%d", i)
		if !rapid.Bool().Draw(t, "list") {
			cols = append(cols, Column{Leaf: drawLeaf(t, name, rows)})
			continue
		}
		starts := make([]uint32, rows+1)
		for r := range rows {
			starts[r+1] = starts[r] + rapid.Uint32Range(0, 3).Draw(t, "entries")
		}
		c := Column{Leaf: Leaf{Name: name}, Starts: starts}
		for j := range rapid.IntRange(1, 3).Draw(t, "elements") {
			c.Elements = append(c.Elements, drawLeaf(t, fmt.Sprintf("e%d", j), int(starts[rows])))
		}
		cols = append(cols, c)
	}
	return rows, cols
}

func drawLeaf(t *rapid.T, name string, n int) Leaf {
	l := Leaf{Name: name, Kind: rapid.SampledFrom([]Kind{Text, Int, Double, Time}).Draw(t, "kind")}
	l.Nulls = rapid.SampledFrom([]Nulls{NoNulls, ZeroIsNull, LastIsNull}).Draw(t, "nulls")
	values := n
	if rapid.Bool().Draw(t, "coded") {
		values = rapid.IntRange(1, 6).Draw(t, "values")
		l.Codes = make([]uint32, n)
		for i := range l.Codes {
			l.Codes[i] = rapid.Uint32Range(0, uint32(values-1)).Draw(t, "code")
			if l.Nulls == LastIsNull && rapid.Bool().Draw(t, "null") {
				l.Codes[i] = NoCode
			}
		}
	}
	texts := List{}
	for range values {
		switch l.Kind {
		case Text:
			texts = append(texts, rapid.String().Draw(t, "text"))
		case Double:
			l.Doubles = append(l.Doubles, rapid.Float64().Draw(t, "double"))
		default:
			l.Ints = append(l.Ints, rapid.Int64Range(-1<<40, 1<<40).Draw(t, "int"))
		}
	}
	l.Texts = texts
	return l
}

// plainly returns the leaf's values as "repetition definition value", the slow
// and obvious way.
func plainly(l *leaf, rows int) []string {
	var out []string
	entry := func(rep, def int, i uint32) {
		v := i
		if l.Codes != nil {
			v = l.Codes[i]
		}
		null := l.Nulls == LastIsNull && v == NoCode
		if l.Nulls == ZeroIsNull {
			switch {
			case l.Codes != nil || l.Kind == Text:
				null = v == 0
			case l.Kind == Double:
				null = l.Doubles[v] == 0
			default:
				null = l.Ints[v] == 0
			}
		}
		if null {
			out = append(out, fmt.Sprint(rep, def, " null"))
			return
		}
		if l.Nulls != NoNulls {
			def++
		}
		switch l.Kind {
		case Text:
			out = append(out, fmt.Sprint(rep, def, " ", l.Texts.At(v)))
		case Double:
			out = append(out, fmt.Sprint(rep, def, " ", l.Doubles[v]))
		case Int:
			out = append(out, fmt.Sprint(rep, def, " ", l.Ints[v]))
		case Time:
			out = append(out, fmt.Sprint(rep, def, " ", l.Ints[v]*1000))
		}
	}
	for row := range rows {
		if l.starts == nil {
			entry(0, 0, uint32(row))
			continue
		}
		if l.starts[row] == l.starts[row+1] {
			out = append(out, fmt.Sprint(0, 0, " null"))
		}
		for i := l.starts[row]; i < l.starts[row+1]; i++ {
			entry(min(1, int(i-l.starts[row])), 1, i)
		}
	}
	return out
}

// readLeaf reads a leaf column with parquet-go, in the form of plainly.
func readLeaf(t interface{ Fatal(...any) }, f *parquet.File, leaf int) []string {
	var out []string
	for _, g := range f.RowGroups() {
		pages := g.ColumnChunks()[leaf].Pages()
		for {
			page, err := pages.ReadPage()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			vals := make([]parquet.Value, page.NumValues())
			if n, err := page.Values().ReadValues(vals); n != len(vals) || err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(n, err)
			}
			for _, v := range vals {
				s := "null"
				switch {
				case v.IsNull():
				case v.Kind() == parquet.ByteArray:
					s = string(v.ByteArray())
				case v.Kind() == parquet.Double:
					s = fmt.Sprint(v.Double())
				default:
					s = fmt.Sprint(v.Int64())
				}
				out = append(out, fmt.Sprint(v.RepetitionLevel(), v.DefinitionLevel(), " ", s))
			}
		}
		if err := pages.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestArrowBytesDoNotDependOnCores guards against a compressor that cuts its
// input by the number of cores.
func TestArrowBytesDoNotDependOnCores(t *testing.T) {
	texts := make(List, GroupRows+5)
	for i := range texts {
		texts[i] = fmt.Sprintf("value %d of %x", i, i*i)
	}
	cols := []Column{{Leaf: Leaf{Name: "a", Texts: texts}}}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first []byte
	for _, cores := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(cores)
		var file bytes.Buffer
		if err := WriteArrow(context.Background(), &file, len(texts), cols); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = slices.Clone(file.Bytes())
		} else if !bytes.Equal(first, file.Bytes()) {
			t.Fatalf("other bytes on %d cores", cores)
		}
	}
}
