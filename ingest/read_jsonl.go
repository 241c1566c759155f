package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
)

// JSON Lines: one object a line, blank lines aside. https://jsonlines.org
//
//	"a": "text"            text
//	"a": 12.50             the number as written
//	"a": true              true
//	"a": null              null, as where the name is missing
//	"a": ["x", 1]          a list
//	"a": {"b": "text"}     a column a.b
//	"a": {"b": {…}}, "a": [[…]], "a": [{…}]    rejected value, the row is kept
//
// A line that is not an object, or names a column twice, is a rejected row.

// maxColumns is the number of columns a file can have. Objects whose names are
// data run into it.
const maxColumns = 10_000

// jsonFile reads one JSON Lines file.
type jsonFile struct {
	t       *fileTable
	columns []*rawBuilder
	kinds   []jsonKinds
	byName  map[string]int
	seen    []int64 // column → last data row that named it
	rej     rejects
	dataRow int64
	opt     ReadOptions

	parser  jsonParser
	values  []jsonValue // of the row
	joined  []byte
	name    []byte
	guessed int // the column expected next: rows name them in the same order
}

// jsonKinds are the kinds of value that a column has had.
type jsonKinds struct{ text, integer, float, boolean bool }

// kind returns the kind of the column: text where kinds mix, but for integers
// among other numbers.
func (k jsonKinds) kind() Kind {
	switch k {
	case jsonKinds{integer: true}:
		return KindInteger
	case jsonKinds{float: true}, jsonKinds{float: true, integer: true}:
		return KindFloat
	case jsonKinds{boolean: true}:
		return KindBool
	}
	return KindText
}

// jsonValue is a value of the row at hand. Its text lies in the parser's
// buffer or the line, or in joined.
type jsonValue struct {
	column int
	text   []byte
}

// readJSONL reads the file into t.
func readJSONL(ctx context.Context, t *fileTable, blocks *textBlocks, opt ReadOptions) error {
	f := &jsonFile{t: t, byName: make(map[string]int), rej: rejects{file: t.Path, limit: opt.KeepRejects}, opt: opt}
	if err := f.readLines(ctx, blocks); err != nil {
		return err
	}
	if f.t.Rows == 0 && f.dataRow > 0 {
		first := f.rej.list[0]
		return fmt.Errorf("no line is a JSON object (line 1: %s); write each record on one line", first.Reason)
	}
	kinds := make([]Kind, len(f.columns))
	for i, c := range f.columns {
		f.pad(c)
		kinds[i] = f.kinds[i].kind()
	}
	return t.finishColumns(f.columns, kinds, &f.rej)
}

func (f *jsonFile) readLines(ctx context.Context, blocks *textBlocks) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := blocks.fill(1 << 20); err != nil {
			return fmt.Errorf("after data row %d: %w", f.dataRow, err)
		}
		data := blocks.data
		pos := 0
		for {
			i := bytes.IndexByte(data[pos:], '\n')
			if i < 0 {
				break
			}
			if err := f.line(data[pos : pos+i]); err != nil {
				return err
			}
			pos += i + 1
		}
		rest := data[pos:]
		switch {
		case blocks.eof:
			return f.line(rest)
		case len(rest) >= blocks.limit:
			f.reject(fmt.Sprintf("the line is longer than %d bytes", blocks.limit), rest)
			blocks.data = rest
			if err := blocks.skipLine(); err != nil {
				return err
			}
		default:
			blocks.data = append(data[:0], rest...)
			if pos == 0 {
				if err := blocks.fill(2 * len(rest)); err != nil {
					return fmt.Errorf("after data row %d: %w", f.dataRow, err)
				}
			}
		}
	}
}

// line reads one line. The error is one of the whole file.
func (f *jsonFile) line(line []byte) error {
	line = bytes.TrimRight(line, " \t\r")
	if len(line) == 0 {
		return nil
	}
	f.dataRow++
	f.values, f.joined, f.guessed = f.values[:0], f.joined[:0], 0
	f.parser.reset(line)
	columns, listed, repaired := len(f.columns), len(f.rej.list), f.t.Repaired
	if err := f.object(); err != nil {
		if errors.Is(err, errTooManyColumns) {
			return err
		}
		// What the row did before it failed is undone.
		for _, c := range f.columns[columns:] {
			delete(f.byName, c.name)
		}
		f.columns, f.kinds, f.seen = f.columns[:columns], f.kinds[:columns], f.seen[:columns]
		f.rej.list, f.t.Repaired = f.rej.list[:listed], repaired
		f.dataRow--
		f.reject(err.Error(), line)
		return nil
	}
	for _, v := range f.values {
		c := f.columns[v.column]
		f.pad(c)
		c.codes = append(c.codes, c.code(v.text))
	}
	f.t.Rows++
	return nil
}

func (f *jsonFile) reject(reason string, line []byte) {
	f.dataRow++
	f.t.skipped = append(f.t.skipped, f.dataRow)
	f.rej.add(f.dataRow, "", reason, strings.ToValidUTF8(string(line[:min(len(line), 4*maxRejectValue)]), "\uFFFD"))
}

// pad gives the column nulls up to the rows taken so far.
func (f *jsonFile) pad(c *rawBuilder) {
	for len(c.codes) < f.t.Rows {
		c.codes = append(c.codes, 0)
	}
}

var errTooManyColumns = fmt.Errorf("more than %d different names in its objects; is a name a value here?", maxColumns)

// object reads the object that a line is.
func (f *jsonFile) object() error {
	p := &f.parser
	if err := p.expect('{'); err != nil {
		return errors.New("not a JSON object")
	}
	for first := true; ; first = false {
		key, more, err := p.key(first)
		if err != nil {
			return err
		}
		if !more {
			return p.end()
		}
		f.name = append(f.name[:0], key...)
		if p.peek() != '{' {
			if err := f.member(); err != nil {
				return err
			}
			continue
		}
		p.pos++
		f.name = append(f.name, '.')
		prefix := len(f.name)
		for inner := true; ; inner = false {
			key, more, err := p.key(inner)
			if err != nil {
				return err
			}
			if !more {
				break
			}
			f.name = append(f.name[:prefix], key...)
			if err := f.member(); err != nil {
				return err
			}
		}
	}
}

// member reads the value of the column f.name.
func (f *jsonFile) member() error {
	i, err := f.column()
	if err != nil {
		return err
	}
	if f.seen[i] == f.dataRow {
		return fmt.Errorf("the name %q is there twice", f.columns[i].name)
	}
	f.seen[i] = f.dataRow
	p := &f.parser
	start := p.pos
	switch p.peek() {
	case '{':
		if err := p.skip(0); err != nil {
			return err
		}
		f.rejectValue(i, "an object within an object; taken as null", p.line[start:p.pos])
		return nil
	case '[':
		return f.list(i)
	}
	text, err := p.scalar()
	if err != nil {
		return err
	}
	if len(text) > 0 || p.kind != jsonNull {
		f.kinds[i].add(p.kind)
		f.values = append(f.values, jsonValue{i, text})
	}
	return nil
}

func (f *jsonFile) rejectValue(column int, reason string, value []byte) {
	f.t.Repaired++
	f.rej.add(f.dataRow, f.columns[column].name, reason, strings.ToValidUTF8(string(value[:min(len(value), 4*maxRejectValue)]), "\uFFFD"))
}

// list reads an array as a list of texts.
func (f *jsonFile) list(i int) error {
	p := &f.parser
	start, from := p.pos, len(f.joined)
	p.pos++
	f.columns[i].list = true
	nested := false
	for first := true; ; first = false {
		more, err := p.item(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if c := p.peek(); c == '{' || c == '[' {
			nested = true
			if err := p.skip(0); err != nil {
				return err
			}
			continue
		}
		text, err := p.scalar()
		if err != nil {
			return err
		}
		if p.kind == jsonNull {
			continue
		}
		f.kinds[i].add(p.kind)
		f.joined = appendElement(f.joined, from, text)
	}
	if nested {
		f.rejectValue(i, "an array within an array, or an object; taken as null", p.line[start:p.pos])
		return nil
	}
	f.values = append(f.values, jsonValue{i, f.joined[from:len(f.joined):len(f.joined)]})
	return nil
}

// column returns the column of the name f.name.
func (f *jsonFile) column() (int, error) {
	if g := f.guessed; g < len(f.columns) && f.columns[g].name == string(f.name) {
		f.guessed++
		return g, nil
	}
	if i, ok := f.byName[string(f.name)]; ok {
		f.guessed = i + 1
		return i, nil
	}
	if len(f.columns) == maxColumns {
		return 0, errTooManyColumns
	}
	i := len(f.columns)
	name := string(f.name)
	f.byName[name] = i
	f.columns = append(f.columns, newRawBuilder(name, f.opt.MaxCell))
	f.kinds = append(f.kinds, jsonKinds{})
	f.seen = append(f.seen, 0)
	f.guessed = i + 1
	return i, nil
}

func (k *jsonKinds) add(t jsonType) {
	switch t {
	case jsonText:
		k.text = true
	case jsonInteger:
		k.integer = true
	case jsonFloat:
		k.float = true
	case jsonBool:
		k.boolean = true
	}
}
