package ingest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// mutationsPerFormat is the size of the corpus of damaged files of each format.
const mutationsPerFormat = 3200

// maxReadBytes is what reading a damaged file of some kilobytes may allocate.
const maxReadBytes = 256 << 20

// mutation is a way to damage a file.
type mutation struct {
	name string
	do   func(rng *rand.Rand, data []byte) []byte
}

var mutations = []mutation{
	{"flip one bit", func(rng *rand.Rand, data []byte) []byte {
		data[rng.IntN(len(data))] ^= 1 << rng.IntN(8)
		return data
	}},
	{"flip bits", func(rng *rand.Rand, data []byte) []byte {
		for range 2 + rng.IntN(8) {
			data[rng.IntN(len(data))] ^= 1 << rng.IntN(8)
		}
		return data
	}},
	{"cut short", func(rng *rand.Rand, data []byte) []byte { return data[:rng.IntN(len(data))] }},
	{"take out", func(rng *rand.Rand, data []byte) []byte {
		i := rng.IntN(len(data))
		return slices.Delete(data, i, min(len(data), i+1+rng.IntN(20)))
	}},
	{"put in", func(rng *rand.Rand, data []byte) []byte {
		i := rng.IntN(len(data))
		return slices.Insert(data, i, data[i:min(len(data), i+1+rng.IntN(20))]...)
	}},
	{"overwrite as a length", func(rng *rand.Rand, data []byte) []byte {
		i := rng.IntN(len(data))
		what := [][]byte{{0xff, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0x7f}, {0xff, 0xff, 0xff, 0xff, 0x0f}, {0, 0, 0, 0}, {0x80, 0x80, 0x80, 0x80, 0x08}}
		copy(data[i:], what[rng.IntN(len(what))])
		return data
	}},
}

// mutated is the outcome of reading a damaged file.
type mutated struct {
	how      string
	raw      *Raw
	rejected []Reject
	err      error
}

// readMutated damages data and reads it, checking what must hold of any result.
func readMutated(t *testing.T, path string, rng *rand.Rand, data []byte, m mutation) mutated {
	t.Helper()
	if err := os.WriteFile(path, m.do(rng, slices.Clone(data)), 0o600); err != nil {
		t.Fatal(err)
	}
	before := allocated()
	raws, rejected, err := ReadSources(context.Background(), []Input{{Paths: []string{path}, Source: "s"}}, ReadOptions{})
	if used := allocated() - before; used > maxReadBytes {
		t.Fatalf("%s: reading %d bytes allocated %d", m.name, len(data), used)
	}
	out := mutated{how: m.name, rejected: rejected, err: err}
	if err != nil {
		if !strings.Contains(err.Error(), path) {
			t.Fatalf("the error does not name the file: %v", err)
		}
		return out
	}
	out.raw = raws[0]
	checkRaw(t, out.raw)
	return out
}

func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// checkRaw checks the invariants of a Raw.
func checkRaw(t testing.TB, r *Raw) {
	t.Helper()
	rows := 0
	for _, f := range r.Files {
		rows += f.Rows
	}
	if r.rows == nil && rows != r.Rows {
		t.Fatalf("%d rows in files, %d in the source", rows, r.Rows)
	}
	for _, c := range r.Columns {
		if len(c.Codes) != r.Rows {
			t.Fatalf("column %s: %d rows of %d", c.Name, len(c.Codes), r.Rows)
		}
		if c.Values.Len() == 0 || c.Values.At(0) != "" {
			t.Fatalf("column %s: code 0 is not null", c.Name)
		}
		for row, code := range c.Codes {
			if int(code) >= c.Values.Len() || code != 0 && c.Values.At(code) == "" {
				t.Fatalf("column %s row %d: code %d of %d", c.Name, row, code, c.Values.Len())
			}
		}
	}
}

// tally counts outcomes, for the log.
type tally struct{ errors, rejects, kept int }

func (c *tally) add(m mutated) {
	switch {
	case m.err != nil:
		c.errors++
	case len(m.rejected) > 0:
		c.rejects++
	default:
		c.kept++
	}
}

func TestDamagedParquetIsAnErrorOrComplete(t *testing.T) {
	path := filepath.Join(t.TempDir(), "damaged.parquet")
	rng := rand.New(rand.NewPCG(1, 2))
	var files [][]byte
	for _, name := range []string{"pyarrow_zstd", "pyarrow_none", "pyarrow_plain_v2", "pyarrow_delta_v1", "pyarrow_delta_v2", "pyarrow_groups", "duckdb_v2_zstd", "duckdb_v1_snappy", "polars_zstd", "arrowgo_v2"} {
		data, err := os.ReadFile("testdata/parquet/kinds_" + name + ".parquet")
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, data)
	}
	var count tally
	for i := range mutationsPerFormat {
		m := readMutated(t, path, rng, files[i%len(files)], mutations[rng.IntN(len(mutations))])
		count.add(m)
		if m.err == nil && m.raw.Rows != 40 {
			t.Fatalf("%s: %d rows read of 40 without an error", m.how, m.raw.Rows)
		}
	}
	t.Logf("%+v", count)
}

// Where pages have checksums, a flipped bit in a page must not pass.
func TestDamagedParquetPagesWithChecksumsAreErrors(t *testing.T) {
	data, err := os.ReadFile("testdata/parquet/kinds_pyarrow_dictionary_v2.parquet")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "damaged.parquet")
	whole, _ := readOne(t, "testdata/parquet/kinds_pyarrow_dictionary_v2.parquet")
	footer := len(data) - 8 - int(uint32(data[len(data)-8])|uint32(data[len(data)-7])<<8|uint32(data[len(data)-6])<<16)
	rng := rand.New(rand.NewPCG(3, 4))
	flip := mutation{"flip a bit before the footer", func(rng *rand.Rand, data []byte) []byte {
		data[4+rng.IntN(footer-4)] ^= 1 << rng.IntN(8)
		return data
	}}
	var count tally
	for range 800 {
		m := readMutated(t, path, rng, data, flip)
		count.add(m)
		if m.err != nil {
			continue
		}
		for _, c := range whole.Columns {
			if !slices.Equal(texts(t, m.raw, c.Name), texts(t, whole, c.Name)) {
				t.Fatalf("column %s differs without an error", c.Name)
			}
		}
	}
	t.Logf("%+v", count)
}

// textRows is the number of rows of the texts that are damaged.
const textRows = 60

func csvLinesText() []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, "id,name,street,note,amount\n")
	for i := range textRows {
		fmt.Fprintf(&b, "C%03d,\"Näsi, Aino %d\",Kauppakatu %d,\"said \"\"no\"\"\ntwice\",%d\n", i, i, i*7, i*i)
	}
	return b.Bytes()
}

func jsonLinesText() []byte {
	var b bytes.Buffer
	for i := range textRows {
		fmt.Fprintf(&b, `{"id":"C%03d","name":"Näsi \"Aino\" %d","n":%d,"ok":true,"tags":["a",%d],"at":{"x":%d.5}}`+"\n", i, i, i, i, i)
	}
	return b.Bytes()
}

func TestDamagedTextIsAnErrorOrRejectedOrComplete(t *testing.T) {
	for format, text := range map[string][]byte{"csv": csvLinesText(), "jsonl": jsonLinesText()} {
		t.Run(format, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(5, 6))
			path := filepath.Join(t.TempDir(), "damaged."+format)
			forms := [][]byte{text, gzipped(t, text), zstandard(t, text)}
			var count tally
			for i := range mutationsPerFormat {
				form := i % len(forms)
				m := readMutated(t, path, rng, forms[form], mutations[rng.IntN(len(mutations))])
				count.add(m)
				if m.err != nil {
					continue
				}
				// Rows go missing without notice only where they were taken out
				// of a text that carries no checksum.
				complete := len(m.rejected) > 0 || m.raw.Rows == textRows
				if !complete && (form > 0 || strings.HasPrefix(m.how, "flip one")) {
					t.Fatalf("%s: %d rows of %d, nothing rejected", m.how, m.raw.Rows, textRows)
				}
			}
			t.Logf("%+v", count)
		})
	}
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstandard(t testing.TB, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(true))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(data, nil)
}
