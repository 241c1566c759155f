package generate

import (
	"context"
	"iter"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// newPopulation counts households until they have the wanted number of records.
func newPopulation(ctx context.Context, opt Options) (*population, error) {
	if err := opt.Validate(); err != nil {
		return nil, err
	}
	p := &population{opt: opt, tab: loadTables()}
	sum := 0.0
	for _, w := range patternWeights {
		sum += w
		p.patternCum = append(p.patternCum, sum)
	}
	p.before = append(p.before, [sourceCount]uint64{})
	for {
		// A household has about 2.3 records.
		lacking := opt.Records - int(p.records())
		blocks := int(float64(lacking)/2.3*1.02)/blockSize + 1
		counts := make([][sourceCount]uint64, blocks)
		from := len(p.before) - 1
		err := parallel(ctx, opt.workers(), blocks, func() func(int) {
			hh := new(household)
			return func(i int) { counts[i] = p.countBlock(hh, from+i) }
		})
		if err != nil {
			return nil, err
		}
		for _, c := range counts {
			if p.addBlock(c) {
				return p, nil
			}
		}
	}
}

func (p *population) records() (n uint64) {
	for _, c := range p.total {
		n += c
	}
	return n
}

// addBlock adds the counts of the next block and says whether the population is
// complete. The last block ends with the household that fills it.
func (p *population) addBlock(counts [sourceCount]uint64) bool {
	block := len(p.before) - 1
	for s, c := range counts {
		p.total[s] += c
	}
	if p.records() < uint64(p.opt.Records) {
		p.before = append(p.before, p.total)
		return false
	}
	p.total = p.before[block]
	hh := new(household)
	for h := uint64(block) * blockSize; ; h++ {
		p.compose(hh, h)
		for s, c := range p.count(hh) {
			p.total[s] += uint64(c)
		}
		if p.records() >= uint64(p.opt.Records) {
			p.households = h + 1
			return true
		}
	}
}

func (p *population) countBlock(hh *household, block int) (total [sourceCount]uint64) {
	for h := uint64(block) * blockSize; h < uint64(block+1)*blockSize; h++ {
		p.compose(hh, h)
		for s, c := range p.count(hh) {
			total[s] += uint64(c)
		}
	}
	return total
}

// blocks returns the number of blocks of households.
func (p *population) blocks() int { return int((p.households + blockSize - 1) / blockSize) }

// makeBlock makes the households of a block in order. emit is called for each
// record, whose cells are in the maker, with its running number in its source;
// done after each household that has records.
func (k *maker) makeBlock(block int, emit func(ps *person, source int, running uint64), done func()) {
	running := k.p.before[block]
	end := min(uint64(block+1)*blockSize, k.p.households)
	for h := uint64(block) * blockSize; h < end; h++ {
		if k.makeHousehold(h, &running, emit) {
			done()
		}
	}
}

// makeHousehold makes one household, whose records get the running numbers from
// running on, and says whether it has records.
func (k *maker) makeHousehold(h uint64, running *[sourceCount]uint64, emit func(ps *person, source int, running uint64)) bool {
	p, hh := k.p, &k.hh
	p.compose(hh, h)
	if p.count(hh) == [sourceCount]int{} {
		return false
	}
	p.name(hh)
	p.settle(hh)
	p.share(hh)
	for i := range hh.n {
		ps := &hh.persons[i]
		for s, n := range ps.counts {
			for j := range n {
				k.make(ps, s, j)
				emit(ps, s, running[s])
				running[s]++
			}
		}
	}
	return true
}

// recordNumber returns the number in the id of a record.
func (p *population) recordNumber(source int, running uint64) uint64 {
	return permute(running, p.total[source], p.key(keyRecord+uint64(source), 0))
}

func (p *population) appendRecordID(b []byte, source int, number uint64) []byte {
	return appendPadded(append(b, recordPrefix[source]), number, idWidth(p.total[source]-1))
}

// parallel runs work on 0..n-1, each worker with its own function.
func parallel(ctx context.Context, workers, n int, newWorker func() func(int)) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range min(workers, n) {
		g.Go(func() error {
			work := newWorker()
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				work(i)
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

// A Record is one source record with its truth.
type Record struct {
	Source      string
	ID          string   // its record_id
	Values      []string // one per Columns(Source) after record_id; empty is null
	PersonID    string
	HouseholdID string
	Flags       string // what was done to the record, joined by |
	PersonFlags string // facts about the person, joined by |
}

// Columns returns the names of a source's columns, record_id first, nil for
// an unknown source.
func Columns(source string) []string {
	for s, name := range sourceNames {
		if name == source {
			return append([]string{"record_id"}, columns[s]...)
		}
	}
	return nil
}

// Silos yields every source record, household by household, without holding
// them. It yields an error instead when the options are not valid or ctx ends.
func Silos(ctx context.Context, opt Options) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		p, err := newPopulation(ctx, opt)
		if err != nil {
			yield(Record{}, err)
			return
		}
		k, stopped := &maker{p: p}, false
		running := p.before[0]
		emit := func(ps *person, source int, running uint64) {
			stopped = stopped || !yield(k.record(ps, source, running), nil)
		}
		for h := uint64(0); h < p.households && !stopped; h++ {
			if ctx.Err() != nil {
				yield(Record{}, ctx.Err())
				return
			}
			k.makeHousehold(h, &running, emit)
		}
	}
}

// household makes one household alone: it counts the records of those before it
// in its block and no others.
func (p *population) household(h uint64) []Record {
	k := &maker{p: p}
	running := p.before[h/blockSize]
	for before := h / blockSize * blockSize; before < h; before++ {
		p.compose(&k.hh, before)
		for s, c := range p.count(&k.hh) {
			running[s] += uint64(c)
		}
	}
	var records []Record
	k.makeHousehold(h, &running, func(ps *person, source int, running uint64) {
		records = append(records, k.record(ps, source, running))
	})
	return records
}

// record returns the record in the maker's cells.
func (k *maker) record(ps *person, source int, running uint64) Record {
	values := make([]string, len(k.cells))
	for i, c := range k.cells {
		values[i] = string(c)
	}
	return Record{
		Source:      sourceNames[source],
		ID:          string(k.p.appendRecordID(nil, source, k.p.recordNumber(source, running))),
		Values:      values,
		PersonID:    string(appendPersonID(nil, k.hh.h, ps.member)),
		HouseholdID: string(appendHouseholdID(nil, k.hh.h)),
		Flags:       k.d.flags.String(),
		PersonFlags: ps.flags.String(),
	}
}
