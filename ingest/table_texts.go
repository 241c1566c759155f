package ingest

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"sama/record"
)

// blockCodes is the number of codes in one block of texts: the unit of parallel
// work on the distinct values of a column.
const blockCodes = 1 << 14

// formTexts holds one string a code, in blocks, without a pointer a string.
type formTexts []record.Strings

func (t formTexts) at(code uint32) string {
	return t[code/blockCodes].At(code % blockCodes)
}

// buildTexts calls form for every code below n and returns the k texts that it
// sets, by code. Blocks are worked on in parallel; newForm makes a form for
// each, so that forms may keep caches.
func buildTexts(workers, n, k int, newForm func() func(code uint32, out []string)) ([]formTexts, error) {
	blocks := (n + blockCodes - 1) / blockCodes
	all := make([]formTexts, k)
	for i := range all {
		all[i] = make(formTexts, blocks)
	}
	errs := make([]error, blocks)
	parallel(workers, blocks, func(block int) {
		first := block * blockCodes
		count := min(blockCodes, n-first)
		builders := make([]record.StringsBuilder, k)
		for i := range builders {
			builders[i].Grow(count, 8*count)
		}
		out := make([]string, k)
		form := newForm()
		for code := first; code < first+count && errs[block] == nil; code++ {
			clear(out)
			form(uint32(code), out)
			for i, text := range out {
				if _, err := builders[i].Append(text); err != nil {
					errs[block] = err
				}
			}
		}
		for i := range builders {
			all[i][block] = builders[i].Build()
		}
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// parallel runs n independent steps on the workers and waits for them.
func parallel(workers, n int, step func(i int)) {
	workers = min(workers, n)
	if workers <= 1 {
		for i := range n {
			step(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				step(i)
			}
		})
	}
	wg.Wait()
}

// notUnderstood is the normal form of a value that is kept in raw form only.
// No normal form holds a NUL.
const notUnderstood = "\x00"

// feed is what one source gives to one column of the table: a local code for
// every row, and the raw and normal text of every local code. Code 0 is null.
type feed struct {
	field record.Field
	name  string // for columns named after the source's own
	codes []uint32
	parts []part // in order of base

	consent *columnBuilder // the column that these are the consents of; nil for others
}

// part holds the texts of a range of local codes, beginning at base.
type part struct {
	base   uint32
	size   uint32
	values *record.Strings // raw texts, where they are the source's own values
	raw    formTexts       // raw texts, where they are not
	norm   formTexts
}

// at returns the raw and the normal text of a local code: both "" for null,
// only the second "" for a value that was not understood.
func (f *feed) at(code uint32) (raw, norm string) {
	p := &f.parts[0]
	for i := 1; i < len(f.parts) && f.parts[i].base <= code; i++ {
		p = &f.parts[i]
	}
	code -= p.base
	if norm = p.norm.at(code); norm == "" {
		return "", ""
	}
	if p.values != nil {
		raw = p.values.At(code)
	} else {
		raw = p.raw.at(code)
	}
	if norm == notUnderstood {
		norm = ""
	}
	return raw, norm
}

// size is the number of local codes.
func (f *feed) size() uint32 {
	last := &f.parts[len(f.parts)-1]
	return last.base + last.size
}

// newFeed returns a feed over codes with the texts of a single part.
func newFeed(field record.Field, codes []uint32, size int, raw, norm formTexts) *feed {
	return &feed{field: field, codes: codes, parts: []part{{size: uint32(size), raw: raw, norm: norm}}}
}

// interner gives equal texts one code, counted from 1; code 0 is "". It is an
// open-addressing table of (32 bits of hash, code) over one block of text.
type interner struct {
	seed  maphash.Seed
	table []uint64
	ends  []uint32
	text  []byte
}

// newInterner returns an interner with room for about n texts.
func newInterner(n int) *interner {
	size := 8
	for size < n+n/2 {
		size *= 2
	}
	return &interner{seed: maphash.MakeSeed(), table: make([]uint64, size), ends: make([]uint32, 1, n+1)}
}

// code returns the code of a text, or ErrTooMuchText.
func (in *interner) code(s string) (uint32, error) {
	if s == "" {
		return 0, nil
	}
	hash := maphash.String(in.seed, s) & (1<<32 - 1)
	mask := uint64(len(in.table) - 1)
	at := hash & mask
	for ; in.table[at] != 0; at = (at + 1) & mask {
		if e := in.table[at]; e>>32 == hash && in.is(uint32(e), s) {
			return uint32(e), nil
		}
	}
	if uint64(len(in.text))+uint64(len(s)) > 1<<32-1 {
		return 0, record.ErrTooMuchText
	}
	code := uint32(len(in.ends))
	in.text = append(in.text, s...)
	in.ends = append(in.ends, uint32(len(in.text)))
	in.table[at] = hash<<32 | uint64(code)
	if len(in.ends)*4 > len(in.table)*3 {
		in.grow()
	}
	return code, nil
}

// is reports that a code stands for s.
func (in *interner) is(code uint32, s string) bool {
	return string(in.text[in.ends[code-1]:in.ends[code]]) == s
}

func (in *interner) grow() {
	old := in.table
	in.table = make([]uint64, 2*len(old))
	mask := uint64(len(in.table) - 1)
	for _, e := range old {
		if e == 0 {
			continue
		}
		at := e >> 32 & mask
		for in.table[at] != 0 {
			at = (at + 1) & mask
		}
		in.table[at] = e
	}
}

// strings returns the texts by code.
func (in *interner) strings() (record.Strings, error) {
	var b record.StringsBuilder
	b.Grow(len(in.ends), len(in.text))
	if _, err := b.Append(""); err != nil {
		return record.Strings{}, err
	}
	for code := 1; code < len(in.ends); code++ {
		if _, err := b.Append(string(in.text[in.ends[code-1]:in.ends[code]])); err != nil {
			return record.Strings{}, err
		}
	}
	return b.Build(), nil
}
