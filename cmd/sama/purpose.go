package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"sama/serve/consent"
	"sama/serve/store"

	"github.com/spf13/cobra"
)

// purposing is one call of sama purpose.
type purposing struct {
	deciding
	consent.Purpose
	basis    string
	channels []string
}

// purposeJSON is a purpose as --json prints it.
type purposeJSON struct {
	consent.Purpose
	Version int64     `json:"version"`
	By      string    `json:"by"`
	Made    time.Time `json:"made"`
}

func (c *cli) purposeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "purpose",
		Short: "Say what data may be used for",
		Long: `Purposes are what data of persons is used for: every read of a person names one. A purpose says on
what lawful basis it stands, which fields it ever needs, and by which channels it reaches people. A
purpose is never removed, and its earlier versions stay, for consents refer to them.`,
		Example: `  sama purpose add newsletter --title Newsletter --controller us --basis consent --channels email --fields given_name,email --text-version 2026-11 --direct-marketing --out customers
  sama purpose list --out customers`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("sama purpose: no command %q; want add or list", args[0])
			}
			return cmd.Help()
		},
	}
	for _, sub := range []*cobra.Command{c.purposeAddCommand(), c.purposeListCommand()} {
		sub.Long = strings.TrimSpace(sub.Long) + "\n\n" + exitCodesHelp
		cmd.AddCommand(sub)
	}
	return cmd
}

func (c *cli) purposeAddCommand() *cobra.Command {
	p := &purposing{deciding: deciding{cli: c}}
	cmd := &cobra.Command{
		Use:   "add ID --title TEXT --controller NAME --basis BASIS --fields F,… --out DIR",
		Short: "Make a purpose, or a new version of it",
		Long: `Makes a purpose, or a new version of one that is there. A field is the name of a column of the golden
record; email stands for email_2 as well, * for every field that is not guarded (national_id is). A
purpose that stands on consent needs the version of the text that people see.`,
		Example: `  sama purpose add service --title 'Customer service' --controller us --basis contract --fields '*' --out customers
  sama purpose add newsletter --title Newsletter --controller us --basis consent --channels email --fields given_name,email --text-version 2026-11 --direct-marketing --out customers`,
		Args: arguments(1, 1, "the id of a purpose"),
		RunE: func(cmd *cobra.Command, args []string) error { return p.add(cmd.Context(), args[0]) },
	}
	p.flags(cmd, "by", "json")
	f := cmd.Flags()
	f.StringVar(&p.Title, "title", "", "`text` that people see")
	f.StringVar(&p.Controller, "controller", "", "short `name` of the company that answers for it")
	f.StringVar(&p.basis, "basis", "", "lawful `basis`: consent, contract, legal_obligation, vital_interest, public_task, legitimate_interest")
	f.StringSliceVar(&p.channels, "channels", nil, "`channels`, with commas, such as email, sms, phone, post")
	f.StringSliceVar(&p.Fields, "fields", nil, "names of the `fields` that it ever needs, with commas")
	f.BoolVar(&p.DirectMarketing, "direct-marketing", false, "it is direct marketing, to which people can always object")
	f.IntVar(&p.RetentionDays, "retention-days", 0, "`number` of days for which data is kept for it; 0 is not said")
	f.StringVar(&p.TextVersion, "text-version", "", "`version` of the text that people see")
	return cmd
}

func (c *cli) purposeListCommand() *cobra.Command {
	p := &purposing{deciding: deciding{cli: c}}
	cmd := &cobra.Command{
		Use:     "list --out DIR",
		Short:   "List the purposes",
		Long:    `Lists the purposes in their newest versions.`,
		Example: `  sama purpose list --out customers`,
		Args:    arguments(0, 0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.list(cmd.Context()) },
	}
	p.flags(cmd, "json")
	return cmd
}

func (p *purposing) add(ctx context.Context, id string) error {
	p.ID = id
	var wrong error
	if p.basis != "" {
		p.Basis, wrong = consent.ParseBasis(p.basis)
	}
	for _, c := range p.channels {
		p.Channels = append(p.Channels, consent.Channel(c))
	}
	if err := errors.Join(wrong, p.Validate()); err != nil {
		return &usageError{err}
	}
	if err := p.nameBy(); err != nil {
		return err
	}
	body, err := json.Marshal(&p.Purpose)
	if err != nil {
		return err
	}
	s, err := p.openIn(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	row, err := s.PutPurpose(ctx, id, body, p.by)
	if err != nil {
		return plainly(err)
	}
	if p.json {
		return printJSON(p.stdout, purposeJSON{p.Purpose, row.Version, row.By, row.Made})
	}
	_, err = fmt.Fprintf(p.stdout, "Purpose %s has version %d.\n", id, row.Version)
	return err
}

func (p *purposing) list(ctx context.Context) error {
	s, err := p.openExisting(ctx)
	if err != nil {
		return err
	}
	var rows []store.Purpose
	if s != nil {
		defer s.Close()
		if rows, err = s.Purposes(ctx); err != nil {
			return err
		}
	}
	list := make([]purposeJSON, len(rows))
	for i, row := range rows {
		list[i] = purposeJSON{Version: row.Version, By: row.By, Made: row.Made}
		if err := json.Unmarshal(row.Body, &list[i].Purpose); err != nil {
			return fmt.Errorf("purpose %s version %d: %w", row.ID, row.Version, err)
		}
	}
	if p.json {
		return printJSON(p.stdout, struct {
			Purposes []purposeJSON `json:"purposes"`
		}{list})
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(p.stdout, "There are no purposes; sama purpose add makes one.")
		return err
	}
	t := newTable("purpose", "version", "basis", "channels", "fields", "controller", "title")
	for i := range list {
		x := &list[i]
		channels := make([]string, len(x.Channels))
		for k, c := range x.Channels {
			channels[k] = string(c)
		}
		t.row(x.ID, x.Version, x.Basis.String(), strings.Join(channels, " "), shorten(strings.Join(x.Fields, " "), 60), x.Controller, x.Title)
	}
	t.write(p.stdout, "")
	return nil
}
