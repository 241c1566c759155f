package blocking

import (
	"slices"

	"sama/record"
)

// Partners returns the pairs that a rule finds between an anchor and any other
// active record, each once, in order; blocks of more than limit records are
// passed over. It is for trying a rule on a sample: active lists the sample's
// records in ascending order.
func Partners(r Rule, active []uint32, isAnchor []bool, limit int) []record.Pair {
	var order []entry
	for s := range r.slots() {
		for _, i := range active {
			if key := r.keyOf(i, s); key != 0 {
				order = append(order, entry{key, i})
			}
		}
	}
	radixSort(order)
	var pairs []record.Pair
	for start := 0; start < len(order); {
		end := runEnd(order, start)
		if size := end - start; size > 1 && size <= limit {
			for _, a := range order[start:end] {
				if !isAnchor[a.record] {
					continue
				}
				for _, b := range order[start:end] {
					if a.record == b.record || isAnchor[b.record] && b.record < a.record {
						continue
					}
					pairs = append(pairs, record.Pair{A: min(a.record, b.record), B: max(a.record, b.record)})
				}
			}
		}
		start = end
	}
	if r.slots() > 1 {
		slices.SortFunc(pairs, func(x, y record.Pair) int {
			if x.A != y.A {
				return int(x.A) - int(y.A)
			}
			return int(x.B) - int(y.B)
		})
		pairs = slices.Compact(pairs)
	}
	return pairs
}

// keyOf returns the key of one record in one slot of the rule.
func (r Rule) keyOf(i uint32, slot int) uint32 {
	var key uint32
	for x, e := range r.Expressions {
		code := e.Slots[slot%len(e.Slots)][i]
		slot /= len(e.Slots)
		if x == 0 {
			key = mixFirst(code)
		} else {
			key = mix(key, code)
		}
	}
	return key
}
