package generate

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// The embedded tables. *.gz are made from published data by TestTables -update;
// the plain ones were written by hand.
//
//	surnames.gz     surname, holders                                    DVV, CC BY 4.0
//	given.gz        name, women first, women other, men first, other    DVV, CC BY 4.0
//	population.gz   municipality, men by age 0-100, women by age 0-100  Statistics Finland, CC BY 4.0
//	foreign.gz      language, kind (f, m, s), name, weight              faker (sv), MIT; by country, CC0
//	places.txt      municipality, first postal code, Swedish name or S when Swedish comes first
//	hypocorisms.txt sex, given name, short form
//	junk.txt        field, value, the most common first
//
//go:embed tables
var tableFiles embed.FS

// languages of names; numbers from firstForeign on are countries.
const (
	finnish = iota
	swedish
	firstForeign
)

// A nameEntry is one name of a table.
type nameEntry struct {
	text  string
	fold  string // lower-case ASCII letters and hyphens, for addresses
	owner bool   // the most common name of its language (given) or of all (surname) with this fold
	twin  bool   // given: some surname folds to the same; surname: some given name does
	lang  uint8
}

// A nameTable draws names in proportion to their weights.
type nameTable struct {
	entries []nameEntry
	cum     []uint32 // cumulative weight up to and including entry i
	guide   []uint32 // position >> shift → first entry that can hold it
	shift   uint
	total   uint64
}

// start returns the cumulative weight before entry i.
func (t *nameTable) start(i int) uint64 {
	if i == 0 {
		return 0
	}
	return uint64(t.cum[i-1])
}

// at returns the entry that holds a position in [0, total).
func (t *nameTable) at(position uint64) int {
	i := t.guide[position>>t.shift]
	for uint64(t.cum[i]) <= position {
		i++
	}
	return int(i)
}

// draw returns a random entry.
func (t *nameTable) draw(r *stream) int { return t.at(r.below(t.total)) }

func newNameTable(entries []nameEntry, weights []uint32) *nameTable {
	t := &nameTable{entries: entries, cum: make([]uint32, len(weights))}
	t.total = cumulate(t.cum, weights)
	t.guide, t.shift = guideOf(t.cum, t.total)
	return t
}

func cumulate(cum, weights []uint32) uint64 {
	sum := uint32(0)
	for i, w := range weights {
		sum += w
		cum[i] = sum
	}
	return uint64(sum)
}

func guideOf(cum []uint32, total uint64) (guide []uint32, shift uint) {
	for total>>shift > uint64(4*len(cum)) {
		shift++
	}
	guide = make([]uint32, total>>shift+1)
	i := uint32(0)
	for g := range guide {
		for int(i) < len(cum)-1 && uint64(cum[i]) <= uint64(g)<<shift {
			i++
		}
		guide[g] = i
	}
	return guide, shift
}

// A municipality is a place with its postal codes.
type municipality struct {
	name, swedish string // swedish empty where only Finnish is used
	swedishFirst  bool
	town          bool
	codes         []postal
}

type postal struct{ code, city, citySwedish string }

// tables is everything read from the embedded files.
type tables struct {
	surnames *nameTable    // listed, rare, Swedish, then each country
	listed   int           // entries of surnames that are DVV's, the most common first
	byLang   []*nameTable  // surnames of one language, for drawing a partner of the same
	first    [][2]nameList // language, female → first given names
	further  [2]*nameTable // Finnish further names, by female
	short    map[string][]string
	places   []municipality
	cells    cellTable
	junk     map[string][]string

	givenFolds, surnameFolds map[string]bool
}

// A nameList is a table of first names sorted by fold, with the entry at which
// each initial starts.
type nameList struct {
	*nameTable
	initial []int32 // entry → first entry with the same initial
}

// A cellTable draws municipality, age and sex from the population.
type cellTable struct {
	nameTable        // entries unused
	byPlace   []int  // place → its first cell
	ofCell    []cell // cell → what it is
}

type cell struct {
	place  uint16
	age    uint8
	female bool
}

// loadTables reads the embedded tables once.
var loadTables = sync.OnceValue(func() *tables {
	t := &tables{short: map[string][]string{}, junk: map[string][]string{}}
	foreign, codes := readForeign()
	t.loadGiven(foreign, codes)
	t.loadSurnames(foreign, codes)
	t.loadPlaces()
	for _, f := range lines("hypocorisms.txt") {
		t.short[f[1]] = append(t.short[f[1]], f[2])
	}
	for _, f := range lines("junk.txt") {
		t.junk[f[0]] = append(t.junk[f[0]], f[1])
	}
	return t
})

// lines returns the tab-separated fields of each line of an embedded file. The
// files are part of the program, so a fault in them is a fault of the program.
func lines(name string) [][]string {
	data, err := tableFiles.ReadFile("tables/" + name)
	if err != nil {
		panic(err)
	}
	if strings.HasSuffix(name, ".gz") {
		zr, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			panic(fmt.Errorf("embedded %s: %w", name, err))
		}
		if data, err = io.ReadAll(zr); err != nil {
			panic(fmt.Errorf("embedded %s: %w", name, err))
		}
	}
	text := strings.TrimSuffix(string(data), "\n")
	var all [][]string
	for line := range strings.SplitSeq(text, "\n") {
		all = append(all, strings.Split(line, "\t"))
	}
	return all
}

func number(s string) uint32 {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		panic(fmt.Errorf("embedded table: %w", err))
	}
	return uint32(n)
}

type weightedName struct {
	text   string
	weight uint32
}

// readForeign returns the names of foreign.gz by language and kind, and the
// languages in order, "sv" first.
func readForeign() (names map[string][]weightedName, codes []string) {
	names = map[string][]weightedName{}
	for _, f := range lines("foreign.gz") {
		key := f[0] + f[1]
		if len(codes) == 0 || codes[len(codes)-1] != f[0] {
			codes = append(codes, f[0])
		}
		names[key] = append(names[key], weightedName{f[2], number(f[3])})
	}
	return names, codes
}

func (t *tables) loadGiven(foreign map[string][]weightedName, codes []string) {
	t.first = make([][2]nameList, firstForeign-1+len(codes))
	var finnishFirst, other [2][]weightedName
	for _, f := range lines("given.gz") {
		for sex := range 2 { // 0 men, 1 women
			at := 3 - 2*sex
			if w := number(f[at]); w > 0 {
				finnishFirst[sex] = append(finnishFirst[sex], weightedName{f[0], w})
			}
			if w := number(f[at+1]); w > 0 {
				other[sex] = append(other[sex], weightedName{f[0], w})
			}
		}
	}
	for sex := range 2 {
		t.further[sex] = tableOf(other[sex], finnish).nameTable
	}
	t.first[finnish] = firstNames(finnishFirst, finnish)
	for i, code := range codes {
		lang := finnish + 1 + i
		t.first[lang] = firstNames([2][]weightedName{foreign[code+"m"], foreign[code+"f"]}, uint8(lang))
	}
}

// firstNames makes the lists of one language and decides who owns a fold: the
// more common name, whatever its sex.
func firstNames(names [2][]weightedName, lang uint8) (lists [2]nameList) {
	owner := map[string]uint32{}
	for sex := range 2 {
		lists[sex] = tableOf(names[sex], lang)
		own(owner, lists[sex].nameTable)
	}
	for sex := range 2 {
		claim(owner, lists[sex].nameTable)
	}
	return lists
}

// own notes the greatest weight of each fold, claim gives the fold to the first
// entry of that weight. A single letter belongs to nobody: it reads as an
// initial.
func own(owner map[string]uint32, t *nameTable) {
	for i, e := range t.entries {
		owner[e.fold] = max(owner[e.fold], uint32(uint64(t.cum[i])-t.start(i)))
	}
}

func claim(owner map[string]uint32, t *nameTable) {
	for i := range t.entries {
		e := &t.entries[i]
		if w := uint32(uint64(t.cum[i]) - t.start(i)); owner[e.fold] == w && len(e.fold) > 1 {
			e.owner = true
			owner[e.fold] = ^uint32(0)
		}
	}
}

func tableOf(names []weightedName, lang uint8) nameList {
	entries := make([]nameEntry, len(names))
	order := make([]int, len(names))
	for i, n := range names {
		entries[i] = nameEntry{text: n.text, fold: fold(n.text), lang: lang}
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool {
		x, y := entries[order[a]], entries[order[b]]
		if x.fold != y.fold {
			return x.fold < y.fold
		}
		return x.text < y.text
	})
	sorted, weights := make([]nameEntry, len(names)), make([]uint32, len(names))
	initial := make([]int32, len(names))
	for i, o := range order {
		sorted[i], weights[i] = entries[o], names[o].weight
		initial[i] = int32(i)
		if i > 0 && sorted[i-1].fold[0] == sorted[i].fold[0] {
			initial[i] = initial[i-1]
		}
	}
	return nameList{newNameTable(sorted, weights), initial}
}
