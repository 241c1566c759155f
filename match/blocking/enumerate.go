package blocking

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"sama/record"
)

// BatchSize is the greatest number of pairs handed to a visitor at once.
const BatchSize = 1024

// Visitor receives candidate pairs of one rule. worker is 0 … workers−1; calls
// of one worker never overlap. The slice is reused after the call.
type Visitor func(worker, rule int, pairs []record.Pair)

// task is a stretch of one rule's entries that begins and ends with a block,
// or some rows of one large block.
type task struct {
	rule       int
	start, end int // entries
	from, to   int // rows of the first side, where it is one large block
}

// taskPairs is about how many pairs one task has.
const taskPairs = 1 << 16

// tasks cuts the rules' blocks into pieces of similar work.
func (p *Plan) tasks() []task {
	var list []task
	for rule, order := range p.orders {
		begin, work := 0, int64(0)
		for start := 0; start < len(order); {
			end := runEnd(order, start)
			pairs := pairsOf(end - start)
			if pairs > taskPairs {
				if begin < start {
					list = append(list, task{rule, begin, start, 0, 0})
				}
				rows := max(1, int(taskPairs/int64(end-start)))
				for from := start; from < end; from += rows {
					list = append(list, task{rule, start, end, from, min(end, from+rows)})
				}
				begin, work = end, 0
			} else if work += pairs; work > taskPairs {
				list = append(list, task{rule, begin, end, 0, 0})
				begin, work = end, 0
			}
			start = end
		}
		if begin < len(order) {
			list = append(list, task{rule, begin, len(order), 0, 0})
		}
	}
	return list
}

// Enumerate calls visit for every candidate pair of the plan, each once, from
// that many workers. The order of calls is not fixed; the set of pairs and the
// rule of each are. Progress, if not nil, is called now and then with the
// pairs done of those in the blocks.
func (p *Plan) Enumerate(ctx context.Context, workers int, visit Visitor, progress func(done, total int64)) error {
	list := p.tasks()
	total := p.Pairs()
	var next, done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for w := range max(1, workers) {
		g.Go(func() error {
			buffer := make([]record.Pair, 0, BatchSize)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(list) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				buffer = p.run(list[i], w, buffer, visit)
				if progress != nil && i%16 == 0 {
					progress(done.Add(16*taskPairs), total)
				}
			}
		})
	}
	return g.Wait()
}

// run visits the pairs of one task.
func (p *Plan) run(t task, worker int, buffer []record.Pair, visit Visitor) []record.Pair {
	order := p.orders[t.rule]
	slot, own := p.first[t.rule], p.first[t.rule+1]-p.first[t.rule]
	flush := func() {
		if len(buffer) > 0 {
			visit(worker, t.rule, buffer)
			buffer = buffer[:0]
		}
	}
	for start := t.start; start < t.end; {
		end := runEnd(order, start)
		from, to := start, end
		if t.to > 0 {
			from, to = t.from, t.to
		}
		for i := from; i < to; i++ {
			a := order[i].record
			keysA := p.packed[int(a)*p.stride:][:p.stride]
			for j := i + 1; j < end; j++ {
				b := order[j].record
				keysB := p.packed[int(b)*p.stride:][:p.stride]
				if foundBefore(keysA[:slot], keysB) || own > 1 && p.earlierRule(t.rule, slot, own, keysA, keysB, order[i].key) {
					continue
				}
				if len(p.orders) > 1 && p.multiBefore(t.rule, keysA, keysB) {
					continue
				}
				if a == b {
					continue
				}
				buffer = append(buffer, record.Pair{A: min(a, b), B: max(a, b)})
				if len(buffer) == BatchSize {
					flush()
				}
			}
		}
		start = end
	}
	flush()
	return buffer
}

// foundBefore says whether an earlier rule's key agrees, slot by slot.
func foundBefore(earlier, keysB []uint32) bool {
	keysB = keysB[:len(earlier)]
	for s, key := range earlier {
		if key != 0 && key == keysB[s] {
			return true
		}
	}
	return false
}

// earlierRule says whether, under a rule with several keys a record, the pair
// has a smaller key in common than this block's: it belongs to that block.
func (p *Plan) earlierRule(_, slot, own int, keysA, keysB []uint32, key uint32) bool {
	for _, x := range keysA[slot : slot+own] {
		if x == 0 || x >= key {
			continue
		}
		for _, y := range keysB[slot : slot+own] {
			if x == y {
				return true
			}
		}
	}
	return false
}

// multiBefore says whether an earlier rule with several keys a record finds
// the pair across different slots.
func (p *Plan) multiBefore(rule int, keysA, keysB []uint32) bool {
	for r := range rule {
		from, to := p.first[r], p.first[r+1]
		if to-from == 1 {
			continue
		}
		for i, x := range keysA[from:to] {
			if x == 0 {
				continue
			}
			for j, y := range keysB[from:to] {
				if i != j && x == y {
					return true
				}
			}
		}
	}
	return false
}

// FoundBy returns the rules that propose the pair, whether first or not.
func (p *Plan) FoundBy(pair record.Pair) []int {
	var rules []int
	keysA := p.packed[int(pair.A)*p.stride:][:p.stride]
	keysB := p.packed[int(pair.B)*p.stride:][:p.stride]
	for r := range p.Rules {
		from, to := p.first[r], p.first[r+1]
	search:
		for _, x := range keysA[from:to] {
			for _, y := range keysB[from:to] {
				if x != 0 && x == y {
					rules = append(rules, r)
					break search
				}
			}
		}
	}
	return rules
}
