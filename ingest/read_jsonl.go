package ingest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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
//	"a": [{"b": "x"}, {"b": "y"}]    a column a.b with the list x, y
//
// What lies deeper is carried as its JSON text: {"b": 1} in the column a.b for
// "a": {"b": {"b": 1}}, and as an element of the list where it is inside one.
// Lists leave nulls out, so the columns of a list of objects need not be
// equally long.
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
	items   []jsonItem  // of the list at hand
	inItem  []int64     // column → last object in a list that named it
	objects int64       // in lists, so far
	joined  []byte
	name    []byte
	guessed int // the column expected next: rows name them in the same order
}

// jsonKinds are the kinds of value that a column has had.
type jsonKinds struct{ text, integer, float, boolean bool }

// of returns the kinds with one more.
func (k jsonKinds) of(t jsonType) jsonKinds {
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
	return k
}

func (k jsonKinds) with(o jsonKinds) jsonKinds {
	return jsonKinds{k.text || o.text, k.integer || o.integer, k.float || o.float, k.boolean || o.boolean}
}

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
	kinds  jsonKinds
	list   bool
}

// jsonItem is an element of a list, for the column that it is of.
type jsonItem struct {
	column int
	text   []byte
	kind   jsonType
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
	columns := len(f.columns)
	if err := f.object(); err != nil {
		if errors.Is(err, errTooManyColumns) {
			return err
		}
		// What the row did before it failed is undone.
		for _, c := range f.columns[columns:] {
			delete(f.byName, c.name)
		}
		f.columns, f.kinds = f.columns[:columns], f.kinds[:columns]
		f.seen, f.inItem = f.seen[:columns], f.inItem[:columns]
		f.dataRow--
		f.reject(err.Error(), line)
		return nil
	}
	for _, v := range f.values {
		c := f.columns[v.column]
		f.pad(c)
		c.codes = append(c.codes, c.code(v.text))
		c.list = c.list || v.list
		f.kinds[v.column] = f.kinds[v.column].with(v.kinds)
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
		switch p.peek() {
		case '{':
			err = f.fields(func() error {
				if p.peek() == '[' {
					return f.list(false)
				}
				return f.member()
			})
		case '[':
			err = f.list(true)
		default:
			err = f.member()
		}
		if err != nil {
			return err
		}
	}
}

// fields reads the object that begins here; each is called for every field
// with its column's name in f.name.
func (f *jsonFile) fields(each func() error) error {
	p := &f.parser
	p.pos++
	f.name = append(f.name, '.')
	prefix := len(f.name)
	for first := true; ; first = false {
		key, more, err := p.key(first)
		if err != nil || !more {
			return err
		}
		f.name = append(f.name[:prefix], key...)
		if err := each(); err != nil {
			return err
		}
	}
}

// member reads the one value of the column f.name.
func (f *jsonFile) member() error {
	i, err := f.once()
	if err != nil {
		return err
	}
	text, kind, err := f.text()
	if err == nil && kind != jsonNull {
		f.values = append(f.values, jsonValue{i, text, jsonKinds{}.of(kind), false})
	}
	return err
}

// once returns the column of the name f.name, which the row must not have named
// before.
func (f *jsonFile) once() (int, error) {
	i, err := f.column()
	if err != nil {
		return 0, err
	}
	if f.seen[i] == f.dataRow {
		return 0, fmt.Errorf("the name %q is there twice", f.columns[i].name)
	}
	f.seen[i] = f.dataRow
	return i, nil
}

// text reads a value: a scalar's text, anything else as JSON.
func (f *jsonFile) text() ([]byte, jsonType, error) {
	p := &f.parser
	if c := p.peek(); c == '{' || c == '[' {
		start := p.pos
		err := p.skip(0)
		return p.line[start:p.pos], jsonText, err
	}
	text, err := p.scalar()
	return text, p.kind, err
}

// list reads an array: its elements are those of the column f.name, and the
// fields of its objects, if they are to be taken apart, those of columns below.
func (f *jsonFile) list(apart bool) error {
	p := &f.parser
	p.pos++
	f.items = f.items[:0]
	own, objects, prefix := -1, false, len(f.name)
	for first := true; ; first = false {
		more, err := p.item(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		f.name = f.name[:prefix]
		if apart && p.peek() == '{' {
			objects = true
			f.objects++
			if err := f.fields(f.element); err != nil {
				return err
			}
			continue
		}
		if own < 0 {
			if own, err = f.once(); err != nil {
				return err
			}
		}
		text, kind, err := f.text()
		if err != nil {
			return err
		}
		f.items = append(f.items, jsonItem{own, text, kind})
	}
	f.name = f.name[:prefix]
	if own < 0 && !objects {
		i, err := f.once()
		if err != nil {
			return err
		}
		f.items = append(f.items, jsonItem{i, nil, jsonNull})
	}
	f.join()
	return nil
}

// element reads a field of an object in a list, for the column f.name.
func (f *jsonFile) element() error {
	i, err := f.column()
	if err != nil {
		return err
	}
	if f.seen[i] == f.dataRow || f.inItem[i] == f.objects {
		return fmt.Errorf("the name %q is there twice", f.columns[i].name)
	}
	f.inItem[i] = f.objects
	text, kind, err := f.text()
	f.items = append(f.items, jsonItem{i, text, kind})
	return err
}

// join makes the elements of each column one value.
func (f *jsonFile) join() {
	slices.SortStableFunc(f.items, func(a, b jsonItem) int { return cmp.Compare(a.column, b.column) })
	for start := 0; start < len(f.items); {
		i, from := f.items[start].column, len(f.joined)
		var kinds jsonKinds
		end := start
		for ; end < len(f.items) && f.items[end].column == i; end++ {
			kinds = kinds.of(f.items[end].kind)
			f.joined = appendElement(f.joined, from, f.items[end].text)
		}
		f.seen[i] = f.dataRow
		f.values = append(f.values, jsonValue{i, f.joined[from:len(f.joined):len(f.joined)], kinds, true})
		start = end
	}
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
	f.inItem = append(f.inItem, 0)
	f.guessed = i + 1
	return i, nil
}
