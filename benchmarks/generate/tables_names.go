package generate

import (
	"hash/fnv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// loadSurnames makes the one table all surnames are dealt from. Weights are in
// holders of DVV's list, the other languages in proportion.
func (t *tables) loadSurnames(foreign map[string][]weightedName, codes []string) {
	var entries []nameEntry
	var weights []uint32
	t.byLang = make([]*nameTable, firstForeign-1+len(codes))
	add := func(names []weightedName, lang uint8, total float64) {
		from, sum := len(entries), 0.0
		for _, n := range names {
			sum += float64(n.weight)
		}
		for _, n := range names {
			entries = append(entries, nameEntry{text: n.text, fold: fold(n.text), lang: lang})
			weights = append(weights, max(1, uint32(float64(n.weight)*total/sum)))
		}
		t.byLang[lang] = newNameTable(entries[from:len(entries):len(entries)], weights[from:])
	}
	listed := t.listedSurnames()
	holders := 0.0
	for _, n := range listed {
		holders += float64(n.weight)
	}
	rare := rareSurnames(listed)
	for i := range rare { // one weight for all, so that the two parts keep their proportion
		rare[i].weight = max(1, uint32(holders*shareRare/shareListed/float64(len(rare))))
	}
	t.listed = len(listed)
	all := append(listed, rare...)
	add(all, finnish, holders*(1+shareRare/shareListed))
	for i, code := range codes {
		share := shareSwedish
		if code != "sv" {
			share = shareOther / float64(len(codes)-1)
		}
		add(foreign[code+"s"], uint8(finnish+1+i), holders/shareListed*share)
	}
	t.surnames = newNameTable(entries, weights)
	owner := map[string]uint32{}
	own(owner, t.surnames)
	claim(owner, t.surnames)
	t.markTwins()
}

// markTwins marks given names that are also surnames and the other way round:
// for these heikki.toivo@ does not say which is which.
func (t *tables) markTwins() {
	t.givenFolds, t.surnameFolds = map[string]bool{}, map[string]bool{}
	for _, e := range t.surnames.entries {
		t.surnameFolds[e.fold] = true
	}
	for _, lists := range t.first {
		for _, l := range lists {
			for i := range l.entries {
				t.givenFolds[l.entries[i].fold] = true
				l.entries[i].twin = t.surnameFolds[l.entries[i].fold]
			}
		}
	}
	for _, l := range t.further {
		for i := range l.entries {
			l.entries[i].twin = t.surnameFolds[l.entries[i].fold]
			t.givenFolds[l.entries[i].fold] = true
		}
	}
	for i := range t.surnames.entries {
		t.surnames.entries[i].twin = t.givenFolds[t.surnames.entries[i].fold]
	}
}

// listedSurnames returns DVV's surnames, the most common first.
func (t *tables) listedSurnames() []weightedName {
	var names []weightedName
	for _, f := range lines("surnames.gz") {
		names = append(names, weightedName{f[0], number(f[1])})
	}
	return names
}

// rareSurnames composes names that are not in the published list, which leaves
// out names of fewer than 20 holders.
func rareSurnames(listed []weightedName) []weightedName {
	known := make(map[string]bool, len(listed))
	for _, n := range listed {
		known[n.text] = true
	}
	var names []weightedName
	for _, a := range rareFirst {
		for _, b := range rareLast {
			if n := a + b; !known[n] && !strings.EqualFold(a, b) {
				names = append(names, weightedName{n, 1})
				known[n] = true
			}
		}
	}
	return names
}

// loadPlaces joins the population to the places written by hand. A place has
// about (inhabitants/550)^0.62 postal codes, in steps of ten from its first.
func (t *tables) loadPlaces() {
	base := map[string][]string{}
	taken := map[uint32]bool{}
	for _, f := range lines("places.txt") {
		base[f[0]] = f
		taken[number(f[1])] = true
	}
	var weights []uint32
	for _, f := range lines("population.gz") {
		place := base[f[0]]
		m := municipality{name: f[0]}
		if len(place) > 2 {
			m.swedish, m.swedishFirst = place[2], place[2] == "S"
			if m.swedishFirst {
				m.swedish = m.name
			}
		}
		t.cells.byPlace = append(t.cells.byPlace, len(weights))
		people := uint32(0)
		for sex := range 2 {
			for age, n := range strings.Split(f[1+sex], " ") {
				w := number(n)
				people += w
				weights = append(weights, w)
				t.cells.ofCell = append(t.cells.ofCell, cell{uint16(len(t.places)), uint8(age), sex == 1})
			}
		}
		m.town = people >= townSize
		m.codes = postalCodes(m, number(place[1]), people, taken)
		t.places = append(t.places, m)
	}
	t.cells.byPlace = append(t.cells.byPlace, len(weights))
	t.cells.nameTable = *newNameTable(nil, weights)
}

// fold returns a name as an e-mail address spells it: lower case, ä to a, ö to
// o, letters without a Latin base dropped.
func fold(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range norm.NFD.String(s) {
		switch {
		case r >= 'A' && r <= 'Z':
			b = append(b, byte(r)+'a'-'A')
		case r >= 'a' && r <= 'z' || r == '-':
			b = append(b, byte(r))
		case unicode.ToLower(r) == 'ł':
			b = append(b, 'l')
		case unicode.ToLower(r) == 'ø':
			b = append(b, 'o')
		case r == 'ß':
			b = append(b, "ss"...)
		case unicode.ToLower(r) == 'đ':
			b = append(b, 'd')
		case r == 'ı':
			b = append(b, 'i')
		}
	}
	if s := strings.Trim(string(b), "-"); s != "" {
		return s
	}
	return "x"
}

// hashOf returns a number for a text, the same for ever.
func hashOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return mix(h.Sum64())
}
