package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"sama/record"
	"sama/run/columns"
)

// What the files of a source said is kept beside the records that were made of
// it, so that the next night's delta can be laid over it:
//
//	sources/<source>.parquet  a row a record in the order of the source's rows,
//	                          a column of text (or list of text) a column; null
//	                          and empty text are null, an empty list is null
//	sources/<source>.json     the key column, and of every column its name as the
//	                          files have it, its kind and whether it holds lists
//
// Names in the Parquet file are those of the source made fit for readers that do
// not tell upper from lower case: see distinctNames. The bytes of both follow
// from the SourceTable alone.

// sourcesFolder lies in the run directory.
const sourcesFolder = "sources"

// SourceTable is one source as its files said it.
type SourceTable struct {
	Source  string
	Rows    int
	Key     string // name of the key column
	Columns []SourceColumn
}

// SourceColumn is one column of a SourceTable.
type SourceColumn struct {
	Name   string
	Kind   uint8          // as package ingest numbers its kinds
	List   bool           // values hold several texts joined by ListSeparator
	Codes  []uint32       // row → value, 0 = null; empty text is null
	Values record.Strings // code → text, [0] = ""; texts need not be distinct
}

// ListSeparator parts the texts of a value in a list column, as in package
// ingest.
const ListSeparator = "\x1f"

// sourceInfo is sources/<source>.json.
type sourceInfo struct {
	Source  string             `json:"source"`
	Rows    int                `json:"rows"`
	Key     exactText          `json:"key"`
	Columns []sourceColumnInfo `json:"columns"`
}

// sourceColumnInfo describes a column, in the order of the Parquet file's.
type sourceColumnInfo struct {
	Name exactText `json:"name"`
	Kind uint8     `json:"kind,omitempty"`
	List bool      `json:"list,omitempty"`
}

// exactText is a text that survives JSON whatever its bytes: one that is not
// valid UTF-8 is written as a list of its bytes in base64.
type exactText string

// MarshalJSON implements json.Marshaler.
func (e exactText) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(e)) {
		return json.Marshal(string(e))
	}
	return json.Marshal([][]byte{[]byte(e)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (e *exactText) UnmarshalJSON(text []byte) error {
	if !bytes.HasPrefix(text, []byte("[")) {
		return json.Unmarshal(text, (*string)(e))
	}
	var parts [][]byte
	if err := json.Unmarshal(text, &parts); err != nil {
		return err
	}
	*e = exactText(bytes.Join(parts, nil))
	return nil
}

// KeepSource writes a source into the unfinished run of the lock's holder, early
// in the night, so that its memory can be given back. It returns the two files
// that the run then has, on disk and synced, for Publish to adopt. Workers is the
// number of chunks encoded at once; the bytes do not depend on it. Sources may be
// kept at the same time, each of them once.
func KeepSource(ctx context.Context, lock *Lock, t *SourceTable, workers int) ([]File, error) {
	if lock == nil {
		return nil, fmt.Errorf("keeping source %s: the lock of the directory is needed", t.Source)
	}
	return disk{}.keepSource(ctx, lock.dir, t, workers)
}

// keepSource is KeepSource in the output directory dir.
func (d disk) keepSource(ctx context.Context, dir string, t *SourceTable, workers int) ([]File, error) {
	files, err := d.writeSource(ctx, filepath.Join(dir, unfinishedName), t, workers)
	if err != nil {
		return nil, fmt.Errorf("keeping source %s in %s: %w", t.Source, dir, err)
	}
	return files, nil
}

// writeSource writes the two files of a source below the folder of a run.
func (d disk) writeSource(ctx context.Context, folder string, t *SourceTable, workers int) ([]File, error) {
	if err := t.validate(); err != nil {
		return nil, err
	}
	path := filepath.Join(folder, sourcesFolder)
	if err := d.try("mkdir", path); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, err
	}
	cols, err := t.columns()
	if err != nil {
		return nil, err
	}
	name := sourcesFolder + "/" + t.Source
	table, err := d.writeFile(folder, name+".parquet", func(w io.Writer) error {
		return columns.NewEncoder(workers).WriteParquet(ctx, w, t.Rows, cols)
	})
	if err != nil {
		return nil, err
	}
	table.Rows = int64(t.Rows)
	text, err := json.MarshalIndent(t.info(), "", "  ")
	if err != nil {
		return nil, err
	}
	info, err := d.writeFile(folder, name+".json", func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return nil, err
	}
	return []File{info, table}, d.sync(path)
}

// validate returns every inconsistency at once; like those of a Content they are
// bugs of the caller.
func (t *SourceTable) validate() error {
	var bad []error
	need := func(ok bool, format string, args ...any) {
		if !ok {
			bad = append(bad, fmt.Errorf("source table: "+format, args...))
		}
	}
	need(fitsFileName(t.Source), "source name %q cannot be a file name", t.Source)
	need(len(t.Columns) > 0, "no columns")
	need(t.Rows <= math.MaxInt32, "%d rows", t.Rows)
	for i := range t.Columns {
		c := &t.Columns[i]
		need(len(c.Codes) == t.Rows, "column %q: %d codes for %d rows", c.Name, len(c.Codes), t.Rows)
		need(c.Values.Len() > 0 && c.Values.At(0) == "", "column %q: code 0 is not null", c.Name)
		for row, code := range c.Codes {
			if int(code) >= c.Values.Len() {
				need(false, "column %q: row %d has code %d of %d", c.Name, row, code, c.Values.Len())
				break
			}
		}
	}
	return errors.Join(bad...)
}

// fitsFileName reports whether a source's name is one that can be a file name.
func fitsFileName(source string) bool {
	return source != "" && source[0] != '.' && !strings.ContainsAny(source, "/\\:\x00")
}

// info returns what the JSON file says.
func (t *SourceTable) info() *sourceInfo {
	info := &sourceInfo{Source: t.Source, Rows: t.Rows, Key: exactText(t.Key)}
	for i := range t.Columns {
		c := &t.Columns[i]
		info.Columns = append(info.Columns, sourceColumnInfo{exactText(c.Name), c.Kind, c.List})
	}
	return info
}

// columns returns the columns of the Parquet file.
func (t *SourceTable) columns() ([]columns.Column, error) {
	names := make([]string, len(t.Columns))
	for i := range names {
		if names[i] = strings.ToValidUTF8(t.Columns[i].Name, "\uFFFD"); names[i] == "" {
			names[i] = "column"
		}
	}
	names = distinctNames(nil, names)
	cols := make([]columns.Column, len(t.Columns))
	for i := range cols {
		c := &t.Columns[i]
		if !c.List {
			cols[i].Leaf = columns.Leaf{Name: names[i], Codes: c.Codes, Texts: columns.Valid(&c.Values), Nulls: columns.ZeroIsNull}
			continue
		}
		list, err := c.lists()
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
		list.Name = names[i]
		cols[i] = list
	}
	return cols, nil
}

// sharedElements is how many texts of a list column are found again. A column of
// tags has fewer; of one with more, finding all would cost more than it saves.
const sharedElements = 1 << 14

// lists returns a list column: each distinct value is taken apart once.
func (c *SourceColumn) lists() (columns.Column, error) {
	var texts record.StringsBuilder
	known := make(map[string]uint32)
	parts := make([]uint32, 0, c.Values.Len()) // the elements of all values, one after the other
	ends := make([]uint32, c.Values.Len())     // value → end of its elements
	for code := 1; code < len(ends); code++ {
		if text := c.Values.At(uint32(code)); text != "" {
			for part := range strings.SplitSeq(text, ListSeparator) {
				element, ok := known[part]
				if !ok {
					var err error
					if element, err = texts.Append(part); err != nil {
						return columns.Column{}, err
					}
					if len(known) < sharedElements {
						known[part] = element
					}
				}
				parts = append(parts, element)
			}
		}
		ends[code] = uint32(len(parts))
	}
	starts := make([]uint32, 1, len(c.Codes)+1)
	elements := make([]uint32, 0, len(c.Codes))
	for _, code := range c.Codes {
		if code > 0 {
			elements = append(elements, parts[ends[code-1]:ends[code]]...)
		}
		if uint64(len(elements)) > math.MaxUint32 {
			return columns.Column{}, errors.New("its lists hold more than 4 billion texts")
		}
		starts = append(starts, uint32(len(elements)))
	}
	all := texts.Build()
	return columns.Column{Starts: starts, Elements: []columns.Leaf{{Codes: elements, Texts: columns.Valid(&all)}}}, nil
}
