package comparison

import (
	"fmt"
	"math"
	"sync"

	"sama/match/strsim"
	"sama/record"
)

// How far two given names agree, most first.
const (
	givenEqual  = iota
	givenToken  // one of several given names is the same
	givenShort  // initial or nickname
	givenTypo   // one edit, or Jaro-Winkler ≥ 0.92
	givenLike   // Jaro-Winkler ≥ 0.8, the same sound, or one cut short
	givenFar    // Jaro-Winkler ≥ 0.65
	givenDiffer //
	givenLevels
)

// How far two family names agree, most first.
const (
	familyEqual = iota
	familyNear  // a part of a double name equal, one edit, or Jaro-Winkler ≥ 0.94
	familyLike  // Jaro-Winkler ≥ 0.84, or the same sound
	familyFar   // Jaro-Winkler ≥ 0.68
	familyDiffer
	familyLevels
)

var givenLabels = [givenLevels]string{"given names equal", "one given name equal", "initial or nickname", "given name one edit off", "given names alike", "given names faintly alike", "given names differ"}
var familyLabels = [familyLevels]string{"family names equal", "family names nearly equal", "family names alike", "family names faintly alike", "family names differ"}

// Cuts of the frequency bands. nearCuts and fullCuts are in ln of the number
// of records that would carry both names if names were drawn independently;
// givenCuts and familyCuts are in ln of a name's share of the records.
var (
	fullCuts   = []float64{-3.5, -2, -0.7, 0.7}
	holderCuts = []float64{2, 3, 5, 8, 13} // records with this full name
	nearCuts   = []float64{-4.5, -3, -1.5, 0}
	givenCuts  = []float64{-8, -6.5, -5.5}
	familyCuts = []float64{-9, -7.5, -6.5}
)

// names is what the name comparisons know of every given and family name.
type names struct {
	given, family *words
	giv, fam      *record.Column
	former        *record.Column // other family names of the same person, or nil
	givenLog      []float32      // ln of the records that carry the first given name
	familyLog     []float32
	nicknames     *NicknameSet
	ln            float64 // ln of the number of records
}

func newNames(l *Layout, given, family *record.Column) *names {
	n := &names{giv: given, fam: family, nicknames: Nicknames()}
	rows := 0
	if given != nil {
		n.given = newWords(given, false)
		n.givenLog = n.given.logCounts(l, false)
		rows = l.records(given)
	}
	if family != nil {
		n.family = newWords(family, false)
		n.familyLog = n.family.logCounts(l, true)
		rows = l.records(family)
	}
	n.ln = math.Log(float64(max(1, rows)))
	return n
}

// compareGiven returns how far two different given-name values agree.
func (n *names) compareGiven(a, b uint32) int {
	ta, tb := n.given.of(a), n.given.of(b)
	best := givenDiffer
	for i, x := range ta {
		for j, y := range tb {
			level := n.compareGivenToken(x, y)
			// A middle initial that happens to begin another name says nothing.
			if level == givenShort && i+j > 0 && (len(n.given.texts[x]) == 1 || len(n.given.texts[y]) == 1) {
				continue
			}
			// A second name that is merely like another's first name says little.
			if i+j > 0 && level > givenTypo {
				continue
			}
			if i > 0 && j > 0 && level > givenToken {
				continue
			}
			best = min(best, level)
		}
	}
	if best > givenTypo && squeezedEqual(n.giv.Normal.At(a), n.giv.Normal.At(b)) {
		best = givenTypo
	}
	if best > givenLike && n.giv.Sound != nil && n.giv.Sound[a] != 0 && n.giv.Sound[a] == n.giv.Sound[b] {
		best = givenLike
	}
	return best
}

func (n *names) compareGivenToken(x, y uint32) int {
	a, b := n.given.texts[x], n.given.texts[y]
	switch {
	case x == y && len(a) > 1:
		return givenToken
	case len(a) == 1 || len(b) == 1:
		if a[0] == b[0] {
			return givenShort
		}
		return givenDiffer
	case n.nicknames.Related(a, b):
		return givenShort
	case len(a) > 2 && len(b) > 2 && strsim.OSAWithin(a, b, 1):
		return givenTypo
	}
	switch s := strsim.JaroWinkler(a, b); {
	case s >= 0.92:
		return givenTypo
	case s >= 0.8 || cutShort(a, b):
		return givenLike
	case s >= 0.65:
		return givenFar
	}
	return givenDiffer
}

// compareFamily returns how far two different family-name values agree.
func (n *names) compareFamily(a, b uint32) int {
	for _, x := range n.family.of(a) {
		for _, y := range n.family.of(b) {
			if x == y && len(n.family.texts[x]) > 3 {
				return familyNear
			}
		}
	}
	va, vb := n.fam.Normal.At(a), n.fam.Normal.At(b)
	if squeezedEqual(va, vb) || (len(va) > 3 && len(vb) > 3 && strsim.OSAWithin(va, vb, 1)) {
		return familyNear
	}
	s := strsim.JaroWinkler(va, vb)
	switch {
	case s >= 0.94:
		return familyNear
	case s >= 0.84, n.fam.Sound != nil && n.fam.Sound[a] != 0 && n.fam.Sound[a] == n.fam.Sound[b]:
		return familyLike
	case s >= 0.68:
		return familyFar
	}
	return familyDiffer
}

// formerAgrees says whether a former family name of one side is the other
// side's family name, now or formerly.
func (n *names) formerAgrees(otherA, otherB, familyA, familyB uint32) bool {
	if otherA != 0 && otherA == otherB {
		return true
	}
	return otherA != 0 && familyB != 0 && n.former.Normal.At(otherA) == n.fam.Normal.At(familyB) ||
		otherB != 0 && familyA != 0 && n.former.Normal.At(otherB) == n.fam.Normal.At(familyA)
}

// squeezedEqual says whether two values are equal without their spaces.
func squeezedEqual(a, b string) bool {
	i, j := 0, 0
	for {
		for i < len(a) && a[i] == ' ' {
			i++
		}
		for j < len(b) && b[j] == ' ' {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if a[i] != b[j] {
			return false
		}
		i++
		j++
	}
}

// cutShort says whether one name is the other's beginning.
func cutShort(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) >= 3 && b[:len(a)] == a
}

// nameComparison compares given and family name together: how far each agrees,
// and how many records carry the name.
type nameComparison struct {
	*names
	given, family int      // slots
	other         int      // slot of the former family name, −1 without one
	full          int      // slot of the number of the full name
	codes         []uint32 // record → number of the full name
	holders       []uint32
	*nameLevels
}

// nameLevels are the levels of the joint comparison, the same for every table.
type nameLevels struct {
	levels []Level
	// number maps given agreement × family agreement to the first level of its
	// bands; givenLevels and familyLevels index the rows of one side null.
	number  [givenLevels + 1][familyLevels + 1]uint8
	swapped uint8
}

// NewName returns the joint comparison of given and family name, or nil if the
// table lacks one of them.
func NewName(l *Layout, t *record.Table) Comparison {
	given, family := t.Column(record.GivenName), t.Column(record.FamilyName)
	if given == nil || family == nil {
		return nil
	}
	c := &nameComparison{names: newNames(l, given, family), other: -1, nameLevels: allNameLevels()}
	if c.former = t.Column(record.OtherName); c.former != nil {
		c.other = l.Slot(c.former.Code)
	}
	c.given, c.family = l.Slot(given.Code), l.Slot(family.Code)
	codes, holders := group(given.Code, family.Code)
	c.full, c.holders, c.codes = l.Slot(codes), holders, codes
	if l.Whole != nil {
		for i, full := range codes {
			holders[full] = l.whole(namesHeld, c.fullName(uint32(i)), holders[full])
		}
	}
	return c
}

// group numbers the distinct pairs (a, b) in which neither is null, from 1, in
// order of first sight, and counts their holders.
func group(a, b []uint32) (codes, counts []uint32) {
	codes, counts = make([]uint32, len(a)), []uint32{0}
	seen := make(map[uint64]uint32)
	for i := range a {
		if a[i] == 0 || b[i] == 0 {
			counts[0]++
			continue
		}
		key := uint64(a[i])<<32 | uint64(b[i])
		code, ok := seen[key]
		if !ok {
			code = uint32(len(counts))
			seen[key] = code
			counts = append(counts, 0)
		}
		codes[i] = code
		counts[code]++
	}
	return codes, counts
}

// fullName returns a record's names as populations know them.
func (c *nameComparison) fullName(i uint32) string {
	return c.giv.Value(i) + nameJoint + c.fam.Value(i)
}

// Counts implements [Counting].
func (c *nameComparison) Counts() []record.Counts {
	var names record.Counter
	seen := make([]bool, len(c.holders))
	for i, full := range c.codes {
		if full != 0 && !seen[full] && c.holders[full] > 1 {
			seen[full] = true
			names.Add(c.fullName(uint32(i)), c.holders[full])
		}
	}
	return []record.Counts{c.names.given.counted(), names.Counts(namesHeld)}
}

func (c *nameComparison) Name() string    { return "name" }
func (c *nameComparison) Levels() []Level { return c.levels }

// Columns implements Comparison.
func (c *nameComparison) Columns() []*record.Column {
	if c.former != nil {
		return []*record.Column{c.giv, c.fam, c.former}
	}
	return []*record.Column{c.giv, c.fam}
}

var allNameLevels = sync.OnceValue(func() *nameLevels {
	c := &nameLevels{levels: []Level{{Label: "name missing"}}}
	add := func(n int, level Level, band string) uint8 {
		first := uint8(len(c.levels))
		for i := range n {
			l := level
			if n > 1 {
				l.Label = fmt.Sprintf("%s, %s %d of %d", level.Label, band, i+1, n)
			}
			l.M /= float64(n)
			c.levels = append(c.levels, l)
		}
		return first
	}
	for g := range givenLevels + 1 {
		for f := range familyLevels + 1 {
			if g == givenLevels && f == familyLevels {
				continue
			}
			bands := bandCount(g, f)
			c.number[g][f] = add(bands, nameLevel(g, f), "frequency band")
		}
	}
	c.swapped = add(2, Level{Label: "given and family name swapped", Agree: 0.9, M: 0.005, Traits: GivenSame | FamilySame}, "kind")
	return c
})

// bandCount returns how many frequency bands the level of (g, f) has.
func bandCount(g, f int) int {
	switch {
	case g == givenEqual && f == familyEqual:
		return (len(holderCuts) + 1) * (len(fullCuts) + 1)
	case near(g, f):
		return len(nearCuts) + 1
	case g == givenEqual && f >= familyDiffer:
		return len(givenCuts) + 1
	case g >= givenDiffer && f == familyEqual:
		return len(familyCuts) + 1
	}
	return 1
}

func near(g, f int) bool { return g <= givenTypo && f <= familyNear }

// nameLevel describes the level of given agreement g and family agreement f.
func nameLevel(g, f int) Level {
	givenM := [givenLevels + 1]float64{0.70, 0.08, 0.06, 0.09, 0.03, 0.01, 0.03, 0.05}
	familyM := [familyLevels + 1]float64{0.82, 0.08, 0.02, 0.01, 0.07, 0.05}
	givenAgree := [givenLevels + 1]float64{0.5, 0.5, 0.4, 0.45, 0.25, 0.05, 0, 0}
	familyAgree := [familyLevels + 1]float64{0.5, 0.45, 0.25, 0.05, 0, 0}
	l := Level{M: givenM[g] * familyM[f], Agree: givenAgree[g] + familyAgree[f]}
	switch {
	case g == givenLevels:
		l.Label = "given name missing, " + familyLabels[f]
	case f == familyLevels:
		l.Label = givenLabels[g] + ", family name missing"
	default:
		l.Label = givenLabels[g] + ", " + familyLabels[f]
	}
	l.Traits |= givenTraits(g) | familyTraits(f)
	if l.Traits&GivenDiffers != 0 {
		l.Contra += 1.5
	}
	if l.Traits&FamilyDiffers != 0 {
		l.Contra += 0.7
	}
	return l
}

func givenTraits(g int) Traits {
	switch {
	case g == givenEqual || g == givenTypo:
		return GivenSame | GivenClose
	case g <= givenTypo:
		return GivenSame
	case g == givenDiffer || g == givenFar:
		return GivenDiffers
	}
	return 0
}

func familyTraits(f int) Traits {
	switch {
	case f <= familyNear:
		return FamilySame
	case f == familyDiffer || f == familyFar:
		return FamilyDiffers
	}
	return 0
}

func (c *nameComparison) Compare(s *Scratch, rows Rows, pairs []record.Pair, out []Vector, index int) {
	givenMemo, familyMemo := s.memo(c), s.memo2(c)
	for i, p := range pairs {
		a, b := rows.Of(p.A), rows.Of(p.B)
		if full := a[c.full]; full != 0 && full == b[c.full] {
			out[i][index] = c.equalLevel(full, a[c.given], a[c.family])
			continue
		}
		g := c.givenAgreement(givenMemo, a[c.given], b[c.given])
		f := c.familyAgreement(familyMemo, a[c.family], b[c.family])
		if c.other >= 0 && f >= familyLike && c.formerAgrees(a[c.other], b[c.other], a[c.family], b[c.family]) {
			f = familyNear
		}
		if g == givenLevels && f == familyLevels {
			out[i][index] = 0
			continue
		}
		if g >= givenFar && f >= familyFar && g < givenLevels && f < familyLevels {
			if kind := c.swap(a, b); kind > 0 {
				out[i][index] = c.swapped + uint8(kind-1)
				continue
			}
		}
		out[i][index] = c.number[g][f] + c.bandOf(g, f, a, b)
	}
}

func (c *nameComparison) givenAgreement(m *memo, a, b uint32) int {
	switch {
	case a == 0 || b == 0:
		return givenLevels
	case a == b:
		return givenEqual
	}
	entry, key, level, ok := m.find(a, b)
	if !ok {
		level = uint8(c.compareGiven(min(a, b), max(a, b)))
		m.put(entry, key, level)
	}
	return int(level)
}

func (c *nameComparison) familyAgreement(m *memo, a, b uint32) int {
	switch {
	case a == 0 || b == 0:
		return familyLevels
	case a == b:
		return familyEqual
	}
	entry, key, level, ok := m.find(a, b)
	if !ok {
		level = uint8(c.compareFamily(min(a, b), max(a, b)))
		m.put(entry, key, level)
	}
	return int(level)
}

func (c *nameComparison) equalLevel(full, given, family uint32) uint8 {
	chance := float64(c.givenLog[given]+c.familyLog[family]) - c.ln
	holders := band(float64(c.holders[full]), holderCuts)
	return c.number[givenEqual][familyEqual] + uint8(holders*(len(fullCuts)+1)+band(chance, fullCuts))
}

// bandOf returns the frequency band of a level whose names are not both equal.
// Of two different values the more frequent counts.
func (c *nameComparison) bandOf(g, f int, a, b []uint32) uint8 {
	switch {
	case near(g, f):
		given := max(c.givenLog[a[c.given]], c.givenLog[b[c.given]])
		family := max(c.familyLog[a[c.family]], c.familyLog[b[c.family]])
		return uint8(band(float64(given+family)-c.ln, nearCuts))
	case g == givenEqual && f >= familyDiffer:
		return uint8(band(float64(c.givenLog[a[c.given]])-c.ln, givenCuts))
	case g >= givenDiffer && f == familyEqual:
		return uint8(band(float64(c.familyLog[a[c.family]])-c.ln, familyCuts))
	}
	return 0
}

// swap says whether the given name of each side is the family name of the
// other: 1 exactly, 2 within one edit, 0 not.
func (c *nameComparison) swap(a, b []uint32) int {
	ga, gb := c.names.given.first(a[c.given]), c.names.given.first(b[c.given])
	fa, fb := c.fam.Normal.At(a[c.family]), c.fam.Normal.At(b[c.family])
	if len(ga) < 2 || len(gb) < 2 {
		return 0
	}
	if ga == fb && gb == fa {
		return 1
	}
	if ga[0] != fb[0] && gb[0] != fa[0] {
		return 0
	}
	if strsim.OSAWithin(ga, fb, 1) && strsim.OSAWithin(gb, fa, 1) {
		return 2
	}
	return 0
}
