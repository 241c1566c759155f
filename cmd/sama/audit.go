package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"sama/serve/store"

	"github.com/spf13/cobra"
)

func (c *cli) auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Verify the log of who saw what",
		Long: `The access log says what data left the server: when, to which client, for which purpose, which fields.
Its rows are chained by hashes, so that none can be changed or removed unnoticed.`,
		Example: `  sama audit verify --out customers`,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("sama audit: no command %q; want verify", args[0])
			}
			return cmd.Help()
		},
	}
	sub := c.auditVerifyCommand()
	sub.Long = strings.TrimSpace(sub.Long) + "\n\n" + exitCodesHelp
	cmd.AddCommand(sub)
	return cmd
}

func (c *cli) auditVerifyCommand() *cobra.Command {
	d := &deciding{cli: c}
	cmd := &cobra.Command{
		Use:   "verify --out DIR",
		Short: "Compute the hashes of the access log anew",
		Long: `Reads the whole access log and computes its hashes anew. It names the first row that is not as it was
written, and ends with exit code 1. The number and hash of the last row stand for all rows before:
kept elsewhere, they show later that nobody wrote the log anew.`,
		Example: `  sama audit verify --out customers
  sama audit verify --out customers --json`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return d.verifyAccess(cmd.Context()) },
	}
	d.flags(cmd, "json")
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

func (d *deciding) verifyAccess(ctx context.Context) error {
	s, err := d.openExisting(ctx)
	if err != nil {
		return err
	}
	if s == nil {
		return errors.New("there is no state yet, and so no access log")
	}
	defer s.Close()
	v, err := s.VerifyAccess(ctx)
	var broken *store.BrokenError
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	if d.json {
		j := verifiedJSON{Whole: broken == nil, Rows: v.Rows, First: v.First, Last: v.Last, Hash: hex.EncodeToString(v.Head.Hash[:]), SweptTo: v.Checkpoint.ID, Location: s.Location()}
		if broken != nil {
			j.Broken, j.Why = broken.ID, broken.Why
		}
		if err := printJSON(d.stdout, j); err != nil {
			return err
		}
	}
	switch {
	case broken != nil:
		return broken
	case d.json:
		return nil
	case v.Rows == 0:
		_, err = fmt.Fprintln(d.stdout, "The access log is empty.")
	default:
		_, err = fmt.Fprintf(d.stdout, "The access log is whole: %s, the last is row %d with hash\n  %s\n", plural(v.Rows, "row", "rows"), v.Last, hex.EncodeToString(v.Head.Hash[:]))
	}
	if err == nil && v.Checkpoint.ID > 0 {
		_, err = fmt.Fprintf(d.stdout, "Rows up to %d were removed at %s by %s.\n", v.Checkpoint.ID, v.Checkpoint.At.Format("2006-01-02 15:04"), printable(v.Checkpoint.By))
	}
	return err
}
