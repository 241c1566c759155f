package golden

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"sama/graph"
	"sama/record"
)

// NoRecord stands in Chosen where the cluster has no value.
const NoRecord uint32 = math.MaxUint32

// Column is one table column of all golden records.
type Column struct {
	Chosen []uint32 // cluster → the record whose raw value is shown, or NoRecord
	Rule   []Kind   // cluster → what decided; for aggregate, what put the first value first

	// Losing holds the values that are not shown, cluster by cluster: those of
	// cluster k are LosingStart[k] to LosingStart[k+1]−1, each normal form once,
	// those of most records first, then by normal form.
	LosingStart []uint32
	Losing      []Losing

	// Aggregate says that the losing values survive beside the chosen one; they
	// are then in the order of the rules.
	Aggregate bool
}

// Losing is a value that is not shown.
type Losing struct {
	Record  uint32 // a record that holds it, in its most frequent raw form
	Records uint32 // the number of records in the cluster that hold it
}

// Choice fixes a value by a steward's or the person's own word: the identity
// that holds Record shows Record's value in a column. A word that no source
// knows comes as a record of a source of its own. A choice of a null value
// changes nothing.
type Choice struct {
	Record uint32
	Column int // index into Table.Columns
}

// Merge returns the golden records of the clusters, one Column for each column
// of the table. Of two choices for one value the later in the list holds.
// workers is the number of goroutines, 0 for one per core; it does not change
// the result. The error says everything that is wrong with the options.
func Merge(t *record.Table, c *graph.Clusters, opt Options, fixed []Choice, workers int) ([]Column, error) {
	if err := opt.Validate(t); err != nil {
		return nil, err
	}
	if workers <= 0 {
		workers = runtime.NumCPU()
	}
	m := &merger{t: t, c: c, columns: make([]Column, len(t.Columns)), fixed: make(map[place]uint32)}
	for _, f := range fixed {
		if t.Columns[f.Column].Code[f.Record] != 0 {
			m.fixed[place{c.Of[f.Record], f.Column}] = f.Record
		}
	}
	for i := range m.columns {
		m.columns[i] = Column{
			Chosen: make([]uint32, c.Len()), Rule: make([]Kind, c.Len()), LosingStart: make([]uint32, c.Len()+1),
		}
	}
	ws := make([]*worker, workers)
	for i := range ws {
		ws[i] = &worker{m: m}
	}
	for _, u := range plan(t, &opt) {
		m.decide(&u, ws)
	}
	return m.columns, nil
}

// merger is one Merge.
type merger struct {
	t       *record.Table
	c       *graph.Clusters
	columns []Column
	fixed   map[place]uint32
}

// place is one value of one golden record.
type place struct {
	cluster uint32
	column  int
}

// decide fills the columns of one unit. Clusters are handed out in chunks, and
// what a chunk found to lose is put together in the order of chunks.
func (m *merger) decide(u *unit, ws []*worker) {
	const chunk = 4096
	chunks := (m.c.Len() + chunk - 1) / chunk
	lost := make([][][]Losing, len(u.columns))
	for i := range lost {
		lost[i] = make([][]Losing, chunks)
		m.columns[u.columns[i]].Aggregate = u.all
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for _, w := range ws {
		wg.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= chunks {
					return
				}
				w.u, w.lost = u, make([][]Losing, len(u.columns))
				for k := n * chunk; k < min((n+1)*chunk, m.c.Len()); k++ {
					w.cluster(uint32(k))
				}
				for i := range lost {
					lost[i][n] = w.lost[i]
				}
			}
		})
	}
	wg.Wait()
	for i, of := range lost {
		col := &m.columns[u.columns[i]]
		total := 0
		for _, l := range of {
			total += len(l)
		}
		col.Losing = make([]Losing, 0, total)
		for _, l := range of {
			col.Losing = append(col.Losing, l...)
		}
		for k := range m.c.Len() { // sizes, so far
			col.LosingStart[k+1] += col.LosingStart[k]
		}
	}
}
