package blocking

import (
	"cmp"
	"fmt"
	"slices"

	"sama/record"
)

// Split says what became of a block that was too large.
type Split struct {
	Key uint32
	By  int // index of the splitter by which it was split; −1 = given up
}

// noteSplit remembers a split of the rule that is being built.
func (p *Plan) noteSplit(key uint32, by int) {
	last := len(p.splits) - 1
	p.splits[last] = append(p.splits[last], Split{key, by})
}

// Postings are the keys of a plan turned round, from key to records: what a
// record that comes later is blocked by, against the records of the plan. Keys
// are hashes of texts and the same in every table.
type Postings struct {
	Rules     []RulePostings
	Splitters []string
	// Columns are the columns that rules and splitters look at, by name.
	Columns []string
}

// RulePostings are the postings of one rule.
type RulePostings struct {
	Name    string
	Keys    []uint32 // ascending
	Records []uint32 // beside Keys; ascending where keys are equal
	Splits  []Split  // ascending by key
}

// Postings turns the plan's keys round.
func (p *Plan) Postings() *Postings {
	out := &Postings{Splitters: expressionNames(p.splitters)}
	looked := func(list []*Expression) {
		for _, e := range list {
			for _, c := range e.looksAt {
				out.Columns = append(out.Columns, c.Name)
			}
		}
	}
	looked(p.splitters)
	for r, rule := range p.Rules {
		looked(rule.Expressions)
		order := p.entries(r)
		list := RulePostings{Name: rule.Name, Keys: make([]uint32, len(order)), Records: make([]uint32, len(order))}
		for i, e := range order {
			list.Keys[i], list.Records[i] = e.key, e.record
		}
		list.Splits = slices.SortedFunc(slices.Values(p.splits[r]), func(a, b Split) int { return cmp.Compare(a.Key, b.Key) })
		out.Rules = append(out.Rules, list)
	}
	slices.Sort(out.Columns)
	out.Columns = slices.Compact(out.Columns)
	return out
}

// entries returns the keys of one rule, sorted; those that only one record has
// too.
func (p *Plan) entries(rule int) []entry {
	from, to := p.first[rule], p.first[rule+1]
	order := make([]entry, 0, p.n*(to-from))
	for s := from; s < to; s++ {
		for i := range p.n {
			if key := p.packed[i*p.stride+s]; key != 0 {
				order = append(order, entry{key, uint32(i)})
			}
		}
	}
	radixSort(order)
	if to-from > 1 {
		sortRuns(order)
	}
	return order
}

// Finder finds the records that postings propose for the records of another
// table.
type Finder struct {
	postings  *Postings
	keys      [][][]uint32 // rule → slot → record → key
	splitters []splitter
}

type splitter struct {
	codes, hashes []uint32
}

// NewFinder prepares the records of a table, which are a few of those that
// Table.Whole describes or may come to them, for looking for partners. It is an
// error if the table cannot have the expressions that the rules name.
func NewFinder(p *Postings, t *record.Table) (*Finder, error) {
	use := []*record.Column{}
	for _, c := range t.Columns {
		if slices.Contains(p.Columns, c.Name) {
			use = append(use, c)
		}
	}
	all := Expressions(t, use)
	f := &Finder{postings: p}
	for _, r := range p.Rules {
		if r.Name == AllPairs.Name {
			f.keys = append(f.keys, AllPairs.keys(t.Len()))
			continue
		}
		rule, err := ParseRule(r.Name, all)
		if err != nil {
			return nil, err
		}
		f.keys = append(f.keys, rule.keys(t.Len()))
	}
	for _, name := range p.Splitters {
		i := slices.IndexFunc(all, func(e *Expression) bool { return e.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no key expression %q to split blocks by", name)
		}
		f.splitters = append(f.splitters, splitter{all[i].Slots[0], all[i].hashes()})
	}
	return f, nil
}

// PostingKey is a key under a rule.
type PostingKey struct {
	Rule int
	Key  uint32
}

// Keys returns the keys of record i, by way of the splits that were made of
// their blocks; each once, in order of rules.
func (f *Finder) Keys(i uint32) []PostingKey {
	var out []PostingKey
	for r, slots := range f.keys {
		for _, keys := range slots {
			k := PostingKey{r, f.split(r, keys[i], i)}
			if k.Key != 0 && !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	}
	return out
}

// split follows a key through the splits of its block, to 0 if it was given up.
func (f *Finder) split(rule int, key, i uint32) uint32 {
	list := f.postings.Rules[rule].Splits
	for key != 0 {
		at, split := slices.BinarySearchFunc(list, key, func(s Split, key uint32) int { return cmp.Compare(s.Key, key) })
		if !split {
			return key
		}
		by := list[at].By
		if by < 0 {
			return 0
		}
		s := &f.splitters[by]
		key = mix(key, s.hashes[s.codes[i]])
	}
	return 0
}

// Block returns the records under a key, ascending.
func (p *Postings) Block(k PostingKey) []uint32 {
	list := &p.Rules[k.Rule]
	from, found := slices.BinarySearch(list.Keys, k.Key)
	if !found {
		return nil
	}
	to := from
	for to < len(list.Keys) && list.Keys[to] == k.Key {
		to++
	}
	return list.Records[from:to]
}
