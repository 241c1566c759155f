package online

import (
	"slices"
	"time"

	"sama/match/blocking"
	"sama/record"
)

// Arrival is what came online for one record key: the record, or that it is
// gone. Of several for one key the last holds.
type Arrival struct {
	Key      record.Key
	Values   *Values   // nil where the record was deleted
	Identity string    // that it belongs to; of a deleted one, that it belonged to
	Founded  bool      // the identity was made for it
	Received time.Time // zero = not known

	// Left is the identity that the record belonged to before, if that is another;
	// Emptied says that it has no record any more.
	Left    string
	Emptied bool
	// Member says that the record belonged to the identity before.
	Member bool

	watched            bool  // it is asked what it changed
	before, leftBefore []row // records of the identity, and of Left, without it

	since []int64 // consent column of the index → when its value was first received

	keys
}

// columnValue is a normal form in a column of the index.
type columnValue struct {
	column int
	normal string
}

// overlay is what came since the run. It is guarded by its Service.
type overlay struct {
	byKey      map[record.Key]*Arrival
	byIdentity map[string][]*Arrival              // those that are not deleted, in order of arrival
	byPosting  map[blocking.PostingKey][]*Arrival // under the rules of the night
	bySearch   map[blocking.PostingKey][]*Arrival // under those of partial records
	byValue    map[columnValue][]*Arrival         // of identifying columns
	touched    map[string]bool                    // identities that differ from the run's, or may
	founded    map[string]bool                    // ids founded since
}

func newOverlay() *overlay {
	return &overlay{
		byKey:      make(map[record.Key]*Arrival),
		byIdentity: make(map[string][]*Arrival),
		byPosting:  make(map[blocking.PostingKey][]*Arrival),
		bySearch:   make(map[blocking.PostingKey][]*Arrival),
		byValue:    make(map[columnValue][]*Arrival),
		touched:    make(map[string]bool),
		founded:    make(map[string]bool),
	}
}

// put adds an arrival in the place of the one before with its key, which it
// returns.
func (o *overlay) put(a *Arrival) (before *Arrival) {
	before = o.byKey[a.Key]
	if before != nil {
		o.take(before)
	}
	o.byKey[a.Key] = a
	o.touched[a.Identity] = true
	if a.Founded {
		o.founded[a.Identity] = true
	}
	if a.Values == nil {
		return before
	}
	o.byIdentity[a.Identity] = append(o.byIdentity[a.Identity], a)
	for _, k := range a.night {
		o.byPosting[k] = append(o.byPosting[k], a)
	}
	for _, k := range a.search {
		o.bySearch[k] = append(o.bySearch[k], a)
	}
	for _, v := range a.values {
		o.byValue[v] = append(o.byValue[v], a)
	}
	return before
}

// undo takes an arrival back and puts the one before in its place.
func (o *overlay) undo(a, before *Arrival) {
	if o.byKey[a.Key] != a {
		return
	}
	o.take(a)
	delete(o.byKey, a.Key)
	if before != nil {
		o.put(before)
	}
}

// take removes an arrival from the lists.
func (o *overlay) take(a *Arrival) {
	drop(o.byIdentity, a.Identity, a)
	for _, k := range a.night {
		drop(o.byPosting, k, a)
	}
	for _, k := range a.search {
		drop(o.bySearch, k, a)
	}
	for _, v := range a.values {
		drop(o.byValue, v, a)
	}
}

// drop removes an arrival from the list under a key, and an empty list with it.
func drop[K comparable](lists map[K][]*Arrival, key K, a *Arrival) {
	rest := slices.DeleteFunc(slices.Clone(lists[key]), func(x *Arrival) bool { return x == a })
	if len(rest) > 0 {
		lists[key] = rest
	} else {
		delete(lists, key)
	}
}
