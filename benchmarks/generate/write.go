package generate

import (
	"bufio"
	"context"
	"io"

	"github.com/klauspost/compress/gzip"
)

// An output is one file to write.
type output struct {
	name  string
	rows  int
	steps int // for progress
	write func(ctx context.Context, w io.Writer) error
}

// outputs lists the files of a format, the largest first.
func outputs(s *rowStore, format Format) []output {
	total := int(s.p.records())
	out := []output{{"truth.parquet", total, 0, s.writeTruth}}
	add := func(source int, suffix string, write func(ctx context.Context, w io.Writer) error) {
		n := len(s.rows[source])
		out = append(out, output{sourceNames[source] + suffix, n, n, write})
	}
	separated := func(source int, d dialect) func(ctx context.Context, w io.Writer) error {
		return func(ctx context.Context, w io.Writer) error { return s.writeCSV(ctx, w, source, d) }
	}
	switch format {
	case CSV:
		add(crm, ".csv", separated(crm, dialect{separator: ',', end: "\n"}))
		add(webshop, ".csv", separated(webshop, dialect{separator: ';', end: "\n"}))
		add(service, ".csv", separated(service, dialect{separator: '\t', end: "\r\n", mark: true}))
	case Mixed:
		add(crm, ".parquet", s.writeSilo(crm))
		add(webshop, ".csv.gz", func(ctx context.Context, w io.Writer) error {
			zw := gzip.NewWriter(w)
			if err := s.writeCSV(ctx, zw, webshop, dialect{separator: ';', end: "\n"}); err != nil {
				return err
			}
			return zw.Close()
		})
		add(service, ".jsonl", func(ctx context.Context, w io.Writer) error { return s.writeJSON(ctx, w, service) })
	default:
		add(crm, ".parquet", s.writeSilo(crm))
		add(webshop, ".parquet", s.writeSilo(webshop))
		add(service, ".parquet", s.writeSilo(service))
	}
	return out
}

// A dialect is a form of CSV.
type dialect struct {
	separator byte
	end       string
	mark      bool // starts with a byte order mark
}

// eachRow calls do with the id and the cells of every record of a source.
func (s *rowStore) eachRow(ctx context.Context, source int, do func(id []byte, cells []string) error) error {
	n := len(columns[source])
	cells := make([]string, n)
	var id []byte
	for i, r := range s.rows[source] {
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for c := range cells {
			cells[c] = r.cell(c, n)
		}
		id = s.p.appendRecordID(id[:0], source, uint64(i))
		if err := do(id, cells); err != nil {
			return err
		}
	}
	return nil
}

func (s *rowStore) writeCSV(ctx context.Context, w io.Writer, source int, d dialect) error {
	bw := bufio.NewWriterSize(w, 1<<16)
	if d.mark {
		bw.WriteString("\ufeff")
	}
	bw.WriteString("record_id")
	for _, c := range columns[source] {
		bw.WriteByte(d.separator)
		bw.WriteString(c)
	}
	bw.WriteString(d.end)
	err := s.eachRow(ctx, source, func(id []byte, cells []string) error {
		bw.Write(id)
		for _, c := range cells {
			bw.WriteByte(d.separator)
			writeCell(bw, c, d.separator)
		}
		_, err := bw.WriteString(d.end)
		return err
	})
	if err != nil {
		return err
	}
	return bw.Flush()
}

// writeCell writes a cell, quoted where RFC 4180 wants it.
func writeCell(w *bufio.Writer, c string, separator byte) {
	quote := false
	for i := range len(c) {
		if b := c[i]; b == separator || b == '"' || b == '\n' || b == '\r' {
			quote = true
			break
		}
	}
	if !quote {
		w.WriteString(c)
		return
	}
	w.WriteByte('"')
	for i := range len(c) {
		if c[i] == '"' {
			w.WriteByte('"')
		}
		w.WriteByte(c[i])
	}
	w.WriteByte('"')
}

// writeJSON writes one object a line. Null fields are left out.
func (s *rowStore) writeJSON(ctx context.Context, w io.Writer, source int) error {
	bw := bufio.NewWriterSize(w, 1<<16)
	err := s.eachRow(ctx, source, func(id []byte, cells []string) error {
		bw.WriteString(`{"record_id":"`)
		bw.Write(id)
		bw.WriteByte('"')
		for i, c := range cells {
			if c != "" {
				bw.WriteString(`,"`)
				bw.WriteString(columns[source][i])
				bw.WriteString(`":`)
				writeString(bw, c)
			}
		}
		_, err := bw.WriteString("}\n")
		return err
	})
	if err != nil {
		return err
	}
	return bw.Flush()
}

// writeString writes a JSON string. The generator makes valid UTF-8 only.
func writeString(w *bufio.Writer, c string) {
	const hex = "0123456789abcdef"
	w.WriteByte('"')
	for i := range len(c) {
		switch b := c[i]; {
		case b == '"' || b == '\\':
			w.WriteByte('\\')
			w.WriteByte(b)
		case b < 0x20:
			w.WriteString(`\u00`)
			w.WriteByte(hex[b>>4])
			w.WriteByte(hex[b&15])
		default:
			w.WriteByte(b)
		}
	}
	w.WriteByte('"')
}
