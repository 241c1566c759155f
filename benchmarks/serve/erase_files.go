package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"sama/run/index"

	"github.com/parquet-go/parquet-go"
)

// searched looks for erased persons in the state as the server left it and in
// its log, runs a night on the exports that still have them, and looks again in
// every file of the output directory: Parquet files decoded, all others byte by
// byte.
func (p *place) searched(ctx context.Context, gone []*erased) error {
	texts := 0
	for _, e := range gone {
		texts += len(e.texts)
	}
	before, err := p.search(ctx, gone, func(name string) bool { return !strings.Contains(name, string(filepath.Separator)) })
	if err != nil {
		return err
	}
	p.table.none("erase: state and log in which something of them is, before the night", before)
	r, err := p.night(ctx, p.silos.files)
	if err != nil {
		return err
	}
	own := filepath.Join("runs", r.Info.ID) + string(filepath.Separator)
	next, err := p.search(ctx, gone, func(name string) bool {
		return strings.HasPrefix(name, own) || !strings.HasPrefix(name, "runs")
	})
	if err != nil {
		return err
	}
	p.table.none(fmt.Sprintf("erase: state and files of the next run in which one of %d values is", texts), next)
	earlier, err := p.search(ctx, gone, func(name string) bool {
		return strings.HasPrefix(name, "runs") && !strings.HasPrefix(name, own)
	})
	if err != nil {
		return err
	}
	p.table.none("erase: files of earlier runs that still have one", earlier)
	if text, err := p.sama(ctx, "check", p.out); err != nil {
		p.violated("erase", "sama check after the night: %v %s", err, text)
	}
	return nil
}

// search counts the files of the output directory, by their names below it, in
// which something of an erased person is, and tells of each.
func (p *place) search(ctx context.Context, gone []*erased, wanted func(name string) bool) (int, error) {
	found, err := p.find(ctx, gone, wanted)
	for _, name := range slices.Sorted(maps.Keys(found)) {
		p.violated("erase", "%s has of an erased person: %s", name, strings.Join(found[name][:min(3, len(found[name]))], "; "))
	}
	return len(found), err
}

// sighted makes sure that search finds persons where they are: before they are
// erased, in the index and the records of the run, and in the state.
func (p *place) sighted(ctx context.Context, gone []*erased) error {
	found, err := p.find(ctx, gone, func(string) bool { return true })
	if err != nil {
		return err
	}
	want := map[string]func(string) bool{
		"the bytes of the index": func(name string) bool { return strings.Contains(name, "index"+string(filepath.Separator)) },
		"the index, decoded":     func(name string) bool { return strings.HasSuffix(name, ", decoded") },
		"the records":            func(name string) bool { return strings.Contains(name, "records"+string(filepath.Separator)) },
		"the state":              func(name string) bool { return strings.HasPrefix(name, "state.db") || name == dumped },
		"names and birth date":   nil,
		"e-mail addresses alone": nil,
	}
	if !slices.ContainsFunc(gone, func(e *erased) bool { return len(e.full) > 0 }) {
		delete(want, "names and birth date") // nobody has all three
	}
	for name, list := range found {
		for what, is := range want {
			if is != nil && is(name) {
				delete(want, what)
			}
		}
		for _, text := range list {
			if strings.HasPrefix(text, namesAndDate) {
				delete(want, "names and birth date")
			} else {
				delete(want, "e-mail addresses alone")
			}
		}
	}
	if len(want) > 0 {
		return fmt.Errorf("the search is blind: before the erasure it does not find the persons by %v", slices.Sorted(maps.Keys(want)))
	}
	return nil
}

// dumped is the name of the state in PostgreSQL among files.
const dumped = "the state in PostgreSQL"

// find returns what of erased persons is in the files of the output directory, in
// the server's log and in the state.
func (p *place) find(ctx context.Context, gone []*erased, wanted func(name string) bool) (map[string][]string, error) {
	found := make(map[string][]string)
	look := func(name string, list []string) {
		if len(list) > 0 {
			found[name] = list
		}
	}
	err := filepath.WalkDir(p.out, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(p.out, path)
		if err != nil || !wanted(name) {
			return err
		}
		if strings.HasSuffix(name, ".parquet") {
			list, err := inParquet(path, gone)
			look(name, list)
			return err
		}
		if filepath.Base(filepath.Dir(name)) != "index" {
			text, err := os.ReadFile(path)
			look(name, inBytes(text, gone))
			return err
		}
		list, err := inIndexBytes(path, gone)
		look(name, list)
		if err == nil && filepath.Base(name) == "values.idx" {
			list, err = inIndex(filepath.Dir(path), gone)
			look(filepath.Dir(name)+", decoded", list)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	log, err := os.ReadFile(p.out + ".log")
	look("the server's log", inBytes(log, gone))
	if err == nil && p.dump != nil {
		var text []byte
		text, err = p.dump(ctx)
		look(dumped, inBytes(text, gone))
	}
	return found, err
}

// inBytes returns which texts of erased persons are in a file, as a whole: what
// is only part of a longer address or number is somebody else's.
func inBytes(text []byte, gone []*erased) []string {
	var found []string
	for _, e := range gone {
		for _, t := range e.texts {
			if holds(text, []byte(t)) {
				found = append(found, fmt.Sprintf("%q of identity %s", t, e.id))
			}
		}
	}
	return found
}

func holds(text, part []byte) bool {
	for at := 0; ; at++ {
		next := bytes.Index(text[at:], part)
		if next < 0 {
			return false
		}
		at += next
		end := at + len(part)
		if (at == 0 || !inside(text[at-1])) && (end == len(text) || !inside(text[end])) {
			return true
		}
	}
}

// inside reports whether a byte goes on with an address or a number.
func inside(b byte) bool {
	return b >= utf8.RuneSelf || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || bytes.IndexByte([]byte("+-_.@"), b) >= 0
}

// inIndexBytes is inBytes of a file of the index, whose texts stand side by side
// with nothing between: there, only addresses are looked for that are no part of
// a longer one in the exports.
func inIndexBytes(path string, gone []*erased) (found []string, err error) {
	text, err := os.ReadFile(path)
	for _, e := range gone {
		for _, t := range e.whole {
			if bytes.Contains(text, []byte(t)) {
				found = append(found, fmt.Sprintf("%q of identity %s", t, e.id))
			}
		}
	}
	return found, err
}

// inIndex looks through every value that the index has of a record.
func inIndex(dir string, gone []*erased) (found []string, err error) {
	texts := make(map[string]*erased)
	for _, e := range gone {
		for _, t := range e.texts {
			texts[t] = e
		}
	}
	x, err := index.OpenIndex(dir)
	if err != nil {
		return nil, err
	}
	defer x.Close() // it is only read
	look := func(t string) {
		if e := texts[t]; e != nil {
			found = append(found, fmt.Sprintf("%q of identity %s", t, e.id))
		}
	}
	for c := range x.Columns() {
		for code := range x.Normals(c) {
			look(x.Normal(c, uint32(code)))
		}
		for r := range x.Records() {
			look(x.Raw(c, uint32(r)))
		}
	}
	return found, nil
}

// wholeAddresses keeps, of each person, the addresses that are no part of a
// longer one in the exports.
func (s *silos) wholeAddresses(gone []*erased) error {
	var texts [][]byte
	for _, file := range s.files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		texts = append(texts, bytes.ToLower(text))
	}
	for _, e := range gone {
		for _, email := range e.emails {
			if !slices.ContainsFunc(texts, func(text []byte) bool { return partOfLonger(text, []byte(email)) }) {
				e.whole = append(e.whole, email)
			}
		}
	}
	return nil
}

// partOfLonger reports whether a text has a part in something longer.
func partOfLonger(text, part []byte) bool {
	for at := 0; ; at++ {
		next := bytes.Index(text[at:], part)
		if next < 0 {
			return false
		}
		at += next
		end := at + len(part)
		if at > 0 && inside(text[at-1]) || end < len(text) && inside(text[end]) {
			return true
		}
	}
}

// inParquet returns what of erased persons is in a Parquet file: a text of
// theirs, or a row that has both names and the birth date of one of their records.
func inParquet(path string, gone []*erased) (found []string, err error) {
	texts, names := make(map[string]*erased), make(map[string][]*erased)
	for _, e := range gone {
		for _, t := range e.texts {
			texts[t] = e
		}
		for _, full := range e.full {
			names[full[1]] = append(names[full[1]], e)
		}
	}
	err = eachRow(path, func(row [][]byte) {
		for _, v := range row {
			if e := texts[string(v)]; e != nil {
				found = append(found, fmt.Sprintf("%q of identity %s", v, e.id))
			}
			for _, e := range names[string(v)] {
				for _, full := range e.full {
					if all(full, row) {
						found = append(found, namesAndDate+e.id)
					}
				}
			}
		}
	})
	return found, err
}

// namesAndDate begins what tells of a row with both names and the birth date.
const namesAndDate = "names and birth date of identity "

// all reports whether a row has all of some texts.
func all(texts []string, row [][]byte) bool {
	for _, t := range texts {
		if !slices.ContainsFunc(row, func(v []byte) bool { return string(v) == t }) {
			return false
		}
	}
	return true
}

// eachRow visits the texts of every row of a Parquet file.
func eachRow(path string, visit func(row [][]byte)) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	p, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	rows := make([]parquet.Row, 256)
	var texts [][]byte
	for _, g := range p.RowGroups() {
		in := g.Rows()
		for {
			n, err := in.ReadRows(rows)
			for _, row := range rows[:n] {
				texts = texts[:0]
				for _, v := range row {
					if k := v.Kind(); k == parquet.ByteArray || k == parquet.FixedLenByteArray {
						texts = append(texts, v.ByteArray())
					}
				}
				visit(texts)
			}
			if err != nil {
				if errors.Is(err, io.EOF) {
					break
				}
				return errors.Join(fmt.Errorf("%s: %w", path, err), in.Close())
			}
		}
		if err := in.Close(); err != nil {
			return err
		}
	}
	return nil
}
