package main

import (
	"errors"
	"fmt"

	"sama/record"
)

// operation is one write of a writer.
type operation struct {
	call   call
	kind   string     // put, delete, consent, decide
	of     []*written // whom it is about
	emails []string   // put: the addresses that the records have then
	said   string     // consent: the receipt, by which it is known again
}

// choose makes the writer's next write. Half of those that can have one have an
// idempotency key.
func (w *writer) choose() *operation {
	w.next++
	key := ""
	if w.random.IntN(2) == 0 {
		key = fmt.Sprintf("w%d-%d", w.number, w.next)
	}
	there := w.pick(1)
	switch p := w.random.Float64(); {
	case p < 0.15 && len(there) > 0:
		return w.putting(key, there...)
	case p < 0.25 && len(there) > 0:
		return &operation{kind: "delete", of: there, call: call{method: "POST", path: "/v1/records:delete", as: owner, key: key,
			body: map[string]any{"records": []any{keyed(there[0].key)}}}}
	case p < 0.45 && len(there) > 0:
		return w.saying(key, there[0])
	case p < 0.5:
		if two := w.pick(2); len(two) == 2 {
			return &operation{kind: "decide", of: two, call: call{method: "POST", path: "/v1/decisions", as: owner,
				body: map[string]any{"decision": "not-same", "a": keyed(two[0].key), "b": keyed(two[1].key)}}}
		}
	case p < 0.55:
		// Several at once, each of which stands when those behind it fail.
		return w.putting("", w.newRecord(), w.newRecord(), w.newRecord())
	}
	return w.putting(key, w.newRecord())
}

// pick picks different records that are there, as many as are found soon.
func (w *writer) pick(n int) (list []*written) {
	for range 4 * n {
		if len(w.records) == 0 || len(list) == n {
			break
		}
		r := w.records[w.random.IntN(len(w.records))]
		if r.there && (len(list) == 0 || list[0] != r) {
			list = append(list, r)
		}
	}
	return list
}

// newRecord makes a record that nobody has put.
func (w *writer) newRecord() *written {
	of := &w.silos.waiting[(w.number+writersOfKills*len(w.records))%len(w.silos.waiting)]
	r := &written{key: record.Key{Source: of.key.Source, ID: fmt.Sprintf("K%d-%d", w.number, len(w.records))}}
	w.records = append(w.records, r)
	return r
}

// putting puts records, new ones or in a new form.
func (w *writer) putting(key string, list ...*written) *operation {
	op := &operation{kind: "put", of: list}
	var records []record1
	for _, r := range list {
		var n int
		// The id is of newRecord's making: a record keeps the row that it is made of.
		if _, err := fmt.Sscanf(r.key.ID, "K%d-%d", new(int), &n); err != nil {
			panic(err)
		}
		fields := w.silos.waiting[(w.number+writersOfKills*n)%len(w.silos.waiting)].fields()
		email := fmt.Sprintf("w%dn%dx%d@kuorma-ajo.fi", w.number, w.next, n)
		fields["email"] = email
		op.emails = append(op.emails, email)
		records = append(records, record1{r.key, fields})
	}
	op.call = putCall(key, records...)
	return op
}

// saying says something for the newsletter.
func (w *writer) saying(key string, r *written) *operation {
	act := "grant"
	if w.random.IntN(2) == 0 {
		act = "withdraw"
	}
	event := said(r.key, act)
	receipt := fmt.Sprintf("r%d-%d", w.number, w.next)
	event["receipt"] = receipt
	return &operation{kind: "consent", of: []*written{r}, said: receipt,
		call: call{method: "POST", path: "/v1/consents", as: owner, key: key, body: map[string]any{"events": []any{event}}}}
}

// send sends the write and takes up the answer; gone says that there was none.
func (op *operation) send(w *writer) (gone bool, err error) {
	var answer struct {
		taken
		Decision struct {
			DecisionID int64 `json:"decision_id"`
		}
	}
	err = w.ask(w.line, op.call, &answer)
	refused := new(statusError)
	switch {
	case errors.As(err, &refused):
		return false, err
	case err != nil:
		return true, nil
	}
	w.acknowledged++
	switch op.kind {
	case "put":
		for i, r := range answer.Records {
			kind := "grown"
			if r.Outcome == "founded" {
				kind = "created"
			}
			w.has(op.of[i], op.emails[i], r.IdentityID, kind)
		}
	case "delete":
		r := op.of[0]
		if got := answer.Records[0]; got.Outcome != "deleted" || got.IdentityID != r.identity {
			return false, fmt.Errorf("%v of identity %s was deleted: answered %v", r.key, r.identity, got)
		}
		w.removed(r)
	case "consent":
		w.heard(op)
	case "decide":
		w.decided[answer.Decision.DecisionID] = [2]record.Key{op.of[0].key, op.of[1].key}
	}
	return false, nil
}

// has takes up that a record is there, of which the feed has such an event, unless
// it was of that identity before: then it may have changed it, or not.
func (w *writer) has(r *written, email, identity, kind string) {
	w.fresh = append(w.fresh, r)
	if !r.there || r.identity != identity {
		w.wants = append(w.wants, want{identity, kind})
	}
	if r.there && r.identity != identity {
		w.wants = append(w.wants, want{r.identity, "shrunk"}) // it has left that one
	}
	r.there, r.email, r.identity = true, email, identity
}

// removed takes up that a record is gone.
func (w *writer) removed(r *written) {
	w.wants, w.fresh = append(w.wants, want{r.identity, "shrunk"}), append(w.fresh, r)
	r.there = false
}

// heard takes up that a consent is recorded.
func (w *writer) heard(op *operation) {
	r := op.of[0]
	w.said[op.said] = r.key
	w.freshSaid = append(w.freshSaid, op.said)
	w.wants = append(w.wants, want{r.identity, "consent"})
}

// settle finds out what became of the write that was not acknowledged, and
// verifies those that were.
func (w *writer) settle(address string) error {
	w.line = &line{address: address}
	for _, op := range w.pending {
		if op.call.key != "" || op.kind == "decide" {
			// Sent again it is done, and done once.
			if gone, err := op.send(w); err != nil || gone {
				return fmt.Errorf("what was not acknowledged was sent again after the start: %v, gone: %v", err, gone)
			}
			continue
		}
		if err := w.lookUp(op); err != nil {
			return err
		}
	}
	w.pending = w.pending[:0]
	for _, r := range w.fresh {
		if err := w.verify(r); err != nil {
			return err
		}
	}
	return w.verifySaid(w.freshSaid)
}

// lookUp finds out whether a write without a key was done.
func (w *writer) lookUp(op *operation) error {
	before := w.done
	switch op.kind {
	case "put":
		for i, r := range op.of {
			id, err := w.byEmail(op.emails[i])
			if err != nil {
				return err
			}
			if id == "" {
				continue // and nothing behind it, which its own look-up says
			}
			w.done++
			w.has(r, op.emails[i], id, anyPut)
		}
	case "delete":
		id, err := w.whose(w.line, op.of[0].key)
		if err != nil {
			return err
		}
		if id == "" {
			w.done++
			w.removed(op.of[0])
		}
	case "consent":
		n, err := w.timesSaid(op.of[0].key, op.said)
		if err != nil {
			return err
		}
		if n > 0 {
			w.done++
			w.heard(op)
		}
	}
	if w.done == before {
		w.undone++
	}
	return nil
}
