package graph

import "fmt"

// EventKind is what happened to an identity in a run.
type EventKind uint8

// The kinds of events.
const (
	Created  EventKind = iota // an identity that was not there before, of records that had none
	Grown                     // it has records that it did not have
	Shrunk                    // it lost records and kept some
	Merged                    // its records are now another identity's, of which its id is an alias
	Split                     // an identity made of records that belonged to another
	Retired                   // all its records are gone
	Restored                  // an id that was merged or retired has records again
	eventKinds
)

var eventNames = [eventKinds]string{"created", "grown", "shrunk", "merged", "split", "retired", "restored"}

// String returns the kind's name as output writes it.
func (k EventKind) String() string {
	if k < eventKinds {
		return eventNames[k]
	}
	return fmt.Sprintf("event(%d)", uint8(k))
}

// EventKinds returns all kinds in the order of their numbers.
func EventKinds() []EventKind {
	all := make([]EventKind, eventKinds)
	for k := range all {
		all[k] = EventKind(k)
	}
	return all
}

// ParseEventKind returns the kind of that name.
func ParseEventKind(name string) (EventKind, error) {
	for k, n := range eventNames {
		if n == name {
			return EventKind(k), nil
		}
	}
	return 0, fmt.Errorf("unknown event %q; the events are %v", name, eventNames[:])
}

// MarshalText implements encoding.TextMarshaler.
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *EventKind) UnmarshalText(text []byte) error {
	v, err := ParseEventKind(string(text))
	if err != nil {
		return err
	}
	*k = v
	return nil
}

// Event is what happened to one identity in a run. The package comment says
// what each kind means for the records that the identity has.
type Event struct {
	Kind     EventKind
	Identity IdentityID
	// Other is the identity that a merged one went into, or that most records
	// of a split or restored one had before; 0 where there is none.
	Other IdentityID
	// Records are the record numbers concerned, ascending, numbered as in
	// [Past]. The slice may be part of the clusters' members, or of another
	// event's.
	Records []uint32
}

// None stands where there is no identity, cluster or record.
const None = ^uint32(0)

// Past is what earlier runs left behind, in numbers. Records of this run are
// 0 … n−1, as the clusters number them; records that are gone but remembered,
// because the previous run or a dormant id had them, are n … len(Of)−1. The
// zero value, and nil, is the past of a first run.
type Past struct {
	// IDs are the ids of the identities of the previous run, which are live, in
	// any order; an identity's number is its place here.
	IDs []IdentityID
	// Of is the number of each record's identity in the previous run, None if
	// it had none. It holds every record, or nothing if there is no previous run.
	Of []uint32
	// Founder is the founding record of each identity, None if not known.
	Founder []uint32
	// Dormant are the ids issued earlier that are not live, in any order.
	Dormant []Dormant
}

// Dormant is an id that names no identity of its own now: one that was merged
// or retired.
type Dormant struct {
	ID IdentityID
	// Into is the live identity that the id is an alias of, 0 if it is retired.
	Into IdentityID
	// Ended is the number of the run that ended it, or, if it is foreign, of the
	// last that had it; 0 if not known.
	Ended uint32
	// Founder is the founding record that it had when it was last live, None if
	// not known.
	Founder uint32
	// Records are those that it had when it was last live, ascending.
	Records []uint32
	// Foreign says that the id was issued in a run that the previous run does not
	// follow, because that was rolled back or held back. Whoever follows the
	// runs has seen no event of it.
	Foreign bool
}

// Assignment gives every cluster its identity.
type Assignment struct {
	IDs     []IdentityID // cluster → identity
	Founder []uint32     // cluster → founding record of its identity, one of the cluster's
	Events  []Event      // in order of cluster, then merged and retired ids in order of id
	Dormant []Dormant    // every id that is not live after this run, ascending: the next run's Past.Dormant
	Issued  int          // new ids taken from the issuer
}

// Assign gives every cluster its identity id by the rules of the package
// comment, and tells what happened to the identities since the previous run.
// A past that contradicts itself is an error.
//
// Time is linear in the records, the ids and the remembered records, but for
// sorting what is contested: the pairs of ids and clusters of which one has
// records in common with several of the other.
func Assign(c *Clusters, past *Past, issuer Issuer) (*Assignment, error) {
	if past == nil {
		past = new(Past)
	}
	if err := issuer.Validate(); err != nil {
		return nil, err
	}
	numbers, err := past.check(len(c.Of), issuer.Run)
	if err != nil {
		return nil, err
	}
	a := newAssigner(c, past, issuer, numbers)
	a.take(&a.live)
	a.take(&a.dormant)
	a.issue()
	a.resolve()
	a.tellClusters()
	a.tellEnded()
	a.remember()
	return &a.out, nil
}

// assigner is the state of one assignment.
type assigner struct {
	c       *Clusters
	past    *Past
	issuer  Issuer
	numbers idNumbers // of the past's live ids
	live    claims    // of the identities of the previous run, by number
	dormant claims    // of the dormant ids, in the order given

	taken []bool       // cluster → whether a claim took it
	into  []IdentityID // identity → itself if it is still live, the id that it merged into, 0 if it is retired
	leads []IdentityID // dormant id → the same

	byCluster  counts
	byIdentity counts
	lists      []uint32 // records of grown and shrunk events
	out        Assignment
}

func newAssigner(c *Clusters, past *Past, issuer Issuer, numbers idNumbers) *assigner {
	a := &assigner{
		c: c, past: past, issuer: issuer, numbers: numbers,
		byCluster:  newCounts(c.Len()),
		byIdentity: newCounts(len(past.IDs)),
	}
	a.live = claimsOfIdentities(past)
	a.dormant = claimsOfDormant(past.Dormant)
	a.taken = make([]bool, c.Len())
	a.out.IDs = make([]IdentityID, c.Len())
	a.out.Founder = make([]uint32, c.Len())
	return a
}

// issue gives the clusters that took no id new ones, and every identity whose
// cluster does not hold its founding record another, the cluster's smallest.
func (a *assigner) issue() {
	for k := range a.out.IDs {
		if !a.taken[k] {
			a.out.IDs[k] = a.issuer.ID(uint64(a.out.Issued))
			a.out.Founder[k] = None
			a.out.Issued++
		}
		first := a.c.At(uint32(k))[0]
		if f := a.out.Founder[k]; f != first && !a.holds(uint32(k), f) {
			a.out.Founder[k] = first
		}
	}
}

// holds reports whether a record of any number is in cluster k.
func (a *assigner) holds(k, record uint32) bool {
	return uint64(record) < uint64(len(a.c.Of)) && a.c.Of[record] == k
}

// resolve finds where every id that is not live leads: to the live id that has
// most of its records, and if none of them is there any more, to where the id
// that it led to leads now.
func (a *assigner) resolve() {
	a.into = make([]IdentityID, len(a.live.ids))
	for i := range a.into {
		if a.live.took[i] != None {
			a.into[i] = a.live.ids[i]
		} else {
			a.into[i] = a.home(&a.live, i)
		}
	}
	a.leads = make([]IdentityID, len(a.dormant.ids))
	for i, d := range a.past.Dormant {
		if a.dormant.took[i] != None {
			a.leads[i] = d.ID
			continue
		}
		a.leads[i] = a.home(&a.dormant, i)
		if a.leads[i] == 0 {
			a.leads[i] = a.led(d)
		}
	}
}

// home returns the id of the cluster that holds most records of a claim; of
// equal ones that with its founding record, then the smallest. It returns 0 if
// no cluster holds any.
func (a *assigner) home(cl *claims, i int) IdentityID {
	n := uint32(len(a.c.Of))
	for _, r := range cl.at(i) {
		if r < n {
			a.byCluster.add(a.c.Of[r])
		}
	}
	best := overlap{cluster: None}
	for _, k := range a.byCluster.seen {
		if o := a.overlap(cl, i, k, a.byCluster.of[k]); best.cluster == None || o.compare(best) < 0 {
			best = o
		}
	}
	a.byCluster.reset()
	if best.cluster == None {
		return 0
	}
	return a.out.IDs[best.cluster]
}
