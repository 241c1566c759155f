package extract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sama/serve/consent"
	"sama/serve/store"
)

// allow finds what the client may have now, and refuses what it may not.
func (x *Extract) allow(ctx context.Context) error {
	x.routes, x.missing, x.columns, x.reach = nil, nil, nil, nil
	client, err := x.client(ctx)
	if err != nil {
		return err
	}
	if err := x.findPurpose(ctx, client); err != nil {
		return err
	}
	p := x.purpose
	if c := x.request.Channel; c != consent.AnyChannel && !slices.Contains(p.Channels, c) {
		if len(p.Channels) == 0 {
			return refused("purpose %s reaches nobody by any channel; ask without one", p.ID)
		}
		return refused("purpose %s does not use channel %s; it uses %s", p.ID, c, list(p.Channels))
	}
	names := make([]string, len(x.Index.Columns()))
	for i, c := range x.Index.Columns() {
		names[i] = c.Name
	}
	x.filter = consent.Compile(&consent.Grant{Purposes: client.Purposes, Fields: client.Fields}, p, x.policy, names)
	x.findRoutes()
	return x.findColumns(names)
}

func (x *Extract) client(ctx context.Context) (*store.Client, error) {
	all, err := x.Store.Clients(ctx)
	if err != nil {
		return nil, err
	}
	var may []string
	for i := range all {
		c := &all[i]
		if !c.Revoked.IsZero() {
			if c.Name == x.request.Client {
				return nil, refused("client %s was revoked on %s", c.Name, c.Revoked.Format("2006-01-02"))
			}
			continue
		}
		if c.Name == x.request.Client {
			if !c.Has(store.RoleRead) {
				return nil, refused("client %s does not have the role read, which an extract takes; it has %s", c.Name, list(c.Roles))
			}
			return c, nil
		}
		may = append(may, c.Name)
	}
	if len(may) == 0 {
		return nil, refused("there is no client %s, nor any other; sama client add makes one", x.request.Client)
	}
	return nil, refused("there is no client %s; there are %s", x.request.Client, list(may))
}

func (x *Extract) findPurpose(ctx context.Context, client *store.Client) error {
	rows, err := x.Store.Purposes(ctx)
	if err != nil {
		return err
	}
	var may []string
	for i := range rows {
		if slices.Contains(client.Purposes, rows[i].ID) {
			may = append(may, rows[i].ID)
		}
	}
	instead := "it was granted none that there is"
	if len(may) > 0 {
		instead = "it was granted " + list(may)
	}
	k := slices.IndexFunc(rows, func(p store.Purpose) bool { return p.ID == x.request.Purpose })
	switch {
	case k < 0:
		return refused("there is no purpose %s that client %s could name; %s", x.request.Purpose, client.Name, instead)
	case !slices.Contains(may, x.request.Purpose):
		return refused("client %s was not granted purpose %s; %s", client.Name, x.request.Purpose, instead)
	}
	x.purpose, x.version = new(consent.Purpose), rows[k].Version
	if err := json.Unmarshal(rows[k].Body, x.purpose); err != nil {
		return fmt.Errorf("purpose %s version %d: %w", rows[k].ID, rows[k].Version, err)
	}
	x.purpose.ID = rows[k].ID
	return nil
}

// findRoutes lists what is asked of the ledger.
func (x *Extract) findRoutes() {
	channels := x.purpose.Channels
	switch {
	case x.request.Channel != consent.AnyChannel:
		channels = []consent.Channel{x.request.Channel}
	case len(channels) == 0:
		channels = []consent.Channel{consent.AnyChannel}
	}
	for _, c := range channels {
		r := route{channel: c}
		kind := c.ContactKind()
		for i, info := range x.Index.Columns() {
			if kind != "" && info.Field.String() == kind {
				r.columns = append(r.columns, i)
			}
		}
		x.routes = append(x.routes, r)
	}
}

// mayHave says why a column is withheld whatever the persons say, by the route
// that comes closest, or consent.NotWithheld.
func (x *Extract) mayHave(column int) consent.Withheld {
	why := consent.NotWithheld
	for _, r := range x.routes {
		d := consent.Decision{Allowed: true, Purpose: x.purpose.ID, Question: consent.Question{Channel: r.channel}}
		w := x.filter.Why(column, &d)
		if w == consent.NotWithheld {
			return w
		}
		why = max(why, w)
	}
	return why
}

// findColumns chooses the columns of the file.
func (x *Extract) findColumns(names []string) error {
	var may []string
	reasons := make([]consent.Withheld, len(names))
	for i, name := range names {
		if reasons[i] = x.mayHave(i); reasons[i] == consent.NotWithheld {
			may = append(may, name)
		} else {
			x.missing = append(x.missing, Missing{name, reasons[i]})
		}
	}
	r := &x.request
	instead := fmt.Sprintf("client %s may have %s for purpose %s", r.Client, list(may), r.Purpose)
	if r.Channel != consent.AnyChannel {
		instead += " and channel " + string(r.Channel)
	}
	if len(may) == 0 {
		return refused("client %s may have no field for purpose %s: its grant and the purpose name none in common that the run has", r.Client, r.Purpose)
	}
	if err := checkFields(r.Fields, names, reasons, instead); err != nil {
		return err
	}
	var last []int
	for i, name := range names {
		contact := x.isContact(name)
		asked := r.Fields == nil || contact || slices.ContainsFunc(r.Fields, func(f string) bool { return consent.Covers(f, name) })
		switch {
		case reasons[i] != consent.NotWithheld || !asked:
		case contact:
			last = append(last, i)
		default:
			x.columns = append(x.columns, i)
		}
	}
	for range last {
		x.reach = append(x.reach, len(x.columns)+len(x.reach))
	}
	x.columns = append(x.columns, last...)
	if slices.ContainsFunc(x.columns, func(c int) bool { return names[c] == identityColumn }) {
		return fmt.Errorf("the run has a column %s, which is the name of the id; name other fields", identityColumn)
	}
	return nil
}

// isContact reports whether a column holds what the channel that was asked for
// needs to reach a person: a field that the policy ties to it.
func (x *Extract) isContact(column string) bool {
	return x.request.Channel != consent.AnyChannel && slices.ContainsFunc(x.policy.Channels, func(r consent.ChannelRule) bool {
		return consent.Covers(r.Field, column) && slices.Contains(r.Channels, x.request.Channel)
	})
}

// checkFields refuses fields that there are not, or that the client may not
// have.
func checkFields(fields, names []string, reasons []consent.Withheld, instead string) error {
	if fields != nil && len(fields) == 0 {
		return refused("no field is named; %s", instead)
	}
	var errs []error
	for _, f := range fields {
		known, why := false, consent.NotWithheld
		for i, name := range names {
			if !consent.Covers(f, name) {
				continue
			}
			known = true
			why = max(why, reasons[i])
		}
		switch {
		case !known:
			errs = append(errs, fmt.Errorf("the run has no field %s; it has %s", f, list(names)))
		case why != consent.NotWithheld:
			errs = append(errs, errors.New(strings.TrimSuffix(consent.WithheldField{Field: f, Reason: why}.Sentence(), ".")))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return &RefusedError{errors.Join(append(errs, errors.New(instead))...)}
}

// list writes words with commas.
func list[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}
