package online

import (
	"encoding/json"
	"fmt"
	"strings"

	"sama/match"
	"sama/match/blocking"
	"sama/record"
	"sama/run/index"
)

// The sections of the profile index that this package keeps there. The first is
// JSON, a header; numbered behind it come, for each blocking rule, its keys,
// records and splits, and for each count of the population hashes and numbers.
const (
	sectionHeader  = "online"
	sectionRule    = "online.rule."
	sectionSearch  = "online.search."
	sectionCounts  = "online.counts."
	headerRevision = 2
)

// header says what the other sections are.
type header struct {
	Revision  int      `json:"revision"`
	Records   uint32   `json:"records"`
	Rules     []string `json:"rules"`
	Splitters []string `json:"splitters"`
	Columns   []string `json:"columns"`
	Search    []string `json:"search"` // rules of a partial record
	Counts    []string `json:"counts"`
	Settings  Settings `json:"settings"`
}

// Sections returns what a run's index must hold for records that come later to
// be matched as the run matched its own.
func Sections(p *match.Plan, b *blocking.Plan, settings Settings) ([]index.Section, error) {
	postings, population := b.Postings(), p.Population()
	h := header{Revision: headerRevision, Records: population.Records, Splitters: postings.Splitters, Columns: postings.Columns, Settings: settings}
	var list []index.Section
	for i, r := range postings.Rules {
		h.Rules = append(h.Rules, r.Name)
		list = append(list, ruleSections(fmt.Sprint(sectionRule, i), &r)...)
	}
	for i, r := range searchPostings(p.Table).Rules {
		h.Search = append(h.Search, r.Name)
		list = append(list, ruleSections(fmt.Sprint(sectionSearch, i), &r)...)
	}
	for i, c := range population.All() {
		h.Counts = append(h.Counts, c.What)
		name := fmt.Sprint(sectionCounts, i)
		list = append(list,
			index.Uint64Section(name+".hashes", c.Hashes),
			index.Uint32Section(name+".numbers", c.Number))
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	return append(list, index.Uint8Section(sectionHeader, text)), nil
}

// ruleSections are the sections of one rule.
func ruleSections(name string, r *blocking.RulePostings) []index.Section {
	splits := make([]uint64, len(r.Splits))
	for k, s := range r.Splits {
		splits[k] = uint64(s.Key)<<32 | uint64(uint32(s.By))
	}
	return []index.Section{
		index.Uint32Section(name+".keys", r.Keys),
		index.Uint32Section(name+".records", r.Records),
		index.Uint64Section(name+".splits", splits),
	}
}

// searchRules are what a partial record is looked for by besides the rules of the
// night, which expect whole ones. Where more than searchBlock records have what a
// rule asks for, that says too little by itself.
var searchRules = [][]string{
	{"birth_date"}, {"family_name", "given_name.initial"}, {"given_name", "family_name.initial"},
	{"given_name.start", "family_name.start"}, {"given_name.sound", "family_name.sound"},
}

const searchBlock = 400

// searchColumns are the columns that those rules look at.
func searchColumns(t *record.Table) []*record.Column {
	var columns []*record.Column
	for _, f := range []record.Field{record.GivenName, record.FamilyName, record.BirthDate} {
		if c := t.Column(f); c != nil {
			columns = append(columns, c)
		}
	}
	return columns
}

// searchPostings are the postings of the search rules, as far as the table has
// what they look at.
func searchPostings(t *record.Table) *blocking.Postings {
	var rules []blocking.Rule
	if columns := searchColumns(t); len(columns) > 0 {
		all := blocking.Expressions(t, columns)
		for _, names := range searchRules {
			if rule, err := blocking.ParseRule(strings.Join(names, " + "), all); err == nil {
				rules = append(rules, rule)
			}
		}
	}
	return blocking.NewPlan(t, rules, blocking.Options{Limit: searchBlock}).Postings()
}

// kept is what a run's index holds for matching.
type kept struct {
	postings, search *blocking.Postings
	population       *record.Population
	settings         Settings
}

// readRules reads the sections of rules.
func readRules(x *index.Index, section string, names []string) (list []blocking.RulePostings, err error) {
	for i, name := range names {
		r := blocking.RulePostings{Name: name}
		at := fmt.Sprint(section, i)
		if r.Keys, err = x.Uint32(at + ".keys"); err != nil {
			return nil, err
		}
		if r.Records, err = x.Uint32(at + ".records"); err != nil {
			return nil, err
		}
		splits, err := x.Uint64(at + ".splits")
		if err != nil {
			return nil, err
		}
		for _, s := range splits {
			r.Splits = append(r.Splits, blocking.Split{Key: uint32(s >> 32), By: int(int32(uint32(s)))})
		}
		list = append(list, r)
	}
	return list, nil
}

// readSections reads what Sections returned.
func readSections(x *index.Index) (*kept, error) {
	fail := func(err error) (*kept, error) { return nil, fmt.Errorf("profile index: %w", err) }
	text, err := x.Uint8(sectionHeader)
	if err != nil {
		return fail(err)
	}
	var h header
	if err := json.Unmarshal(text, &h); err != nil {
		return fail(fmt.Errorf("section %s: %w", sectionHeader, err))
	}
	if h.Revision != headerRevision {
		return fail(fmt.Errorf("matching sections of revision %d; this sama reads %d: run sama resolve again", h.Revision, headerRevision))
	}
	k := &kept{postings: &blocking.Postings{Splitters: h.Splitters, Columns: h.Columns}, settings: h.Settings}
	k.search = &blocking.Postings{Columns: []string{record.GivenName.String(), record.FamilyName.String(), record.BirthDate.String()}}
	if k.postings.Rules, err = readRules(x, sectionRule, h.Rules); err != nil {
		return fail(err)
	}
	if k.search.Rules, err = readRules(x, sectionSearch, h.Search); err != nil {
		return fail(err)
	}
	var counts []record.Counts
	for i, what := range h.Counts {
		c := record.Counts{What: what}
		section := fmt.Sprint(sectionCounts, i)
		if c.Hashes, err = x.Uint64(section + ".hashes"); err != nil {
			return fail(err)
		}
		if c.Number, err = x.Uint32(section + ".numbers"); err != nil {
			return fail(err)
		}
		counts = append(counts, c)
	}
	k.population = record.NewPopulation(h.Records, counts)
	return k, nil
}
