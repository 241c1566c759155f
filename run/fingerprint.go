package run

import (
	"sama/record"

	"golang.org/x/sync/errgroup"
)

// Fingerprints returns a hash of every record's values as its source wrote
// them: two records with the same columns and values have the same one, in any
// run and whatever the order of columns. It is the sum, over the columns that
// have a value, of FNV-1a over the column's name, a zero byte and the value,
// mixed by the finaliser of SplitMix64.
func Fingerprints(t *record.Table, workers int) []uint64 {
	n := t.Len()
	out := make([]uint64, n)
	byColumn := make([][]uint64, len(t.Columns)) // column → raw code → hash
	var g errgroup.Group
	g.SetLimit(max(1, workers))
	for i, c := range t.Columns {
		g.Go(func() error {
			hashes := make([]uint64, c.RawText.Len())
			begin := fnv(fnv(fnvStart, c.Name), "\x00")
			for code := 1; code < len(hashes); code++ {
				hashes[code] = record.Stir(fnv(begin, c.RawText.At(uint32(code))))
			}
			byColumn[i] = hashes
			return nil
		})
	}
	g.Wait()
	for i, c := range t.Columns {
		hashes := byColumn[i]
		for r, code := range c.Raw {
			out[r] += hashes[code]
		}
	}
	return out
}

const fnvStart = 14695981039346656037

// fnv continues FNV-1a of 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/).
func fnv(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
