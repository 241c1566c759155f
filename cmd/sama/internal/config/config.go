// Package config is sama.yaml: what a run reads and how it decides, where that
// is not left to sama.
//
// Every part may be missing; what is missing is found from the data. A file is
// read strictly: an unknown key, a value of the wrong type or out of range, and
// a key given twice are errors with file, line and column, all of them
// reported at once ([Parse]). What a file may say is one JSON Schema ([Schema]),
// made from the types below, which editors can use too. [Config.YAML] writes a
// configuration with comments, for a person to edit; read again, it is the same
// configuration.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"unicode/utf8"

	"sama/graph/golden"
	"sama/ingest"
	"sama/match"
)

// Config is sama.yaml.
type Config struct {
	// Inputs are the files of the sources; files on the command line replace them.
	Inputs []Input `yaml:"inputs,omitempty" json:"inputs,omitempty"`
	// Sources says what the columns of each source are. Sources that are not
	// listed are mapped by what their columns look like.
	Sources  []ingest.SourceMapping `yaml:"sources,omitempty" json:"sources,omitempty"`
	Blocking Blocking               `yaml:"blocking,omitempty" json:"blocking,omitzero"`
	Model    Model                  `yaml:"model,omitempty" json:"model,omitzero"`
	Clusters Clusters               `yaml:"clusters,omitempty" json:"clusters,omitzero"`
	Golden   golden.Options         `yaml:"golden,omitempty" json:"golden,omitzero"`
	Rejects  Rejects                `yaml:"rejects,omitempty" json:"rejects,omitzero"`
}

// Input names files and how they are written.
type Input struct {
	// Files are files, directories and glob patterns, as on the command line.
	Files []string `yaml:"files" json:"files" jsonschema:"minItems=1"`
	// Source makes all of them one source; without it each file is one.
	Source string `yaml:"source,omitempty" json:"source,omitempty" jsonschema:"pattern=^[A-Za-z0-9_.-]+$"`
	// Format is found from the content if it is not given.
	Format string `yaml:"format,omitempty" json:"format,omitempty" jsonschema:"enum=parquet,enum=csv,enum=jsonl"`
	// Separator of the cells of a CSV file: one character.
	Separator string `yaml:"separator,omitempty" json:"separator,omitempty" jsonschema:"minLength=1,maxLength=1"`
	// Encoding of a text, such as windows-1252; found from the content if not given.
	Encoding string `yaml:"encoding,omitempty" json:"encoding,omitempty"`
}

// Blocking says which pairs of records are compared.
type Blocking struct {
	// Rules are conjunctions of key expressions, such as
	// "family_name.sound + birth_date.year"; none = chosen from the data.
	Rules []string `yaml:"rules,omitempty" json:"rules,omitempty"`
	// SplitBy are the key expressions that part blocks larger than Block.
	SplitBy []string `yaml:"split_by,omitempty" json:"split_by,omitempty"`
	// Block is the greatest number of records in a block.
	Block int `yaml:"block,omitempty" json:"block,omitempty" jsonschema:"minimum=2"`
	// PairsPerRecord and MinPairs bound the pairs when rules are chosen.
	PairsPerRecord float64 `yaml:"pairs_per_record,omitempty" json:"pairs_per_record,omitempty" jsonschema:"exclusiveMinimum=0"`
	MinPairs       int64   `yaml:"min_pairs,omitempty" json:"min_pairs,omitempty" jsonschema:"minimum=1"`
}

// Model says how pairs are weighed.
type Model struct {
	// File is a model.json to use instead of training one.
	File string `yaml:"file,omitempty" json:"file,omitempty"`
	// Method is mixture (the default), or classical: levels by hand and the
	// estimators of Fellegi and Sunter.
	Method string `yaml:"method,omitempty" json:"method,omitempty" jsonschema:"enum=mixture,enum=classical"`
	// Joint says which groups of fields are compared as one; not given = decided
	// by the data.
	Joint *match.Joint `yaml:"joint,omitempty" json:"joint,omitempty"`
	// Classical says what the classical method compares; not given = proposed
	// from the fields.
	Classical *match.ClassicalSpec `yaml:"classical,omitempty" json:"classical,omitempty"`
}

// Clusters says how pairs become identities.
type Clusters struct {
	// Threshold is the probability from which on a pair speaks for joining; not
	// given = chosen by the model.
	Threshold float64 `yaml:"threshold,omitempty" json:"threshold,omitempty" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=1"`
	// Unique are columns of which an identity has at most one value, such as
	// national_id: records that differ there are never joined.
	Unique []string `yaml:"unique,omitempty" json:"unique,omitempty"`
	// OncePerSource are sources without duplicates: two of their records are
	// never joined.
	OncePerSource []string `yaml:"once_per_source,omitempty" json:"once_per_source,omitempty"`
}

// Rejects bounds what a run puts up with.
type Rejects struct {
	// MaxShare is the share of rows that may be rejected before the run is
	// refused; not given = 0.05.
	MaxShare *float64 `yaml:"max_share,omitempty" json:"max_share,omitempty" jsonschema:"minimum=0,maximum=1"`
}

// DefaultMaxRejects is the share of rejected rows up to which a run goes on.
const DefaultMaxRejects = 0.05

// MethodClassical is the method of models whose levels are given.
const MethodClassical = "classical"

// Budget returns the bounds of blocking.
func (c *Config) Budget() match.Budget {
	d := match.DefaultBudget
	return match.Budget{
		PairsPerRecord: cmp.Or(c.Blocking.PairsPerRecord, d.PairsPerRecord),
		MinPairs:       cmp.Or(c.Blocking.MinPairs, d.MinPairs),
		Block:          cmp.Or(c.Blocking.Block, d.Block),
	}
}

// MaxRejects returns the share of rows that may be rejected.
func (c *Config) MaxRejects() float64 {
	if c.Rejects.MaxShare == nil {
		return DefaultMaxRejects
	}
	return *c.Rejects.MaxShare
}

// Ingest returns the input as package ingest takes it.
func (in Input) Ingest() ingest.Input {
	r := ingest.Input{Paths: in.Files, Source: in.Source, Format: in.Format, Encoding: in.Encoding}
	if in.Separator != "" {
		r.CSV.Separator, _ = utf8.DecodeRuneInString(in.Separator)
	}
	return r
}

// Error is one thing that is wrong with a file.
type Error struct {
	File         string
	Line, Column int // from 1
	Path         string
	Text         string
}

// Error returns "file:line:column: path: text".
func (e *Error) Error() string {
	where := fmt.Sprintf("%s:%d:%d: ", e.File, e.Line, e.Column)
	if e.Path != "" {
		where += e.Path + ": "
	}
	return where + e.Text
}

// Errors is everything that is wrong with a file, in its order.
type Errors struct{ List []*Error }

// NewErrors returns the errors in the order of the file.
func NewErrors(list []*Error) *Errors {
	sortErrors(list)
	return &Errors{list}
}

// Error returns one line an error.
func (e *Errors) Error() string {
	all := make([]error, len(e.List))
	for i, x := range e.List {
		all[i] = x
	}
	return errors.Join(all...).Error()
}
