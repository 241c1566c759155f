package comparison

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"sama/match/strsim"
	"sama/record"
)

// maxColumnTests bounds the different conditions on one column of a
// comparison: which of them hold for two values is one byte.
const maxColumnTests = 8

// levelColumn is a column of a LevelsComparison with what its conditions need
// to know of every distinct value.
type levelColumn struct {
	column *record.Column
	slot   int
	tests  []Condition // without column name; bit i of a mask is test i
	cuts   []*strsim.JaroWinklerCut

	onlyExact bool
	sigs      []strsim.Sig
	days      []int32   // noDate = not a calendar date
	numbers   []float64 // NaN = not a number
	users     []string  // what stands before the @
	userSigs  []strsim.Sig
}

const noDate = math.MinInt32

// test returns the bit of a condition, a new one at first sight.
func (c *levelColumn) test(d Condition) (uint8, error) {
	d.Column = ""
	i := slices.Index(c.tests, d)
	if i < 0 {
		if len(c.tests) == maxColumnTests {
			return 0, fmt.Errorf("more than %d different conditions on column %q", maxColumnTests, c.column.Name)
		}
		i = len(c.tests)
		c.tests = append(c.tests, d)
	}
	return 1 << i, nil
}

// prepare computes what the tests need, once per distinct value.
func (c *levelColumn) prepare() {
	c.onlyExact = true
	for _, d := range c.tests {
		var cut *strsim.JaroWinklerCut
		switch d.Is {
		case IsJaroWinkler:
			cut = strsim.NewJaroWinklerCut(d.AtLeast)
			c.needSignatures()
		case IsLevenshtein, IsDamerauLevenshtein:
			c.needSignatures()
		case IsEmailUser:
			c.needUsers()
			if d.AtLeast > 0 {
				cut = strsim.NewJaroWinklerCut(d.AtLeast)
			}
		case IsDateWithin:
			c.days = perValue(c.column, daysOf)
		case IsNumberWithin:
			c.numbers = perValue(c.column, numberOf)
		}
		c.cuts = append(c.cuts, cut)
		c.onlyExact = c.onlyExact && d.Is == IsExact
	}
}

func perValue[T any](c *record.Column, of func(string) T) []T {
	values := make([]T, c.Normal.Len())
	for code := range values {
		values[code] = of(c.Normal.At(uint32(code)))
	}
	return values
}

func (c *levelColumn) needSignatures() {
	if c.sigs == nil {
		c.sigs = perValue(c.column, strsim.Signature)
	}
}

func (c *levelColumn) needUsers() {
	if c.users != nil {
		return
	}
	c.users = perValue(c.column, func(s string) string {
		user, _, _ := strings.Cut(s, "@")
		return user
	})
	c.userSigs = make([]strsim.Sig, len(c.users))
	for code, user := range c.users {
		c.userSigs[code] = strsim.Signature(user)
	}
}

// daysOf returns the number of days since 1 January 1970 of a date YYYYMMDD or
// YYYY-MM-DD, noDate for anything else and for dates with unknown parts.
func daysOf(s string) int32 {
	layout := "20060102"
	if len(s) == 10 {
		layout = time.DateOnly
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return noDate
	}
	return int32(t.Unix() / 86400)
}

func numberOf(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return math.NaN()
	}
	return f
}

// mask returns which tests hold for two values, neither null.
func (c *levelColumn) mask(m *memo, x, y uint32) uint8 {
	if c.onlyExact {
		if x == y {
			return 1
		}
		return 0
	}
	entry, key, mask, ok := m.find(x, y)
	if !ok {
		mask = 0
		for i := range c.tests {
			if c.holds(i, min(x, y), max(x, y)) {
				mask |= 1 << i
			}
		}
		m.put(entry, key, mask)
	}
	return mask
}

func (c *levelColumn) holds(i int, x, y uint32) bool {
	d := &c.tests[i]
	switch d.Is {
	case IsExact:
		return x == y
	case IsJaroWinkler:
		return x == y || c.cuts[i].Reached(c.column.Normal.At(x), c.column.Normal.At(y), c.sigs[x], c.sigs[y])
	case IsLevenshtein:
		return x == y || strsim.MayBeWithin(c.sigs[x], c.sigs[y], int(d.AtMost)) &&
			strsim.LevenshteinWithin(c.column.Normal.At(x), c.column.Normal.At(y), int(d.AtMost))
	case IsDamerauLevenshtein:
		return x == y || strsim.MayBeWithin(c.sigs[x], c.sigs[y], int(d.AtMost)) &&
			strsim.DamerauLevenshteinWithin(c.column.Normal.At(x), c.column.Normal.At(y), int(d.AtMost))
	case IsDateWithin:
		a, b := c.days[x], c.days[y]
		return a != noDate && b != noDate && math.Abs(float64(a)-float64(b)) <= d.AtMost*unitDays[d.Unit]
	case IsEmailUser:
		a, b := c.users[x], c.users[y]
		if a == "" || b == "" {
			return false
		}
		return a == b || c.cuts[i] != nil && c.cuts[i].Reached(a, b, c.userSigs[x], c.userSigs[y])
	case IsNumberWithin:
		a, b := c.numbers[x], c.numbers[y]
		return a == b || math.Abs(a-b)/max(math.Abs(a), math.Abs(b)) < d.Below
	}
	return false
}
