package comparison

import (
	"strings"

	"sama/match/strsim"
	"sama/record"
)

// Levels of an e-mail address.
const (
	emailNull      = iota
	emailEqualOne  // equal, one given name uses it
	emailEqualBoth // equal, several given names use it, and it carries those of both sides
	emailEqualTwo  // equal, two given names use it, and it carries at most one side's
	emailEqualMany // equal, more given names use it
	emailLocal     // the part before @ is equal
	emailTypo      // one edit
	emailLike92    // Jaro-Winkler of the parts before @
	emailLike82
	emailLike72
	emailDifferFitBoth // they differ, and each would fit the other side's name
	emailDifferFitOne
	emailDiffer
	emailOneFits // one side has none, and the other's address would fit its names
	emailOneGiven
	emailOneFamily
	emailOneNot
	emailLevels
)

// How far an address fits a person's names.
const (
	fitNot = iota
	fitFamily
	fitGiven
	fitBoth // given name or initial, and family name
)

// emailComparison compares e-mail addresses, knowing that a family may share
// one and that the addresses of namesakes look alike because the names do.
type emailComparison struct {
	name         string
	column       *record.Column
	given        *words
	family       *words
	slot         int
	gslot, fslot int
	local        []string // code → part before @
	squeezed     []string // the same without dots, digits and signs
	users        []uint8  // code → people who seem to use it, by given name
	levels       []Level
}

// NewEmail returns the comparison of a column of e-mail addresses.
func NewEmail(l *Layout, t *record.Table, column *record.Column) Comparison {
	c := &emailComparison{name: column.Name, column: column, gslot: -1, fslot: -1}
	codes := withoutGeneric(column)
	c.slot = l.Slot(codes)
	c.local = make([]string, column.Normal.Len())
	c.squeezed = make([]string, len(c.local))
	for code := range c.local {
		c.local[code], _, _ = strings.Cut(column.Normal.At(uint32(code)), "@")
		c.squeezed[code] = lettersOnly(c.local[code])
	}
	given := t.Column(record.GivenName)
	if given != nil {
		c.given = newWords(given, false)
		c.gslot = l.Slot(given.Code)
	}
	if family := t.Column(record.FamilyName); family != nil {
		c.family = newWords(family, false)
		c.fslot = l.Slot(family.Code)
	}
	c.users = userCounts(l, column.Name, column, given)
	c.levels = emailLevelTable()
	return c
}

func emailLevelTable() []Level {
	return []Level{
		emailNull:          {Label: "missing"},
		emailEqualOne:      {Label: "equal, used by one given name", Agree: 1, M: 0.55, Traits: ContactShared},
		emailEqualBoth:     {Label: "equal, carries both given names", Agree: 1, M: 0.03, Traits: ContactShared},
		emailEqualTwo:      {Label: "equal, used by two given names", Agree: 0.6, M: 0.05, Traits: ContactShared},
		emailEqualMany:     {Label: "equal, used by several given names", Agree: 0.3, M: 0.03, Traits: ContactShared},
		emailLocal:         {Label: "equal before the @", Agree: 0.7, M: 0.04},
		emailTypo:          {Label: "one edit apart", Agree: 0.8, M: 0.05},
		emailLike92:        {Label: "alike (0.92)", Agree: 0.3, M: 0.02},
		emailLike82:        {Label: "alike (0.82)", Agree: 0.1, M: 0.02},
		emailLike72:        {Label: "faintly alike (0.72)", M: 0.02, Contra: 0.2},
		emailDifferFitBoth: {Label: "differ, each fits the other's name", M: 0.03, Contra: 0.3},
		emailDifferFitOne:  {Label: "differ, one fits the other's name", M: 0.03, Contra: 0.4, Traits: ContactDiffers},
		emailDiffer:        {Label: "differ", M: 0.08, Contra: 0.5, Traits: ContactDiffers},
		emailOneFits:       {Label: "one missing, the other fits the name", M: 0.02, Agree: 0.1},
		emailOneGiven:      {Label: "one missing, the other fits the given name", M: 0.01},
		emailOneFamily:     {Label: "one missing, the other fits the family name only", M: 0.01},
		emailOneNot:        {Label: "one missing, the other fits no name", M: 0.01},
	}
}

// withoutGeneric returns a column's codes with generic values as null.
func withoutGeneric(c *record.Column) []uint32 {
	if c.Generic == nil {
		return c.Code
	}
	codes := make([]uint32, len(c.Code))
	for i, code := range c.Code {
		if !c.Generic[code] {
			codes[i] = code
		}
	}
	return codes
}

// lettersOnly keeps the ASCII letters of s.
func lettersOnly(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, s)
}

// Counts implements [Counting].
func (c *emailComparison) Counts() []record.Counts {
	return []record.Counts{usersCounted(c.name, c.users, &c.column.Normal)}
}

func (c *emailComparison) Name() string    { return c.name }
func (c *emailComparison) Levels() []Level { return c.levels }

// Columns implements Comparison.
func (c *emailComparison) Columns() []*record.Column { return []*record.Column{c.column} }

func (c *emailComparison) Compare(s *Scratch, rows Rows, pairs []record.Pair, out []Vector, index int) {
	m, fits := s.memo(c), s.memo2(c)
	for i, p := range pairs {
		a, b := rows.Of(p.A), rows.Of(p.B)
		ea, eb := a[c.slot], b[c.slot]
		switch {
		case ea == 0 && eb == 0:
			out[i][index] = emailNull
		case ea == 0 || eb == 0:
			out[i][index] = c.oneMissing(fits, ea, eb, a, b)
		case ea == eb:
			out[i][index] = c.equal(fits, ea, a, b)
		default:
			entry, key, level, ok := m.find(ea, eb)
			if !ok {
				level = c.differ(min(ea, eb), max(ea, eb))
				m.put(entry, key, level)
			}
			if level == emailDiffer {
				level = c.differFit(fits, ea, eb, a, b)
			}
			out[i][index] = level
		}
	}
}

func (c *emailComparison) oneMissing(m *memo, ea, eb uint32, a, b []uint32) uint8 {
	if c.gslot < 0 && c.fslot < 0 {
		return emailNull
	}
	fit := 0
	if ea != 0 {
		fit = c.fit(m, ea, b)
	} else {
		fit = c.fit(m, eb, a)
	}
	return [...]uint8{fitNot: emailOneNot, fitFamily: emailOneFamily, fitGiven: emailOneGiven, fitBoth: emailOneFits}[fit]
}

func (c *emailComparison) equal(m *memo, e uint32, a, b []uint32) uint8 {
	if c.users[e] <= 1 {
		return emailEqualOne
	}
	if c.fit(m, e, a) >= fitGiven && c.fit(m, e, b) >= fitGiven {
		return emailEqualBoth
	}
	if c.users[e] == 2 {
		return emailEqualTwo
	}
	return emailEqualMany
}

func (c *emailComparison) differ(x, y uint32) uint8 {
	lx, ly := c.local[x], c.local[y]
	if lx == ly {
		return emailLocal
	}
	if strsim.OSAWithin(c.column.Normal.At(x), c.column.Normal.At(y), 1) {
		return emailTypo
	}
	switch s := strsim.JaroWinkler(lx, ly); {
	case s >= 0.92:
		return emailLike92
	case s >= 0.82:
		return emailLike82
	case s >= 0.72:
		return emailLike72
	}
	return emailDiffer
}

func (c *emailComparison) differFit(m *memo, ea, eb uint32, a, b []uint32) uint8 {
	n := 0
	if c.fit(m, ea, b) == fitBoth {
		n++
	}
	if c.fit(m, eb, a) == fitBoth {
		n++
	}
	return [...]uint8{emailDiffer, emailDifferFitOne, emailDifferFitBoth}[n]
}

// fit returns how far address e fits the names of a record.
func (c *emailComparison) fit(m *memo, e uint32, row []uint32) int {
	given, family, initial := false, false, false
	if c.fslot >= 0 && row[c.fslot] != 0 {
		family = c.carries(m, e, row[c.fslot], c.family, 1)
	}
	if c.gslot >= 0 && row[c.gslot] != 0 {
		given = c.carries(m, e, row[c.gslot], c.given, 0)
		if !given && family {
			initial = c.initial(e, row)
		}
	}
	switch {
	case family && (given || initial):
		return fitBoth
	case given:
		return fitGiven
	case family:
		return fitFamily
	}
	return fitNot
}

// carries says whether the address holds one of a name's tokens.
func (c *emailComparison) carries(m *memo, e, name uint32, w *words, which uint64) bool {
	key := uint64(e)<<32 | uint64(name)<<1 | which | 1<<63
	entry := m.entry(key)
	if m.keys[entry] == key {
		return m.levels[entry] == 1
	}
	found := uint8(0)
	for _, id := range w.of(name) {
		if token := w.texts[id]; len(token) >= 3 && strings.Contains(c.squeezed[e], token) {
			found = 1
			break
		}
	}
	m.put(entry, key, found)
	return found == 1
}

// initial says whether the address is an initial of the given name beside the
// family name.
func (c *emailComparison) initial(e uint32, row []uint32) bool {
	first := c.given.first(row[c.gslot])
	family := c.family.first(row[c.fslot])
	if first == "" || family == "" {
		return false
	}
	rest, ok := strings.CutSuffix(c.squeezed[e], family)
	if !ok {
		rest, ok = strings.CutPrefix(c.squeezed[e], family)
	}
	return ok && len(rest) == 1 && rest[0] == first[0]
}
