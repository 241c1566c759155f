package run

import (
	"time"

	"sama/record"
)

// FormatVersion is the version of the run directory's layout and columns.
//
//	1  first version
//	2  identities over many runs: founding records, fingerprints, sources
const FormatVersion = 2

// Info is run.json.
type Info struct {
	Format   int       `json:"format"`              // FormatVersion; set by Publish
	ID       string    `json:"id"`                  // name of the directory; set by Publish
	Number   uint32    `json:"number"`              // above that of every earlier run of the directory; the ids it issues hold it
	Previous string    `json:"previous,omitempty"`  // the run whose identities it goes on with
	HeldBack bool      `json:"held_back,omitempty"` // written, but kept from becoming current by a guard; set by Publish
	Version  string    `json:"version"`             // of sama
	Started  time.Time `json:"started"`             // UTC
	Finished time.Time `json:"finished"`            // UTC; set by Publish

	ConfigSHA256 string `json:"config_sha256"` // of sama.yaml; set by Publish
	ModelSHA256  string `json:"model_sha256"`  // of model.json; set by Publish

	Inputs    []Input   `json:"inputs"`
	Since     *Since    `json:"since,omitempty"` // what the previous run did not have; nil in a first run
	Decisions Decisions `json:"decisions"`       // of stewards
	Online    Online    `json:"online,omitzero"` // records that came between the runs
	Learned   Learned   `json:"learned"`
	Columns   []Column  `json:"columns"` // set by Publish
	Counts    Counts    `json:"counts"`
	Threshold Threshold `json:"threshold"`
	Quality   *Quality  `json:"quality,omitempty"`
	Files     []File    `json:"files"` // every file but run.json, by name; set by Publish

	Workers int     `json:"workers"`
	Stages  []Stage `json:"stages"` // in the order they ran; Publish adds its own
	Memory  Memory  `json:"memory"`
}

// Since is what changed since the previous run.
type Since struct {
	Sources []SourceChange   `json:"sources"` // by name; also those that are gone
	Events  map[string]int64 `json:"events"`  // event → identities; every kind is there; set by Publish
}

// SourceChange counts the records of one source.
type SourceChange struct {
	Source  string `json:"source"`
	Same    int64  `json:"same"`
	Changed int64  `json:"changed"` // some value differs
	Added   int64  `json:"added"`
	Gone    int64  `json:"gone"`
}

// Learned is when the model was learned that the run weighs by.
type Learned struct {
	Number  uint32 `json:"number"`  // of the run
	Records int64  `json:"records"` // that it was learned from
}

// Online is what came between the runs and was taken up.
type Online struct {
	UpTo    int64 `json:"up_to,omitempty"`   // the sequence number, in the state, of the last that the run knows
	Put     int64 `json:"put,omitempty"`     // records
	Deleted int64 `json:"deleted,omitempty"` // records that are gone
	Erased  int64 `json:"erased,omitempty"`  // records in the exports of persons who have been erased, left out
	Erasure int64 `json:"erasure,omitempty"` // the number, in the state, of the last erasure that the run knows

	// Kept counts the records of Put that the run before had taken up as well: the
	// exports do not know them yet.
	Kept int64 `json:"kept,omitempty"`
	// Read is the sequence number of the last that was there; UpTo is lower where
	// records of a source without a file wait for one.
	Read int64 `json:"read,omitempty"`
	// Since says of a source with files up to which sequence number its export knows
	// better; Waiting are the records behind which no export has come that has their
	// keys.
	Since   map[string]int64 `json:"since,omitempty"`
	Waiting []int64          `json:"waiting,omitempty"`
}

// Decisions counts the stewards' decisions that the run obeyed.
type Decisions struct {
	SHA256        string `json:"sha256,omitempty"` // of those that were in force
	Last          int64  `json:"last,omitempty"`   // the highest number of a decision ever made
	Same          int64  `json:"same"`             // obeyed
	NotSame       int64  `json:"not_same"`         // obeyed
	Waiting       int64  `json:"waiting"`          // a record that they name is not there
	Contradictory int64  `json:"contradictory"`    // broken because others say the opposite
}

// Input is one file that was read.
type Input struct {
	Source   string `json:"source"`
	Mode     string `json:"mode,omitempty"` // delta, where the file holds changes only
	Path     string `json:"path"`           // as the user gave it
	Format   string `json:"format"`
	Bytes    int64  `json:"bytes"`
	SHA256   string `json:"sha256"`
	Rows     int64  `json:"rows"`
	Rejected int64  `json:"rejected"`
}

// Column is one column of the table and of golden.parquet.
type Column struct {
	Name     string       `json:"name"`   // in the files
	Column   string       `json:"column"` // in the table; differs where a fixed column has that name
	Field    record.Field `json:"field"`
	Filled   float64      `json:"filled"`   // share of records with a normal form
	Distinct int          `json:"distinct"` // normal forms
}

// Counts are the run's figures. Those of the files agree with their row
// numbers.
type Counts struct {
	Sources    int64 `json:"sources"`            // set by Publish
	Records    int64 `json:"records"`            // rows of members.parquet; set by Publish
	Identities int64 `json:"identities"`         // rows of golden.parquet; set by Publish
	Joined     int64 `json:"joined"`             // records that share their identity; set by Publish
	Largest    int64 `json:"largest"`            // records of the largest identity; set by Publish
	Edges      int64 `json:"edges"`              // rows of edges.parquet; set by Publish
	Events     int64 `json:"events"`             // set by Publish
	Aliases    int64 `json:"aliases"`            // set by Publish
	Consents   int64 `json:"consents,omitempty"` // acts; set by Publish

	Rejects        int64 `json:"rejects"`         // refused in all; rejects.parquet may hold only the first of them
	CandidatePairs int64 `json:"candidate_pairs"` // compared
	GivenUpPairs   int64 `json:"given_up_pairs"`  // not compared because their block was too large
	Doubtful       int64 `json:"doubtful"`        // identities put up for review
}

// Threshold is where edges begin to join.
type Threshold struct {
	Bits        float64 `json:"bits"` // match weight
	Probability float64 `json:"probability"`
	Chosen      string  `json:"chosen"` // "expected F1" or "given"
}

// Quality is the model's own estimate at the threshold; it is no measurement.
type Quality struct {
	Precision float64 `json:"expected_precision"`
	Recall    float64 `json:"expected_recall"`
	F1        float64 `json:"expected_f1"`
}

// File is one file of the run directory.
type File struct {
	Name   string `json:"name"` // with forward slashes, relative to the run directory
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Rows   int64  `json:"rows,omitempty"` // of tables
}

// Stage is one part of the run and what it cost.
type Stage struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`         // wall
	Items   int64   `json:"items,omitempty"` // what it worked through
	Unit    string  `json:"unit,omitempty"`  // what Items counts: rows, pairs, …
}

// Memory is what the process held.
type Memory struct {
	PeakBytes int64 `json:"peak_bytes"` // peak resident set; set by Publish where 0 and the system tells
}
