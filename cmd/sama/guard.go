package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sama/graph"
)

// guard is a limit to what a night may change, such as split>0.5%.
type guard struct {
	kind    string  // an event, records_added, records_gone or golden_changed
	orEqual bool    // the limit itself is too much as well
	limit   float64 // a number, or a share where percent is set
	percent bool    // of what the run before had: records for the kinds of records, else identities
}

// guardForm is KIND OP NUMBER[%].
var guardForm = regexp.MustCompile(`^\s*([a-z_]+)\s*(>=|>)\s*([0-9]+(?:\.[0-9]+)?)\s*(%?)\s*$`)

// The kinds that guards know beside the events.
const (
	recordsAdded  = "records_added"
	recordsGone   = "records_gone"
	goldenChanged = "golden_changed"
)

// guardKinds are all kinds that a guard can limit.
func guardKinds() []string {
	var kinds []string
	for _, kind := range graph.EventKinds() {
		kinds = append(kinds, kind.String())
	}
	return append(kinds, recordsAdded, recordsGone, goldenChanged)
}

// guardHelp says in a flag's help what guards are.
const guardHelp = "fail if a change is larger: `KIND>NUMBER[%]`, such as split>0.5%; repeatable"

// parseGuards reads guards, several of one text parted by commas. Its error is a
// usage error that names everything that is wrong.
func parseGuards(texts []string) ([]guard, error) {
	var guards []guard
	var bad []string
	for _, text := range texts {
		for part := range strings.SplitSeq(text, ",") {
			g, err := parseGuard(part)
			if err != nil {
				bad = append(bad, err.Error())
				continue
			}
			guards = append(guards, g)
		}
	}
	if len(bad) > 0 {
		return nil, usagef("%s", strings.Join(bad, "\n"))
	}
	return guards, nil
}

// parseGuard reads one guard.
func parseGuard(text string) (guard, error) {
	m := guardForm.FindStringSubmatch(text)
	if m == nil {
		return guard{}, fmt.Errorf("--fail-if %q: want KIND>NUMBER or KIND>=NUMBER, with %% for a share, such as 'split>0.5%%'", text)
	}
	if !slices.Contains(guardKinds(), m[1]) {
		return guard{}, fmt.Errorf("--fail-if %q: no kind %q; want one of %s", text, m[1], joinComma(guardKinds()))
	}
	limit, err := strconv.ParseFloat(m[3], 64)
	if err != nil {
		return guard{}, fmt.Errorf("--fail-if %q: %q is no number", text, m[3])
	}
	return guard{m[1], m[2] == ">=", limit, m[4] == "%"}, nil
}

// String writes the guard as it is given.
func (g guard) String() string {
	op, unit := ">", ""
	if g.orEqual {
		op = ">="
	}
	if g.percent {
		unit = "%"
	}
	return g.kind + op + strconv.FormatFloat(g.limit, 'f', -1, 64) + unit
}

// guardBase is what the run before had.
type guardBase struct {
	identities, records int64
}

// check returns "" if the counts by kind are within the guard, else what is too
// much. A share of nothing is within every guard: there is nothing that could be
// protected.
func (g guard) check(counts map[string]int64, base guardBase) string {
	of, name := base.identities, "identities"
	if g.kind == recordsAdded || g.kind == recordsGone {
		of, name = base.records, "records"
	}
	n := counts[g.kind]
	value, figure := float64(n), fmt.Sprintf("%s %s", strings.ReplaceAll(g.kind, "_", " "), count(n))
	if g.percent {
		if of == 0 {
			return ""
		}
		value = 100 * float64(n) / float64(of)
		figure += fmt.Sprintf(" of %s %s, %.4g %%", count(of), name, value)
	}
	if value > g.limit || g.orEqual && value >= g.limit {
		return fmt.Sprintf("%s: the limit is %s", figure, g)
	}
	return ""
}

// checkGuards returns what is too much, in the order of the guards.
func checkGuards(guards []guard, counts map[string]int64, base guardBase) []string {
	violated := []string{}
	for _, g := range guards {
		if v := g.check(counts, base); v != "" {
			violated = append(violated, v)
		}
	}
	return violated
}
