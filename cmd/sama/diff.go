package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"sama/run"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

func (c *cli) diffCommand() *cobra.Command {
	o := new(options)
	examples := 3
	var failIf []string
	cmd := &cobra.Command{
		Use:   "diff RUN RUN",
		Short: "Say what changed between two runs",
		Long: `Says what changed from the first run to the second, with examples. Two runs of one output
directory are compared by the ids of their identities: how many are created, grown, shrunk, merged,
split, retired or restored, which records moved, and which golden values changed. Runs of different
directories are compared by their records, whatever the ids.

RUN is a run directory, an output directory, whose current run is meant, or, with --out, the id of
one of its runs or the word current.

--fail-if makes the command fail if more changed than it says: KIND>NUMBER or KIND>=NUMBER, where
KIND is one of the changes above, records_added, records_gone or golden_changed. With % the number is
a share of the first run's identities, or of its records for the kinds of records.`,
		Example: `  sama diff 2026-11-22T02-00-00Z-91c0 current --out customers
  sama diff trial customers --json --examples 10
  sama diff 2026-11-22T02-00-00Z-91c0 current --out customers --fail-if 'split>0.5%,retired>1%'`,
		Args: arguments(2, 2, "two runs"),
		RunE: func(_ *cobra.Command, args []string) error {
			if examples < 0 {
				return usagef("--examples %d: want 0 or more", examples)
			}
			guards, err := parseGuards(failIf)
			if err != nil {
				return err
			}
			return c.diff(o, args[0], args[1], examples, guards)
		},
	}
	o.flags(cmd, "out", "json")
	cmd.Flags().IntVar(&examples, "examples", examples, "`number` of examples of each kind of change")
	cmd.Flags().StringArrayVar(&failIf, "fail-if", nil, guardHelp)
	return cmd
}

// runDifference is what diff finds, as --json prints it.
type runDifference struct {
	Before    string         `json:"before"`
	After     string         `json:"after"`
	ByID      bool           `json:"by_id"` // the runs are of one output directory: identities are compared by their ids
	Records   recordsBetween `json:"records"`
	Changes   []changeKind   `json:"changes"`
	Movements []movement     `json:"movements,omitempty"`
	Golden    *goldenBetween `json:"golden,omitempty"`
	Exceeded  []string       `json:"exceeded"` // guards that were
	base      guardBase
}

type recordsBetween struct {
	Before int `json:"before"`
	After  int `json:"after"`
	Both   int `json:"in_both"`
	Added  int `json:"added"`
	Gone   int `json:"gone"`
}

type changeKind struct {
	Kind     string          `json:"kind"`
	Count    int             `json:"count"`
	Examples []changeExample `json:"examples"`
}

type changeExample struct {
	Name    string   `json:"name"`   // from the golden record
	Before  []string `json:"before"` // identity ids
	After   []string `json:"after"`
	Records []string `json:"records"`       // those that came or went; all where the identity itself did
	Count   int      `json:"records_count"` // how many there are of them
}

// movement is records of one identity that are another's now.
type movement struct {
	From    string `json:"from"`
	To      string `json:"to"`
	Name    string `json:"name"` // of the one that has them now
	Records int    `json:"records"`
}

// goldenBetween is how golden values changed of identities that both runs have.
type goldenBetween struct {
	Changed int           `json:"identities_changed"` // identities with any change
	Fields  []fieldChange `json:"fields"`
}

type fieldChange struct {
	Field    string         `json:"field"`
	Changed  int            `json:"changed"`
	Appeared int            `json:"appeared"`
	Vanished int            `json:"vanished"`
	Examples []valueExample `json:"examples"`
}

type valueExample struct {
	Identity string `json:"identity"`
	Name     string `json:"name"`
	Before   string `json:"before"`
	After    string `json:"after"`
}

// maxExampleRecords is how many records of one example are listed.
const maxExampleRecords = 12

// twoRuns are the runs that are compared, with their records numbered together.
type twoRuns struct {
	runs    [2]*run.Run
	members [2]*run.Members
	union   *run.Union
}

func (c *cli) diff(o *options, before, after string, examples int, guards []guard) error {
	two, err := openTwo(o.out, before, after)
	if err != nil {
		return err
	}
	d, err := two.difference(examples, guards)
	if err != nil {
		return err
	}
	if o.json {
		if err := printJSON(c.stdout, d); err != nil {
			return err
		}
	} else {
		c.printDifference(d)
	}
	if len(d.Exceeded) > 0 {
		for _, text := range d.Exceeded {
			fmt.Fprintf(c.stderr, "sama: %s\n", text)
		}
		return &failedCheck{fmt.Sprintf("more changed from run %s to run %s than --fail-if allows", d.Before, d.After)}
	}
	return nil
}

// difference compares the two runs, and what changed with the guards.
func (t *twoRuns) difference(examples int, guards []guard) (d *runDifference, err error) {
	d = &runDifference{Before: t.runs[0].Info.ID, After: t.runs[1].Info.ID, ByID: t.ofOneDirectory(), Exceeded: []string{}}
	if d.ByID {
		err = t.compareByID(d, examples)
	} else {
		err = t.compareByRecord(d, examples)
	}
	if err != nil {
		return nil, err
	}
	d.Records = recordsBetween{Before: t.members[0].Len(), After: t.members[1].Len(), Both: t.union.Both}
	d.Records.Added, d.Records.Gone = d.Records.After-d.Records.Both, d.Records.Before-d.Records.Both
	d.base = guardBase{int64(t.members[0].Identities.Len()), int64(d.Records.Before)}
	return d, d.guard(guards)
}

// openTwo reads who belongs to whom in both runs.
func openTwo(out, before, after string) (*twoRuns, error) {
	two := new(twoRuns)
	for i, name := range []string{before, after} {
		r, err := namedRun(name, out)
		if err != nil {
			return nil, err
		}
		two.runs[i] = r
	}
	return two, two.read()
}

// read reads the members of the two runs.
func (t *twoRuns) read() error {
	var g errgroup.Group
	for i, r := range t.runs {
		g.Go(func() (err error) {
			t.members[i], err = r.Members()
			return err
		})
	}
	return g.Wait()
}

// unite numbers the records of both runs together.
func (t *twoRuns) unite() { t.union = run.Unite(t.members[0], t.members[1]) }

// ofOneDirectory reports whether the two runs stand beside each other, so that
// their identities have the same ids.
func (t *twoRuns) ofOneDirectory() bool {
	var parents [2]os.FileInfo
	for i, r := range t.runs {
		info, err := os.Stat(filepath.Dir(r.Path))
		if err != nil {
			return false
		}
		parents[i] = info
	}
	return os.SameFile(parents[0], parents[1])
}

// guard compares the difference with its limits.
func (d *runDifference) guard(guards []guard) error {
	counts := map[string]int64{recordsAdded: int64(d.Records.Added), recordsGone: int64(d.Records.Gone)}
	for _, k := range d.Changes {
		counts[k.Kind] = int64(k.Count)
	}
	if d.Golden != nil {
		counts[goldenChanged] = int64(d.Golden.Changed)
	}
	for _, g := range guards {
		if _, ok := counts[g.kind]; !ok {
			return usagef("--fail-if %s: runs of different directories do not tell %s", g, g.kind)
		}
	}
	d.Exceeded = checkGuards(guards, counts, d.base)
	return nil
}

// nameFields are the fields that name an identity to a person, the first that
// are filled.
var nameFields = [][]string{{"given_name", "family_name"}, {"organization"}, {"email"}, {"phone"}}

// namer writes what people call an identity.
type namer struct {
	columns [][]*run.GoldenTexts
}

// newNamer reads the columns that name the identities of a run.
func newNamer(r *run.Run) (*namer, error) {
	n := new(namer)
	var names []string
	for _, c := range r.Info.Columns {
		names = append(names, c.Name)
	}
	for _, group := range append(slices.Clone(nameFields), names[:min(1, len(names))]) {
		var columns []*run.GoldenTexts
		for _, field := range group {
			t, err := r.GoldenTexts(field)
			if err != nil {
				return nil, err
			}
			columns = append(columns, t)
		}
		n.columns = append(n.columns, columns)
	}
	return n, nil
}

// of returns the name of an identity, "" if it has none.
func (n *namer) of(row uint32) string {
	for _, group := range n.columns {
		name := ""
		for _, c := range group {
			if v := c.At(row); len(v) > 0 {
				if name != "" {
					name += " "
				}
				name += string(v)
			}
		}
		if name != "" {
			return name
		}
	}
	return ""
}
