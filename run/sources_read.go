package run

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"unsafe"

	"sama/record"

	"golang.org/x/sync/errgroup"
)

// SourceTable reads what the files of a source said in this run. The error wraps
// fs.ErrNotExist if the run has no such source, as runs of earlier versions have
// none. Both files are held against their hashes in run.json first: what a delta
// is laid over stays for ever, so nothing damaged may pass.
func (r *Run) SourceTable(source string) (*SourceTable, error) {
	table, info := sourcesFolder+"/"+source+".parquet", sourcesFolder+"/"+source+".json"
	for _, name := range []string{table, info} {
		at := slices.IndexFunc(r.Info.Files, func(f File) bool { return f.Name == name })
		if at < 0 {
			return nil, fmt.Errorf("run %s keeps no source %s: %w", r.Info.ID, source, fs.ErrNotExist)
		}
		if err := r.verify(r.Info.Files[at]); err != nil {
			return nil, found(err)
		}
	}
	t, err := r.readSource(table, info)
	if err != nil {
		return nil, found(err)
	}
	if t.Source != source {
		return nil, fmt.Errorf("%s: it is of source %q", info, t.Source)
	}
	return t, nil
}

// found makes sure that a file which run.json lists and the disk does not have is
// not taken for a source that the run never had: a delta would then be all there
// is of it.
func found(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("damaged: %s lists a file that is gone: %v; go back to an earlier run, or send the source whole once", infoName, err)
	}
	return err
}

// verify holds a file against its size and hash in run.json.
func (r *Run) verify(want File) error {
	f, err := os.Open(r.File(want.Name))
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.CopyBuffer(h, struct{ io.Reader }{f}, make([]byte, 256<<10))
	if err != nil {
		return fmt.Errorf("%s: %w", want.Name, err)
	}
	if n != want.Bytes || hex.EncodeToString(h.Sum(nil)) != want.SHA256 {
		return fmt.Errorf("%s: damaged: it is not the file of which %s has the hash; go back to an earlier run, or send the source whole once", r.File(want.Name), infoName)
	}
	return nil
}

// readSource reads the two files, several columns at a time. A damaged file is an
// error, never a panic.
func (r *Run) readSource(table, info string) (*SourceTable, error) {
	text, err := os.ReadFile(r.File(info))
	if err != nil {
		return nil, err
	}
	var about sourceInfo
	if err := json.Unmarshal(text, &about); err != nil {
		return nil, fmt.Errorf("%s: not what sama writes: %w", info, err)
	}
	f, err := r.table(table)
	if err != nil {
		return nil, err
	}
	defer f.close()
	paths := f.schema.Columns()
	if len(paths) != len(about.Columns) || f.rows() != int64(about.Rows) {
		return nil, fmt.Errorf("%s: %d columns and %d rows, %s says %d and %d", table, len(paths), f.rows(), info, len(about.Columns), about.Rows)
	}
	t := &SourceTable{Source: about.Source, Rows: about.Rows, Key: string(about.Key), Columns: make([]SourceColumn, len(paths))}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	errs := make([]error, len(paths))
	for i, c := range about.Columns {
		g.Go(func() error {
			t.Columns[i] = SourceColumn{Name: string(c.Name), Kind: c.Kind, List: c.List}
			if err := f.readSourceColumn(paths[i], &t.Columns[i]); err != nil {
				errs[i] = fmt.Errorf("%s: damaged at column %q: %w", table, string(c.Name), err)
			}
			return nil
		})
	}
	g.Wait()
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	return t, nil
}

// readSourceColumn reads the codes and texts of one column.
func (t *openTable) readSourceColumn(path []string, c *SourceColumn) error {
	leaf, ok := t.schema.Lookup(path...)
	if !ok || c.List != (leaf.MaxRepetitionLevel > 0) {
		return errors.New("it is missing, or a list where there should be none")
	}
	b := sourceReader{column: c, known: make(map[string]uint32)}
	c.Codes = make([]uint32, 0, t.rows())
	if _, err := b.texts.Append(""); err != nil {
		return err
	}
	for n := range t.meta.RowGroups {
		p, err := t.piece(n, leaf)
		if err != nil {
			return err
		}
		if len(p.words) > 0 {
			return errors.New("its values are not text")
		}
		if c.List {
			err = b.lists(p)
		} else {
			err = b.values(p, len(t.meta.RowGroups)-n)
		}
		if err != nil {
			return err
		}
	}
	c.Values = b.texts.Build()
	return nil
}

// sourceReader gathers the codes and texts of one column.
type sourceReader struct {
	column *SourceColumn
	texts  record.StringsBuilder
	grown  bool              // texts has room for groups like the first of many texts
	known  map[string]uint32 // text → code, of those that are to share it
	codes  []uint32          // value of the row group → code
	joined []byte
}

// fewTexts is how many rows a row group has for each of its texts at least, for
// them to share the codes of the row groups before. Where there are more texts,
// finding them again would cost more than it saves.
const fewTexts = 16

// values adds the rows of a column that holds no lists. Groups is the number of
// row groups still to come, this one included.
func (b *sourceReader) values(p *piece, groups int) error {
	share := p.texts.len()*fewTexts <= p.rows
	b.codes = slices.Grow(b.codes[:0], p.texts.len())
	if !share && !b.grown {
		b.texts.Grow(p.texts.len()*groups, len(p.texts.data)*groups)
		b.grown = true
	}
	for v := range uint32(p.texts.len()) {
		code, err := b.code(p.texts.at(v), share)
		if err != nil {
			return err
		}
		b.codes = append(b.codes, code)
	}
	for i := range p.entries() {
		code := p.code(i)
		if code != noValue {
			code = b.codes[code]
		} else {
			code = 0
		}
		b.column.Codes = append(b.column.Codes, code)
	}
	return nil
}

// lists adds the rows of a list column. A list of one text gets its code once a
// text, a longer one once a row; an empty one is null.
func (b *sourceReader) lists(p *piece) error {
	const unknown = noValue
	share := p.texts.len()*fewTexts <= p.rows
	b.codes = slices.Grow(b.codes[:0], p.texts.len())
	for range p.texts.len() {
		b.codes = append(b.codes, unknown)
	}
	for row := range p.rows {
		from, to := int(p.starts[row]), int(p.starts[row+1])
		alone := noValue
		if to == from+1 {
			alone = p.code(from)
		}
		if alone != noValue && b.codes[alone] != unknown {
			b.column.Codes = append(b.column.Codes, b.codes[alone])
			continue
		}
		b.joined = b.joined[:0]
		for i := from; i < to; i++ {
			if i > from {
				b.joined = append(b.joined, ListSeparator...)
			}
			b.joined = append(b.joined, p.text(i)...)
		}
		code, err := b.code(b.joined, share)
		if err != nil {
			return err
		}
		if alone != noValue {
			b.codes[alone] = code
		}
		b.column.Codes = append(b.column.Codes, code)
	}
	return nil
}

// code gives a text a code; equal texts that are to share theirs get one. Empty
// text is null.
func (b *sourceReader) code(text []byte, share bool) (uint32, error) {
	if len(text) == 0 {
		return 0, nil
	}
	if share {
		if code, ok := b.known[string(text)]; ok {
			return code, nil
		}
	}
	code, err := b.texts.Append(unsafe.String(unsafe.SliceData(text), len(text)))
	if share && err == nil {
		b.known[string(text)] = code
	}
	return code, err
}
