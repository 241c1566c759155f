package graph

import (
	"fmt"
	"math/bits"
)

// check returns what is wrong with the past of n records for the run of that
// number, or the numbers of its live ids.
func (p *Past) check(n int, run uint32) (idNumbers, error) {
	total := len(p.Of)
	switch {
	case total == 0:
		total = n
	case total < n:
		return nil, fmt.Errorf("previous run: identities of %d records where this run has %d", total, n)
	}
	if len(p.Founder) != len(p.IDs) {
		return nil, fmt.Errorf("previous run: %d founding records of %d identities", len(p.Founder), len(p.IDs))
	}
	if err := p.checkIdentities(total, run); err != nil {
		return nil, err
	}
	numbers := newIDNumbers(len(p.IDs))
	for i, id := range p.IDs {
		if !numbers.add(p.IDs, id, uint32(i)) {
			return nil, fmt.Errorf("previous run: identity %v stands twice", id)
		}
	}
	return numbers, p.checkDormant(total, run, numbers)
}

func (p *Past) checkIdentities(total int, run uint32) error {
	has := make([]bool, len(p.IDs))
	for r, i := range p.Of {
		if i == None {
			continue
		}
		if uint64(i) >= uint64(len(p.IDs)) {
			return fmt.Errorf("previous run: record %d has identity %d of %d", r, i, len(p.IDs))
		}
		has[i] = true
	}
	for i, id := range p.IDs {
		if err := checkIssued(id, run); err != nil {
			return err
		}
		if !has[i] {
			return fmt.Errorf("previous run: identity %v has no record", id)
		}
		if !isRecord(p.Founder[i], total) {
			return fmt.Errorf("previous run: identity %v was founded on record %d of %d", id, p.Founder[i], total)
		}
	}
	return nil
}

func (p *Past) checkDormant(total int, run uint32, live idNumbers) error {
	ids := make([]IdentityID, len(p.Dormant))
	for i, d := range p.Dormant {
		ids[i] = d.ID
	}
	dormant := newIDNumbers(len(ids))
	for i, d := range p.Dormant {
		if err := checkIssued(d.ID, run); err != nil {
			return err
		}
		switch {
		case !dormant.add(ids, d.ID, uint32(i)):
			return fmt.Errorf("previous run: alias %v stands twice", d.ID)
		case live.find(p.IDs, d.ID) != None:
			return fmt.Errorf("previous run: %v is both an identity and an alias", d.ID)
		case d.Into != 0 && live.find(p.IDs, d.Into) == None:
			return fmt.Errorf("previous run: alias %v leads to %v, which is no identity", d.ID, d.Into)
		case !isRecord(d.Founder, total):
			return fmt.Errorf("previous run: alias %v was founded on record %d of %d", d.ID, d.Founder, total)
		}
		for j, r := range d.Records {
			if uint64(r) >= uint64(total) || j > 0 && d.Records[j-1] >= r {
				return fmt.Errorf("previous run: alias %v had record %d of %d; its records must ascend", d.ID, r, total)
			}
		}
	}
	return nil
}

// checkIssued refuses an id that no run before this one can have made.
func checkIssued(id IdentityID, run uint32) error {
	switch {
	case id.Run() == 0 || id.Run() > MaxRun:
		return fmt.Errorf("previous run: identity id %#x was never issued", uint64(id))
	case id.Run() >= run:
		return fmt.Errorf("identity ids: run number %d was used before, by identity %v; take one above %d", run, id, id.Run())
	}
	return nil
}

func isRecord(r uint32, total int) bool { return r == None || uint64(r) < uint64(total) }

// idNumbers finds the number of an id: an open hash table of numbers, at most
// half full, None where it is empty. Its length is a power of two.
type idNumbers []uint32

func newIDNumbers(count int) idNumbers {
	return filled(1<<bits.Len(uint(2*count)), None)
}

// slot returns the place of an id: where it stands, or where it would.
func (t idNumbers) slot(ids []IdentityID, id IdentityID) uint64 {
	mask := uint64(len(t) - 1)
	at := mix(uint64(id)) & mask
	for t[at] != None && ids[t[at]] != id {
		at = (at + 1) & mask
	}
	return at
}

// add notes the number of an id, and reports whether it had none before.
func (t idNumbers) add(ids []IdentityID, id IdentityID, number uint32) bool {
	at := t.slot(ids, id)
	if t[at] != None {
		return false
	}
	t[at] = number
	return true
}

// find returns the number of an id, None if it has none.
func (t idNumbers) find(ids []IdentityID, id IdentityID) uint32 {
	return t[t.slot(ids, id)]
}
