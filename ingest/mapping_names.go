package ingest

import (
	"cmp"
	"strings"
	"unicode"

	"sama/ingest/normalize"
)

// nameParts splits a column's name into folded words: at signs, between lower
// and upper case, and before digits. "addr_line1" → addr line 1, "dateOfBirth"
// → date of birth.
func nameParts(name string) []string {
	if len(name) > 200 {
		name = name[:200]
	}
	var spaced strings.Builder
	var before rune
	for _, r := range name {
		switch {
		case unicode.IsUpper(r) && unicode.IsLower(before), unicode.IsDigit(r) != unicode.IsDigit(before) && (unicode.IsLetter(r) || unicode.IsDigit(r)) && before != 0:
			spaced.WriteByte(' ')
		}
		spaced.WriteRune(r)
		before = r
	}
	return strings.Fields(normalize.Fold(spaced.String()))
}

// snakeCase is a column's name as a table names its column: place_of_birth.
func snakeCase(name string) string {
	return cmp.Or(strings.Join(nameParts(name), "_"), "column")
}

// laterNames are words in column names that say "not the main one".
var laterNames = wordSet(`secondary second other alternative alternate alt old previous former employer work business fax native billing invoice emergency spouse additional`)

// compareColumnNames orders the columns of one role within a source: main ones
// before others, numbered ones by their number, then by name.
func compareColumnNames(a, b string) int { return placeOf(a).compare(placeOf(b)) }

// namePlace is where a column stands among those of its role.
type namePlace struct {
	later, number int
	words, name   string
}

func placeOf(name string) namePlace {
	parts := nameParts(name)
	return namePlace{laterRank(parts), trailingNumber(parts), strings.Join(parts, " "), name}
}

func (p namePlace) compare(q namePlace) int {
	return cmp.Or(cmp.Compare(p.later, q.later), cmp.Compare(p.number, q.number), strings.Compare(p.words, q.words), strings.Compare(p.name, q.name))
}

func laterRank(parts []string) int {
	for _, p := range parts {
		if laterNames[p] {
			return 1
		}
	}
	return 0
}

// trailingNumber is the number at the end of a name, 1 where there is none.
func trailingNumber(parts []string) int {
	if len(parts) == 0 {
		return 1
	}
	last, n := parts[len(parts)-1], 0
	for _, c := range []byte(last) {
		if c < '0' || c > '9' || n > 10_000 {
			return 1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

func wordSet(words string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}
