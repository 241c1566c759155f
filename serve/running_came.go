package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"sama/record"
	"sama/serve/online"
	"sama/serve/store"

	"golang.org/x/sync/errgroup"
)

// Put implements [Engine].
func (r *Running) Put(ctx context.Context, key record.Key, fields map[string]string, admit Admit, commit Commit) (Arrival, error) {
	asked, ignored := r.known(key.Source, fields)
	out := Arrival{Ignored: ignored}
	if len(asked) == 0 {
		return out, &RecordError{fmt.Errorf("none of its columns is one that source %s has in its exports; those are %s", key.Source, strings.Join(r.parts.Known(key.Source), ", "))}
	}
	a := &online.Arrival{Key: key}
	if err := r.service.Prepare(ctx, a, asked); err != nil {
		return out, r.whose(ctx, key, asked, err)
	}
	var identifiers []Identifier
	for c, info := range r.index.Columns() {
		if info.Identifying && a.Values.Normal[c] != "" {
			identifiers = append(identifiers, Identifier{info.Field, a.Values.Normal[c], key})
		}
	}
	if err := admit(identifiers); err != nil {
		return out, err
	}
	return out, r.service.PutPrepared(a, func(a *online.Arrival) error {
		out.Identity, out.Founded, out.Left, out.Emptied, out.Member = a.Identity, a.Founded, a.Left, a.Emptied, a.Member
		if err := r.tellChanged(a, &out); err != nil {
			return err
		}
		seq, err := commit(out)
		if err == nil {
			r.arrived(seq, key, a.Values)
		}
		return err
	})
}

// Delete implements [Engine].
func (r *Running) Delete(_ context.Context, key record.Key, commit Commit) (Arrival, error) {
	var out Arrival
	_, err := r.service.Delete(key, func(a *online.Arrival) error {
		out.Identity, out.Emptied, out.Member = a.Identity, a.Emptied, a.Member
		if err := r.tellChanged(a, &out); err != nil {
			return err
		}
		seq, err := commit(out)
		if err == nil {
			r.arrived(seq, key, nil)
		}
		return err
	})
	return out, err
}

// tellChanged names the columns that an arrival changed.
func (r *Running) tellChanged(a *online.Arrival, out *Arrival) error {
	own, left, err := r.service.Changed(a)
	for _, c := range own {
		out.Changed = append(out.Changed, r.columns[c].Name)
	}
	for _, c := range left {
		out.LeftChanged = append(out.LeftChanged, r.columns[c].Name)
	}
	return err
}

// arrived notes what came under a sequence number, 0 for what has none.
func (r *Running) arrived(seq int64, key record.Key, v *online.Values) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.came[key] = v
	if seq == 0 {
		return
	}
	r.own[seq] = true
	for r.own[r.last+1] {
		r.last++
		delete(r.own, r.last)
	}
}

// Seen implements [Engine].
func (r *Running) Seen() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.last
}

// catchUpStep is how many records are read and normalised at once.
const catchUpStep = 256

// CatchUp implements [Engine].
func (r *Running) CatchUp(ctx context.Context) error {
	r.mu.RLock()
	from := r.last
	r.mu.RUnlock()
	step := make([]store.OnlineRecord, 0, catchUpStep)
	for row, err := range r.store.OnlineSince(ctx, from) {
		if err != nil {
			return err
		}
		if step = append(step, row); len(step) == cap(step) {
			if err := r.restore(ctx, step); err != nil {
				return err
			}
			step = step[:0]
		}
	}
	return r.restore(ctx, step)
}

// restore takes up what came before, in its order.
func (r *Running) restore(ctx context.Context, list []store.OnlineRecord) error {
	arrivals := make([]*online.Arrival, len(list)) // nil for those that are here
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i := range list {
		r.mu.RLock()
		have := r.own[list[i].Seq]
		r.mu.RUnlock()
		if have {
			continue
		}
		work.Go(func() (err error) {
			if arrivals[i], err = r.arrival(ctx, &list[i]); err != nil {
				err = fmt.Errorf("online record %d: %w", list[i].Seq, err)
			}
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	for i, a := range arrivals {
		row := &list[i]
		if a != nil {
			if _, err := r.service.Restore(a); err != nil {
				return fmt.Errorf("online record %d: %w", row.Seq, err)
			}
			r.arrived(0, row.Key, a.Values)
		}
		r.mu.Lock()
		delete(r.own, row.Seq)
		r.last = row.Seq
		r.mu.Unlock()
	}
	return nil
}

// arrival reads a record that came before.
func (r *Running) arrival(ctx context.Context, row *store.OnlineRecord) (*online.Arrival, error) {
	a := &online.Arrival{Key: row.Key, Identity: row.Identity, Founded: row.Founded, Received: row.Received}
	if row.Op == store.Delete {
		return a, nil
	}
	var fields map[string]string
	if err := json.Unmarshal(row.Fields, &fields); err != nil {
		return nil, errors.New("its fields cannot be read")
	}
	fields, _ = r.known(row.Key.Source, fields)
	return a, r.service.Prepare(ctx, a, fields)
}
