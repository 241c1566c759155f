package match

import (
	"slices"

	"sama/match/comparison"
	"sama/record"
)

// ProposeClassical returns a specification of the classical model for a table:
// levels by the type of each field, sessions that between them leave every
// comparison free, and strict rules that a namesake rarely meets, thought to
// find seven matches in ten. It is what "model: classical" takes where the
// configuration does not say more; a person can edit it.
func ProposeClassical(t *record.Table) ClassicalSpec {
	var spec ClassicalSpec
	have := make(map[record.Field]string) // field → its main column
	for _, c := range t.Columns {
		levels := proposedLevels(c.Field)
		if levels == nil || columnValue(c) <= 0.05 || len(spec.Comparisons) == comparison.MaxComparisons {
			continue
		}
		spec.Comparisons = append(spec.Comparisons, comparison.LevelSpec{Columns: []string{c.Name}, Levels: levels})
		if have[c.Field] == "" {
			have[c.Field] = c.Name
		}
	}
	spec.Strict = proposedStrict(have)
	spec.Sessions = proposedSessions(have, spec.Comparisons)
	spec.EnsureDefaults()
	return spec
}

// proposedLevels returns the levels of a field, nil for a field that is not
// compared.
func proposedLevels(f record.Field) []comparison.LevelRule {
	rule := func(d comparison.Condition) comparison.LevelRule { return comparison.LevelRule{Condition: d} }
	exact := comparison.LevelRule{Condition: comparison.Condition{Is: comparison.IsExact}, TermFrequency: true}
	alike := func(t float64) comparison.LevelRule {
		return rule(comparison.Condition{Is: comparison.IsJaroWinkler, AtLeast: t})
	}
	edits := func(k float64) comparison.LevelRule {
		return rule(comparison.Condition{Is: comparison.IsDamerauLevenshtein, AtMost: k})
	}
	within := func(n float64, unit comparison.DateUnit) comparison.LevelRule {
		return rule(comparison.Condition{Is: comparison.IsDateWithin, AtMost: n, Unit: unit})
	}
	switch f {
	case record.GivenName, record.FamilyName, record.OtherName:
		return []comparison.LevelRule{exact, alike(0.92), alike(0.88), alike(0.7)}
	case record.BirthDate, record.Date:
		exact.TermFrequency = false
		return []comparison.LevelRule{exact, edits(1), within(1, comparison.Month), within(1, comparison.Year), within(10, comparison.Year)}
	case record.Email:
		return []comparison.LevelRule{exact, rule(comparison.Condition{Is: comparison.IsEmailUser}), alike(0.88),
			rule(comparison.Condition{Is: comparison.IsEmailUser, AtLeast: 0.88})}
	case record.NationalID, record.BusinessID, record.VehicleReg, record.Identifier, record.Phone, record.PostalCode:
		return []comparison.LevelRule{exact, edits(1), edits(2)}
	case record.Organization, record.Street, record.City, record.Text:
		return []comparison.LevelRule{exact, alike(0.92), alike(0.8)}
	case record.HouseNumber, record.Unit, record.Gender, record.Region, record.Country, record.Category:
		return []comparison.LevelRule{exact}
	case record.Number:
		near := func(share float64) comparison.LevelRule {
			return rule(comparison.Condition{Is: comparison.IsNumberWithin, Below: share})
		}
		return []comparison.LevelRule{exact, near(0.01), near(0.03), near(0.1), near(0.3)}
	}
	return nil
}

// proposedStrict returns the strict rules that the fields at hand allow.
func proposedStrict(have map[record.Field]string) [][]comparison.Condition {
	var rules [][]comparison.Condition
	for _, fields := range [][]record.Field{
		{record.NationalID},
		{record.GivenName, record.FamilyName, record.BirthDate},
		{record.GivenName, record.Email},
		{record.GivenName, record.Phone},
		{record.Organization, record.PostalCode},
		{record.BusinessID},
	} {
		var rule []comparison.Condition
		for _, f := range fields {
			if have[f] == "" {
				rule = nil
				break
			}
			rule = append(rule, comparison.Condition{Is: comparison.IsExact, Column: have[f]})
		}
		if rule != nil {
			rules = append(rules, rule)
		}
	}
	return rules
}

// proposedSessions returns up to four sessions, the surest first; the columns of
// the first are free in the others.
func proposedSessions(have map[record.Field]string, comparisons []comparison.LevelSpec) [][]string {
	var sessions [][]string
	for _, fields := range [][]record.Field{
		{record.NationalID}, {record.BirthDate}, {record.Email}, {record.Phone}, {record.GivenName, record.FamilyName},
		{record.Street, record.HouseNumber}, {record.Organization}, {record.BusinessID}, {record.Identifier},
		{record.FamilyName}, {record.PostalCode}, {record.Text}, {record.City},
	} {
		var session []string
		for _, f := range fields {
			if have[f] == "" || slices.ContainsFunc(sessions, func(s []string) bool { return slices.Contains(s, have[f]) }) {
				session = nil
				break
			}
			session = append(session, have[f])
		}
		// A session must leave something to learn.
		if session != nil && len(session) < len(comparisons) && len(sessions) < 4 {
			sessions = append(sessions, session)
		}
	}
	return sessions
}
