package generate

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"unsafe"
)

// A rowStore holds the records of all silos, each at the number of its id, so
// that reading it in order is reading a silo sorted by id. Rows are encoded as
//
//	person 8 B | record flags 8 B | person flags 1 B | end of each cell 2 B … | cells
//
// Workers fill different places, so no order of theirs shows.
type rowStore struct {
	p    *population
	rows [sourceCount][]row
}

type row []byte

func newRowStore(p *population) *rowStore {
	s := &rowStore{p: p}
	for i := range s.rows {
		s.rows[i] = make([]row, p.total[i])
	}
	return s
}

const rowHeader = 17

func (r row) person() uint64      { return binary.LittleEndian.Uint64(r) }
func (r row) flags() recordFlag   { return recordFlag(binary.LittleEndian.Uint64(r[8:])) }
func (r row) persona() personFlag { return personFlag(r[16]) }

// cell returns cell i of n. The text lives as long as the row.
func (r row) cell(i, n int) string {
	text := r[rowHeader+2*n:]
	from := 0
	if i > 0 {
		from = int(binary.LittleEndian.Uint16(r[rowHeader+2*(i-1):]))
	}
	to := int(binary.LittleEndian.Uint16(r[rowHeader+2*i:]))
	if from == to {
		return ""
	}
	return unsafe.String(&text[from], to-from)
}

// An arena hands out memory for rows in large pieces.
type arena struct{ free []byte }

func (a *arena) take(n int) []byte {
	if len(a.free) < n {
		a.free = make([]byte, max(n, 1<<20))
	}
	b := a.free[:n:n]
	a.free = a.free[n:]
	return b
}

// encode makes a row of the record in the maker's cells.
func (a *arena) encode(k *maker, ps *person) row {
	size := rowHeader + 2*len(k.cells)
	for _, c := range k.cells {
		size += len(c)
	}
	r := a.take(size)
	binary.LittleEndian.PutUint64(r, k.hh.h*16+uint64(ps.member))
	binary.LittleEndian.PutUint64(r[8:], uint64(k.d.flags))
	r[16] = byte(ps.flags)
	at, text := rowHeader, r[rowHeader+2*len(k.cells):]
	end := 0
	for _, c := range k.cells {
		end += copy(text[end:], c)
		binary.LittleEndian.PutUint16(r[at:], uint16(end))
		at += 2
	}
	return r
}

// fill makes every record and measures the output.
func (s *rowStore) fill(ctx context.Context, workers int, step func(int)) (*tally, error) {
	var mu sync.Mutex // guards sum
	var sum tally
	err := parallel(ctx, workers, s.p.blocks(), func() func(int) {
		k, m, a := &maker{p: s.p}, &measurer{}, &arena{}
		return func(block int) {
			m.tally = tally{}
			made := 0
			k.makeBlock(block, func(ps *person, source int, running uint64) {
				s.rows[source][s.p.recordNumber(source, running)] = a.encode(k, ps)
				m.record(k, ps, source)
				made++
			}, func() { m.household(k) })
			step(made)
			mu.Lock()
			sum.add(&m.tally)
			mu.Unlock()
		}
	})
	if err != nil {
		return nil, err
	}
	for source, rows := range s.rows {
		for i, r := range rows {
			if r == nil {
				panic(fmt.Sprintf("generate: no record %d in %s", i, sourceNames[source]))
			}
		}
	}
	return &sum, nil
}
