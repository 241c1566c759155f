package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"

	"sama/record"
	"sama/serve/store"

	"github.com/spf13/cobra"
)

// deciding is one call of sama decide.
type deciding struct {
	*cli
	options
	state  string
	reason string
	by     string
}

func (c *cli) decideCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "decide",
		Short: "Say for good that records are the same, or not the same",
		Long: `Records decisions on source records, named by their keys (source:record_id). The next runs obey
them whatever the match weight; where decisions contradict each other, same goes before not same
and the run says so. A decision on a record that is gone waits for it. Nothing is deleted: a
decision that is revoked stays in the list with who revoked it and why.

Decisions are kept in state.db in the output directory; --state names another file. It is the only
file there that cannot be made again: back it up.`,
		Example: `  sama decide same crm:C0012 webshop:W0093 --reason "same phone, she called" --out customers
  sama decide list --out customers`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("sama decide: no command %q; want same, not-same, list, revoke, export or import", args[0])
			}
			return cmd.Help()
		},
	}
	for _, sub := range []*cobra.Command{
		c.decideSameCommand(), c.decideNotSameCommand(), c.decideListCommand(),
		c.decideRevokeCommand(), c.decideExportCommand(), c.decideImportCommand(),
	} {
		sub.Long = strings.TrimSpace(sub.Long) + "\n\n" + exitCodesHelp
		cmd.AddCommand(sub)
	}
	return cmd
}

// flags declares the flags of that name on a command of decide.
func (d *deciding) flags(cmd *cobra.Command, names ...string) {
	f := cmd.Flags()
	d.options.flags(cmd, "out")
	f.StringVar(&d.state, "state", "", "state database `file` (default: state.db in the output directory)")
	for _, name := range names {
		switch name {
		case "json":
			d.options.flags(cmd, "json")
		case "reason":
			f.StringVar(&d.reason, "reason", "", "`text` that says why, for those who come later")
		case "by":
			f.StringVar(&d.by, "by", "", "`name` of who decides (default: the user of the operating system)")
		}
	}
}

func (c *cli) decideSameCommand() *cobra.Command {
	d := &deciding{cli: c}
	cmd := &cobra.Command{
		Use:   "same KEY KEY [KEY…] --out DIR",
		Short: "Say that records are the same",
		Long: `Decides that all these records are one identity. More than two keys are recorded as a chain: the
first with the second, the second with the third, and so on, all or none.

Where a pair has the opposite decision, that one is named and nothing is changed: revoke it first.
Deciding the same again changes nothing.`,
		Example: `  sama decide same crm:C0012 webshop:W0093 --out customers
  sama decide same crm:C0012 webshop:W0093 service:S0007 --reason "checked by phone" --by kim --out customers`,
		Args: arguments(2, -1, "at least two keys"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return d.decide(cmd.Context(), store.Same, args)
		},
	}
	d.flags(cmd, "reason", "by", "json")
	return cmd
}

func (c *cli) decideNotSameCommand() *cobra.Command {
	d := &deciding{cli: c}
	cmd := &cobra.Command{
		Use:   "not-same KEY KEY --out DIR",
		Short: "Say that two records are not the same",
		Long: `Decides that these two records are never one identity, whatever else would join them.

Where the pair has the opposite decision, that one is named and nothing is changed: revoke it
first. Deciding the same again changes nothing.`,
		Example: `  sama decide not-same crm:C0012 service:S0007 --reason "father and son" --by kim --out customers
  sama decide not-same crm:C0013 service:S0008 --out customers --json`,
		Args: arguments(2, 2, "two keys"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return d.decide(cmd.Context(), store.NotSame, args)
		},
	}
	d.flags(cmd, "reason", "by", "json")
	return cmd
}

func (c *cli) decideListCommand() *cobra.Command {
	d := &deciding{cli: c}
	all := false
	cmd := &cobra.Command{
		Use:   "list --out DIR",
		Short: "List the decisions",
		Long: `Lists the decisions that hold, in the order in which they were made, and the contradictions among
them. With --all, the revoked ones too.`,
		Example: `  sama decide list --out customers
  sama decide list --all --json --out customers`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return d.list(cmd.Context(), all)
		},
	}
	d.flags(cmd, "json")
	cmd.Flags().BoolVar(&all, "all", false, "the revoked decisions too")
	return cmd
}

func (c *cli) decideRevokeCommand() *cobra.Command {
	d := &deciding{cli: c}
	cmd := &cobra.Command{
		Use:   "revoke ID | KEY KEY --out DIR",
		Short: "End a decision",
		Long: `Revokes a decision, named by its number in sama decide list or by its two keys. It stays in the
history, and the pair is open to a new decision.`,
		Example: `  sama decide revoke 1 --reason "wrong person" --out customers
  sama decide revoke crm:C0012 service:S0007 --by kim --out customers`,
		Args: arguments(1, 2, "the number of a decision or two keys"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return d.revoke(cmd.Context(), args)
		},
	}
	d.flags(cmd, "reason", "by", "json")
	return cmd
}

func (c *cli) decideExportCommand() *cobra.Command {
	d := &deciding{cli: c}
	all := false
	cmd := &cobra.Command{
		Use:   "export --out DIR",
		Short: "Print the decisions as CSV",
		Long: `Prints the decisions that hold as CSV with the columns decision, source_a, record_id_a, source_b,
record_id_b, reason, by, made. With --all, the revoked ones too, with the columns revoked,
revoked_by, revoke_reason. sama decide import reads it.`,
		Example: `  sama decide export --out customers
  sama decide export --all --out customers`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return d.export(cmd.Context(), all)
		},
	}
	d.flags(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "the revoked decisions too")
	return cmd
}

func (c *cli) decideImportCommand() *cobra.Command {
	d := &deciding{cli: c}
	cmd := &cobra.Command{
		Use:   "import FILE --out DIR",
		Short: "Record the decisions of a CSV file",
		Long: `Records the decisions of a CSV file, all or none; - is standard input. The header names the columns
decision (same or not-same), source_a, record_id_a, source_b and record_id_b, in any order, and if
you like reason, by and made (a time such as 2026-11-23T02:00:00Z). A line whose decision is
there already changes nothing. Every line that cannot be recorded is named.`,
		Example: `  sama decide import decisions.csv --out customers
  sama decide import - --by kim --out customers < decisions.csv`,
		Args: arguments(1, 1, "one file, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return d.importFile(cmd.Context(), args[0])
		},
	}
	d.flags(cmd, "by", "json")
	return cmd
}

// decide records one decision, or a chain.
func (d *deciding) decide(ctx context.Context, kind store.Kind, args []string) error {
	keys, err := parseKeys(args)
	if err != nil {
		return err
	}
	if err := d.nameBy(); err != nil {
		return err
	}
	list := make([]store.Decision, len(keys)-1)
	for i := range list {
		list[i] = store.Decision{Kind: kind, A: keys[i], B: keys[i+1], Reason: d.reason, By: d.by}
	}
	s, out, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	recorded, outcomes, err := s.DecideAll(ctx, list)
	if err != nil {
		return plainly(err)
	}
	a := d.newAnswer(s)
	a.notes = append(a.notes, unknownKeys(out, keys)...)
	var fresh []int64
	for i := range recorded {
		a.add(&recorded[i], outcomes[i].String())
		if outcomes[i] == store.Recorded {
			fresh = append(fresh, recorded[i].ID)
		}
	}
	a.contradict(ctx, s, fresh)
	return a.print()
}

// parseKeys reads record keys and refuses one that comes twice.
func parseKeys(args []string) ([]record.Key, error) {
	keys := make([]record.Key, len(args))
	seen := make(map[record.Key]bool)
	for i, text := range args {
		k, err := record.ParseKey(text)
		if err != nil {
			return nil, &usageError{err}
		}
		if seen[k] {
			return nil, usagef("key %s is there twice; name different records", printable(text))
		}
		keys[i], seen[k] = k, true
	}
	return keys, nil
}

// nameBy finds out who decides.
func (d *deciding) nameBy() error {
	if d.by != "" {
		return nil
	}
	u, err := user.Current()
	if err != nil || u.Username == "" {
		return usagef("who decides? The operating system does not say; name yourself with --by NAME")
	}
	d.by = u.Username
	return nil
}

// plainly makes errors that quote a decision fit for a terminal.
func plainly(err error) error {
	_, opposite := errors.AsType[*store.OppositeError](err)
	_, revoked := errors.AsType[*store.RevokedError](err)
	if opposite || revoked {
		return errors.New(printable(err.Error()))
	}
	return err
}

func (d *deciding) revoke(ctx context.Context, args []string) error {
	var id int64
	var keys []record.Key
	var err error
	if len(args) == 2 {
		if keys, err = parseKeys(args); err != nil {
			return err
		}
	} else if id, err = strconv.ParseInt(args[0], 10, 64); err != nil || id < 1 {
		return usagef("%s is not the number of a decision; take it from sama decide list, or name two keys", printable(args[0]))
	}
	if err := d.nameBy(); err != nil {
		return err
	}
	s, err := d.openExisting(ctx)
	if err != nil {
		return err
	}
	if s == nil {
		return usagef("there are no decisions yet; sama decide same and not-same make them")
	}
	defer s.Close()
	var done store.Decision
	if keys == nil {
		done, err = s.Revoke(ctx, id, d.by, d.reason)
	} else {
		done, err = s.RevokePair(ctx, keys[0], keys[1], d.by, d.reason)
	}
	if _, missing := errors.AsType[*store.NotFoundError](err); missing {
		return usagef("%s; sama decide list shows those that are", printable(err.Error()))
	}
	if err != nil {
		return plainly(err)
	}
	a := d.newAnswer(s)
	a.add(&done, "revoked")
	return a.print()
}

func (d *deciding) export(ctx context.Context, all bool) error {
	list, err := d.decisions(ctx, all)
	if err != nil {
		return err
	}
	return store.WriteCSV(d.stdout, list)
}

// decisions reads the list, which is empty where there is no state.
func (d *deciding) decisions(ctx context.Context, all bool) ([]store.Decision, error) {
	s, err := d.openExisting(ctx)
	if err != nil || s == nil {
		return nil, err
	}
	defer s.Close()
	which := store.Active
	if all {
		which = store.All
	}
	return s.Decisions(ctx, which)
}

// maxProblems is how many lines that cannot be imported are named.
const maxProblems = 100

func (d *deciding) importFile(ctx context.Context, name string) error {
	if err := d.nameBy(); err != nil {
		return err
	}
	lines, err := d.readLines(&name)
	if err != nil {
		return err
	}
	s, out, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	done, err := s.Import(ctx, lines)
	if wrong, ok := errors.AsType[*store.ImportError](err); ok {
		var errs []error
		for i, p := range wrong.Problems {
			if i == maxProblems {
				errs = append(errs, fmt.Errorf("%s: and %s more", name, plural(len(wrong.Problems)-i, "line", "lines")))
				break
			}
			errs = append(errs, fmt.Errorf("%s, line %d: %s", name, p.Line, printable(strings.ReplaceAll(p.Err.Error(), "\n", "; "))))
		}
		return rejectedf("%w\nnothing was imported", errors.Join(errs...))
	}
	if err != nil {
		return err
	}
	a := d.newAnswer(s)
	a.imported, a.unchanged = len(done.Recorded), done.Unchanged
	a.notes = append(a.notes, unknownKeys(out, keysOf(done.Recorded))...)
	fresh := make([]int64, len(done.Recorded))
	for i := range done.Recorded {
		fresh[i] = done.Recorded[i].ID
	}
	a.contradict(ctx, s, fresh)
	return a.printImport(name)
}

// readLines reads a file of decisions; "-" becomes the name of standard input.
func (d *deciding) readLines(name *string) ([]store.Line, error) {
	in := d.stdin
	if *name == "-" {
		*name = "standard input"
	} else {
		f, err := os.Open(*name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", *name, cause(err))
		}
		defer f.Close()
		in = f
	}
	lines, err := store.ReadCSV(in, d.by)
	if err != nil {
		return nil, rejectedf("%s: %w", *name, errors.New(strings.ReplaceAll(err.Error(), "\n", "\n"+*name+": ")))
	}
	return lines, nil
}
