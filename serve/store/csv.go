package store

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// csvColumn is one column of a file of decisions.
type csvColumn struct {
	name   string
	needed bool
	set    func(d *Decision, text string) error
	get    func(d *Decision) string
}

// csvColumns are the columns of a file of decisions, UTF-8 with a header line,
// in the order in which they are written. Times are RFC 3339.
var csvColumns = []csvColumn{
	{"decision", true,
		func(d *Decision, text string) error { return d.Kind.UnmarshalText([]byte(text)) },
		func(d *Decision) string { return d.Kind.String() }},
	{"source_a", true, setText(func(d *Decision) *string { return &d.A.Source }), func(d *Decision) string { return d.A.Source }},
	{"record_id_a", true, setText(func(d *Decision) *string { return &d.A.ID }), func(d *Decision) string { return d.A.ID }},
	{"source_b", true, setText(func(d *Decision) *string { return &d.B.Source }), func(d *Decision) string { return d.B.Source }},
	{"record_id_b", true, setText(func(d *Decision) *string { return &d.B.ID }), func(d *Decision) string { return d.B.ID }},
	{"reason", false, setText(func(d *Decision) *string { return &d.Reason }), func(d *Decision) string { return d.Reason }},
	{"by", false, setText(func(d *Decision) *string { return &d.By }), func(d *Decision) string { return d.By }},
	{"made", false, setTime(func(d *Decision) *time.Time { return &d.Made }), func(d *Decision) string { return csvTime(d.Made) }},
	{"revoked", false, setTime(func(d *Decision) *time.Time { return &d.Revoked }), func(d *Decision) string { return csvTime(d.Revoked) }},
	{"revoked_by", false, setText(func(d *Decision) *string { return &d.RevokedBy }), func(d *Decision) string { return d.RevokedBy }},
	{"revoke_reason", false, setText(func(d *Decision) *string { return &d.RevokeReason }), func(d *Decision) string { return d.RevokeReason }},
}

// firstRevokedColumn is where the columns begin that only history needs.
const firstRevokedColumn = 8

func setText(of func(d *Decision) *string) func(*Decision, string) error {
	return func(d *Decision, text string) error {
		*of(d) = text
		return nil
	}
}

func setTime(of func(d *Decision) *time.Time) func(*Decision, string) error {
	return func(d *Decision, text string) error {
		if text == "" {
			return nil
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return errors.New("want a time such as 2026-11-23T02:00:00Z")
		}
		*of(d) = t
		return nil
	}
}

func csvTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// WriteCSV writes decisions as a file that [ReadCSV] reads: the columns
// decision, source_a, record_id_a, source_b, record_id_b, reason, by, made,
// and, where a decision among them is revoked, revoked, revoked_by,
// revoke_reason.
func WriteCSV(w io.Writer, list []Decision) error {
	columns := csvColumns
	if !slices.ContainsFunc(list, func(d Decision) bool { return !d.Active() }) {
		columns = columns[:firstRevokedColumn]
	}
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.name
	}
	out := csv.NewWriter(w)
	if err := out.Write(row); err != nil {
		return err
	}
	for k := range list {
		for i, c := range columns {
			row[i] = c.get(&list[k])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// ReadCSV reads a file of decisions. Its columns may come in any order; those
// from reason on may be left out or empty. A line that cannot be understood
// carries its Err; the error of ReadCSV is about the file as a whole. by is
// who decided where the file does not say.
func ReadCSV(r io.Reader, by string) ([]Line, error) {
	in := csv.NewReader(withoutMark(r))
	in.FieldsPerRecord = -1
	in.ReuseRecord = true
	header, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("it is empty; want the columns %s", columnNames(false))
	}
	if err != nil {
		return nil, err
	}
	places, err := readHeader(header)
	if err != nil {
		return nil, err
	}
	var lines []Line
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
			// What follows a quotation mark in the wrong place cannot be told
			// into rows.
			return append(lines, Line{Number: wrong.StartLine, Err: fmt.Errorf("%w; what follows was not read", wrong.Err)}), nil
		}
		if err != nil {
			return nil, err
		}
		number, _ := in.FieldPos(0)
		d, err := readRow(row, places)
		if d.By == "" {
			d.By = by
		}
		lines = append(lines, Line{Number: number, Decision: d, Err: err})
	}
}

// withoutMark drops a byte order mark.
func withoutMark(r io.Reader) io.Reader {
	in := bufio.NewReaderSize(r, 1<<16)
	if mark, err := in.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		// Peek has shown that the bytes are there.
		_, _ = in.Discard(3)
	}
	return in
}

// readHeader returns for each column of a file its place in csvColumns.
func readHeader(header []string) ([]int, error) {
	var errs []error
	places := make([]int, len(header))
	for i, name := range header {
		places[i] = slices.IndexFunc(csvColumns, func(c csvColumn) bool { return c.name == name })
		if places[i] < 0 {
			errs = append(errs, fmt.Errorf("column %q is unknown; the columns are %s", name, columnNames(false)))
		} else if slices.Contains(places[:i], places[i]) {
			errs = append(errs, fmt.Errorf("column %q is there twice", name))
		}
	}
	for i, c := range csvColumns {
		if c.needed && !slices.Contains(places, i) {
			errs = append(errs, fmt.Errorf("column %q is missing; needed are %s", c.name, columnNames(true)))
		}
	}
	return places, errors.Join(errs...)
}

func columnNames(needed bool) string {
	var names []string
	for _, c := range csvColumns {
		if c.needed || !needed {
			names = append(names, c.name)
		}
	}
	return strings.Join(names, ", ")
}

func readRow(row []string, places []int) (Decision, error) {
	if len(row) != len(places) {
		return Decision{}, fmt.Errorf("it has %d values, the header names %d columns", len(row), len(places))
	}
	var d Decision
	var errs []error
	for i, text := range row {
		c := csvColumns[places[i]]
		if err := c.set(&d, text); err != nil {
			errs = append(errs, fmt.Errorf("column %s: %w", c.name, err))
		}
	}
	return d, errors.Join(errs...)
}
