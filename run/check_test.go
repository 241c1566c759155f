package run

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"

	"sama/run/columns"
)

// rewrite writes one table of a run anew, with columns of it spoiled and its hash
// made right, so that only the content can tell. A name is that of a column, or
// list.element; the spoiling gets the codes of each.
func rewrite(t *testing.T, r *Run, c *Content, file, names string, spoil func(codes []uint32)) {
	t.Helper()
	tables := newLayout(c, 1).tables()
	at := slices.IndexFunc(tables, func(f tableFile) bool { return f.name == file })
	built := tables[at].build()
	for _, name := range strings.Fields(names) {
		column, element, _ := strings.Cut(name, ".")
		col := &built.columns[slices.IndexFunc(built.columns, func(c columns.Column) bool { return c.Name == column })]
		leaf := &col.Leaf
		if element != "" {
			leaf = &col.Elements[slices.IndexFunc(col.Elements, func(l columns.Leaf) bool { return l.Name == element })]
		}
		if leaf.Codes == nil {
			for i := range uint32(built.rows) {
				leaf.Codes = append(leaf.Codes, i)
			}
		}
		leaf.Codes = slices.Clone(leaf.Codes)
		spoil(leaf.Codes)
	}
	var text bytes.Buffer
	if err := columns.NewEncoder(1).WriteParquet(context.Background(), &text, built.rows, built.columns); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.File(file), text.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text.Bytes())
	entry := &r.Info.Files[slices.IndexFunc(r.Info.Files, func(f File) bool { return f.Name == file })]
	entry.Bytes, entry.SHA256 = int64(text.Len()), hex.EncodeToString(sum[:])
}

// TestCheckFindsSpoiledColumns changes one column at a time so that the file
// stays a sound one.
func TestCheckFindsSpoiledColumns(t *testing.T) {
	rotate := func(codes []uint32) { copy(codes, append(slices.Clone(codes[1:]), codes[0])) }
	set := func(value uint32) func([]uint32) {
		return func(codes []uint32) {
			for i := range codes {
				codes[i] = value
			}
		}
	}
	for _, x := range []struct {
		file, columns string
		spoil         func([]uint32)
	}{
		{"members.parquet", "founding", rotate},
		{"members.parquet", "founding", set(0)},
		{"members.parquet", "founding", set(1)},
		{"members.parquet", "identity_id", rotate},
		{"members.parquet", "identity_id", set(0)},
		{"members.parquet", "record_id", rotate},
		{"members.parquet", "source", rotate},
		{"members.parquet", "joined_by_record_id", rotate},
		{"members.parquet", "joined_by_source joined_by_record_id", rotate},
		{"golden.parquet", "record_count", rotate},
		{"golden.parquet", "record_count", set(0)},
		{"golden.parquet", "identity_id", rotate},
		{"golden.parquet", "identity_id", set(1)},
		{"edges.parquet", "record_id_a", rotate},
		{"edges.parquet", "record_id_b", set(0)},
		{"edges.parquet", "source_b", rotate},
		{"provenance.parquet", "identity_id", rotate},
		{"provenance.parquet", "record_id", rotate},
		{"provenance.parquet", "source record_id", rotate},
		{"provenance.parquet", "losing.record_id", rotate},
		{"provenance.parquet", "losing.source losing.record_id", rotate},
		{"records/crm.parquet", "record_id", rotate},
		{"events.parquet", "identity_id", rotate},
		{"events.parquet", "records.record_id", rotate},
	} {
		c := sample(t, 90, 5)
		r := publish(t, t.TempDir(), c, Options{})
		rewrite(t, r, c, x.file, x.columns, func([]uint32) {})
		if err := r.Check(); err != nil {
			t.Fatalf("%s written again: %v", x.file, err)
		}
		rewrite(t, r, c, x.file, x.columns, x.spoil)
		if err := r.Check(); err == nil {
			t.Errorf("%s: %s spoiled: no error", x.file, x.columns)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	r := publish(b, b.TempDir(), sample(b, 300_000, 1), Options{})
	b.ReportMetric(float64(r.Info.Counts.Records), "records")
	for b.Loop() {
		if err := r.Check(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMembers(b *testing.B) {
	r := publish(b, b.TempDir(), sample(b, 300_000, 1), Options{})
	for b.Loop() {
		if _, err := r.Members(); err != nil {
			b.Fatal(err)
		}
	}
}
