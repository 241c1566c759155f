package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sama/graph"
	"sama/record"
	"sama/serve/store"
)

// decisionAnswer is what sama decide did, for a person and for --json.
type decisionAnswer struct {
	*deciding
	decisions      []decisionJSON
	notes          []string
	contradictions []contradiction

	imported, unchanged int
}

// decisionJSON is a decision as --json prints it.
type decisionJSON struct {
	ID           int64      `json:"id"`
	Decision     store.Kind `json:"decision"`
	A            string     `json:"a"`
	B            string     `json:"b"`
	Reason       string     `json:"reason"`
	By           string     `json:"by"`
	Made         time.Time  `json:"made"`
	Revoked      *time.Time `json:"revoked,omitempty"`
	RevokedBy    string     `json:"revoked_by,omitempty"`
	RevokeReason string     `json:"revoke_reason,omitempty"`
	Outcome      string     `json:"outcome,omitempty"` // recorded, unchanged or revoked
}

func jsonOf(d *store.Decision, outcome string) decisionJSON {
	j := decisionJSON{ID: d.ID, Decision: d.Kind, A: d.A.String(), B: d.B.String(), Reason: d.Reason, By: d.By, Made: d.Made, Outcome: outcome}
	if !d.Active() {
		j.Revoked, j.RevokedBy, j.RevokeReason = &d.Revoked, d.RevokedBy, d.RevokeReason
	}
	return j
}

// contradiction is a "not same" decision that a chain of "same" decisions
// breaks.
type contradiction struct {
	A       string              `json:"a"`
	B       string              `json:"b"`
	NotSame int64               `json:"not_same"` // id of the decision
	Chain   []contradictionStep `json:"chain"`    // from A to B

	pair    record.Pair
	decided store.Decision
}

type contradictionStep struct {
	A        string `json:"a"`
	B        string `json:"b"`
	Decision int64  `json:"decision"`

	decided store.Decision
}

// contradictionsOf returns the contradictions among active decisions, in order
// of their keys. Of the decisions that hold a chain together no shorter choice
// exists.
func contradictionsOf(active []store.Decision) []contradiction {
	keys := keysOf(active)
	number := func(k record.Key) uint32 {
		i, _ := slices.BinarySearchFunc(keys, k, record.Key.Compare)
		return uint32(i)
	}
	var cons graph.Constraints
	by := make(map[record.Pair]*store.Decision, len(active))
	for i := range active {
		d := &active[i]
		p := record.Pair{A: number(d.A), B: number(d.B)}
		by[p] = d
		if d.Kind == store.Same {
			cons.Same = append(cons.Same, p)
		} else {
			cons.NotSame = append(cons.NotSame, p)
		}
	}
	list := []contradiction{}
	for _, found := range cons.Contradictions(len(keys)) {
		c := contradiction{A: keys[found.Pair.A].String(), B: keys[found.Pair.B].String(), pair: found.Pair, decided: *by[found.Pair]}
		c.NotSame = c.decided.ID
		for i, a := range found.Chain[:len(found.Chain)-1] {
			b := found.Chain[i+1]
			d := by[record.Pair{A: min(a, b), B: max(a, b)}]
			c.Chain = append(c.Chain, contradictionStep{keys[a].String(), keys[b].String(), d.ID, *d})
		}
		list = append(list, c)
	}
	return list
}

// newAnswer begins an answer.
func (d *deciding) newAnswer(s *store.Store) *decisionAnswer {
	a := &decisionAnswer{deciding: d, decisions: []decisionJSON{}, notes: []string{}, contradictions: []contradiction{}}
	if s.Created() {
		a.notes = append(a.notes, fmt.Sprintf("there was no state %s; it was made", s.Location()))
	}
	return a
}

func (a *decisionAnswer) add(d *store.Decision, outcome string) {
	a.decisions = append(a.decisions, jsonOf(d, outcome))
}

// contradict finds the contradictions that decisions just recorded, by their
// ids, which ascend, have brought about: those that there would not be without
// them. The decisions stand whatever happens here.
func (a *decisionAnswer) contradict(ctx context.Context, s *store.Store, fresh []int64) {
	if len(fresh) == 0 {
		return
	}
	active, err := s.Decisions(context.WithoutCancel(ctx), store.Active)
	if err != nil {
		a.notes = append(a.notes, fmt.Sprintf("it was recorded, but whether decisions contradict each other is not known: %v", err))
		return
	}
	now := contradictionsOf(active)
	if len(now) == 0 {
		return
	}
	before := make(map[int64]bool)
	for _, c := range contradictionsOf(slices.DeleteFunc(active, func(d store.Decision) bool {
		_, isNew := slices.BinarySearch(fresh, d.ID)
		return isNew
	})) {
		before[c.NotSame] = true
	}
	for _, c := range now {
		if !before[c.NotSame] {
			a.contradictions = append(a.contradictions, c)
		}
	}
}

// print says what became of each decision.
func (a *decisionAnswer) print() error {
	a.printNotes()
	if a.json {
		return printJSON(a.stdout, struct {
			Decisions      []decisionJSON  `json:"decisions"`
			Notes          []string        `json:"notes"`
			Contradictions []contradiction `json:"contradictions"`
		}{a.decisions, a.notes, a.contradictions})
	}
	for i := range a.decisions {
		d := &a.decisions[i]
		said := fmt.Sprintf("%s and %s are %s", printable(d.A), printable(d.B), plainKind(d.Decision))
		var err error
		switch d.Outcome {
		case store.Recorded.String():
			_, err = fmt.Fprintf(a.stdout, "Decision %d recorded: %s.\n", d.ID, said)
		case store.Unchanged.String():
			_, err = fmt.Fprintf(a.stdout, "Decision %d says already that %s (by %s, %s).\n", d.ID, said, printable(d.By), d.Made.Format(time.RFC3339))
		default:
			_, err = fmt.Fprintf(a.stdout, "Decision %d revoked: that %s.\n", d.ID, said)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// printImport says what an import did.
func (a *decisionAnswer) printImport(name string) error {
	a.printNotes()
	if a.json {
		return printJSON(a.stdout, struct {
			Recorded       int             `json:"recorded"`
			Unchanged      int             `json:"unchanged"`
			Notes          []string        `json:"notes"`
			Contradictions []contradiction `json:"contradictions"`
		}{a.imported, a.unchanged, a.notes, a.contradictions})
	}
	_, err := fmt.Fprintf(a.stdout, "%s of %s recorded, %s there already.\n", plural(a.imported, "decision", "decisions"), name, count(a.unchanged))
	return err
}

// maxContradictions is how many contradictions are shown on a terminal.
const maxContradictions = 20

// printNotes writes notes and contradictions to stderr.
func (a *decisionAnswer) printNotes() {
	for _, n := range a.notes {
		fmt.Fprintf(a.stderr, "sama: note: %s\n", n)
	}
	for i := range a.contradictions {
		if i == maxContradictions {
			fmt.Fprintf(a.stderr, "sama: warning: and %s; sama decide list shows all\n", plural(len(a.contradictions)-i, "more contradiction", "more contradictions"))
			break
		}
		for k, line := range a.contradictions[i].lines() {
			if k == 0 {
				line = "warning: " + line
			}
			fmt.Fprintf(a.stderr, "sama: %s\n", line)
		}
	}
}

// lines shows a contradiction key by key.
func (c *contradiction) lines() []string {
	lines := []string{fmt.Sprintf("%s and %s are decided not the same (%s), but by these decisions they are:",
		printable(c.A), printable(c.B), whoDecided(&c.decided))}
	for i := range c.Chain {
		s := &c.Chain[i]
		lines = append(lines, fmt.Sprintf("  %s is %s (%s)", printable(s.A), printable(s.B), whoDecided(&s.decided)))
	}
	return append(lines, "  a run lets same go before not same; revoke whichever is wrong")
}

func whoDecided(d *store.Decision) string {
	text := fmt.Sprintf("decision %d by %s, %s", d.ID, d.By, d.Made.Format(time.DateOnly))
	if d.Reason != "" {
		text += ": " + shorten(d.Reason, 60)
	}
	return printable(text)
}

// plainKind is a kind as it stands in a sentence.
func plainKind(k store.Kind) string {
	if k == store.NotSame {
		return "not the same"
	}
	return "the same"
}

// list prints the decisions and the contradictions among them.
func (d *deciding) list(ctx context.Context, all bool) error {
	list, err := d.decisions(ctx, all)
	if err != nil {
		return err
	}
	active := slices.DeleteFunc(slices.Clone(list), func(d store.Decision) bool { return !d.Active() })
	found := contradictionsOf(active)
	if d.json {
		rows := make([]decisionJSON, len(list))
		for i := range list {
			rows[i] = jsonOf(&list[i], "")
		}
		return printJSON(d.stdout, struct {
			Decisions      []decisionJSON  `json:"decisions"`
			Contradictions []contradiction `json:"contradictions"`
		}{rows, found})
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(d.stdout, "No decisions.")
		return err
	}
	header := []string{"id", "decision", "record", "record", "by", "made", "reason"}
	if all {
		header = append(header, "revoked", "by", "reason")
	}
	t := newTable(header...).right(1)
	for i := range list {
		x := &list[i]
		row := []any{x.ID, x.Kind.String(), shorten(x.A.String(), 60), shorten(x.B.String(), 60), shorten(x.By, 30), x.Made.Format(time.RFC3339), shorten(x.Reason, 60)}
		if all && !x.Active() {
			row = append(row, x.Revoked.Format(time.RFC3339), x.RevokedBy, shorten(x.RevokeReason, 60))
		}
		t.row(row...)
	}
	t.write(d.stdout, "")
	for i := range found {
		fmt.Fprintln(d.stdout)
		for _, line := range found[i].lines() {
			fmt.Fprintln(d.stdout, line)
		}
	}
	return nil
}
