package record

import (
	"cmp"
	"fmt"
	"strings"
)

// Key names one source record.
type Key struct {
	Source string
	ID     string
}

// String returns "source:record_id".
func (k Key) String() string { return k.Source + ":" + k.ID }

// ParseKey reads "source:record_id". A source name holds no colon, so the
// first colon parts the two; the record id may hold more.
func ParseKey(s string) (Key, error) {
	source, id, ok := strings.Cut(s, ":")
	if !ok || source == "" || id == "" {
		return Key{}, fmt.Errorf("record key %q: want source:record_id, such as crm:C0012", s)
	}
	return Key{source, id}, nil
}

// Compare orders keys by source, then record id, both bytewise.
func (k Key) Compare(other Key) int {
	return cmp.Or(strings.Compare(k.Source, other.Source), strings.Compare(k.ID, other.ID))
}
