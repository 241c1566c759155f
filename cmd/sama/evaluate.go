package main

import (
	"context"

	"sama/graph"
	"sama/graph/quality"
	"sama/record"

	"github.com/spf13/cobra"
)

// truthOptions are the flags that say what the truth file is like.
type truthOptions struct {
	file, id, key, source string
	worst                 int
}

func (c *cli) evaluateCommand() *cobra.Command {
	o, truth := new(options), new(truthOptions)
	cmd := &cobra.Command{
		Use:   "evaluate --truth FILE --out DIR",
		Short: "Measure a run against records whose identities are known",
		Long: `Compares the identities of a run with the truth: pairwise, B-cubed, exact identities, what
blocking missed apart from what matching missed, by source pair, over thresholds, and the worst
false merges and misses with their explanation.

Blocking recall is the share of the true pairs that a blocking rule brings together; pairs that
only the second look at connected records compares do not count, a record equal to many others
counts as the first of them. Matching recall is the share of those pairs that are one identity in
the end. The rules are the run's own, laid over its records again.

FILE (Parquet, CSV or JSON Lines) has a row a record: its id (record_id, id), who it is
(entity_id, person_id, cluster_id, …) and, where ids repeat between sources, its source (source,
silo, …). Records that it does not name, or leaves empty, are left out. No training and no
threshold ever sees the truth.`,
		Example: `  sama evaluate --truth truth.parquet --out customers
  sama evaluate --truth truth.csv --truth-key rec --truth-id person --out customers --json`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.evaluate(cmd.Context(), o, truth)
		},
	}
	o.flags(cmd, "out", "workers", "json", "quiet")
	f := cmd.Flags()
	f.StringVar(&truth.file, "truth", "", "`file` with the truth")
	f.StringVar(&truth.id, "truth-id", "", "`column` that says who a record is (default: found by its name)")
	f.StringVar(&truth.key, "truth-key", "", "`column` with the record id (default: found by its name)")
	f.StringVar(&truth.source, "truth-source", "", "`column` with the source (default: found by its name)")
	f.IntVar(&truth.worst, "worst", 5, "`number` of false merges, and of misses, to explain")
	return cmd
}

func (c *cli) evaluate(ctx context.Context, o *options, t *truthOptions) error {
	switch {
	case t.file == "":
		return usagef("evaluate: no truth; name the file that says who is who with --truth FILE")
	case t.worst < 0:
		return usagef("--worst %d: want 0 or more", t.worst)
	}
	if err := o.validate(); err != nil {
		return err
	}
	p, err := c.openPast(o)
	if err != nil {
		return err
	}
	truth, err := readTruth(ctx, t, p.members)
	if err != nil {
		return err
	}
	if err := p.prepare(ctx); err != nil {
		return err
	}
	e := p.measure(truth, t.worst)
	if o.json {
		return printJSON(c.stdout, e)
	}
	e.print(c.stdout)
	return nil
}

// evaluation is what evaluate finds, as --json prints it. Shares are 0 to 1.
type evaluation struct {
	Run             string           `json:"run"`
	Records         int              `json:"records"`               // with a known truth
	Unknown         int              `json:"records_without_truth"` // left out
	Unmatched       int              `json:"truth_rows_without_record"`
	TrueIdentities  uint64           `json:"true_identities"`
	Identities      uint64           `json:"identities"` // among the records with a known truth
	Precision       float64          `json:"precision"`
	Recall          float64          `json:"recall"`
	F1              float64          `json:"f1"`
	B3Precision     float64          `json:"b3_precision"`
	B3Recall        float64          `json:"b3_recall"`
	B3F1            float64          `json:"b3_f1"`
	Exact           float64          `json:"exact"` // share of persons with exactly one, right identity
	ExactPrecision  float64          `json:"exact_precision"`
	ExactF1         float64          `json:"exact_f1"`
	ExactIdentities uint64           `json:"exact_identities"`
	TruePairs       uint64           `json:"true_pairs"`
	FoundPairs      uint64           `json:"found_pairs"`
	RightPairs      uint64           `json:"right_pairs"`
	BlockingRecall  float64          `json:"blocking_recall"`
	MatchingRecall  float64          `json:"matching_recall"`
	Threshold       float64          `json:"threshold"`
	BySources       []sourcePairLine `json:"by_source_pair"`
	Thresholds      []thresholdLine  `json:"thresholds"`
	FalseMerges     []mistake        `json:"worst_false_merges"`
	Misses          []mistake        `json:"worst_misses"`
}

type sourcePairLine struct {
	A         string  `json:"a"`
	B         string  `json:"b"`
	True      uint64  `json:"true_pairs"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

type thresholdLine struct {
	Bits              float64 `json:"bits"`
	Precision         float64 `json:"precision"`
	Recall            float64 `json:"recall"`
	F1                float64 `json:"f1"`
	B3F1              float64 `json:"b3_f1"`
	ExpectedPrecision float64 `json:"expected_precision"` // by the model itself
	ExpectedRecall    float64 `json:"expected_recall"`
	ExpectedF1        float64 `json:"expected_f1"`
}

// mistake is one pair that the run got wrong.
type mistake struct {
	A           string           `json:"a"`
	B           string           `json:"b"`
	Weight      *float64         `json:"match_weight,omitempty"` // of the edge; none where the run kept no edge
	Compared    bool             `json:"compared"`
	Explanation *pairExplanation `json:"explanation,omitempty"`
}

// measure computes the evaluation.
func (p *past) measure(truth *truthLabels, worst int) *evaluation {
	found := p.members.Identity
	q := quality.Evaluate(found, truth.labels)
	e := &evaluation{
		Run: p.run.Info.ID, Records: q.Records, Unknown: q.Unknown, Unmatched: truth.unmatched,
		TrueIdentities: q.Exact.True, Identities: q.Exact.Found,
		Precision: q.Pairwise.Precision(), Recall: q.Pairwise.Recall(), F1: q.Pairwise.F1(),
		B3Precision: q.BCubed.Precision, B3Recall: q.BCubed.Recall, B3F1: q.BCubed.F1(),
		Exact: q.Exact.Recall(), ExactPrecision: q.Exact.Precision(), ExactF1: q.Exact.F1(), ExactIdentities: q.Exact.Both,
		TruePairs: q.Pairwise.True, FoundPairs: q.Pairwise.Found, RightPairs: q.Pairwise.Both,
		Threshold: p.run.Info.Threshold.Bits,
		BySources: []sourcePairLine{}, FalseMerges: []mistake{}, Misses: []mistake{},
	}
	for _, s := range quality.BySourcePair(found, truth.labels, p.members.Source) {
		e.BySources = append(e.BySources, sourcePairLine{p.members.Sources[s.A], p.members.Sources[s.B], s.True, s.Precision(), s.Recall(), s.F1()})
	}
	b := quality.BlockingBy(found, truth.labels, func(x, y uint32) bool {
		rules, equal := p.rulesOf(record.Pair{A: x, B: y})
		return equal || len(rules) > 0
	})
	e.BlockingRecall, e.MatchingRecall = b.Recall(), b.MatchingRecall()
	e.Thresholds = p.overThresholds(truth.labels)
	for _, x := range quality.FalseMerges(found, truth.labels, p.edges, worst) {
		e.FalseMerges = append(e.FalseMerges, p.mistake(x.A, x.B))
	}
	for _, x := range quality.Misses(found, truth.labels, p.edges, worst) {
		e.Misses = append(e.Misses, p.mistake(x.A, x.B))
	}
	for _, x := range quality.Unmet(found, truth.labels, p.edges, worst-len(e.Misses)) {
		e.Misses = append(e.Misses, p.mistake(x.A, x.B))
	}
	return e
}

// overThresholds clusters the run's edges at every candidate threshold.
func (p *past) overThresholds(truth []uint32) []thresholdLine {
	cons := p.memberConstraints()
	cut := record.WeightOfBits(p.run.Info.Threshold.Bits)
	candidates := withCut(graph.Candidates(), cut)
	n := p.members.Len()
	_, expected := graph.ChooseThreshold(n, p.edges, cons, p.clustering(), candidates)
	points := quality.OverThresholds(truth, candidates, func(t record.Weight) *graph.Clusters {
		opt := p.clustering()
		opt.Threshold = t
		c, _ := graph.Correlate(n, p.edges, cons, opt)
		return c
	})
	var lines []thresholdLine
	for i, q := range points {
		x := expected[i]
		lines = append(lines, thresholdLine{q.Threshold.Bits(), q.Pairwise.Precision(), q.Pairwise.Recall(), q.Pairwise.F1(), q.BCubed.F1(), x.Precision(), x.Recall(), x.F1()})
	}
	return lines
}

// mistake explains a pair of members that the run got wrong.
func (p *past) mistake(a, b uint32) mistake {
	m := mistake{A: p.members.Key(a).String(), B: p.members.Key(b).String()}
	if w, _, ok := p.edge(a, b); ok {
		bits := w.Bits()
		m.Weight = &bits
	}
	m.Explanation = p.pair(a, b, a, b)
	m.Compared = m.Explanation.Compared()
	return m
}
