package serve

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sama/record"
	"sama/serve/api"
	"sama/serve/consent"
	"sama/serve/store"
)

// Every profile leaves through this file, and nothing else makes an
// api.Profile: a releaser says what may leave, writes it into the access log,
// and only then hands it out. A test holds the package against that.

// releaser is one request's right to profiles: the run that it began with, its
// client and its purpose.
type releaser struct {
	*Server
	engine  Engine
	client  *Client
	purpose *purpose
	columns []Column
	filter  *consent.Filter
	now     time.Time
	keys    bool // whether the client may see record keys
}

// releaser begins to answer a request.
func (s *Server) releaser(ctx context.Context) (*releaser, error) {
	seen := seenOf(ctx)
	all, err := s.purposes.get(ctx)
	if err != nil {
		return nil, err
	}
	p, ok := all.find(seen.purpose)
	if !ok {
		return nil, refuse("purpose_not_granted", "there is no such purpose; sama purpose add makes one")
	}
	e, err := s.engineOf(ctx)
	if err != nil {
		return nil, err
	}
	r := &releaser{Server: s, engine: e, client: seen.client, purpose: p, columns: e.Columns(), now: s.Now()}
	r.keys = seen.client.Has(store.RoleSteward) || seen.client.Has(store.RoleAdmin)
	r.filter = all.filter(seen.client, p, s.Policy, namesOf(r.columns))
	return r, nil
}

func namesOf(columns []Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}

// judged is an identity with what may leave of it. It holds the whole golden
// record and does not leave by itself.
type judged struct {
	golden    *Golden
	decisions []consent.Decision
	released  consent.Set
	aliasOf   string
}

// allowed reports whether the person's side allows the purpose at all.
func (j *judged) allowed() bool {
	return slices.ContainsFunc(j.decisions, func(d consent.Decision) bool { return d.Allowed })
}

// find follows an identity id.
func (r *releaser) find(ctx context.Context, id string) (*judged, error) {
	g, err := findGolden(r.engine, id)
	if err != nil {
		return nil, err
	}
	seenOf(ctx).identity = g.ID
	j, err := r.judge(ctx, g)
	if err == nil && g.ID != id {
		j.aliasOf = id
	}
	return j, err
}

// findGolden returns what an id names.
func findGolden(e Engine, id string) (*Golden, error) {
	surviving, retired, ok := e.Identity(id)
	switch {
	case retired:
		return nil, refuse("identity_retired", "no record belongs to it any more")
	case !ok:
		return nil, refuse("unknown_identity", "no identity ever had that id, or it is mistyped")
	}
	g, ok, err := e.Golden(surviving)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refuse("unknown_identity", "no identity ever had that id, or it is mistyped")
	}
	return g, nil
}

// judge decides what of an identity may leave.
func (r *releaser) judge(ctx context.Context, g *Golden) (*judged, error) {
	events, err := r.ledger(ctx, r.engine, g)
	if err != nil {
		return nil, err
	}
	j := &judged{golden: g}
	for _, q := range r.questions(&r.purpose.Purpose, r.engine, g) {
		d := consent.Decide(&r.purpose.Purpose, q, events, r.now)
		j.decisions = append(j.decisions, d)
		j.released = j.released.AppendUnion(r.filter.Apply(&d), nil)
	}
	return j, nil
}

// tag names what a profile stands on: the run, what came since, the client's
// grant, the purpose's version, and what the consents decide.
func (r *releaser) tag(j *judged) api.EntityTag {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%d\x00%s\x00%q\x00%q\x00%q\x00%s\x00%d\x00", r.engine.RunID(), r.engine.Version(),
		r.client.Name, r.client.Roles, r.client.Purposes, r.client.Fields, r.purpose.ID, r.purpose.version)
	for i := range j.decisions {
		d := &j.decisions[i]
		fmt.Fprintf(h, "%s\x00%d\x00%s\x00%s\x00", d.Reason, d.Event, d.Question.Channel, d.Question.Column)
	}
	return `W/"` + hex.EncodeToString(h.Sum(nil)[:12]) + `"`
}

// profiles hands profiles out: it returns when the access log has them on disk.
func (r *releaser) profiles(ctx context.Context, what string, list []*judged) ([]api.Profile, error) {
	out := make([]api.Profile, len(list))
	rows := make([]store.Access, len(list))
	for i, j := range list {
		var fields []string
		out[i], fields = r.profile(j)
		rows[i] = store.Access{At: r.now, Client: r.client.Name, Purpose: r.purpose.ID, Identity: j.golden.ID, Fields: fields, What: what, Basis: basisOf(j.decisions)}
	}
	if err := r.Store.AppendAccess(ctx, rows); err != nil {
		return nil, stateProblem(err)
	}
	r.metrics.released.Add(float64(len(out)))
	return out, nil
}

// basisOf says in the access log why something was allowed or not.
func basisOf(decisions []consent.Decision) string {
	var parts []string
	for i := range decisions {
		text := decisions[i].Reason.String()
		if decisions[i].Event > 0 {
			text += ":" + strconv.FormatInt(decisions[i].Event, 10)
		}
		if !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " ")
}

// profile makes the profile of an identity, and names the columns in it that
// have a value.
func (r *releaser) profile(j *judged) (api.Profile, []string) {
	g := j.golden
	p := api.Profile{
		IdentityId: g.ID, Purpose: r.purpose.ID, RunId: r.engine.RunID(), Golden: make(map[string]api.Value),
		Provenance: []api.Provenance{}, Withheld: []api.Withheld{}, Consents: decisionsOf(j.decisions),
	}
	if j.aliasOf != "" {
		p.AliasOf = &j.aliasOf
	}
	var fields []string
	for i := range g.Values {
		v := &g.Values[i]
		if !j.released.Has(v.Column) {
			continue
		}
		name := r.columns[v.Column].Name
		p.Golden[name] = v.Value
		p.Provenance = append(p.Provenance, r.provenance(name, v))
		fields = append(fields, logName(name))
	}
	for i, c := range r.columns {
		if !j.released.Has(i) {
			p.Withheld = append(p.Withheld, api.Withheld{Name: c.Name, Reason: r.why(i, j).String()})
		}
	}
	if r.keys {
		keys := keysOf(g.Records)
		p.Records = &keys
	}
	if len(fields) > 0 {
		// These are told from the sources' own times, which the client may not have.
		made := r.hasAll(j, record.CreatedAt)
		if made {
			p.FirstSeen = timeOf(g.FirstSeen)
		}
		if made && r.hasAll(j, record.UpdatedAt) {
			p.LastChanged = timeOf(g.LastChanged)
		}
	}
	return p, fields
}

// hasAll reports whether every column of a field is released.
func (r *releaser) hasAll(j *judged, f record.Field) bool {
	for i, c := range r.columns {
		if c.Field == f && !j.released.Has(i) {
			return false
		}
	}
	return true
}

// personCopy hands out everything that is held about an identity, for the
// person: it returns when the access log has it on disk.
func (s *Server) personCopy(ctx context.Context, e Engine, id string) (*personCopy, error) {
	g, err := findGolden(e, id)
	if err != nil {
		return nil, err
	}
	events, err := s.ledger(ctx, e, g)
	if err != nil {
		return nil, err
	}
	aliases, err := e.Aliases(id)
	if err != nil {
		return nil, err
	}
	records, err := e.Records(id)
	if err != nil {
		return nil, err
	}
	aliases = append([]string{}, aliases...)
	rows, err := s.Store.AccessOf(ctx, append([]string{id}, aliases...), 0, maxAccessRows)
	if err != nil {
		return nil, stateProblem(err)
	}
	c := &personCopy{about: personAbout{IdentityID: id, Aliases: aliases, RunID: e.RunID(), Made: s.Now().UTC()}, records: records}
	columns := e.Columns()
	for i := range g.Values {
		v := &g.Values[i]
		c.golden = append(c.golden, goldenCopy{columns[v.Column].Name, v.Value, v.Record.Source, v.Record.ID, v.Rule})
	}
	c.consents = consentCopies(events)
	for i := range rows {
		c.access = append(c.access, entryOf(&rows[i]))
	}
	seen := seenOf(ctx)
	row := store.Access{At: s.Now(), Client: seen.client.Name, Purpose: seen.purpose, Identity: id, What: "export", Basis: "access_request"}
	for _, v := range c.golden {
		row.Fields = append(row.Fields, logName(v.Name))
	}
	if err := s.Store.AppendAccess(ctx, []store.Access{row}); err != nil {
		return nil, stateProblem(err)
	}
	return c, nil
}

// logName is the name of a column as the access log keeps it, whose lists are
// parted by commas.
func logName(name string) string { return strings.ReplaceAll(name, ",", " ") }

// why says why column i is withheld: by the decision that comes closest.
func (r *releaser) why(i int, j *judged) consent.Withheld {
	best := consent.NotWithheld
	for k := range j.decisions {
		best = max(best, r.filter.Why(i, &j.decisions[k]))
	}
	return best
}

func (r *releaser) provenance(name string, v *GoldenValue) api.Provenance {
	p := api.Provenance{Name: name, Source: v.Record.Source, Rule: v.Rule, Losing: []api.LosingValue{}}
	if r.keys {
		p.RecordId = &v.Record.ID
	}
	for i := range v.Losing {
		l := api.LosingValue{Source: v.Losing[i].Record.Source, Value: v.Losing[i].Value}
		if r.keys {
			l.RecordId = &v.Losing[i].Record.ID
		}
		p.Losing = append(p.Losing, l)
	}
	return p
}

// reasons are what comparisons add to a match weight, as far as the columns that
// they look at are released.
func (r *releaser) reasons(list []Reason, j *judged) []api.ComparisonReason {
	out := []api.ComparisonReason{}
	withheld, some := record.Weight(0), false
	for i := range list {
		reason := &list[i]
		if !reason.Open && !r.visible(reason.Columns, j.released) {
			withheld += reason.Weight
			some = true
			continue
		}
		out = append(out, reasonOfComparison(reason))
	}
	if some {
		out = append(out, api.ComparisonReason{Comparison: "withheld", MatchWeight: withheld.Bits()})
	}
	return out
}

// visible reports whether all columns of a comparison are released; of a
// comparison without columns nobody knows what it tells.
func (r *releaser) visible(columns []string, released consent.Set) bool {
	for _, name := range columns {
		i := slices.IndexFunc(r.columns, func(c Column) bool { return c.Name == name })
		if i < 0 || !released.Has(i) {
			return false
		}
	}
	return len(columns) > 0
}

func reasonOfComparison(r *Reason) api.ComparisonReason {
	out := api.ComparisonReason{Comparison: r.Comparison, MatchWeight: r.Weight.Bits()}
	if r.Level != "" {
		out.Level = &r.Level
	}
	return out
}

// decisionsOf is what consents decide as the contract has it.
func decisionsOf(list []consent.Decision) []api.ConsentDecision {
	out := make([]api.ConsentDecision, len(list))
	for i := range list {
		d := &list[i]
		out[i] = api.ConsentDecision{Purpose: &d.Purpose, Allowed: d.Allowed, Reason: d.Reason.String(), Sentence: d.Sentence()}
		if d.Event > 0 {
			out[i].EventId = &d.Event
		}
		if c := string(d.Question.Channel); c != "" {
			out[i].Channel = &c
		}
		if d.Question.Column != "" {
			out[i].Column = &d.Question.Column
		}
	}
	return out
}

func keysOf(list []record.Key) []api.RecordKey {
	out := make([]api.RecordKey, len(list))
	for i, k := range list {
		out[i] = api.RecordKey{Source: k.Source, RecordId: k.ID}
	}
	return out
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
