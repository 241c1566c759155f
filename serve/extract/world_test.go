package extract

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sama/record"
	"sama/run/index"
	"sama/serve/consent"
	"sama/serve/online"
	"sama/serve/store"

	"pgregory.net/rapid"
)

// start is when the tests decide.
var start = time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)

// world is a run with a state, and what came since.
type world struct {
	dir   string
	index *index.Index
	store *store.Store
	keys  *store.Keys
	ids   []string // of identities
	of    map[record.Key]string
	came  map[record.Key]*online.Values // nil of those that went
	list  []*online.Arrival
	clock time.Time

	imported map[record.Key][]consent.Event // what the sources say
}

// worldColumns are the columns of the records.
var worldColumns = []struct {
	name   string
	field  record.Field
	values []string
}{
	{"given_name", record.GivenName, []string{"", "Anna", "Åke", "Li\xffsa", "a \"b\", c", " x"}},
	{"email", record.Email, []string{"", "", "Anna@x.fi", "ake@x.fi", "info@x.fi", "info@x.fi", "bo@x.fi", "?"}},
	{"email_2", record.Email, []string{"", "", "anna@x.fi", "bo@x.fi", "?"}},
	{"phone", record.Phone, []string{"", "", "+358401", "+358402", "?"}},
	{"national_id", record.NationalID, []string{"", "010190-123A", "020290-456B"}},
	{"city", record.City, []string{"", "Turku", "Åbo\n"}},
}

// normalOf is the normal form of a value; one that cannot be read has none.
func normalOf(value string) string {
	if value == "?" {
		return ""
	}
	return strings.ToLower(value)
}

// generic names nobody in particular.
const generic = "info@x.fi"

type texts []string

func (l texts) Len() int           { return len(l) }
func (l texts) At(i uint32) string { return l[i] }

// tableOf makes records out of rows of values by column.
func tableOf(keys []record.Key, rows [][]string) *record.Table {
	t := &record.Table{}
	var ids record.StringsBuilder
	for _, k := range keys {
		if s := len(t.Sources); s == 0 || t.Sources[s-1] != k.Source {
			t.Sources = append(t.Sources, k.Source)
		}
		t.Source = append(t.Source, uint16(len(t.Sources)-1))
		ids.Append(k.ID)
	}
	t.IDs = ids.Build()
	for c, info := range worldColumns {
		col := &record.Column{Field: info.field, Name: info.name}
		var raw, normal record.Interner
		raw.Code("")
		normal.Code("")
		for _, row := range rows {
			col.Raw = append(col.Raw, raw.Code(row[c]))
			col.Code = append(col.Code, normal.Code(normalOf(row[c])))
		}
		col.RawText, _ = raw.Strings()
		col.Normal, _ = normal.Strings()
		col.Count = make([]uint32, col.Normal.Len())
		col.Generic = make([]bool, col.Normal.Len())
		for _, code := range col.Code {
			col.Count[code]++
		}
		for code := range uint32(col.Normal.Len()) {
			col.Generic[code] = col.Normal.At(code) == generic
		}
		t.Columns = append(t.Columns, col)
	}
	return t
}

// newWorld builds the index of records of identities, the first record with a
// value having won it.
func newWorld(t fatal, dir string, keys []record.Key, rows [][]string, identity []uint32, ids []string) *world {
	w := &world{dir: dir, ids: ids, of: make(map[record.Key]string), came: make(map[record.Key]*online.Values), clock: start.Add(-time.Hour)}
	in := &index.Input{Table: tableOf(keys, rows), Identity: identity, IDs: texts(ids), RuleNames: []string{"only_value"}}
	for c, info := range worldColumns {
		in.Columns = append(in.Columns, info.name)
		g := index.Golden{Chosen: make([]uint32, len(ids)), Rule: make([]uint8, len(ids))}
		for i := range g.Chosen {
			g.Chosen[i] = index.None
		}
		for r := len(rows) - 1; r >= 0; r-- {
			if rows[r][c] != "" {
				g.Chosen[identity[r]] = uint32(r)
			}
		}
		in.Golden = append(in.Golden, g)
	}
	acts := &index.ConsentActs{}
	for _, purpose := range importedPurposes {
		acts.Columns = append(acts.Columns, index.ConsentColumn{Source: keys[0].Source, Column: "opt_in", Purpose: purpose, Read: true})
	}
	in.Consents = acts
	for r, k := range keys {
		w.of[k] = ids[identity[r]]
		acts.Starts = append(acts.Starts, uint32(len(acts.Of)))
		if w.hasActs(r) {
			acts.Of, acts.Granted, acts.At = append(acts.Of, uint32(r/2%len(importedPurposes))), append(acts.Granted, true), append(acts.At, 0)
			acts.Until, acts.Run, acts.Ended = append(acts.Until, 0), append(acts.Run, 1), append(acts.Ended, 0)
		}
	}
	acts.Starts = append(acts.Starts, uint32(len(acts.Of)))
	folder := filepath.Join(dir, "index")
	if _, err := index.Build(folder, in, 1); err != nil {
		t.Fatal(err)
	}
	random := bytes.NewReader(bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstuv"), 100))
	secret, err := store.CreateKeys(filepath.Join(dir, "state.keys"), random)
	if err == nil {
		_, err = secret.Rotate(bytes.NewReader(bytes.Repeat([]byte{7}, 64)))
	}
	if err != nil {
		t.Fatal(err)
	}
	w.open(t)
	return w
}

// importedPurposes are those that the exports have columns about, in order.
var importedPurposes = []string{"newsletter", "service"}

// hasActs reports whether the source of a record said something of it: of every
// other one, about one purpose.
func (*world) hasActs(r int) bool { return r%2 == 0 }

// saidOf returns about which purposes a source may have said something of a
// record.
func (w *world) saidOf(k record.Key) []string {
	if _, came := w.came[k]; came {
		return importedPurposes
	}
	r, ok := w.index.FindRecord(k)
	if !ok || !w.hasActs(int(r)) {
		return nil
	}
	i := int(r) / 2 % len(importedPurposes)
	return importedPurposes[i : i+1]
}

// open opens the index and the state.
func (w *world) open(t fatal) {
	var err error
	if w.index, err = index.OpenIndex(filepath.Join(w.dir, "index")); err != nil {
		t.Fatal(err)
	}
	if w.keys, err = store.LoadKeys(filepath.Join(w.dir, "state.keys")); err != nil {
		t.Fatal(err)
	}
	w.store, err = store.Open(context.Background(), filepath.Join(w.dir, "state.db"), store.Options{Keys: w.keys, Now: func() time.Time { return w.clock }})
	if err != nil {
		t.Fatal(err)
	}
}

// openWorld opens what another process made.
func openWorld(t fatal, dir string) *world {
	w := &world{dir: dir, clock: start.Add(-time.Hour)}
	w.open(t)
	return w
}

func (w *world) close() {
	w.index.Close()
	w.store.Close()
}

// options are those of an extract of the world.
func (w *world) options(workers int) Options {
	o := Options{Index: w.index, Store: w.store, Keys: w.keys, Now: start, Workers: workers}
	if len(w.imported) > 0 {
		o.Imported = func(keys []record.Key) (list []consent.Event) {
			for _, k := range keys {
				if len(w.saidOf(k)) == 0 {
					panic("Imported is asked of record " + k.String() + ", of which nothing was said")
				}
				list = append(list, w.imported[k]...)
			}
			return list
		}
	}
	if len(w.list) > 0 {
		o.Online = &Online{Service: w, Arrivals: w.list}
	}
	return o
}

// put lets a record come, or go where values is nil.
func (w *world) put(key record.Key, values []string, identity string) {
	a := &online.Arrival{Key: key, Identity: identity}
	if values != nil {
		v := &online.Values{Key: key, Raw: values, Normal: make([]string, len(values))}
		for i := range values {
			v.Normal[i] = normalOf(values[i])
		}
		a.Values = v
		w.of[key] = identity
	} else {
		a.Identity = w.of[key]
		delete(w.of, key)
	}
	w.came[key] = a.Values
	w.list = append(w.list, a)
}

// records are the keys of an identity, sorted.
func (w *world) records(id string) (keys []record.Key) {
	for k, of := range w.of {
		if of == id {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, record.Key.Compare)
	return keys
}

// value is what a record has in a column now.
func (w *world) value(k record.Key, c int) (raw, normal string) {
	if v, ok := w.came[k]; ok {
		if v == nil {
			return "", ""
		}
		return v.Raw[c], v.Normal[c]
	}
	r, ok := w.index.FindRecord(k)
	if !ok {
		return "", ""
	}
	return w.index.Raw(c, r), w.index.Normal(c, w.index.Code(c, r))
}

// Profile implements Profiles: the first record with a value wins.
func (w *world) Profile(id string, losing bool) (*online.Profile, bool, error) {
	p := &online.Profile{ID: id, Records: w.records(id)}
	if !losing {
		return nil, false, fmt.Errorf("a profile that may be stale was asked for")
	}
	for c, info := range worldColumns {
		for _, k := range p.Records {
			if raw, _ := w.value(k, c); raw != "" {
				p.Values = append(p.Values, online.Value{Column: c, Name: info.name, Value: raw, Record: k})
				break
			}
		}
	}
	return p, len(p.Records) > 0, nil
}

// all are the ids of all identities, sorted.
func (w *world) all() []string {
	return slices.Compact(slices.Sorted(maps.Values(w.of)))
}

// putPurpose enters a purpose.
func (w *world) putPurpose(t fatal, p *consent.Purpose) {
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(p)
	if err == nil {
		_, err = w.store.PutPurpose(context.Background(), p.ID, body, "kim")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The words of a random world.
var (
	someChannels = []consent.Channel{"email", "sms", "phone", "post", "app"}
	somePurposes = []string{"newsletter", "service", "law"}
	someSources  = []string{"crm", "web"}
)

// drawWorld draws records, what came since, and a ledger.
func drawWorld(t *rapid.T, dir func() string) *world {
	key := rapid.Custom(func(t *rapid.T) record.Key {
		return record.Key{Source: rapid.SampledFrom(someSources).Draw(t, "source"), ID: rapid.StringMatching("[0-9]:?[0-9]").Draw(t, "id")}
	})
	values := rapid.Custom(func(t *rapid.T) []string {
		row := make([]string, len(worldColumns))
		for c, info := range worldColumns {
			row[c] = rapid.SampledFrom(info.values).Draw(t, info.name)
		}
		return row
	})
	keys := rapid.SliceOfNDistinct(key, 1, 40, rapid.ID[record.Key]).Draw(t, "keys")
	slices.SortFunc(keys, record.Key.Compare)
	var rows [][]string
	var identity []uint32
	number := make(map[int]uint32)
	for range keys {
		rows = append(rows, values.Draw(t, "values"))
		label := rapid.IntRange(0, len(keys)).Draw(t, "identity")
		if _, ok := number[label]; !ok {
			number[label] = uint32(len(number))
		}
		identity = append(identity, number[label])
	}
	ids := rapid.SliceOfNDistinct(rapid.StringMatching("0001[0-9a-b]{9}"), len(number)+3, len(number)+3, rapid.ID[string]).Draw(t, "ids")
	if rapid.Bool().Draw(t, "sorted") {
		slices.Sort(ids[:len(number)])
	}
	w := newWorld(t, dir(), keys, rows, identity, ids[:len(number)])
	for range rapid.SampledFrom([]int{0, 0, 3, 10}).Draw(t, "came") {
		k := rapid.OneOf(rapid.SampledFrom(keys), key).Draw(t, "key")
		if _, there := w.of[k]; there && rapid.Bool().Draw(t, "gone") {
			w.put(k, nil, "")
		} else {
			w.put(k, values.Draw(t, "values"), rapid.SampledFrom(ids).Draw(t, "of"))
		}
	}
	w.drawLedger(t, append(keys, slices.SortedFunc(maps.Keys(w.came), record.Key.Compare)...))
	return w
}

// fatal is what a test and a rapid example have in common.
type fatal interface {
	Fatal(args ...any)
}

// drawLedger draws what was said.
func (w *world) drawLedger(t *rapid.T, keys []record.Key) {
	anchor := rapid.Custom(func(t *rapid.T) string {
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0:
			return consent.OfAccount("17").String()
		case 1, 2, 3, 4:
			hasher := rapid.SampledFrom(w.keys.Hashers()).Draw(t, "key")
			c := rapid.SampledFrom([]int{1, 3}).Draw(t, "contact")
			normal := normalOf(rapid.SampledFrom(append([]string{"nobody@x.fi"}, worldColumns[c].values[2:]...)).Draw(t, "value"))
			kind := worldColumns[c].field.String()
			return consent.OfContact(consent.Contact{Kind: kind, Digest: hasher.Digest(kind, normal).String()}).String()
		case 5:
			return "record:crm:nobody"
		}
		k := rapid.SampledFrom(keys).Draw(t, "record")
		return consent.OfRecord(k.Source, k.ID).String()
	})
	around := rapid.Custom(func(t *rapid.T) time.Time {
		return start.Add(time.Duration(rapid.IntRange(-6, 2).Draw(t, "hours")) * time.Hour)
	})
	w.imported = make(map[record.Key][]consent.Event)
	for range rapid.SampledFrom([]int{0, 10}).Draw(t, "imported") {
		k := rapid.SampledFrom(keys).Draw(t, "record")
		of := w.saidOf(k)
		if len(of) == 0 {
			continue
		}
		w.imported[k] = append(w.imported[k], consent.Event{
			Anchor: consent.OfRecord(k.Source, k.ID), Purpose: rapid.SampledFrom(of).Draw(t, "purpose"),
			Channel: rapid.SampledFrom([]consent.Channel{"", "email", "sms"}).Draw(t, "channel"),
			Act:     rapid.SampledFrom([]consent.Act{consent.ActGrant, consent.ActDeny}).Draw(t, "act"), At: around.Draw(t, "at"), Source: k.Source + ".opt_in",
		})
	}
	for range rapid.IntRange(0, 4).Draw(t, "batches") {
		var events []store.ConsentEvent
		for range rapid.IntRange(0, 25).Draw(t, "events") {
			act := rapid.SampledFrom(slices.Concat([]consent.Act{consent.ActGrant, consent.ActGrant, consent.ActGrant, consent.ActGrant, consent.ActWithdraw}, consent.Acts())).Draw(t, "act")
			e := store.ConsentEvent{
				Anchor: anchor.Draw(t, "anchor"), Act: act.String(), At: around.Draw(t, "at"),
				Purpose:       rapid.SampledFrom([]string{"", "newsletter", "newsletter", "newsletter", "service", "law"}).Draw(t, "purpose"),
				Channel:       string(rapid.SampledFrom(append([]consent.Channel{"", "", "email"}, someChannels...)).Draw(t, "channel")),
				Controller:    rapid.SampledFrom([]string{"us", "us", "us", "", "them"}).Draw(t, "controller"),
				Source:        rapid.SampledFrom([]string{"page", "crm.opt_in"}).Draw(t, "source"),
				Authenticated: rapid.SampledFrom([]string{"import", "staff", "account", "strong"}).Draw(t, "authenticated"),
			}
			if rapid.IntRange(0, 4).Draw(t, "expires") == 0 {
				e.Expires = around.Draw(t, "until")
			}
			events = append(events, e)
		}
		if _, err := w.store.AddConsents(context.Background(), events, store.Also{}); err != nil {
			t.Fatal(err)
		}
		w.clock = w.clock.Add(20 * time.Minute)
	}
}
