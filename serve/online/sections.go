package online

import (
	"encoding/json"
	"fmt"

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
	sectionCounts  = "online.counts."
	headerRevision = 1
)

// header says what the other sections are.
type header struct {
	Revision  int      `json:"revision"`
	Records   uint32   `json:"records"`
	Rules     []string `json:"rules"`
	Splitters []string `json:"splitters"`
	Columns   []string `json:"columns"`
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
		splits := make([]uint64, len(r.Splits))
		for k, s := range r.Splits {
			splits[k] = uint64(s.Key)<<32 | uint64(uint32(s.By))
		}
		name := fmt.Sprint(sectionRule, i)
		list = append(list,
			index.Uint32Section(name+".keys", r.Keys),
			index.Uint32Section(name+".records", r.Records),
			index.Uint64Section(name+".splits", splits))
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

// readSections reads what Sections returned.
func readSections(x *index.Index) (*blocking.Postings, *record.Population, Settings, error) {
	fail := func(err error) (*blocking.Postings, *record.Population, Settings, error) {
		return nil, nil, Settings{}, fmt.Errorf("profile index: %w", err)
	}
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
	postings := &blocking.Postings{Splitters: h.Splitters, Columns: h.Columns}
	for i, name := range h.Rules {
		r := blocking.RulePostings{Name: name}
		section := fmt.Sprint(sectionRule, i)
		if r.Keys, err = x.Uint32(section + ".keys"); err != nil {
			return fail(err)
		}
		if r.Records, err = x.Uint32(section + ".records"); err != nil {
			return fail(err)
		}
		splits, err := x.Uint64(section + ".splits")
		if err != nil {
			return fail(err)
		}
		for _, s := range splits {
			r.Splits = append(r.Splits, blocking.Split{Key: uint32(s >> 32), By: int(int32(uint32(s)))})
		}
		postings.Rules = append(postings.Rules, r)
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
	return postings, record.NewPopulation(h.Records, counts), h.Settings, nil
}
