package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"sama/run"
	"sama/serve/consent"
	"sama/serve/extract"
	"sama/serve/store"

	"github.com/spf13/cobra"
)

// exporting is one call of sama export.
type exporting struct {
	*cli
	options
	dir     string
	request extract.Request
	channel string
	file    string
	run     *run.Run
}

func (c *cli) exportCommand() *cobra.Command {
	e := &exporting{cli: c}
	cmd := &cobra.Command{
		Use:   "export [DIR] --purpose P --client C --out FILE",
		Short: "Write what a client may have tonight for a purpose",
		Long: `Writes the golden records of the current run of an output directory, with what came online since, as
far as a client may have them for a purpose: its grant, the purpose's fields and the consents of
every person are asked person by person and field by field, as sama serve does. Whoever was erased or
is restricted is never in the file, nor is a person of whom nothing may leave.

The columns are identity_id and the fields, one row a person in the order of the ids. With --channel,
the person's consent to be reached that way is asked, the contact points of that channel stand last,
those of other channels are left out, and so are persons whom it does not reach. The file's name says
its format: .parquet, .csv, .csv.gz or .arrow. It is for its owner alone, and appears whole or not at
all.

The extract is in the access log before the file has its name: client, purpose, fields, number of
persons, and the SHA-256 of the file. What was withheld is counted by reason. With --dry-run it is only
counted, and nothing leaves.

Without DIR, the only output directory in the current folder is taken. Consents, clients and purposes
are in its state.db; --state names another file, or a PostgreSQL database.`,
		Example: `  sama export customers --purpose newsletter --client mailer --channel email --out tonight.csv.gz
  sama export customers --purpose service --client warehouse --fields given_name,city --out people.parquet
  sama export customers --purpose newsletter --client mailer --dry-run --json`,
		Args: arguments(0, 1, "at most one output directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				e.dir = args[0]
			}
			if cmd.Flags().Changed("fields") && e.request.Fields == nil {
				e.request.Fields = []string{}
			}
			return e.export(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&e.request.Purpose, "purpose", "", "id of the `purpose` that the data is for")
	f.StringVar(&e.request.Client, "client", "", "`name` of the client that gets it")
	f.StringSliceVar(&e.request.Fields, "fields", nil, "names of `fields`, with commas (default: all that the client may have)")
	f.StringVar(&e.channel, "channel", "", "`channel` by which the persons will be reached, such as email")
	f.StringVarP(&e.file, "out", "o", "", "`file` to write: .parquet, .csv, .csv.gz or .arrow")
	e.options.flags(cmd, "state", "workers", "dry-run", "json", "quiet")
	return cmd
}

func (e *exporting) export(ctx context.Context) (err error) {
	if err := e.check(); err != nil {
		return err
	}
	if e.dir, err = exportedDir(e.dir); err != nil {
		return err
	}
	if e.run, err = run.Open(e.dir); err != nil {
		return noRun(err)
	}
	x, err := e.run.Index()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	state, keys, err := e.openState(ctx)
	if err != nil {
		return err
	}
	defer state.Close()
	progress := e.newProgress(e.quiet || e.json && !isTerminal(e.stderr))
	defer progress.close()
	begin := e.now()
	o := extract.Options{
		Index: x, Erasures: e.run.Info.Online.Erasure, Store: state, Keys: keys, Now: begin, Workers: e.workers,
		Begin: func(name, unit string) extract.Progress { return exportStage{progress.begin(name, unit)} },
	}
	// What is refused is said before there is any work.
	if _, err := extract.New(ctx, o, e.request); err != nil {
		return asUsage(err)
	}
	service, came, err := openOnline(ctx, progress, e.run, x, state)
	if err != nil {
		return err
	}
	if o.Online = came; service != nil && len(x.ConsentColumns()) > 0 {
		o.Imported = service.ConsentsOf
	}
	job, err := extract.New(ctx, o, e.request)
	if err != nil {
		return asUsage(err)
	}
	var report *extract.Report
	if e.dryRun {
		report, err = job.Count(ctx)
	} else {
		report, err = job.Write(ctx, e.file)
	}
	progress.close()
	if err != nil {
		return asUsage(err)
	}
	return e.print(report, e.now().Sub(begin))
}

// check returns everything that is wrong with the flags.
func (e *exporting) check() error {
	e.request.Channel = consent.Channel(e.channel)
	var errs []error
	if e.request.Purpose == "" {
		errs = append(errs, errors.New("for what? Name a purpose with --purpose P; sama purpose list shows them"))
	}
	if e.request.Client == "" {
		errs = append(errs, errors.New("for whom? Name a client with --client C; sama client list shows them"))
	}
	switch {
	case e.dryRun:
	case e.file == "":
		errs = append(errs, errors.New("no file; name one with --out FILE, or count only with --dry-run"))
	default:
		if _, err := extract.FormatOf(e.file); err != nil {
			errs = append(errs, fmt.Errorf("--out %w", err))
		}
	}
	errs = append(errs, e.validate())
	if err := errors.Join(errs...); err != nil {
		return &usageError{err}
	}
	return nil
}

// exportedDir finds the output directory.
func exportedDir(dir string) (string, error) {
	if dir != "" {
		return outputDir(dir)
	}
	found, err := outputDirs()
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", usagef("which directory? There is none with runs in this folder; name it: sama export DIR …")
	case len(found) > 1:
		return "", usagef("which directory? This folder has %s; name one: sama export DIR …", joinComma(found))
	}
	return found[0], nil
}

// openState opens the state with its keys; both must be there, but for the keys
// where nothing needed any.
func (e *exporting) openState(ctx context.Context) (*store.Store, *store.Keys, error) {
	keys, err := store.LoadKeys(filepath.Join(e.dir, keysName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	location := e.state
	if location == "" {
		location = filepath.Join(e.dir, stateName)
	}
	s, err := store.OpenExisting(ctx, location, store.Options{Now: e.now, Keys: keys})
	if errors.Is(err, store.ErrNoState) {
		return nil, nil, usagef("there is no state %s, and so no client; sama client add makes one", location)
	}
	return s, keys, err
}

// asUsage makes a refusal, which quotes what was asked for, an error of usage.
func asUsage(err error) error {
	if _, ok := errors.AsType[*extract.RefusedError](err); !ok {
		return err
	}
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return &usageError{errors.New(strings.Join(lines, "\n"))}
}

// exportStage shows how far the extract is.
type exportStage struct{ *stage }

// Done implements [extract.Progress].
func (s exportStage) Done(done, total int64) { s.done(done, total) }

// End implements [extract.Progress].
func (s exportStage) End(items int64, err error) { s.end(items, err) }

// exportJSON is what an export did, as --json prints it.
type exportJSON struct {
	Run     string  `json:"run"`
	File    string  `json:"file,omitempty"` // "" where it was only counted
	Seconds float64 `json:"seconds"`
	*extract.Report
}

// print says what is in the file and what was withheld.
func (e *exporting) print(r *extract.Report, took time.Duration) error {
	if e.json {
		out := exportJSON{Run: e.run.Info.ID, Seconds: took.Seconds(), Report: r}
		if !e.dryRun {
			out.File = e.file
		}
		return printJSON(e.stdout, out)
	}
	of := fmt.Sprintf("%s of %s for %s", count(r.Persons), plural(r.Of, "person", "persons"), r.Purpose)
	if e.dryRun {
		fmt.Fprintf(e.stdout, "%s would leave; nothing was written.\n", of)
	} else {
		fmt.Fprintf(e.stdout, "%s: %s, %s.\n", printable(e.file), of, size(r.Bytes))
	}
	if len(r.LeftOut) > 0 {
		fmt.Fprintf(e.stdout, "Left out: %s.\n", countsText(r.LeftOut))
	}
	t := newTable("field", "released", "withheld", "because").right(2, 3)
	for _, f := range r.Columns {
		n := int64(0)
		for _, w := range f.Withheld {
			n += w.Count
		}
		t.row(f.Field, count(f.Released), count(n), countsText(f.Withheld))
	}
	for _, w := range r.Refused {
		if e.request.Fields == nil {
			t.row(w.Field, "", "all", w.Reason)
		}
	}
	t.write(e.stdout, "")
	return nil
}

// countsText lists reasons with their numbers.
func countsText(list []extract.Count) string {
	texts := make([]string, len(list))
	for i, c := range list {
		texts[i] = c.Reason + " " + count(c.Count)
	}
	return joinComma(texts)
}
