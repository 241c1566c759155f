package graph

import "fmt"

// EventKind is what happened to an identity in a run.
type EventKind uint8

// The kinds of events.
const (
	Created EventKind = iota // an identity that was not there before
	Grown                    // it has records that it did not have
	Shrunk                   // it lost records and kept some
	Merged                   // its records are now another identity's, of which its id is an alias
	Split                    // an identity made of records that belonged to another
	Retired                  // all its records are gone
	eventKinds
)

var eventNames = [eventKinds]string{"created", "grown", "shrunk", "merged", "split", "retired"}

// String returns the kind's name as output writes it.
func (k EventKind) String() string {
	if k < eventKinds {
		return eventNames[k]
	}
	return fmt.Sprintf("event(%d)", uint8(k))
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

// Event is what happened to one identity.
type Event struct {
	Kind     EventKind
	Identity IdentityID
	// Other is the identity that a merged one went into or that a split one
	// came from; 0 for the other kinds.
	Other IdentityID
	// Records are the record numbers concerned, ascending. The slice may be
	// part of the clusters' members.
	Records []uint32
}

// Assignment gives every cluster its identity.
type Assignment struct {
	IDs    []IdentityID // cluster → identity
	Events []Event      // in order of cluster
	Issued int          // ids taken from the issuer
}

// Assign gives the clusters of a first run their identity ids: every cluster a
// new one, in order of its smallest record key, which is the order of clusters,
// and the event that created it.
func Assign(c *Clusters, issuer Issuer) (*Assignment, error) {
	ids, err := NewIDs(issuer.Run, issuer.Seed, c.Len())
	if err != nil {
		return nil, err
	}
	events := make([]Event, len(ids))
	for k, id := range ids {
		events[k] = Event{Kind: Created, Identity: id, Records: c.At(uint32(k))}
	}
	return &Assignment{ids, events, len(ids)}, nil
}
