package main

import (
	"context"

	"github.com/spf13/cobra"
)

func (c *cli) explainCommand() *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "explain KEY [KEY] --out DIR",
		Short: "Say why two records did or did not match, or why an identity is one",
		Long: `With two keys (source:record_id): the values side by side, the level of agreement that each
comparison found, what it adds to the match weight, whether the two are one identity, which
blocking rules bring them together, and what would have to change.

With one key, or an identity id: the identity, its records, the edges that hold it together, and
its golden record with what lost.

The records are those that the run directory holds, weighed by the run's own plan and model.
Without --out, the only output directory in the current folder is taken.`,
		Example: `  sama explain crm:C0012 webshop:W0093 --out customers
  sama explain crm:C0012 --out customers --json`,
		Args: arguments(1, 2, "one key or two"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.explain(cmd.Context(), o, args)
		},
	}
	o.flags(cmd, "out", "workers", "json", "quiet")
	return cmd
}

func (c *cli) explain(ctx context.Context, o *options, keys []string) error {
	if err := o.validate(); err != nil {
		return err
	}
	p, err := c.reopen(ctx, o)
	if err != nil {
		return err
	}
	if len(keys) == 1 {
		return p.explainIdentity(keys[0])
	}
	return p.explainPair(keys[0], keys[1])
}
