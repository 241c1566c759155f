package report

import "time"

// Data is what the page shows. Empty parts are left out of it. Lists are shown
// in the order given; long ones are cut, and the page says so.
type Data struct {
	Title string // what was resolved, such as "crm, service and webshop"

	Records    int64
	Identities int64
	Joined     int64 // records that share their identity with another
	Warnings   []string

	Since *Since // nil in a first run

	Sources []Source
	Fields  []string // the fields of Source.Fill, in order

	Mapping []Mapping
	Junk    []Junk

	Rules   []Rule
	GivenUp []GivenUp

	Prior       float64 // match weight, in bits, that every pair begins with
	Comparisons []Comparison

	Histogram []Bin
	Threshold Threshold
	Curve     []Point

	Sizes   []Size
	Overlap []Overlap

	Examples []Example

	Doubtful      []Doubtful
	DoubtfulTotal int64

	Rejects      []Reject
	RejectsTotal int64

	// Work is what each stage worked through, without seconds; it is shown where
	// Run is nil.
	Work []Stage

	// Run is what depends on the clock and the machine; nil leaves it out.
	Run *Run
}

// Since is what changed since the run before.
type Since struct {
	Number  int64 // of the run before
	Kept    int64 // identities that no event names
	Sources []Change
	Events  []Event // one a kind, in order
}

// Change counts the records of one source.
type Change struct {
	Source                     string
	Same, Changed, Added, Gone int64
}

// Event is one kind of event, how many identities it happened to, and examples.
type Event struct {
	Kind       string
	Identities int64
	Records    int64
	Examples   []EventExample
}

// EventExample is one event.
type EventExample struct {
	ID      string
	Other   string // "" where there is none
	Records string // their keys, on one line
}

// Source is one source and how well it fills the fields.
type Source struct {
	Name     string
	Records  int64
	Rejected int64
	Fill     []float64 // by Data.Fields: share of records with a normal form
}

// Mapping says what became of a source's column.
type Mapping struct {
	Source string
	Column string
	Field  string // "" = carried along as it is
	Why    string // such as "name", "values: 98 % are dates", "configuration"
}

// Junk is a value that names nobody in particular.
type Junk struct {
	Field   string
	Value   string
	Records int64
	Why     string // such as "placeholder", "shared by 212 names"
}

// Rule is a blocking rule and what it brought.
type Rule struct {
	Name  string
	Pairs int64 // candidate pairs that it finds
	New   int64 // of these, pairs that no earlier rule finds
	Edges int64 // of the new pairs, those above the threshold
}

// GivenUp is a block that was too large to compare whole.
type GivenUp struct {
	Rule    string
	Value   string
	Records int64
	Pairs   int64 // not compared
}

// Comparison is one comparison of the model with its levels, best first.
type Comparison struct {
	Name   string
	Levels []Level
}

// Level is one level of agreement and the evidence that it is.
type Level struct {
	Label     string
	Bits      float64 // match weight log2(M/U)
	M, U      float64 // probability among matches and among non-matches
	Untrained bool    // never seen in training: a default
}

// Bin counts pairs whose match weight lies in [From, To).
type Bin struct {
	From, To float64 // bits
	Pairs    int64
}

// Threshold is the match weight at which edges begin to join.
type Threshold struct {
	Bits        float64
	Probability float64
	Why         string // such as "largest expected F1", "given"
}

// Point is the model's own expectation at one threshold.
type Point struct {
	Bits, Precision, Recall, F1 float64
}

// Size counts identities of one number of records.
type Size struct {
	Records    int64
	Identities int64
}

// Overlap counts the identities that have records in exactly these sources.
type Overlap struct {
	Sources    []string
	Identities int64
	Records    int64
}

// Example is a scored pair and the steps that led to its weight.
type Example struct {
	Kind        string // such as "just above the threshold"
	Left, Right string // record keys
	Bits        float64
	Probability float64
	Joined      bool // the two records are of one identity in the end
	Fields      []ExampleField
	Steps       []Step // without the prior; their sum and Data.Prior make Bits
}

// ExampleField is one field of the two records, as their sources wrote it.
type ExampleField struct {
	Name, Left, Right string
	// Differs says that both have a value and the two are different in their
	// normal forms, however they are written.
	Differs bool
}

// Step is one comparison's part in an example's weight.
type Step struct {
	Name  string // the comparison
	Level string // what it found
	Bits  float64
}

// Doubtful is an identity for somebody to look at.
type Doubtful struct {
	ID      string
	Why     string
	Weakest float64 // bits of the weakest edge that holds it together
	Members []Member
}

// Member is one record of a doubtful identity.
type Member struct {
	Key    string
	Values string // what it says, on one line
}

// Reject is one kind of refused input.
type Reject struct {
	File    string
	Column  string // "" = whole rows
	Reason  string
	Count   int64
	Example string // such as "row 17: 31.2.1990"
}

// Run is when and on what the run was made, and what it cost.
type Run struct {
	Version   string
	Started   time.Time
	Workers   int
	PeakBytes int64
	Stages    []Stage
}

// Stage is one part of the run.
type Stage struct {
	Name    string
	Seconds float64
	Items   int64  // 0 = not counted
	Unit    string // what Items counts
}

// Bins counts n match weights into bins of that many bits, from the lowest to
// the highest weight without a gap. Weights beyond ±limit count into the outer
// bins.
func Bins(n int, bits func(i int) float64, width, limit float64) []Bin {
	if n == 0 {
		return nil
	}
	number := func(b float64) int {
		b = max(-limit, min(limit-width/2, b)) / width
		i := int(b)
		if float64(i) > b {
			i--
		}
		return i
	}
	counts := map[int]int64{}
	low, high := number(bits(0)), number(bits(0))
	for i := range n {
		b := number(bits(i))
		counts[b]++
		low, high = min(low, b), max(high, b)
	}
	bins := make([]Bin, 0, high-low+1)
	for b := low; b <= high; b++ {
		bins = append(bins, Bin{From: float64(b) * width, To: float64(b+1) * width, Pairs: counts[b]})
	}
	return bins
}
