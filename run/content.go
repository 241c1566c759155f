package run

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"sama/graph"
	"sama/record"
	"sama/run/index"
)

// NoRecord stands where a record number is missing.
const NoRecord uint32 = math.MaxUint32

// NoLevel is the level of a comparison that saw a null on either side.
const NoLevel uint8 = math.MaxUint8

// Content is all that a run has found. Publish does not change it, and none of
// its slices may change while Publish runs.
type Content struct {
	Table *record.Table

	// Identity maps a record to its identity's number, by which Assigned knows
	// the ids, the founding records, the events and the dormant ids. Every
	// identity has at least one record.
	Identity []uint32
	Assigned *graph.Assignment
	// Gone are the keys of records that events or dormant ids name though they
	// are not in Table: record Table.Len()+i is Gone[i]. Ascending.
	Gone []record.Key
	// Times bounds, identity by identity, when the sources saw it: by what earlier
	// runs knew. nil where there is no earlier run.
	Times []Times
	// Fingerprint maps a record to a hash of its values, see [Fingerprints]; nil
	// has them computed.
	Fingerprint []uint64

	// Golden has one element per column of Table, in its order; nil writes
	// golden records without field columns. RuleNames are the survivorship
	// rules that GoldenColumn.Rule counts in.
	Golden    []GoldenColumn
	RuleNames []string

	// Edges are the scored pairs kept, each pair once. Rule and Levels run
	// beside them: Rule[e] indexes BlockingRules, and Levels[e*len(Comparisons)+c]
	// is edge e's level in comparison c, or NoLevel.
	Edges         []record.Edge
	Rule          []uint16
	Levels        []uint8
	BlockingRules []string
	Comparisons   []Comparison

	Rejects []Reject

	// Consents are what the records said of uses of their persons' data; nil where
	// no column says anything of that.
	Consents *Consents

	// Sections are what serving keeps in the profile index beside what the run
	// itself puts there.
	Sections []index.Section

	Config []byte // sama.yaml as used
	Model  []byte // model.json as used
	Report []byte // report.html

	// Info is what goes into run.json. The fields marked "set by Publish" are
	// overwritten.
	Info Info
}

// Times are Unix seconds, 0 where nothing is known.
type Times struct {
	First   int64 // when a source first made a record of the identity
	Changed int64 // when one last changed
}

// GoldenColumn is one table column of all golden records.
type GoldenColumn struct {
	// Chosen maps an identity to the record whose raw value won, NoRecord where
	// no record has a value.
	Chosen []uint32
	// Rule maps an identity to the index in Content.RuleNames of the rule that
	// decided; not looked at where nothing was chosen.
	Rule []uint8
	// Losing holds the values that lost, identity by identity: those of identity
	// i are LosingStart[i] to LosingStart[i+1]−1. Both nil where nothing lost.
	LosingStart []uint32
	Losing      []Losing
}

// Losing is a value that a golden record did not take.
type Losing struct {
	Record  uint32 // a record that holds it
	Records uint32 // the number of records of the identity that hold it
}

// Comparison names a comparison and its levels by number.
type Comparison struct {
	Name   string
	Levels []string
}

// Reject is a piece of input that was refused.
type Reject struct {
	File   string
	Row    int64  // 1-based data row; 0 = the whole file
	Column string // "" = the whole row
	Reason string
	Value  string
}

// validate returns every inconsistency at once. They are bugs of the caller,
// but a run directory is not where they may surface.
func (c *Content) validate() error {
	if c.Table == nil {
		return errors.New("run content: no table")
	}
	var bad []error
	need := func(ok bool, format string, args ...any) {
		if !ok {
			bad = append(bad, fmt.Errorf("run content: "+format, args...))
		}
	}
	if c.Assigned == nil {
		return errors.New("run content: no identities assigned")
	}
	n, ids := c.Table.Len(), len(c.Assigned.IDs)
	need(len(c.Identity) == n, "%d identities for %d records", len(c.Identity), n)
	for _, s := range c.Table.Sources {
		need(s != "" && s[0] != '.' && !strings.ContainsAny(s, "/\\:\x00"), "source name %q cannot be a file name", s)
	}
	need(c.Golden == nil || len(c.Golden) == len(c.Table.Columns), "%d golden columns for %d table columns", len(c.Golden), len(c.Table.Columns))
	for i, g := range c.Golden {
		need(len(g.Chosen) == ids && len(g.Rule) == ids, "golden column %d: %d values and %d rules for %d identities", i, len(g.Chosen), len(g.Rule), ids)
		need(g.LosingStart == nil || len(g.LosingStart) == ids+1, "golden column %d: %d losing starts for %d identities", i, len(g.LosingStart), ids)
	}
	need(len(c.Assigned.Founder) == ids, "%d founding records for %d identities", len(c.Assigned.Founder), ids)
	need(c.Times == nil || len(c.Times) == ids, "%d times for %d identities", len(c.Times), ids)
	need(c.Fingerprint == nil || len(c.Fingerprint) == n, "%d fingerprints for %d records", len(c.Fingerprint), n)
	need(c.Info.Number > 0, "run number %d", c.Info.Number)
	need(len(c.Rule) == len(c.Edges), "%d blocking rules for %d edges", len(c.Rule), len(c.Edges))
	need(len(c.Levels) == len(c.Edges)*len(c.Comparisons), "%d levels for %d edges and %d comparisons", len(c.Levels), len(c.Edges), len(c.Comparisons))
	if c.Consents != nil {
		need(c.Consents.valid(n, c.Info.Number), "consents name columns, records or runs that are not there")
	}
	need(len(c.Config) > 0 && len(c.Model) > 0 && len(c.Report) > 0, "configuration, model and report must all be given")
	if err := errors.Join(bad...); err != nil {
		return err
	}
	return c.validateNumbers()
}

// validateNumbers checks that record, identity, rule and level numbers exist.
func (c *Content) validateNumbers() error {
	n := uint32(c.Table.Len())
	seen := make([]bool, len(c.Assigned.IDs))
	for i, id := range c.Identity {
		if int(id) >= len(seen) {
			return fmt.Errorf("run content: record %d has identity %d of %d", i, id, len(seen))
		}
		seen[id] = true
	}
	for i, ok := range seen {
		if !ok || c.Assigned.IDs[i] == 0 {
			return fmt.Errorf("run content: identity %d %s has no record or no id", i, c.Assigned.IDs[i])
		}
		if f := c.Assigned.Founder[i]; f >= n || c.Identity[f] != uint32(i) {
			return fmt.Errorf("run content: identity %d: record %d of another founds it", i, f)
		}
	}
	known := n + uint32(len(c.Gone))
	for _, e := range c.Assigned.Events {
		if len(e.Records) > 0 && e.Records[len(e.Records)-1] >= known {
			return fmt.Errorf("run content: event of %s: record %d of %d", e.Identity, e.Records[len(e.Records)-1], known)
		}
	}
	for _, d := range c.Assigned.Dormant {
		if len(d.Records) > 0 && d.Records[len(d.Records)-1] >= known {
			return fmt.Errorf("run content: dormant identity %s: record %d of %d", d.ID, d.Records[len(d.Records)-1], known)
		}
	}
	for i, e := range c.Edges {
		if e.A >= e.B || e.B >= n || int(c.Rule[i]) >= len(c.BlockingRules) {
			return fmt.Errorf("run content: edge %d: records %d and %d of %d, blocking rule %d of %d", i, e.A, e.B, n, c.Rule[i], len(c.BlockingRules))
		}
	}
	for i, l := range c.Levels {
		if cmp := c.Comparisons[i%len(c.Comparisons)]; l != NoLevel && int(l) >= len(cmp.Levels) {
			return fmt.Errorf("run content: edge %d: level %d of comparison %s, which has %d", i/len(c.Comparisons), l, cmp.Name, len(cmp.Levels))
		}
	}
	for k, g := range c.Golden {
		for i, r := range g.Chosen {
			if r != NoRecord && (r >= n || int(g.Rule[i]) >= len(c.RuleNames)) {
				return fmt.Errorf("run content: golden column %d, identity %d: record %d of %d, rule %d of %d", k, i, r, n, g.Rule[i], len(c.RuleNames))
			}
		}
		for _, l := range g.Losing {
			if l.Record >= n {
				return fmt.Errorf("run content: golden column %d: losing record %d of %d", k, l.Record, n)
			}
		}
	}
	return nil
}
