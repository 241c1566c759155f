package run

import (
	"slices"
	"strconv"
	"strings"

	"sama/graph"
	"sama/record"
	"sama/run/columns"

	"golang.org/x/sync/errgroup"
)

// layout is what the files have in common: the order of identities and who
// their records are.
type layout struct {
	*Content
	idTexts columns.List // identity → its id
	order   []uint32     // row of golden.parquet → identity, by first record
	ids     columns.List // row of golden.parquet → identity id
	start   []uint32     // identity → first of members; one more at the end
	members []uint32     // records by identity, ascending
	sources columns.List
	source  []uint32 // record → source number
	joined  []uint32 // record → the record at the other end of its strongest edge, or NoRecord
	weight  []uint32 // record → number of that edge's weight
	weights *weights
	names   []string // table column → its name in golden.parquet

	recordIDs   columns.Texts   // record → record id
	raw, normal []columns.Texts // table column → its texts
}

// newLayout prepares the content for writing.
func newLayout(c *Content, workers int) *layout {
	l := &layout{Content: c, sources: c.Table.Sources}
	l.source = make([]uint32, c.Table.Len())
	for i, s := range c.Table.Source {
		l.source[i] = uint32(s)
	}
	l.idTexts = idTexts(c.Assigned.IDs)
	if l.Fingerprint == nil {
		// A copy: what Publish is given does not change.
		filled := *c
		filled.Fingerprint = Fingerprints(c.Table, workers)
		l.Content = &filled
	}
	l.group()
	l.number()
	l.weights = newWeights(c.Edges)
	l.join()
	names := make([]string, len(c.Table.Columns))
	for i, col := range c.Table.Columns {
		names[i] = col.Name
	}
	l.names = distinctNames(goldenFixed, names)
	l.texts(workers)
	return l
}

// texts makes sure that only valid text is written.
func (l *layout) texts(workers int) {
	l.raw = make([]columns.Texts, len(l.Table.Columns))
	l.normal = make([]columns.Texts, len(l.Table.Columns))
	var g errgroup.Group
	g.SetLimit(workers)
	valid := func(to *columns.Texts, from *record.Strings) {
		g.Go(func() error {
			*to = columns.Valid(from)
			return nil
		})
	}
	valid(&l.recordIDs, &l.Table.IDs)
	for i, c := range l.Table.Columns {
		valid(&l.raw[i], &c.RawText)
		valid(&l.normal[i], &c.Normal)
	}
	g.Wait()
}

// group sorts the records by identity, counting.
func (l *layout) group() {
	l.start = make([]uint32, len(l.Assigned.IDs)+1)
	for _, id := range l.Identity {
		l.start[id+1]++
	}
	for i := range l.Assigned.IDs {
		l.start[i+1] += l.start[i]
	}
	l.members = make([]uint32, len(l.Identity))
	at := slices.Clone(l.start)
	for r, id := range l.Identity {
		l.members[at[id]] = uint32(r)
		at[id]++
	}
}

// idTexts returns the ids as output writes them, null for 0.
func idTexts(ids []graph.IdentityID) columns.List {
	texts := make(columns.List, len(ids))
	for i, id := range ids {
		if id != 0 {
			texts[i] = id.String()
		}
	}
	return texts
}

// of returns the records of an identity, ascending.
func (l *layout) of(identity uint32) []uint32 {
	return l.members[l.start[identity]:l.start[identity+1]]
}

// number orders the identities by their first record, so that the files walk
// through the table's memory from front to back.
func (l *layout) number() {
	l.order = make([]uint32, 0, len(l.Assigned.IDs))
	l.ids = make(columns.List, 0, len(l.Assigned.IDs))
	for r, id := range l.Identity {
		if l.members[l.start[id]] == uint32(r) {
			l.order = append(l.order, id)
			l.ids = append(l.ids, l.idTexts[id])
		}
	}
}

// join finds for every record its strongest edge inside its identity. Of equal
// ones the edge to the smaller record wins.
func (l *layout) join() {
	l.joined = make([]uint32, len(l.Identity))
	l.weight = make([]uint32, len(l.Identity))
	for i := range l.joined {
		l.joined[i] = NoRecord
		l.weight[i] = columns.NoCode
	}
	for e, edge := range l.Edges {
		if l.Identity[edge.A] == l.Identity[edge.B] {
			l.offer(edge.A, edge.B, l.weights.codes[e])
			l.offer(edge.B, edge.A, l.weights.codes[e])
		}
	}
}

// offer makes other the record's strongest if it is. Weight numbers do not
// ascend with the weight, so the bits are compared.
func (l *layout) offer(rec, other, weight uint32) {
	if held := l.joined[rec]; held != NoRecord {
		was, is := l.weights.bits[l.weight[rec]], l.weights.bits[weight]
		if is < was || is == was && other > held {
			return
		}
	}
	l.joined[rec], l.weight[rec] = other, weight
}

// weights are the distinct match weights of the edges.
type weights struct {
	codes         []uint32  // edge → number
	bits          []float64 // number → weight in bits
	probabilities []float64 // number → probability
}

// newWeights numbers the weights in order of appearance.
func newWeights(edges []record.Edge) *weights {
	w := &weights{codes: make([]uint32, len(edges))}
	known := make(map[record.Weight]uint32)
	for i, e := range edges {
		code, ok := known[e.Weight]
		if !ok {
			code = uint32(len(w.bits))
			known[e.Weight] = code
			w.bits = append(w.bits, e.Weight.Bits())
			w.probabilities = append(w.probabilities, e.Weight.Probability())
		}
		w.codes[i] = code
	}
	return w
}

// distinctNames returns names so changed that no two of them, nor one of them
// and a fixed one, differ by nothing but case: the later one gets _2, _3 ….
func distinctNames(fixed, names []string) []string {
	taken := make(map[string]bool, len(fixed)+len(names))
	for _, name := range fixed {
		taken[strings.ToLower(name)] = true
	}
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = name
		for n := 2; taken[strings.ToLower(out[i])]; n++ {
			out[i] = name + "_" + strconv.Itoa(n)
		}
		taken[strings.ToLower(out[i])] = true
	}
	return out
}
