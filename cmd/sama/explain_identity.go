package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"sama/graph"
	"sama/graph/golden"
)

// identityExplanation is an identity with all that holds it together, as
// --json prints it.
type identityExplanation struct {
	Identity  string           `json:"identity"`
	Members   []identityMember `json:"members"`
	Edges     []identityEdge   `json:"edges"`   // inside, strongest first
	Outside   []identityEdge   `json:"nearest"` // to records of other identities, strongest first
	Golden    []goldenValue    `json:"golden"`
	Cohesion  *cohesion        `json:"cohesion,omitempty"`
	Decisions []string         `json:"decisions,omitempty"` // of stewards, on its records
}

type identityMember struct {
	Key    string            `json:"key"`
	Values map[string]string `json:"values"`
	Line   string            `json:"-"`
}

type identityEdge struct {
	A       string  `json:"a"`
	B       string  `json:"b"`
	Bits    float64 `json:"match_weight"`
	FoundBy string  `json:"found_by"`
}

type goldenValue struct {
	Field  string        `json:"field"`
	Value  string        `json:"value"`
	Record string        `json:"record"`
	Rule   string        `json:"rule"`
	Losing []losingValue `json:"losing"`
}

type losingValue struct {
	Value   string `json:"value"`
	Record  string `json:"record"`
	Records uint32 `json:"records"`
}

type cohesion struct {
	Weakest   float64 `json:"weakest_edge"`
	Bridges   uint32  `json:"bridges"`
	Conflicts uint32  `json:"conflicts"`
	Loosest   string  `json:"loosest_record"`
	Hold      float64 `json:"hold_bits"`
	Wrong     float64 `json:"probability_that_it_does_not_belong"`
}

// maxOutside is how many edges to other identities are shown.
const maxOutside = 10

// clustering returns the options that the run clustered with.
func (p *past) clustering() graph.Options {
	opt := graph.DefaultOptions(p.cut)
	opt.Workers = p.workers
	return opt
}

// explainIdentity explains the identity of a record, or one named by its id.
func (p *past) explainIdentity(name string) error {
	identity, err := p.identityOf(name)
	if err != nil {
		return err
	}
	x, err := p.identity(identity)
	if err != nil {
		return err
	}
	if p.json {
		return printJSON(p.stdout, x)
	}
	x.print(p.stdout)
	return nil
}

// identityOf finds an identity by a record key or by its id.
func (p *past) identityOf(name string) (uint32, error) {
	if strings.Contains(name, ":") {
		_, m, err := p.record(name)
		if err != nil {
			return 0, err
		}
		return p.members.Identity[m], nil
	}
	id, err := graph.ParseIdentityID(name)
	if err != nil {
		return 0, usagef("%s is neither a record key such as crm:C0012 nor an identity id: %w", printable(name), err)
	}
	if i, ok := p.members.FindIdentity(id.String()); ok {
		return i, nil
	}
	return p.leadsTo(id)
}

// leadsTo finds the identity that an id leads to which is no identity now.
func (p *past) leadsTo(id graph.IdentityID) (uint32, error) {
	ids, into, err := p.run.Aliases()
	if err != nil {
		return 0, err
	}
	for i := range uint32(ids.Len()) {
		if ids.At(i) != id.String() {
			continue
		}
		if into.At(i) == "" {
			return 0, usagef("identity %s is retired: none of the records that it had is in run %s", id, p.run.Info.ID)
		}
		live, ok := p.members.FindIdentity(into.At(i))
		if !ok {
			return 0, fmt.Errorf("identity %s leads to %s, which run %s does not have; sama check says more", id, into.At(i), p.run.Info.ID)
		}
		fmt.Fprintf(p.stderr, "sama: note: identity %s leads to %s now\n", id, into.At(i))
		return live, nil
	}
	return 0, usagef("identity %s was not issued up to run %s", id, p.run.Info.ID)
}

// identity gathers all about one identity.
func (p *past) identity(identity uint32) (*identityExplanation, error) {
	x := &identityExplanation{Identity: p.members.Identities.At(identity), Edges: []identityEdge{}, Outside: []identityEdge{}, Golden: []goldenValue{}}
	var members []uint32
	for m, of := range p.members.Identity {
		if of == identity {
			members = append(members, uint32(m))
		}
	}
	for _, m := range members {
		k := p.members.Key(m)
		row := identityMember{Key: k.String(), Values: map[string]string{}}
		if t, ok := p.table.Find(k); ok {
			row.Line = oneLine(p.table, t)
			for _, c := range p.table.Columns {
				if v := c.RawValue(t); v != "" {
					row.Values[c.Name] = v
				}
			}
		}
		x.Members = append(x.Members, row)
	}
	for i, e := range p.edges {
		inA, inB := p.members.Identity[e.A] == identity, p.members.Identity[e.B] == identity
		edge := identityEdge{p.members.Key(e.A).String(), p.members.Key(e.B).String(), e.Weight.Bits(), p.found[i]}
		switch {
		case inA && inB:
			x.Edges = append(x.Edges, edge)
		case inA || inB:
			x.Outside = append(x.Outside, edge)
		}
	}
	for _, d := range p.decided {
		m, ok := p.members.Find(d.A)
		if !ok || p.members.Identity[m] != identity {
			m, ok = p.members.Find(d.B)
		}
		if ok && p.members.Identity[m] == identity {
			x.Decisions = append(x.Decisions, fmt.Sprintf("%s %s %s: %s", d.A, d.Kind, d.B, decisionText(&d)))
		}
	}
	strongest := func(a, b identityEdge) int { return cmp.Compare(b.Bits, a.Bits) }
	slices.SortStableFunc(x.Edges, strongest)
	slices.SortStableFunc(x.Outside, strongest)
	x.Outside = x.Outside[:min(len(x.Outside), maxOutside)]
	x.Cohesion = p.cohesion(identity, members)
	var err error
	x.Golden, err = p.goldenOf(members)
	return x, err
}

// cohesion says how firmly an identity of several records holds.
func (p *past) cohesion(identity uint32, members []uint32) *cohesion {
	if len(members) < 2 {
		return nil
	}
	clusters := graph.ClustersOf(p.members.Identity)
	all := graph.Cohere(clusters, p.edges, p.memberConstraints(), p.clustering())
	c := all[clusters.Of[members[0]]]
	wrong := (-c.Hold).Probability()
	if c.Conflicts > 0 {
		wrong = 1
	}
	return &cohesion{c.Weakest.Bits(), c.Bridges, c.Conflicts, p.members.Key(c.Loosest).String(), c.Hold.Bits(), wrong}
}

// print shows the identity on a terminal.
func (x *identityExplanation) print(w io.Writer) {
	fmt.Fprintf(w, "Identity %s, %s\n\n", x.Identity, plural(len(x.Members), "record", "records"))
	t := newTable()
	for _, m := range x.Members {
		t.row(m.Key, shorten(m.Line, 110))
	}
	t.write(w, "  ")
	if len(x.Edges) > 0 {
		fmt.Fprintln(w, "\nEvidence inside")
		printEdges(w, x.Edges, 20)
	}
	if len(x.Decisions) > 0 {
		fmt.Fprintln(w, "\nDecisions")
		for _, d := range x.Decisions {
			fmt.Fprintf(w, "  %s\n", printable(d))
		}
	}
	if c := x.Cohesion; c != nil {
		fmt.Fprintf(w, "\nThe loosest record is %s, held by %s bits: %s that it does not belong.\n", printable(c.Loosest), bits(c.Hold), percent(c.Wrong))
		if c.Bridges > 0 {
			fmt.Fprintf(w, "Without %s it would fall apart.\n", plural(int64(c.Bridges), "single edge", "single edges"))
		}
		if c.Conflicts > 0 {
			fmt.Fprintf(w, "%s overruled: look at it.\n", plural(int64(c.Conflicts), "strong contradiction was", "strong contradictions were"))
		}
	}
	if len(x.Outside) > 0 {
		fmt.Fprintln(w, "\nNearest records of other identities")
		printEdges(w, x.Outside, 5)
	}
	if len(x.Golden) > 0 {
		fmt.Fprintln(w, "\nGolden record")
		t := newTable("field", "value", "from", "because", "lost")
		for _, g := range x.Golden {
			var lost []string
			for _, l := range g.Losing {
				lost = append(lost, fmt.Sprintf("%s (%s)", shorten(l.Value, 30), l.Record))
			}
			t.row(g.Field, shorten(g.Value, 40), g.Record, g.Rule, shorten(strings.Join(lost, "; "), 70))
		}
		t.write(w, "  ")
	}
}

func printEdges(w io.Writer, edges []identityEdge, most int) {
	t := newTable("", "", "bits", "found by").right(3)
	for _, e := range edges[:min(len(edges), most)] {
		t.row(e.A, e.B, bits(e.Bits), e.FoundBy)
	}
	t.write(w, "  ")
	if more := len(edges) - most; more > 0 {
		fmt.Fprintf(w, "  and %d more\n", more)
	}
}

// goldenOf merges the records of one identity as the run did.
func (p *past) goldenOf(members []uint32) ([]goldenValue, error) {
	labels := make([]uint32, p.table.Len())
	for i := range labels {
		labels[i] = uint32(i) + 1
	}
	first := uint32(0)
	for i, m := range members {
		t, ok := p.table.Find(p.members.Key(m))
		if !ok {
			continue
		}
		labels[t] = 0
		if i == 0 {
			first = t
		}
	}
	clusters := graph.ClustersOf(labels)
	columns, err := golden.Merge(p.table, clusters, p.conf.Golden, nil, p.workers)
	if err != nil {
		return nil, err
	}
	identity := clusters.Of[first]
	values := []goldenValue{}
	for i, c := range columns {
		r := c.Chosen[identity]
		if r == golden.NoRecord {
			continue
		}
		column := p.table.Columns[i]
		v := goldenValue{Field: column.Name, Value: column.RawValue(r), Record: p.table.Key(r).String(), Rule: c.Rule[identity].String(), Losing: []losingValue{}}
		for k := c.LosingStart[identity]; k < c.LosingStart[identity+1]; k++ {
			l := c.Losing[k]
			v.Losing = append(v.Losing, losingValue{column.RawValue(l.Record), p.table.Key(l.Record).String(), l.Records})
		}
		values = append(values, v)
	}
	return values, nil
}
