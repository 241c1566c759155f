package ingest

import (
	"cmp"
	"slices"
	"strings"
)

// keyNames are names of key columns, the surest first.
var keyNames = strings.Fields(`recordid recid id key recordkey rowid uid uniqueid customerid custid clientid personid userid memberid patientid contactid
	asiakasid asiakastunnus asiakasnumero asiakasnro kundid kundnummer kundennummer customernumber customerno accountid entityid uuid guid tunniste tunnus`)

// keyWords stand in the names of other columns that can be keys.
var keyWords = wordSet(`id key no nr number num code tunnus tunniste numero nummer ref reference index idx uuid guid pk`)

// proposeKey returns the column that names the records, "" where there is
// none. A column with the name of a key may have some bad rows, which will be
// rejected; any other must be unique and complete and look like an id rather
// than like data.
func proposeKey(columns []*candidate, rows int) string {
	for _, want := range keyNames {
		for _, c := range columns {
			if strings.Join(c.parts, "") == want && mostlyUnique(c, rows) {
				return c.Name
			}
		}
	}
	var best *candidate
	rank := func(c *candidate) int {
		if slices.ContainsFunc(c.parts, func(p string) bool { return keyWords[p] }) {
			return 1
		}
		return 2
	}
	for _, c := range columns {
		if named, _ := roleByName(c.Name); named != "" && rank(c) > 1 || !idLike(c.profile) || !mostlyUnique(c, rows) || !unique(c.RawColumn) {
			continue
		}
		if best == nil || cmp.Or(cmp.Compare(rank(c), rank(best)), compareColumnNames(c.Name, best.Name)) < 0 {
			best = c
		}
	}
	if best == nil {
		return ""
	}
	return best.Name
}

// mostlyUnique reports that nearly every row has a value of its own, as far as
// the sample tells.
func mostlyUnique(c *candidate, rows int) bool {
	return rows == 0 || float64(c.profile.filled) >= 0.9*float64(rows) && float64(c.profile.distinct) >= 0.85*float64(rows)
}

// unique reports that every row has a value of its own.
func unique(c *RawColumn) bool {
	seen := make(map[string]struct{}, len(c.Codes))
	for _, code := range c.Codes {
		text := c.Values.At(code)
		if _, double := seen[text]; double || code == 0 {
			return false
		}
		seen[text] = struct{}{}
	}
	return true
}

// idLike reports that the values of a column look like ids: short, one word,
// digits in nearly all, neither e-mail addresses nor dates nor fractions.
func idLike(p *profile) bool {
	return p.filled > 0 && p.oneWord+p.codes >= 0.9 && p.length <= 40 && p.letters < 0.2 && p.email < 0.1 && p.decimal < 0.1 && p.url < 0.1 &&
		(p.date < 0.5 || p.integer >= 0.9 && p.sameLength < 0.9)
}
