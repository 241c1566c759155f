package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func (c *cli) backupCommand() *cobra.Command {
	d := &deciding{cli: c}
	cmd := &cobra.Command{
		Use:   "backup FILE --out DIR",
		Short: "Copy the state while it is in use",
		Long: `Copies the state database as it is at one moment to FILE, which must not be there: decisions, clients,
purposes, consents, erasures, what came online, the access log. The server and other commands go on
meanwhile. The copy is whole or not there.

To restore, end the server, remove state.db-wal and state.db-shm, and put the copy in the place of
state.db. Keep state.keys apart from the copies: who has only one of the two learns nothing of those
who were erased. Erasures that were asked for after the copy was made are to be done again.

PostgreSQL has tools of its own: pg_dump and pg_restore.`,
		Example: `  sama backup backups/state-2026-11-24.db --out customers`,
		Args:    arguments(1, 1, "one file"),
		RunE:    func(cmd *cobra.Command, args []string) error { return d.backup(cmd.Context(), args[0]) },
	}
	d.flags(cmd)
	return cmd
}

func (d *deciding) backup(ctx context.Context, file string) error {
	s, err := d.openExisting(ctx)
	if err != nil {
		return err
	}
	if s == nil {
		return errors.New("there is no state yet, and so nothing to copy")
	}
	defer s.Close()
	if err := s.Backup(ctx, file); err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.stdout, "%s is a copy of %s.\n", printable(file), printable(s.Location()))
	return err
}
