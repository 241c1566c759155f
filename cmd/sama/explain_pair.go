package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"sama/graph"
	"sama/match"
	"sama/match/comparison"
	"sama/record"
	"sama/serve/store"
)

// pairExplanation is why two records did or did not match, as --json prints it.
// prior_bits, the bits of all steps and other_kinds_bits sum to match_weight.
type pairExplanation struct {
	A           string     `json:"a"`
	B           string     `json:"b"`
	IdentityA   string     `json:"identity_a"`
	IdentityB   string     `json:"identity_b"`
	Same        bool       `json:"same_identity"`
	Weight      float64    `json:"match_weight"`
	Probability float64    `json:"probability"`
	Threshold   float64    `json:"threshold"`
	Prior       float64    `json:"prior_bits"`
	Against     string     `json:"against"` // the kind of non-match that the steps weigh against
	Steps       []pairStep `json:"steps"`
	OtherKinds  float64    `json:"other_kinds_bits"`
	Rules       []string   `json:"blocking_rules"`          // that bring the two together
	Equal       bool       `json:"equal_records,omitempty"` // one of many equals: compared with the first of them only
	FoundBy     string     `json:"found_by,omitempty"`
	Verdict     string     `json:"verdict"`
	Chain       []string   `json:"chain,omitempty"`
	Changes     []string   `json:"what_would_change_it"`
	Decisions   []string   `json:"decisions,omitempty"` // of stewards, on the two
}

type pairStep struct {
	Comparison string  `json:"comparison"`
	A          string  `json:"a"`
	B          string  `json:"b"`
	Level      string  `json:"level"`
	Bits       float64 `json:"bits"`
	Total      float64 `json:"running_total"`
	Untrained  bool    `json:"untrained,omitempty"`
}

// explainPair explains two records.
func (p *past) explainPair(keyA, keyB string) error {
	a, memberA, err := p.record(keyA)
	if err != nil {
		return err
	}
	b, memberB, err := p.record(keyB)
	if err != nil {
		return err
	}
	if a == b {
		return usagef("%s twice: name two different records, or one to see its identity", printable(keyA))
	}
	x := p.pair(a, b, memberA, memberB)
	if p.json {
		return printJSON(p.stdout, x)
	}
	x.print(p.stdout)
	return nil
}

// pair gathers the explanation of two different records.
func (p *past) pair(a, b, memberA, memberB uint32) *pairExplanation {
	// The comparisons see the smaller record first, as in the run.
	if a > b {
		a, b, memberA, memberB = b, a, memberB, memberA
	}
	pair := record.Pair{A: a, B: b}
	e := p.plan.Explain(pair, p.model, nil)
	ids := p.members.Identities
	x := &pairExplanation{
		A: e.A.String(), B: e.B.String(),
		IdentityA: ids.At(p.members.Identity[memberA]), IdentityB: ids.At(p.members.Identity[memberB]),
		Weight: e.Weight.Bits(), Probability: e.Probability, Threshold: p.cut.Bits(),
		Prior: e.Prior.Bits(), Against: e.Against, OtherKinds: e.OtherKinds.Bits(),
		Rules: []string{}, Decisions: p.decisionsOn(e.A, e.B),
	}
	var rules []int
	rules, x.Equal = p.rulesOf(pair)
	for _, r := range rules {
		x.Rules = append(x.Rules, p.rules.Rules[r].Name)
	}
	x.Same = x.IdentityA == x.IdentityB
	total := e.Prior
	for _, s := range e.Steps {
		total += s.Weight
		x.Steps = append(x.Steps, pairStep{s.Comparison, s.A, s.B, s.Level, s.Weight.Bits(), total.Bits(), s.Untrained})
	}
	_, x.FoundBy, _ = p.edge(memberA, memberB)
	x.Verdict, x.Chain = p.verdict(e, x, memberA, memberB)
	x.Changes = p.changes(pair, e)
	return x
}

// verdict says in words why the two are or are not one identity.
func (p *past) verdict(e *match.Explanation, x *pairExplanation, a, b uint32) (text string, chain []string) {
	above := e.Weight >= p.cut
	switch {
	case len(x.Decisions) > 0:
		return p.decidedVerdict(x, e.A, e.B), nil
	case x.Same && above:
		return "The evidence is above the threshold: one identity.", nil
	case x.Same:
		for _, m := range p.chain(a, b) {
			chain = append(chain, p.members.Key(m).String())
		}
		if len(chain) == 0 {
			return "Their own evidence is below the threshold; they are one identity for that of all its records together.", nil
		}
		return "Their own evidence is below the threshold; they are one identity through other records.", chain
	case above:
		return p.whyApart(a, b), nil
	case !x.Compared():
		return "No blocking rule brings them together, so the run never compared them; their evidence is below the threshold anyway.", nil
	}
	return "The evidence is below the threshold: two identities.", nil
}

// decidedVerdict says what a decision on the two has led to.
func (p *past) decidedVerdict(x *pairExplanation, a, b record.Key) string {
	same := slices.ContainsFunc(p.decided, func(d store.Decision) bool {
		return d.Kind == store.Same && (d.A == a && d.B == b || d.A == b && d.B == a)
	})
	text := joinComma(x.Decisions)
	switch {
	case same && x.Same:
		return "Whatever the evidence, they are decided to be one identity: " + text + "."
	case same:
		return "They are decided to be one identity, but were two when the run was made: " + text + "."
	case x.Same:
		return "They are decided not to be one identity (" + text + "), but decisions that they and others are the same overrule that: sama decide list shows the chain."
	}
	return "Whatever the evidence, they are decided not to be one identity: " + text + "."
}

// decisionsOn says what stewards have decided on two records.
func (p *past) decisionsOn(a, b record.Key) (texts []string) {
	for _, d := range p.decided {
		if d.A == a && d.B == b || d.A == b && d.B == a {
			texts = append(texts, fmt.Sprintf("%s, %s", d.Kind, decisionText(&d)))
		}
	}
	return texts
}

// decisionText says which decision it is, whose, and why.
func decisionText(d *store.Decision) string {
	text := fmt.Sprintf("#%d by %s on %s", d.ID, d.By, d.Made.Format("2006-01-02"))
	if d.Reason != "" {
		text += ", " + d.Reason
	}
	return text
}

// Compared reports whether the run compared the two, or records equal to them:
// a blocking rule brings them together, the second look did, or they are among
// many equals.
func (x *pairExplanation) Compared() bool { return len(x.Rules) > 0 || x.FoundBy != "" || x.Equal }

// whyApart says why two members are two identities although their own evidence
// is above the threshold.
func (p *past) whyApart(a, b uint32) string {
	const begin = "Their own evidence is above the threshold, but "
	left, right := p.together(a), p.together(b)
	for _, u := range p.memberConstraints().Unique {
		for _, x := range left {
			for _, y := range right {
				if u.Code[x] != 0 && u.Code[y] != 0 && u.Code[x] != u.Code[y] {
					return fmt.Sprintf("%s%s and %s differ in %s, of which an identity has one value: they stay apart.", begin, p.members.Key(x), p.members.Key(y), u.Name)
				}
			}
		}
	}
	sum, n := p.evidenceBetween(left, right), len(left)*len(right)
	if sum > 0 {
		return fmt.Sprintf("%sthe records around them group better otherwise: they stay apart.", begin)
	}
	return fmt.Sprintf("%sjoining their identities would join %s whose evidence against the threshold sums to %s bits: they stay apart.",
		begin, plural(n, "pair", "pairs"), bits(sum.Bits()))
}

// together lists the members of a member's identity.
func (p *past) together(a uint32) []uint32 {
	var list []uint32
	for m, of := range p.members.Identity {
		if of == p.members.Identity[a] {
			list = append(list, uint32(m))
		}
	}
	return list
}

// memberConstraints are the run's hard constraints by the numbers of its
// members; none where the records are not those of the run.
func (p *past) memberConstraints() graph.Constraints {
	return p.constraints
}

// chain returns the records through which two members of one identity hang
// together: the path of edges at or above the threshold whose weakest edge is
// strongest, nil if there is none.
func (p *past) chain(a, b uint32) []uint32 {
	of := p.members.Identity
	var inside []record.Edge
	for _, e := range p.edges {
		if of[e.A] == of[a] && of[e.B] == of[a] && e.Weight >= p.cut {
			inside = append(inside, e)
		}
	}
	slices.SortStableFunc(inside, func(x, y record.Edge) int { return cmp.Compare(y.Weight, x.Weight) })
	// Edges enter strongest first until the two hang together; the way between
	// them then uses no weaker edge than it must.
	next := make(map[uint32][]uint32)
	for _, e := range inside {
		next[e.A] = append(next[e.A], e.B)
		next[e.B] = append(next[e.B], e.A)
		if path := shortest(next, a, b); path != nil {
			return path
		}
	}
	return nil
}

// shortest returns a shortest path between two records, nil if there is none.
func shortest(next map[uint32][]uint32, from, to uint32) []uint32 {
	before := map[uint32]uint32{from: from}
	queue := []uint32{from}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if at == to {
			path := []uint32{to}
			for at != from {
				at = before[at]
				path = append(path, at)
			}
			slices.Reverse(path)
			return path
		}
		for _, n := range next[at] {
			if _, seen := before[n]; !seen {
				before[n] = at
				queue = append(queue, n)
			}
		}
	}
	return nil
}

// evidenceBetween sums the evidence, relative to the threshold and bounded as in
// clustering, over all pairs between two identities.
func (p *past) evidenceBetween(left, right []uint32) (sum record.Weight) {
	opt := p.clustering()
	for _, x := range left {
		for _, y := range right {
			if w, _, ok := p.edge(x, y); ok {
				sum += max(-opt.Clip, min(opt.Clip, w-p.cut))
			} else {
				sum += opt.Unseen
			}
		}
	}
	return sum
}

// changes says which single changes would move the pair to the other side of
// the threshold: a level that is not reached but would do, or one without which
// the evidence would not.
func (p *past) changes(pair record.Pair, e *match.Explanation) []string {
	vector := make([]comparison.Vector, 1)
	p.plan.Compare(comparison.NewScratch(), []record.Pair{pair}, vector)
	v := vector[0]
	above := e.Weight >= p.cut
	list := []string{}
	for c, cm := range p.model.Comparisons {
		type option struct {
			label  string
			weight record.Weight
		}
		var best *option
		for l := range cm.Levels {
			if uint8(l) == v[c] || l > 0 && cm.Levels[l].Untrained {
				continue
			}
			changed := v
			changed[c] = uint8(l)
			w := p.weights.OfPair(pair, &changed)
			if (w >= p.cut) == above {
				continue
			}
			label := cm.Levels[l].Label
			if l == 0 {
				label = "no value"
			}
			// The change nearest to the threshold is the smallest that does.
			if best == nil || absolute(w-p.cut) < absolute(best.weight-p.cut) {
				best = &option{label, w}
			}
		}
		if best != nil {
			list = append(list, fmt.Sprintf("%s: %q instead of %q would make it %s bits", cm.Name, best.label, cmp.Or(cm.Levels[v[c]].Label, "no value"), bits(best.weight.Bits())))
		}
	}
	return list
}

func absolute(w record.Weight) record.Weight { return max(w, -w) }

// print shows the explanation on a terminal.
func (x *pairExplanation) print(w io.Writer) {
	if x.Same {
		fmt.Fprintf(w, "%s and %s are one identity, %s.\n", x.A, x.B, x.IdentityA)
	} else {
		fmt.Fprintf(w, "%s (identity %s) and %s (identity %s) are two.\n", x.A, x.IdentityA, x.B, x.IdentityB)
	}
	fmt.Fprintf(w, "%s\n", x.Verdict)
	if len(x.Chain) > 0 {
		fmt.Fprintf(w, "Through     %s\n", printable(strings.Join(x.Chain, " – ")))
	}
	fmt.Fprintln(w)
	t := newTable("", shorten(printable(x.A), 36), shorten(printable(x.B), 36), "level")
	for _, s := range x.Steps {
		level := s.Level
		if s.Untrained {
			level += " (untrained)"
		}
		if s.Level == "missing" && s.A != "" && s.B != "" {
			level += " (a value does not count: junk, shared by many, or not understood)"
		}
		t.row(s.Comparison, shorten(s.A, 36), shorten(s.B, 36), level)
	}
	t.write(w, "  ")
	fmt.Fprintln(w)
	x.waterfall(w)
	fmt.Fprintf(w, "\nMatch weight %s bits, probability %s; the threshold is %s bits.\n", bits(x.Weight), probability(x.Probability), bits(x.Threshold))
	if len(x.Rules) > 0 {
		fmt.Fprintf(w, "Brought together by %s.\n", someOf(x.Rules, 5))
	} else if x.Equal {
		fmt.Fprintln(w, "They are equal in all that is compared; of many such records each is compared with the first.")
	} else if x.FoundBy == secondLookRule {
		fmt.Fprintln(w, "No blocking rule brings them together; they were compared because other records connect them.")
	} else {
		fmt.Fprintln(w, "No blocking rule brings them together.")
	}
	side := "above"
	if x.Weight >= x.Threshold {
		side = "below"
	}
	if len(x.Changes) == 0 {
		fmt.Fprintf(w, "\nNo change in one comparison alone would put them %s the threshold.\n", side)
	} else {
		fmt.Fprintf(w, "\nEach of these alone would put them %s the threshold:\n", side)
		for _, c := range x.Changes {
			fmt.Fprintf(w, "  %s\n", printable(c))
		}
	}
}

// probability writes a probability so that one near 1 does not become it.
func probability(p float64) string {
	switch {
	case p > 0.999:
		return "over 99.9 %"
	case p < 0.001:
		return "under 0.1 %"
	}
	return percent(p)
}

// waterfall draws the running total of the weight, from the prior on.
func (x *pairExplanation) waterfall(w io.Writer) {
	type move struct {
		name string
		bits float64
	}
	moves := []move{{"prior", x.Prior}}
	for _, s := range x.Steps {
		moves = append(moves, move{s.Comparison, s.Bits})
	}
	if x.OtherKinds != 0 {
		moves = append(moves, move{"other kinds", x.OtherKinds})
	}
	low, high, total := min(0, x.Threshold), max(0, x.Threshold), 0.0
	for _, m := range moves {
		total += m.bits
		low, high = min(low, total), max(high, total)
	}
	const width = 48
	place := func(b float64) int { return int((b - low) / max(high-low, 1) * (width - 1)) }
	t := newTable("", "bits", "total", "").right(2, 3)
	total = 0
	for _, m := range moves {
		line := []rune(strings.Repeat(" ", width))
		line[place(x.Threshold)] = '┊'
		from, to := place(min(total, total+m.bits)), place(max(total, total+m.bits))
		for i := from; m.bits != 0 && i <= to; i++ {
			line[i] = map[bool]rune{true: '█', false: '░'}[m.bits > 0]
		}
		total += m.bits
		t.row(m.name, bits(m.bits), bits(total), strings.TrimRight(string(line), " "))
	}
	t.write(w, "  ")
	fmt.Fprintf(w, "  (█ for a match, ░ against, ┊ the threshold; weighed against %s)\n", x.Against)
}
