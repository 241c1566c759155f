package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"sama/serve/consent"
	"sama/serve/store"

	"github.com/spf13/cobra"
)

// granting is one call of sama client.
type granting struct {
	deciding
	roles, purposes, fields, sources []string
	overlap                          time.Duration
}

// clientJSON is a client as --json prints it.
type clientJSON struct {
	Name     string       `json:"name"`
	Roles    []store.Role `json:"roles"`
	Purposes []string     `json:"purposes"`
	Fields   []string     `json:"fields"`
	Sources  []string     `json:"sources"` // whose records it may write; none = those of the run
	Made     time.Time    `json:"made"`
	Revoked  *time.Time   `json:"revoked,omitempty"`
	Secrets  int          `json:"secrets"` // that hold
	Secret   string       `json:"secret,omitempty"`
}

func (c *cli) clientCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "client",
		Short: "Say which applications may ask the server, and for what",
		Long: `Clients are the applications that ask sama serve. Each has a secret, roles that say what it may do at
all, purposes that it may name, and fields that it may see. What it gets of a person is what it was
granted, as far as the purpose needs it and the person's consents allow it.

Roles: read (profiles and changes), search (by a partial record), write_records, consents, steward
(decisions and explanations), admin (purposes, erasures, copies for persons, the access log).

Lookup (role read) and search find by fields, too, that the client was not granted. The answer does not
show them, but it shows whether what the client knows of a person is right. So search is no role for
clients that may see some fields only.`,
		Example: `  sama client add shop --roles read,search --purposes service --fields given_name,family_name,email --out customers
  sama client list --out customers`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("sama client: no command %q; want add, list, rotate or revoke", args[0])
			}
			return cmd.Help()
		},
	}
	for _, sub := range []*cobra.Command{c.clientAddCommand(), c.clientListCommand(), c.clientRotateCommand(), c.clientRevokeCommand()} {
		sub.Long = strings.TrimSpace(sub.Long) + "\n\n" + exitCodesHelp
		cmd.AddCommand(sub)
	}
	return cmd
}

func (c *cli) clientAddCommand() *cobra.Command {
	g := &granting{deciding: deciding{cli: c}}
	cmd := &cobra.Command{
		Use:   "add NAME --roles R,… --purposes P,… --fields F,… --out DIR",
		Short: "Make a client and show its secret, once",
		Long: `Makes a client. Its secret is shown this once and kept as a hash only. A field is the name of a column
of the golden record; email stands for email_2 as well, * for every field that is not guarded
(national_id is). A name is never given twice: the access log keeps it.

Fields limit what is shown, not what is found by: with the role search a client learns of any field
whether what it knows is right. Do not give it to one that may see some fields only.

A client with write_records writes records of the sources that --sources names, and of no others;
they may be new ones, whose records come by field names. Without --sources it writes those of every
source that the run has read.`,
		Example: `  sama client add shop --roles read,search --purposes service --fields given_name,family_name,email --out customers
  sama client add garage --roles read,write_records --sources garage --purposes booking --fields given_name,phone --out customers
  sama client add privacy --roles admin --purposes access --out customers --json`,
		Args: arguments(1, 1, "the name of a client"),
		RunE: func(cmd *cobra.Command, args []string) error { return g.add(cmd.Context(), args[0]) },
	}
	g.flags(cmd, "json")
	f := cmd.Flags()
	f.StringSliceVar(&g.roles, "roles", nil, "`roles`, with commas: read, search, write_records, consents, steward, admin")
	f.StringSliceVar(&g.purposes, "purposes", nil, "ids of `purposes`, with commas")
	f.StringSliceVar(&g.fields, "fields", nil, "names of `fields`, with commas")
	f.StringSliceVar(&g.sources, "sources", nil, "`sources` whose records it may write, with commas (default those of the run)")
	return cmd
}

func (c *cli) clientListCommand() *cobra.Command {
	g := &granting{deciding: deciding{cli: c}}
	cmd := &cobra.Command{
		Use:     "list --out DIR",
		Short:   "List the clients",
		Long:    `Lists the clients, the revoked ones too. Secrets are not shown.`,
		Example: `  sama client list --out customers`,
		Args:    arguments(0, 0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return g.list(cmd.Context()) },
	}
	g.flags(cmd, "json")
	return cmd
}

func (c *cli) clientRotateCommand() *cobra.Command {
	g := &granting{deciding: deciding{cli: c}}
	cmd := &cobra.Command{
		Use:   "rotate NAME --out DIR",
		Short: "Give a client another secret",
		Long: `Makes one more secret for a client and shows it, once. The secrets before hold for as long as --overlap
says, so that the client can be changed over.`,
		Example: `  sama client rotate shop --out customers
  sama client rotate shop --overlap 0s --out customers`,
		Args: arguments(1, 1, "the name of a client"),
		RunE: func(cmd *cobra.Command, args []string) error { return g.rotate(cmd.Context(), args[0]) },
	}
	g.flags(cmd, "json")
	cmd.Flags().DurationVar(&g.overlap, "overlap", 24*time.Hour, "`time` for which the secrets before still hold")
	return cmd
}

func (c *cli) clientRevokeCommand() *cobra.Command {
	g := &granting{deciding: deciding{cli: c}}
	cmd := &cobra.Command{
		Use:     "revoke NAME --out DIR",
		Short:   "Let a client ask no more",
		Long:    `Takes a client its secrets, for ever. A running server knows within a second.`,
		Example: `  sama client revoke shop --out customers`,
		Args:    arguments(1, 1, "the name of a client"),
		RunE:    func(cmd *cobra.Command, args []string) error { return g.revoke(cmd.Context(), args[0]) },
	}
	g.flags(cmd, "json")
	return cmd
}

func (g *granting) add(ctx context.Context, name string) error {
	roles := make([]store.Role, len(g.roles))
	for i, r := range g.roles {
		if roles[i] = store.Role(r); !slices.Contains(store.Roles, roles[i]) {
			return usagef("--roles: there is no role %q; want read, search, write_records, consents, steward or admin", r)
		}
	}
	if len(roles) == 0 {
		return usagef("--roles: a client without a role may do nothing; want read, search, write_records, consents, steward or admin")
	}
	if len(g.sources) > 0 && !slices.Contains(roles, store.RoleWriteRecords) {
		return usagef("--sources: only a client with the role write_records writes records")
	}
	if err := (&consent.Grant{Purposes: g.purposes, Fields: g.fields}).Validate(); err != nil {
		return &usageError{err}
	}
	s, err := g.openIn(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	made, secret, err := s.AddClient(ctx, name, roles, g.purposes, g.fields, g.sources...)
	if err != nil {
		return plainly(err)
	}
	g.noteUnknown(ctx, s)
	return g.show(&made, secret, "made")
}

// noteUnknown says which purposes there are not yet.
func (g *granting) noteUnknown(ctx context.Context, s *store.Store) {
	all, err := s.Purposes(ctx)
	if err != nil {
		return // the client is made; the server will say more
	}
	for _, id := range g.purposes {
		if !slices.ContainsFunc(all, func(p store.Purpose) bool { return p.ID == id }) {
			fmt.Fprintf(g.stderr, "sama: note: there is no purpose %s yet; sama purpose add makes one\n", printable(id))
		}
	}
}

// show prints a client with a new secret.
func (g *granting) show(c *store.Client, secret, what string) error {
	if g.json {
		j := clientOf(c, g.now())
		j.Secret = secret
		return printJSON(g.stdout, j)
	}
	_, err := fmt.Fprintf(g.stdout, "Client %s %s. Its secret, which is not shown again:\n\n  %s\n", c.Name, what, secret)
	return err
}

func clientOf(c *store.Client, now time.Time) clientJSON {
	j := clientJSON{Name: c.Name, Roles: append([]store.Role{}, c.Roles...), Purposes: append([]string{}, c.Purposes...), Fields: append([]string{}, c.Fields...),
		Sources: append([]string{}, c.Sources...), Made: c.Made}
	for _, s := range c.Secrets {
		if s.Expires.IsZero() || s.Expires.After(now) {
			j.Secrets++
		}
	}
	if !c.Revoked.IsZero() {
		j.Revoked = &c.Revoked
	}
	return j
}

func (g *granting) list(ctx context.Context) error {
	s, err := g.openExisting(ctx)
	if err != nil {
		return err
	}
	all := []store.Client{}
	if s != nil {
		defer s.Close()
		if all, err = s.Clients(ctx); err != nil {
			return err
		}
	}
	list := make([]clientJSON, len(all))
	for i := range all {
		list[i] = clientOf(&all[i], g.now())
	}
	if g.json {
		return printJSON(g.stdout, struct {
			Clients []clientJSON `json:"clients"`
		}{list})
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(g.stdout, "There are no clients; sama client add makes one.")
		return err
	}
	t := newTable("client", "roles", "purposes", "fields", "sources", "secrets", "made", "revoked")
	for _, c := range list {
		revoked := ""
		if c.Revoked != nil {
			revoked = c.Revoked.Format(time.DateOnly)
		}
		roles := make([]string, len(c.Roles))
		for i, r := range c.Roles {
			roles[i] = string(r)
		}
		t.row(c.Name, strings.Join(roles, " "), strings.Join(c.Purposes, " "), shorten(strings.Join(c.Fields, " "), 60), shorten(strings.Join(c.Sources, " "), 40), c.Secrets, c.Made.Format(time.DateOnly), revoked)
	}
	t.write(g.stdout, "")
	return nil
}

func (g *granting) rotate(ctx context.Context, name string) error {
	if g.overlap < 0 {
		return usagef("--overlap %s: want no less than 0s", g.overlap)
	}
	s, err := g.openExisting(ctx)
	if err != nil {
		return err
	}
	if s == nil {
		return fmt.Errorf("there is no client %s, for there is no state yet", name)
	}
	defer s.Close()
	secret, err := s.RotateSecret(ctx, name, g.overlap)
	if err != nil {
		return plainly(err)
	}
	all, err := s.Clients(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(c store.Client) bool { return c.Name == name })
	return g.show(&all[i], secret, "has another secret")
}

func (g *granting) revoke(ctx context.Context, name string) error {
	s, err := g.openExisting(ctx)
	if err != nil {
		return err
	}
	if s == nil {
		return fmt.Errorf("there is no client %s, for there is no state yet", name)
	}
	defer s.Close()
	if err := s.RevokeClient(ctx, name); err != nil {
		return plainly(err)
	}
	if g.json {
		return printJSON(g.stdout, map[string]string{"name": name, "outcome": "revoked"})
	}
	_, err = fmt.Fprintf(g.stdout, "Client %s revoked; a running server knows within a second.\n", name)
	return err
}
