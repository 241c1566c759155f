package ingest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

// readOne reads one file as one source.
func readOne(t *testing.T, path string) (*Raw, []Reject) {
	t.Helper()
	raws, rejected, err := ReadSources(context.Background(), []Input{{Paths: []string{path}, Source: "s"}}, ReadOptions{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return raws[0], rejected
}

// texts returns the values of a column row by row, lists joined by "|".
func texts(t *testing.T, r *Raw, name string) []string {
	t.Helper()
	for i := range r.Columns {
		c := &r.Columns[i]
		if c.Name != name {
			continue
		}
		if len(c.Codes) != r.Rows {
			t.Fatalf("column %s has %d rows, the source %d", name, len(c.Codes), r.Rows)
		}
		out := make([]string, len(c.Codes))
		for k, code := range c.Codes {
			out[k] = strings.ReplaceAll(c.Values.At(code), ListSeparator, "|")
		}
		return out
	}
	t.Fatalf("no column %s", name)
	return nil
}

// expectedKinds reads kinds.txt: column → texts.
func expectedKinds(t *testing.T) (names []string, columns map[string][]string) {
	t.Helper()
	data, err := os.ReadFile("testdata/parquet/kinds.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	names = strings.Split(lines[0], "\t")
	columns = make(map[string][]string)
	for _, line := range lines[1:] {
		for i, cell := range strings.Split(line, "\t") {
			columns[names[i]] = append(columns[names[i]], cell)
		}
	}
	return names, columns
}

func TestParquetOfEveryWriterCodecAndEncodingReadsAlike(t *testing.T) {
	files, err := filepath.Glob("testdata/parquet/kinds_*.parquet")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	names, want := expectedKinds(t)
	kinds := map[string]Kind{
		"id": KindInteger, "count": KindInteger, "small": KindInteger, "unsigned": KindInteger,
		"ratio": KindFloat, "single": KindFloat, "price": KindFloat, "big": KindFloat, "ok": KindBool,
		"born": KindDate, "seen": KindTime, "local": KindTime, "nano": KindTime, "numbers": KindInteger,
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			raw, rejected := readOne(t, path)
			if len(rejected) > 0 {
				t.Fatalf("rejected: %v", rejected[0])
			}
			int96 := strings.Contains(path, "int96")
			milliseconds := strings.Contains(path, "old_lists")
			for i, name := range names {
				if milliseconds && (name == "seen" || name == "nano" || name == "hour") {
					continue
				}
				if c := raw.Columns[i]; c.Name != name || c.Kind != kinds[name] || c.List != (name == "tags" || name == "numbers") {
					t.Errorf("column %d: %s, kind %d, list %v", i, c.Name, c.Kind, c.List)
				}
				got := texts(t, raw, name)
				for row, w := range want[name] {
					if int96 && w != "" && (name == "local" || name == "nano") {
						w += "Z" // INT96 does not say that it is local time
					}
					if got[row] != w {
						t.Fatalf("column %s row %d: %q, want %q", name, row, got[row], w)
					}
				}
			}
		})
	}
}

type person struct {
	ID     string   `parquet:"id"`
	Name   *string  `parquet:"name,optional,dict"`
	City   string   `parquet:"city,delta"`
	Code   int32    `parquet:"code,delta"`
	Points float64  `parquet:"points,split"`
	Tags   []string `parquet:"tags,list"`
	Words  []string `parquet:"words"`
	UUID   [16]byte `parquet:"uuid,uuid"`
}

func TestParquetByParquetGo(t *testing.T) {
	var rows []person
	for i := range 500 {
		p := person{ID: fmt.Sprint("p", i), City: fmt.Sprint("Oulu ", i%7), Code: int32(i*i) - 1000, Points: float64(i) / 4, UUID: [16]byte{15: byte(i)}}
		if i%3 != 0 {
			name := fmt.Sprint("name", i%5)
			p.Name = &name
		}
		for k := range i % 4 {
			p.Tags = append(p.Tags, fmt.Sprint("t", k))
			p.Words = append(p.Words, fmt.Sprint("w", k, i))
		}
		rows = append(rows, p)
	}
	for _, codec := range []string{"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "BROTLI", "LZ4_RAW"} {
		for version := 1; version <= 2; version++ {
			var c parquet.WriterOption
			switch codec {
			case "SNAPPY":
				c = parquet.Compression(&parquet.Snappy)
			case "GZIP":
				c = parquet.Compression(&parquet.Gzip)
			case "ZSTD":
				c = parquet.Compression(&parquet.Zstd)
			case "BROTLI":
				c = parquet.Compression(&parquet.Brotli)
			case "LZ4_RAW":
				c = parquet.Compression(&parquet.Lz4Raw)
			default:
				c = parquet.Compression(&parquet.Uncompressed)
			}
			var buf bytes.Buffer
			w := parquet.NewGenericWriter[person](&buf, c, parquet.DataPageVersion(version), parquet.PageBufferSize(700), parquet.MaxRowsPerRowGroup(190))
			if _, err := w.Write(rows); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			checkPersons(t, writeFile(t, "persons.parquet", buf.Bytes()), rows)
		}
	}
}

func checkPersons(t *testing.T, path string, rows []person) {
	t.Helper()
	raw, _ := readOne(t, path)
	got := make(map[string][]string)
	for _, c := range raw.Columns {
		got[c.Name] = texts(t, raw, c.Name)
	}
	if raw.Rows != len(rows) {
		t.Fatalf("%d rows", raw.Rows)
	}
	for i, p := range rows {
		name := ""
		if p.Name != nil {
			name = *p.Name
		}
		for column, want := range map[string]string{
			"id": p.ID, "name": name, "city": p.City, "code": fmt.Sprint(p.Code), "points": fmt.Sprint(p.Points),
			"tags": strings.Join(p.Tags, "|"), "words": strings.Join(p.Words, "|"),
			"uuid": fmt.Sprintf("00000000-0000-0000-0000-0000000000%02x", p.UUID[15]),
		} {
			if got[column][i] != want {
				t.Fatalf("column %s row %d: %q, want %q", column, i, got[column][i], want)
			}
		}
	}
}

// writeFile writes a file into a folder of its own.
func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParquetColumnsThatAreNotOneValueARecordAreRejected(t *testing.T) {
	raw, rejected := readOne(t, "testdata/parquet/odd.parquet")
	var names []string
	for _, c := range raw.Columns {
		names = append(names, c.Name)
	}
	if got := strings.Join(names, " "); got != "id binary half null" {
		t.Errorf("columns %s", got)
	}
	if got := strings.Join(texts(t, raw, "half"), " "); got != "0.5 -2" {
		t.Errorf("half floats: %s", got)
	}
	if got := texts(t, raw, "binary"); got[0] != "caf\uFFFD" || got[1] != "ab" {
		t.Errorf("repaired: %q", got)
	}
	var got []string
	for _, r := range rejected {
		got = append(got, fmt.Sprintf("%d %s: %s", r.Row, r.Column, r.Reason))
	}
	want := []string{
		"0 address: the column holds a structure; it is not read",
		"0 attributes: the column holds a map; it is not read",
		"0 orders: the column holds a structure; it is not read",
		"0 matrix: the column holds lists of lists; it is not read",
		"1 binary: invalid UTF-8, replaced by U+FFFD",
		"2 binary: NUL byte, taken out",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("rejected:\n%s", strings.Join(got, "\n"))
	}
	if raw.Files[0].Repaired != 2 || raw.Files[0].Skipped != 0 {
		t.Errorf("%+v", raw.Files[0])
	}
}

func TestParquetWithoutRows(t *testing.T) {
	if raw, _ := readOne(t, "testdata/parquet/empty.parquet"); raw.Rows != 0 || len(raw.Columns) != 1 {
		t.Errorf("%+v", raw)
	}
	raw, _ := readOne(t, "testdata/parquet/empty_groups.parquet")
	if got := strings.Join(texts(t, raw, "id"), " "); got != "a b c" {
		t.Errorf("rows: %s", got)
	}
}

func TestDecimalText(t *testing.T) {
	for _, c := range []struct {
		v     []byte
		scale int
		want  string
	}{
		{[]byte{0}, 2, "0.00"}, {[]byte{1}, 2, "0.01"}, {[]byte{0xff}, 2, "-0.01"}, {[]byte{0xff, 0x85}, 2, "-1.23"},
		{[]byte{0x04, 0xd2}, 0, "1234"}, {[]byte{0x04, 0xd2}, 3, "1.234"}, {[]byte{0x04, 0xd2}, 4, "0.1234"}, {nil, 1, "0.0"},
	} {
		if got := string(appendDecimal(nil, bigEndian(c.v).Append(nil, 10), c.scale)); got != c.want {
			t.Errorf("%x scale %d: %s, want %s", c.v, c.scale, got, c.want)
		}
	}
}

func TestFloatText(t *testing.T) {
	for _, c := range []struct {
		f    float64
		want string
	}{
		{0, "0"}, {math.Copysign(0, -1), "0"}, {1e6, "1000000"}, {0.1, "0.1"}, {-2.5, "-2.5"}, {1e-7, "1e-07"},
		{1e21, "1e+21"}, {math.Inf(-1), "-Inf"}, {math.NaN(), ""},
	} {
		if got := string(appendFloat(nil, c.f, 64)); got != c.want {
			t.Errorf("%g: %q, want %q", c.f, got, c.want)
		}
	}
}

func FuzzParquet(f *testing.F) {
	for _, name := range []string{"pyarrow_zstd", "pyarrow_delta_v2", "duckdb_v1_snappy", "arrowgo_v1", "polars_zstd"} {
		data, err := os.ReadFile("testdata/parquet/kinds_" + name + ".parquet")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.HasPrefix(data, []byte("PAR1")) {
			fuzzText(t, "x.parquet", formatParquet, data)
		}
	})
}

// The decoders of single encodings against a packer that writes bit by bit.
func TestHybridAndDeltaDecodeWhatWasPacked(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		width := rapid.IntRange(0, 32).Draw(rt, "width")
		want := rapid.SliceOfN(rapid.Uint32Range(0, uint32(1<<width-1)), 1, 100).Draw(rt, "values")
		packed := packBits(want, width)
		groups := (len(want) + 7) / 8
		src := append([]byte{byte(groups<<1 | 1)}, packed...)
		got := make([]uint32, len(want))
		if err := decodeHybrid(got, src, width); err != nil || !slices.Equal(got, want) {
			rt.Fatalf("%v: %v, want %v", err, got, want)
		}
		// One value too few is an error, not a zero.
		if width > 0 {
			if err := decodeHybrid(make([]uint32, len(want)), src[:len(src)-1-7*width/8], width); err == nil && len(want)%8 == 1 {
				rt.Fatal("a short page passes")
			}
		}
	})
}

// packBits packs values of width bits, lowest bit first, one bit at a time.
func packBits(values []uint32, width int) []byte {
	out := make([]byte, (len(values)+7)/8*width)
	for i, v := range values {
		for b := range width {
			if v>>b&1 == 1 {
				at := i*width + b
				out[at/8] |= 1 << (at % 8)
			}
		}
	}
	return out
}
