package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sama/record"
	"sama/run/columns"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

// writeTable writes a table as the only file of a run and returns that.
func writeTable(t testing.TB, dir string, rows int, cols []columns.Column) *Run {
	var file bytes.Buffer
	if err := columns.NewEncoder(1).WriteParquet(context.Background(), &file, rows, cols); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "t.parquet"), file.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return &Run{Path: dir}
}

// valuesByLibrary reads a column value by value, as parquet-go has it: "null" or
// the value, and of lists a bar before the first value of each row, empty or not.
func valuesByLibrary(t testing.TB, path, name string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(f.Schema().Columns(), func(path []string) bool { return path[0] == name })
	leaf, _ := f.Schema().Lookup(f.Schema().Columns()[at]...)
	var out []string
	buf := make([]parquet.Value, 100)
	for _, g := range f.RowGroups() {
		pages := g.ColumnChunks()[at].Pages()
		for {
			page, err := pages.ReadPage()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for values := page.Values(); ; {
				n, err := values.ReadValues(buf)
				for _, v := range buf[:n] {
					if leaf.MaxRepetitionLevel > 0 && v.RepetitionLevel() == 0 {
						out = append(out, "|")
					}
					switch {
					case leaf.MaxRepetitionLevel > 0 && v.DefinitionLevel() == 0:
					case v.IsNull():
						out = append(out, "null")
					case v.Kind() == parquet.ByteArray:
						out = append(out, string(v.ByteArray()))
					case v.Kind() == parquet.Boolean:
						out = append(out, fmt.Sprint(map[bool]int{true: 1}[v.Boolean()]))
					default:
						out = append(out, fmt.Sprint(v.Uint64()))
					}
				}
				if err != nil {
					break
				}
			}
		}
		pages.Close()
	}
	return out
}

// valuesByRun reads the same with this package.
func valuesByRun(r *Run, name string) ([]string, error) {
	pieces, err := r.pieces("t.parquet", name)
	var out []string
	for _, p := range pieces {
		value := func(i int) {
			switch code := p.code(i); {
			case code == noValue:
				out = append(out, "null")
			case p.words != nil:
				out = append(out, fmt.Sprint(p.words[code]))
			default:
				out = append(out, string(p.text(i)))
			}
		}
		for row := range p.rows {
			if p.starts == nil {
				value(row)
				continue
			}
			out = append(out, "|")
			for i := p.starts[row]; i < p.starts[row+1]; i++ {
				value(int(i))
			}
		}
	}
	return out, err
}

// randomLeaf draws a leaf of n entries.
func randomLeaf(t *rapid.T, name string, n int) columns.Leaf {
	l := columns.Leaf{Name: name, Kind: columns.Kind(rapid.IntRange(0, 4).Draw(t, "kind"))}
	distinct := rapid.SampledFrom([]int{1, 2, 3, 17, 300, 5000}).Draw(t, "distinct")
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	if l.Kind == columns.Bool {
		distinct = 2
	}
	run := 1
	for i := 0; i < n; i++ {
		if run--; run > 0 {
			l.Codes = append(l.Codes, l.Codes[i-1])
			continue
		}
		run = []int{1, 1, 1, 30}[r.IntN(4)]
		l.Codes = append(l.Codes, uint32(r.IntN(distinct)))
	}
	if l.Codes == nil {
		l.Codes = []uint32{}
	}
	if l.Kind != columns.Bool && rapid.Bool().Draw(t, "nulls") {
		l.Nulls = columns.LastIsNull
		for i := range l.Codes {
			if l.Codes[i]%3 == 0 {
				l.Codes[i] = columns.NoCode
			}
		}
	}
	texts := make(columns.List, distinct)
	for i := range distinct {
		texts[i] = fmt.Sprintf("%x", i*i)[:min(len(fmt.Sprintf("%x", i*i)), r.IntN(9))]
		l.Ints = append(l.Ints, int64(r.Uint64()>>10))
		l.Doubles = append(l.Doubles, r.Float64())
	}
	l.Texts = texts
	return l
}

// TestColumnsAreReadAsTheLibraryReadsThem compares with parquet-go, value by
// value, over all kinds of columns that are written.
func TestColumnsAreReadAsTheLibraryReadsThem(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.SampledFrom([]int{0, 1, 7, 50, 300, 500, 1000, 3000, 5000, columns.GroupRows + 100}).Draw(rt, "rows")
		cols := []columns.Column{{Leaf: randomLeaf(rt, "flat", rows)}}
		starts := make([]uint32, 1, rows+1)
		for i := range rows {
			starts = append(starts, starts[i]+uint32(i*7%4))
		}
		list := randomLeaf(rt, "list", int(starts[rows]))
		list.Name = ""
		cols = append(cols, columns.Column{Leaf: columns.Leaf{Name: "list"}, Starts: starts, Elements: []columns.Leaf{list}})
		r := writeTable(t, dir, rows, cols)
		for name, path := range map[string]string{"flat": "flat", "list": "list.list.element"} {
			got, err := valuesByRun(r, path)
			if err != nil {
				rt.Fatal(err)
			}
			if want := valuesByLibrary(t, r.File("t.parquet"), name); !slices.Equal(got, want) {
				rt.Fatalf("column %s: %d values, want %d", name, len(got), len(want))
			}
		}
	})
}

// TestDictionariesOfRowGroupsAreUnited reads a column over several row groups by
// code and by entry.
func TestDictionariesOfRowGroupsAreUnited(t *testing.T) {
	n := 2*columns.GroupRows + 5
	few := columns.Leaf{Name: "few", Nulls: columns.ZeroIsNull, Texts: columns.List{"", "x", "y", "z"}}
	var many columns.List
	for i := range n {
		few.Codes = append(few.Codes, uint32(3-i*4/n))
		many = append(many, fmt.Sprintf("m%d", i))
	}
	r := writeTable(t, t.TempDir(), n, []columns.Column{{Leaf: few}, {Leaf: columns.Leaf{Name: "many", Texts: many}}})
	c, err := r.text("t.parquet", "few")
	if err != nil || len(c.texts) != 4 {
		t.Fatalf("%d texts, error %v", len(c.texts), err)
	}
	list, err := r.strings("t.parquet", "many")
	if err != nil || list.Len() != n {
		t.Fatalf("%d texts, error %v", list.Len(), err)
	}
	for i := range n {
		if c.texts[c.codes[i]] != few.Texts.At(few.Codes[i]) || list.At(uint32(i)) != many[i] {
			t.Fatalf("row %d: %q and %q", i, c.texts[c.codes[i]], list.At(uint32(i)))
		}
	}
	if _, err := r.text("t.parquet", "none"); err == nil {
		t.Error("a column that is not there: no error")
	}
	if _, err := r.numbers("t.parquet", "many"); err == nil {
		t.Error("text read as numbers: no error")
	}
	r = writeTable(t, t.TempDir(), 2, []columns.Column{{Leaf: columns.Leaf{Name: "n", Kind: columns.Int, Ints: []int64{4, 5}}}})
	if got, err := r.numbers("t.parquet", "n"); err != nil || !slices.Equal(got, []int64{4, 5}) {
		t.Errorf("numbers %v, %v", got, err)
	}
	for _, read := range []func() error{
		func() error { _, err := r.text("t.parquet", "n"); return err },
		func() error { _, err := r.strings("t.parquet", "n"); return err },
	} {
		if read() == nil {
			t.Error("numbers read as text: no error")
		}
	}
}

// TestDamagedColumnsAreErrors changes bytes at random: what comes back is the
// values, or an error, and never a panic.
func TestDamagedColumnsAreErrors(t *testing.T) {
	dir := t.TempDir()
	var texts columns.List
	codes := make([]uint32, 3000)
	starts := []uint32{0}
	for i := range codes {
		codes[i] = uint32(i * i % 50)
		texts = append(texts, fmt.Sprint("text ", i))
		starts = append(starts, uint32(i+1))
	}
	r := writeTable(t, dir, len(codes), []columns.Column{
		{Leaf: columns.Leaf{Name: "plain", Texts: texts}},
		{Leaf: columns.Leaf{Name: "dictionary", Texts: texts, Codes: codes, Nulls: columns.ZeroIsNull}},
		{Leaf: columns.Leaf{Name: "list"}, Starts: starts, Elements: []columns.Leaf{{Texts: texts, Codes: codes, Nulls: columns.ZeroIsNull}}},
	})
	whole, err := os.ReadFile(r.File("t.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(5, 5))
	found := 0
	for range 3000 {
		damaged := slices.Clone(whole)
		for range 1 + random.IntN(3) {
			damaged[random.IntN(len(damaged))] ^= byte(1 + random.IntN(255))
		}
		if err := os.WriteFile(r.File("t.parquet"), damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"plain", "dictionary", "list.list.element"} {
			if _, err := r.text("t.parquet", name); err != nil {
				found++
			}
		}
	}
	if found < 1000 {
		t.Errorf("only %d of 9000 readings were errors", found)
	}
}

// TestDecodersHoldTheirGround decodes what no checksum guards: a page as the
// damaged writer meant it.
func TestDecodersHoldTheirGround(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "bytes")
		n := rapid.IntRange(0, 200).Draw(t, "n")
		width := rapid.IntRange(0, 40).Draw(t, "width")
		decodeHybrid(make([]uint32, n), src, width)
		var d decoder
		d.levels(nil, src, n, 2)
		d.places(src, n, 7)
		var x texts
		if x.appendPlain(src, n) == nil && x.len() != n {
			t.Fatalf("%d texts, want %d", x.len(), n)
		}
		readPageHeader(src)
	})
}

func TestTextIndexFindsEveryText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOf(rapid.StringMatching("[ab]{0,3}")).Draw(t, "texts")
		var in columns.List
		group := make([]uint16, len(keys))
		want := map[string]uint32{}
		repeated := uint32(math.MaxUint32)
		for i, k := range keys {
			group[i] = uint16(i % 2)
			in = append(in, k)
			key := fmt.Sprint(group[i], k)
			if _, ok := want[key]; ok {
				repeated = min(repeated, uint32(i))
				continue
			}
			want[key] = uint32(i)
		}
		var b record.StringsBuilder
		for _, text := range in {
			b.Append(text)
		}
		all := b.Build()
		x, got := newTextIndex(&all, group)
		if got != repeated {
			t.Fatalf("first repeated %d, want %d", got, repeated)
		}
		for _, k := range append(keys, "zz", "b") {
			for g := range uint16(2) {
				w, ok := want[fmt.Sprint(g, k)]
				if !ok {
					w = NoRecord
				}
				if got := x.find(g, []byte(k)); got != w {
					t.Fatalf("%q of %d is %d, want %d", k, g, got, w)
				}
			}
		}
	})
}
