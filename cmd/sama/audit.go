package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sama/serve/store"

	"github.com/spf13/cobra"
)

func (c *cli) auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Verify the log of who saw what, and remove its oldest rows",
		Long: `The access log says what data left: when, to which client, for which purpose, which fields, of whom.
Its rows are chained by hashes, so that none can be changed or removed unnoticed.`,
		Example: `  sama audit verify --out customers
  sama audit sweep --before 2024-01-01 --by kim --out customers`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("sama audit: no command %q; want verify or sweep", args[0])
			}
			return cmd.Help()
		},
	}
	for _, sub := range []*cobra.Command{c.auditVerifyCommand(), c.auditSweepCommand()} {
		sub.Long = strings.TrimSpace(sub.Long) + "\n\n" + exitCodesHelp
		cmd.AddCommand(sub)
	}
	return cmd
}

// auditing is one call of sama audit.
type auditing struct {
	deciding
	kept   []string // heads of the log, as they are written
	before string
}

func (c *cli) auditVerifyCommand() *cobra.Command {
	a := &auditing{deciding: deciding{cli: c}}
	cmd := &cobra.Command{
		Use:   "verify --out DIR",
		Short: "Compute the hashes of the access log anew",
		Long: `Reads the whole access log and computes its hashes anew. It names the first row that is not as it was
written, and ends with exit code 1. The number and hash of the last row stand for all rows before:
kept elsewhere and given with --kept, they show later that nobody wrote the log anew.`,
		Example: `  sama audit verify --out customers
  sama audit verify --out customers --json
  sama audit verify --kept 1200:5dc3249f7b634985ea5354103ab3ba041f83842df11e3e20eb9eaa2b3c2b9816 --out customers`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.verify(cmd.Context()) },
	}
	a.flags(cmd, "json")
	cmd.Flags().StringArrayVar(&a.kept, "kept", nil, "number and hash, `ID:HASH`, of a row that was the last once; may be given several times")
	return cmd
}

func (c *cli) auditSweepCommand() *cobra.Command {
	a := &auditing{deciding: deciding{cli: c}}
	cmd := &cobra.Command{
		Use:   "sweep --before DATE --by NAME --out DIR",
		Short: "Remove the oldest rows of the access log",
		Long: `Removes the rows of the access log from before a day, up to the first that is younger. It verifies the
log first and removes nothing of one that does not hold. A row of the log itself says what was removed
and by whom, and the hash of the last row that was takes their place.

What is removed is no more in what a person is shown of who saw their data: keep it for as long as they
may ask.`,
		Example: `  sama audit sweep --before 2024-01-01 --by kim --out customers
  sama audit sweep --before 2024-01-01T02:00:00+02:00 --by kim --out customers --json`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.sweep(cmd.Context()) },
	}
	a.flags(cmd, "json")
	f := cmd.Flags()
	f.StringVar(&a.before, "before", "", "`date` such as 2024-01-01, which begins at midnight UTC, or a time such as 2024-01-01T02:00:00+02:00")
	f.StringVar(&a.by, "by", "", "`name` of who removes them")
	return cmd
}

// verifiedJSON is what a verification found, as --json prints it.
type verifiedJSON struct {
	Whole    bool   `json:"whole"`
	Rows     int64  `json:"rows"`
	First    int64  `json:"first"`
	Last     int64  `json:"last"`
	Hash     string `json:"hash"` // of the last row
	SweptTo  int64  `json:"swept_to,omitempty"`
	Broken   int64  `json:"broken,omitempty"` // the first row that does not hold
	Why      string `json:"why,omitempty"`
	Location string `json:"state"`
}

// parseHead reads a head of the log as it was printed.
func parseHead(text string) (h store.AccessHead, err error) {
	number, hash, _ := strings.Cut(text, ":")
	h.ID, err = strconv.ParseInt(number, 10, 64)
	digest, err2 := hex.DecodeString(hash)
	if err != nil || err2 != nil || h.ID < 1 || len(digest) != len(h.Hash) {
		return h, usagef("--kept %s: want the number of a row, a colon and its hash of %d hexadecimal digits, as sama audit verify prints them", text, 2*len(h.Hash))
	}
	copy(h.Hash[:], digest)
	return h, nil
}

// log opens the state that has the access log.
func (a *auditing) log(ctx context.Context) (*store.Store, error) {
	s, err := a.openExisting(ctx)
	if err == nil && s == nil {
		err = errors.New("there is no state yet, and so no access log")
	}
	return s, err
}

func (a *auditing) verify(ctx context.Context) error {
	var kept []store.AccessHead
	var errs []error
	for _, text := range a.kept {
		h, err := parseHead(text)
		kept, errs = append(kept, h), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return &usageError{err}
	}
	s, err := a.log(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	v, err := s.VerifyAccess(ctx, kept...)
	var broken *store.BrokenError
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	if a.json {
		j := verifiedJSON{Whole: broken == nil, Rows: v.Rows, First: v.First, Last: v.Last, Hash: hex.EncodeToString(v.Head.Hash[:]), SweptTo: v.Checkpoint.ID, Location: s.Location()}
		if broken != nil {
			j.Broken, j.Why = broken.ID, broken.Why
		}
		if err := printJSON(a.stdout, j); err != nil {
			return err
		}
	}
	switch {
	case broken != nil:
		return broken
	case a.json:
		return nil
	case v.Rows == 0:
		_, err = fmt.Fprintln(a.stdout, "The access log is empty.")
	default:
		_, err = fmt.Fprintf(a.stdout, "The access log is whole: %s, the last is row %d with hash\n  %s\n", plural(v.Rows, "row", "rows"), v.Last, hex.EncodeToString(v.Head.Hash[:]))
	}
	if err == nil && len(kept) > 0 {
		_, err = fmt.Fprintf(a.stdout, "It has %s that %s kept.\n", plural(len(kept), "row", "rows"), map[bool]string{true: "was", false: "were"}[len(kept) == 1])
	}
	if err == nil && v.Checkpoint.ID > 0 {
		_, err = fmt.Fprintf(a.stdout, "Rows up to %d were removed at %s by %s.\n", v.Checkpoint.ID, v.Checkpoint.At.Format("2006-01-02 15:04"), printable(v.Checkpoint.By))
	}
	return err
}

// sweptJSON is what a sweep removed, as --json prints it.
type sweptJSON struct {
	Removed  int64  `json:"removed"`            // rows
	SweptTo  int64  `json:"swept_to,omitempty"` // the last of them
	Hash     string `json:"hash,omitempty"`     // of that
	By       string `json:"by,omitempty"`
	Location string `json:"state"`
}

// parseBefore reads the time before which rows are removed.
func (a *auditing) parseBefore() (time.Time, error) {
	if a.before == "" {
		return time.Time{}, usagef("say from before which day with --before DATE")
	}
	t, err := time.Parse(time.DateOnly, a.before)
	if err != nil {
		t, err = time.Parse(time.RFC3339, a.before)
	}
	if err != nil {
		return t, usagef("--before %s: want a date such as 2024-01-01, or a time such as 2024-01-01T02:00:00+02:00", a.before)
	}
	if t.After(a.now()) {
		return t, usagef("--before %s: that is in the future; rows that are yet to come cannot be meant", a.before)
	}
	return t, nil
}

func (a *auditing) sweep(ctx context.Context) error {
	before, err := a.parseBefore()
	if a.by == "" {
		err = errors.Join(err, usagef("say who removes them with --by NAME"))
	}
	if err != nil {
		return &usageError{err}
	}
	s, err := a.log(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	p, err := s.SweepAccess(ctx, before, a.by)
	if err != nil {
		return err
	}
	hash := hex.EncodeToString(p.Hash[:])
	switch {
	case p.ID == 0 && a.json:
		return printJSON(a.stdout, sweptJSON{Location: s.Location()})
	case a.json:
		return printJSON(a.stdout, sweptJSON{p.Removed, p.ID, hash, p.By, s.Location()})
	case p.ID == 0:
		_, err = fmt.Fprintf(a.stdout, "The access log has no rows from before %s; nothing was removed.\n", a.before)
	default:
		_, err = fmt.Fprintf(a.stdout, "%s removed, up to row %d with hash\n  %s\n", plural(p.Removed, "row", "rows"), p.ID, hash)
	}
	return err
}
