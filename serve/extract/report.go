package extract

import (
	"slices"
	"strconv"
	"strings"

	"sama/serve/consent"
	"sama/serve/store"
)

// why is a reason to withhold something: one of package consent's for a
// decision, or for a field, or one of ours.
type why uint8

// The reasons beside those of package consent.
const (
	noValue   why = iota + 1 // what might leave has no value
	noContact                // the channel does not reach the person
	whyCount  = 64
)

// Where the reasons of package consent begin.
const (
	firstReason   = 8
	firstWithheld = 40
)

func whyOf(r consent.Reason) why         { return firstReason + why(r) }
func whyWithheld(w consent.Withheld) why { return firstWithheld + why(w) }

// String returns the stable code.
func (w why) String() string {
	switch {
	case w == noValue:
		return "no_value"
	case w == noContact:
		return "no_contact"
	case w >= firstWithheld:
		return consent.Withheld(w - firstWithheld).String()
	}
	return consent.Reason(w - firstReason).String()
}

// counts are what was released and withheld.
type counts struct {
	persons, rows int64
	leftOut       [whyCount]int64
	released      []int64           // place in Extract.columns
	withheld      [][whyCount]int64 // place in Extract.columns → reason
}

func newCounts(columns int) counts {
	return counts{released: make([]int64, columns), withheld: make([][whyCount]int64, columns)}
}

func (c *counts) add(o *counts) {
	c.persons += o.persons
	c.rows += o.rows
	for w := range c.leftOut {
		c.leftOut[w] += o.leftOut[w]
	}
	for k := range c.released {
		c.released[k] += o.released[k]
		for w := range c.withheld[k] {
			c.withheld[k][w] += o.withheld[k][w]
		}
	}
}

// Report says what an extract holds and what was withheld.
type Report struct {
	Client  string `json:"client"`
	Purpose string `json:"purpose"`
	Version int64  `json:"purpose_version"`
	Channel string `json:"channel,omitempty"`

	Persons int64   `json:"persons"`  // in the file, a row each
	Of      int64   `json:"of"`       // persons that there are
	LeftOut []Count `json:"left_out"` // persons, by reason
	Columns []Field `json:"fields"`   // of the file, without the id
	Refused []Why   `json:"refused"`  // columns that the client may not have
	Events  int64   `json:"consent_events"`
	Last    int64   `json:"last_consent_event"` // id of the last that was looked at

	Bytes  int64  `json:"bytes,omitempty"` // of the file
	SHA256 string `json:"sha256,omitempty"`
}

// Count is how many were left out or withheld for one reason.
type Count struct {
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

// Field is what became of the values of one column.
type Field struct {
	Field    string  `json:"field"`
	Released int64   `json:"released"`
	Withheld []Count `json:"withheld"`
}

// Why is a column that a client may not have.
type Why struct {
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

func (t *table) report() *Report {
	x := t.Extract
	r := &Report{
		Client: x.request.Client, Purpose: x.purpose.ID, Version: x.version, Channel: string(x.request.Channel),
		Persons: t.counts.rows, Of: t.counts.persons, LeftOut: countsOf(&t.counts.leftOut),
		Columns: make([]Field, len(x.columns)), Refused: make([]Why, len(x.missing)), Events: t.ledger.events, Last: t.ledger.last,
	}
	for k, name := range x.Columns()[1:] {
		r.Columns[k] = Field{name, t.counts.released[k], countsOf(&t.counts.withheld[k])}
	}
	for i, m := range x.missing {
		r.Refused[i] = Why{m.Column, m.Reason.String()}
	}
	return r
}

// countsOf lists the reasons that concern any, the most frequent first.
func countsOf(by *[whyCount]int64) []Count {
	list := []Count{}
	for w, n := range by {
		if n > 0 {
			list = append(list, Count{why(w).String(), n})
		}
	}
	slices.SortFunc(list, compareCounts)
	return list
}

// Job names the extract in the access log, by the file that it wrote.
func (r *Report) Job() string { return "sha256:" + r.SHA256 }

// access is the row of the access log, with the persons who are in the file.
func (t *table) access(r *Report) store.Access {
	row := store.Access{
		At: t.Now, Client: r.Client, Purpose: r.Purpose, Job: r.Job(), What: "extract", Persons: r.Persons,
		Identities: make([]string, len(t.rows)),
		Basis:      t.purpose.Basis.String() + " purpose:" + strconv.FormatInt(r.Version, 10) + " consents:" + strconv.FormatInt(r.Last, 10),
	}
	for i, ref := range t.rows {
		row.Identities[i] = t.id(ref)
	}
	for _, f := range r.Columns {
		if f.Released > 0 {
			// The log keeps fields in a list with commas.
			row.Fields = append(row.Fields, strings.ReplaceAll(f.Field, ",", " "))
		}
	}
	return row
}
