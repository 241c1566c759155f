package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"sama/run"

	"github.com/parquet-go/parquet-go"
)

// names numbers texts from 1; 0 stands for none.
type names struct {
	numbers map[string]uint32
	texts   []string
}

func newNames() *names { return &names{map[string]uint32{}, []string{""}} }

func (n *names) number(text string) uint32 {
	i, ok := n.numbers[text]
	if !ok {
		i = uint32(len(n.texts))
		n.numbers[text] = i
		n.texts = append(n.texts, text)
	}
	return i
}

// night is what a run directory holds, records and identities by their numbers.
type night struct {
	info    run.Info
	owner   []uint32            // record → identity, 0 if it is not there; records beyond are not there
	groups  map[uint32][]uint32 // identity → records, ascending
	events  []event
	aliases map[uint32]alias
	golden  map[uint32]times
}

type event struct {
	kind      string
	id, other uint32
	records   []uint32
}

type alias struct {
	to      uint32 // 0 for none
	records []uint32
}

// times are in milliseconds since 1970, nil where none is known.
type times struct {
	firstSeen, lastChanged *int64
}

func (n *night) ownerOf(record uint32) uint32 {
	if int(record) < len(n.owner) {
		return n.owner[record]
	}
	return 0
}

type recordRow struct {
	Source string `parquet:"source"`
	ID     string `parquet:"record_id"`
}

type memberRow struct {
	Source   string `parquet:"source"`
	ID       string `parquet:"record_id"`
	Identity string `parquet:"identity_id"`
}

type eventRow struct {
	Event    string      `parquet:"event"`
	Identity string      `parquet:"identity_id"`
	Other    *string     `parquet:"other_identity_id,optional"`
	Records  []recordRow `parquet:"records,list"`
}

type aliasRow struct {
	Identity  string      `parquet:"identity_id"`
	Surviving *string     `parquet:"surviving_identity_id,optional"`
	Records   []recordRow `parquet:"records,list"`
}

type goldenRow struct {
	Identity    string `parquet:"identity_id"`
	FirstSeen   *int64 `parquet:"first_seen,optional"`
	LastChanged *int64 `parquet:"last_changed,optional"`
}

// reader numbers the records and identities of all nights alike.
type reader struct {
	keys, ids *names
}

func newReader() *reader { return &reader{newNames(), newNames()} }

func (r *reader) key(source, id string) uint32 { return r.keys.number(source + ":" + id) }

func (r *reader) id(text *string) uint32 {
	if text == nil {
		return 0
	}
	return r.ids.number(*text)
}

func (r *reader) records(rows []recordRow) []uint32 {
	list := make([]uint32, len(rows))
	for i, x := range rows {
		list[i] = r.key(x.Source, x.ID)
	}
	slices.Sort(list)
	return list
}

// read reads the current run of a directory.
func (r *reader) read(out string) (*night, error) {
	dir, err := filepath.EvalSymlinks(filepath.Join(out, "current"))
	if err != nil {
		return nil, err
	}
	n := &night{groups: map[uint32][]uint32{}, aliases: map[uint32]alias{}, golden: map[uint32]times{}}
	text, err := os.ReadFile(filepath.Join(dir, "run.json"))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &n.info); err != nil {
		return nil, fmt.Errorf("run.json of %s: %w", dir, err)
	}
	err = cmp.Or(
		eachRow(filepath.Join(dir, "members.parquet"), func(m *memberRow) {
			k, id := r.key(m.Source, m.ID), r.ids.number(m.Identity)
			n.owner = append(n.owner, make([]uint32, max(0, int(k)+1-len(n.owner)))...)
			n.owner[k] = id
			n.groups[id] = append(n.groups[id], k)
		}),
		eachRow(filepath.Join(dir, "events.parquet"), func(e *eventRow) {
			n.events = append(n.events, event{e.Event, r.ids.number(e.Identity), r.id(e.Other), r.records(e.Records)})
		}),
		eachRow(filepath.Join(dir, "aliases.parquet"), func(a *aliasRow) {
			n.aliases[r.ids.number(a.Identity)] = alias{r.id(a.Surviving), r.records(a.Records)}
		}),
		eachRow(filepath.Join(dir, "golden.parquet"), func(g *goldenRow) {
			n.golden[r.ids.number(g.Identity)] = times{g.FirstSeen, g.LastChanged}
		}),
	)
	for _, records := range n.groups {
		slices.Sort(records)
	}
	return n, err
}

// eachRow reads the rows of a Parquet file.
func eachRow[T any](path string, use func(*T)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	r := parquet.NewGenericReader[T](file)
	defer r.Close()
	rows := make([]T, 1024)
	for left := r.NumRows(); left > 0; {
		clear(rows)
		k, err := r.Read(rows)
		for i := range rows[:k] {
			use(&rows[i])
		}
		left -= int64(k)
		if left > 0 && (err != nil || k == 0) {
			return fmt.Errorf("%s: %d rows are missing: %w", path, left, err)
		}
	}
	return nil
}
