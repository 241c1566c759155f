package ingest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"sama/ingest/normalize"
	"sama/record"
)

// Propose says what the columns of the sources are, from their names and from
// what their values look like. It decides by the values alone where a name
// says nothing, and against the name where the values cannot be what it says.
// What is proposed for a column does not depend on the order of files, rows or
// columns.
func Propose(raws []*Raw) (Mapping, []Note) {
	var m Mapping
	var notes []Note
	sources := newProposals(raws)
	for _, p := range sources {
		p.decide()
		p.refine()
	}
	agree(sources)
	for _, p := range sources {
		m.Sources = append(m.Sources, p.mapping())
		notes = append(notes, p.notes...)
	}
	return m, notes
}

// proposal is the mapping of one source in the making.
type proposal struct {
	raw     *Raw
	key     string
	columns []*candidate
	notes   []Note
}

// candidate is a column and what it is thought to be.
type candidate struct {
	*RawColumn
	profile *profile
	parts   []string // words of its name
	role    Role
	named   bool // the name says so; else the values alone
	why     string
}

// newProposals looks at the values of all columns and finds the keys.
func newProposals(raws []*Raw) []*proposal {
	sources := make([]*proposal, len(raws))
	var all []*candidate
	for i, r := range raws {
		sources[i] = &proposal{raw: r}
		for k := range r.Columns {
			all = append(all, &candidate{RawColumn: &r.Columns[k], parts: nameParts(r.Columns[k].Name)})
		}
		sources[i].columns = slices.Clone(all[len(all)-len(r.Columns):])
	}
	parallel(runtime.GOMAXPROCS(0), len(all), func(i int) { all[i].profile = newProfile(all[i].RawColumn) })
	for _, p := range sources {
		if p.key = proposeKey(p.columns, p.raw.Rows); p.key == "" {
			p.note("", "no column is unique and complete; name the one that is the key with --key")
		}
		p.columns = slices.DeleteFunc(p.columns, func(c *candidate) bool { return c.Name == p.key })
	}
	return sources
}

func (p *proposal) note(column, format string, args ...any) {
	p.notes = append(p.notes, Note{p.raw.Source, column, fmt.Sprintf(format, args...)})
}

// mapping writes the proposal down, in the order of the columns.
func (p *proposal) mapping() SourceMapping {
	s := SourceMapping{Source: p.raw.Source, Key: p.key}
	for _, c := range p.columns {
		m := ColumnMapping{Column: c.Name, As: c.role, Why: c.why}
		switch c.role {
		case role(record.BirthDate), role(record.Date), role(record.CreatedAt), role(record.UpdatedAt):
			m.Layout = dateOrderOf(c.profile.values).String()
		case role(record.Consent):
			p.describeConsent(&m)
		}
		s.Columns = append(s.Columns, m)
	}
	return s
}

// decide finds the role of every column for itself.
func (p *proposal) decide() {
	for _, c := range p.columns {
		named, certain := roleByName(c.Name)
		switch {
		case c.profile.filled == 0:
			c.set(RoleCarried, true, "empty")
		case nested(c.profile.values):
			c.set(RoleCarried, true, "values: nested JSON")
		case c.consents() && fits(role(record.Consent), c.profile):
			c.set(role(record.Consent), true, "name; yes and no")
		case certain == 0:
			r, why := byValues(c.profile)
			c.set(r, false, "values: "+why)
		case ambiguousNames[strings.Join(c.parts, "")]:
			r, why := byAmbiguousName(c.profile)
			c.set(r, true, "name and values: "+why)
		case named == role(record.BirthDate) && c.profile.day >= 0.9:
			c.set(RoleBirthDay, true, "name; days of the month")
		case fits(named, c.profile):
			c.set(named, true, "name")
		default:
			r, why := byValues(c.profile)
			c.set(r, false, "values: "+why)
			p.note(c.Name, "the name says %s, the values do not; taken as %s", named, r)
		}
	}
}

// nested reports that values are JSON objects or arrays, whatever the name says:
// they are carried, not compared.
func nested(values []string) bool {
	n := 0
	for _, v := range values {
		if v != "" && (v[0] == '{' || v[0] == '[') && json.Valid([]byte(v)) {
			n++
		}
	}
	return n > 0 && float64(n) >= 0.9*float64(len(values))
}

func (c *candidate) set(r Role, named bool, why string) { c.role, c.named, c.why = r, named, why }

// ambiguousNames may be the name of a person, an organisation or a thing.
var ambiguousNames = wordSet(`name nimi namn title nome nom displayname accountname customername clientname asiakasnimi kundnamn kundenname asiakkaannimi supplier vendor label entityname legalname`)

// byAmbiguousName tells persons, organisations and texts apart.
func byAmbiguousName(p *profile) (Role, string) {
	switch {
	case p.gender >= 0.9 && p.distinct <= 20:
		return role(record.Gender), "salutations"
	case p.letters < 0.6 || p.words > 6:
		return role(record.Text), "texts"
	case p.person >= 0.25 || p.given >= 0.35 && p.words >= 1.8:
		return RoleFullName, "names of persons"
	case p.legal >= 0.05 || p.org >= 0.1:
		return role(record.Organization), "names of organisations"
	case p.words >= 1.7 && p.words <= 3.5 && p.given >= 0.2:
		return RoleFullName, "words like names"
	}
	return role(record.Text), "texts"
}

// fits reports that values can be what the column's name says. A handful of
// values proves nothing against a name.
func fits(r Role, p *profile) bool {
	if r == role(record.Consent) {
		return p.consent >= 0.95
	}
	if len(p.values) < 3 {
		return true
	}
	never := p.email >= 0.3 || p.date >= 0.5 || p.url >= 0.5
	switch r {
	case role(record.Email):
		return p.email >= 0.3
	case role(record.Phone):
		return p.phone >= 0.3
	case role(record.BirthDate), role(record.CreatedAt), role(record.UpdatedAt), role(record.Date):
		return p.date >= 0.3 || p.zip4 >= 0.8 && p.minInt >= 1800 && p.maxInt <= 2100
	case RoleBirthYear, RoleBirthDay:
		return p.integer >= 0.6
	case RoleBirthMonth:
		return p.integer >= 0.6 || p.letters >= 0.6 && p.distinct <= 60
	case role(record.Gender):
		return p.gender >= 0.5 || p.integer >= 0.9 && p.distinct <= 5
	case role(record.GivenName), role(record.FamilyName), role(record.OtherName), RoleMiddleName, RoleFullName:
		return !never && p.letters >= 0.5 && p.words <= 6
	case role(record.Organization), role(record.City), role(record.Region), role(record.Country), RoleLocality:
		return !never && p.number < 0.5 && p.phone < 0.5
	case role(record.Street), RoleAddressLine, RoleFullAddress:
		return !never && p.number < 0.6 && p.phone < 0.5
	case role(record.HouseNumber):
		return !never && p.letters < 0.6 && p.words <= 3
	case role(record.PostalCode):
		return !never && p.length <= 11 && p.letters < 0.5
	case role(record.NationalID), role(record.Identifier), role(record.BusinessID), role(record.VehicleReg):
		return p.email < 0.5 && p.letters < 0.6 && p.flag < 0.5
	case role(record.Number):
		return p.number >= 0.5
	case role(record.Language):
		return !never && p.letters >= 0.7 && p.distinct <= 200
	case role(record.Unit), role(record.Category):
		return p.words <= 12
	}
	return true
}

// byValues names the role that values alone suggest, and why. Roles of persons
// need a column that is not mostly empty: the director of one school in ten is
// no name of the record.
func byValues(p *profile) (Role, string) {
	common := p.fill() >= 0.3 && p.distinct >= 20
	switch r, why := byShape(p); {
	case p.constant():
		return RoleCarried, "one value only"
	case r != "":
		return r, why
	case p.flag >= 0.95:
		return RoleCarried, "flags"
	case p.fill() < 0.1:
		return RoleCarried, "mostly empty"
	case common && p.fullAddress >= 0.5:
		return RoleFullAddress, "whole addresses"
	case common && p.streetNumber >= 0.5:
		return RoleAddressLine, "streets with numbers"
	case common && p.street >= 0.5 && p.letters >= 0.7:
		return role(record.Street), "streets"
	case common && p.org >= 0.25 && p.words >= 1.5 && p.words <= 5:
		return role(record.Organization), "words of organisations"
	}
	if common && p.letters >= 0.8 {
		if r, why := byNameLists(p); r != "" {
			return r, why
		}
	}
	switch {
	case p.number+p.codes >= 0.9 && p.decimal < 0.05 && p.length >= 6 && p.sameLength >= 0.5 && p.unique() >= 0.3, p.codes >= 0.8 && p.unique() >= 0.2 && p.letters < 0.2 && p.number < 0.5:
		return role(record.Identifier), "codes"
	case p.number >= 0.9:
		return role(record.Number), "numbers"
	case p.distinct <= 60 || p.distinct <= 1000 && p.unique() <= 0.05:
		return role(record.Category), "few distinct values"
	case p.length > 300:
		return RoleCarried, "long texts"
	}
	return role(record.Text), "texts"
}

// byShape names the roles whose values have a shape of their own, or are words
// of a closed list.
func byShape(p *profile) (Role, string) {
	switch {
	case p.email >= 0.7:
		return role(record.Email), "e-mail addresses"
	case p.hetu >= 0.5, p.ssn >= 0.7:
		return role(record.NationalID), "personal identity codes"
	case p.vin >= 0.7, p.plate >= 0.7 && p.unique() > 0.1:
		return role(record.VehicleReg), "number plates"
	case p.business >= 0.7:
		return role(record.BusinessID), "business ids"
	case p.zipUK >= 0.7:
		return role(record.PostalCode), "postal codes"
	case p.zip5 >= 0.85 && p.distinct >= 5 && p.unique() < 0.95:
		return role(record.PostalCode), "five digits"
	case p.zip4 >= 0.85 && p.distinct >= 150 && p.unique() < 0.95 && p.year < 0.9:
		return role(record.PostalCode), "four digits"
	case p.date >= 0.7 && !(p.integer >= 0.9 && p.sameLength < 0.9):
		return role(record.Date), "dates"
	case p.phone >= 0.8 && p.decimal < 0.3 && phones(p):
		return role(record.Phone), "telephone numbers"
	case p.legal >= 0.25:
		return role(record.Organization), "legal forms"
	case p.gender >= 0.9 && p.distinct <= 300 && p.top >= 0.2 && p.fill() >= 0.05:
		return role(record.Gender), "genders"
	case p.language >= 0.95 && p.distinct <= 20 && lowerCase(p.values):
		return role(record.Language), "languages"
	case p.country >= 0.9 && p.distinct <= 250:
		return role(record.Country), "countries"
	case p.region >= 0.8 && p.distinct <= 80:
		return role(record.Region), "states"
	}
	return "", ""
}

// phones reports that values of digits and separators are telephone numbers
// and not other numbers: they are written with a plus or a trunk zero, with
// separators, or a numbering plan fits them better than chance.
func phones(p *profile) bool {
	if p.integer < 0.5 && p.length >= 8 && p.length <= 17 {
		_, lift := normalize.GuessRegion(p.values[:min(40, len(p.values))])
		return lift >= 0.25 || startsWith(p.values, "+0(") >= 0.6
	}
	if p.unique() < 0.1 || p.length < 7 || p.length > 13 {
		return false
	}
	if startsWith(p.values, "+0") >= 0.8 && p.sameLength >= 0.4 {
		return true
	}
	_, lift := normalize.GuessRegion(p.values[:min(40, len(p.values))])
	return lift >= 0.4
}

// startsWith is the share of values that begin with one of the signs.
func startsWith(values []string, signs string) float64 {
	n := 0
	for _, v := range values {
		if v != "" && strings.IndexByte(signs, v[0]) >= 0 {
			n++
		}
	}
	return float64(n) / float64(max(1, len(values)))
}

func lowerCase(values []string) bool {
	for _, v := range values {
		if strings.ToLower(v) != v {
			return false
		}
	}
	return true
}

// byNameLists recognises names by the lists of common ones.
func byNameLists(p *profile) (Role, string) {
	switch {
	case p.distinct < 20 || p.org >= 0.1:
		return "", ""
	case p.words >= 1.7 && p.words <= 4 && p.person >= 0.3:
		return RoleFullName, "known given and family names"
	case p.words <= 2.2 && p.given >= 0.35 && p.given > 1.5*p.family:
		return role(record.GivenName), "known given names"
	case p.words <= 1.8 && p.family >= 0.25 && p.family > 1.5*p.given:
		return role(record.FamilyName), "known family names"
	}
	return "", ""
}

// agree makes columns of one name in several sources the same kind of column:
// the kind that most filled rows have, where all of them can be it. A name that
// says nothing (col1, x7) binds only sources that have all their names alike.
func agree(sources []*proposal) {
	alike := true
	for _, p := range sources {
		alike = alike && p.schema() == sources[0].schema()
	}
	byName := make(map[string][]*candidate)
	var names []string
	for _, p := range sources {
		for _, c := range p.columns {
			name := strings.Join(c.parts, "_")
			if !alike && !meaningful(c.parts) {
				continue
			}
			if byName[name] == nil {
				names = append(names, name)
			}
			byName[name] = append(byName[name], c)
		}
	}
	for _, name := range names {
		agreeOn(byName[name])
	}
}

// schema is the source's column names, in order of name.
func (p *proposal) schema() string {
	names := columnNames(p.raw)
	slices.Sort(names)
	return strings.Join(names, "\x00")
}

// meaningful reports a column name with a word that is not made up.
func meaningful(parts []string) bool {
	for _, p := range parts {
		switch w := strings.Trim(p, "0123456789"); w {
		case "", "col", "column", "field", "var", "variable", "attr", "attribute", "value", "feature", "unnamed", "sarake", "spalte", "kolumn", "kentta", "feld", "falt":
		default:
			if len(w) > 2 {
				return true
			}
		}
	}
	return false
}

// agreeOn gives columns of one name the role that most of their rows have.
func agreeOn(same []*candidate) {
	votes := make(map[Role]int)
	filled, rows, known := 0, 0, false
	for _, c := range same {
		votes[c.role] += c.profile.filled
		filled, rows, known = filled+c.profile.filled, rows+c.profile.rows, known || c.named && c.profile.filled > 0
	}
	if len(votes) < 2 {
		return
	}
	if !known && 10*filled < rows {
		votes[RoleCarried] += rows
	}
	roles := make([]Role, 0, len(votes))
	for r := range votes {
		roles = append(roles, r)
	}
	slices.SortFunc(roles, func(a, b Role) int {
		return cmp.Or(cmp.Compare(votes[b], votes[a]), strings.Compare(string(a), string(b)))
	})
	for _, c := range same {
		if c.role != roles[0] && (c.profile.filled == 0 || fits(roles[0], c.profile)) {
			c.set(roles[0], c.named, "as in the other sources")
		}
	}
}
