package run

import (
	"maps"
	"strings"
	"testing"

	"sama/graph"
)

// replayNights replays events such as "created a 12; shrunk b 3", a line a night,
// whose records are digits, and returns the records of each identity.
func replayNights(t *testing.T, nights string) (map[string]string, error) {
	t.Helper()
	p := &replayer{keys: make(map[string]map[string]uint32), ids: make(map[string]uint32)}
	for line := range strings.SplitSeq(strings.TrimSpace(nights), "\n") {
		p.events = nil
		for text := range strings.SplitSeq(line, ";") {
			words := strings.Fields(text)
			kind, err := graph.ParseEventKind(words[0])
			if err != nil {
				t.Fatal(err)
			}
			e := replayedEvent{kind: kind, identity: p.identity([]byte(words[1]))}
			for _, id := range words[2] {
				e.records = append(e.records, p.record("s", []byte(string(id))))
			}
			p.events = append(p.events, e)
		}
		if err := p.apply(); err != nil {
			return nil, err
		}
	}
	held := make(map[string]string)
	for _, id := range "0123456789" {
		if owner := p.owner[p.record("s", []byte(string(id)))]; owner != NoRecord {
			held[p.names[owner]] += string(id)
		}
	}
	return held, nil
}

func TestReplayFollowsTheEvents(t *testing.T) {
	for _, x := range []struct {
		nights string
		want   map[string]string
	}{
		{"created a 12; created b 3", map[string]string{"a": "12", "b": "3"}},
		{"created a 12; created b 3\ngrown b 2; shrunk a 2", map[string]string{"a": "1", "b": "23"}},
		{"created a 12; created b 3\ngrown a 3; merged b 3", map[string]string{"a": "123"}},
		{"created a 12; created b 3\nmerged b 3; grown a 3\nrestored b 3; shrunk a 3", map[string]string{"a": "12", "b": "3"}},
		{"created a 12\nretired a 12\nrestored a 2", map[string]string{"a": "2"}},
		{"created a 12\nsplit b 2; shrunk a 2", map[string]string{"a": "1", "b": "2"}},
		// An id that leads elsewhere now remembers a record that is another's.
		{"created a 12; created b 3; created c 4\nmerged b 3; grown a 3\nshrunk a 3; grown c 3; merged b 3", map[string]string{"a": "12", "c": "34"}},
	} {
		if got, err := replayNights(t, x.nights); err != nil || !maps.Equal(got, x.want) {
			t.Errorf("%q: %v (%v), want %v", x.nights, got, err, x.want)
		}
	}
}

func TestReplayRefusesContradictions(t *testing.T) {
	for name, nights := range map[string]string{
		"a record of two":                "created a 12; created b 23",
		"created twice":                  "created a 12\ncreated a 3",
		"grown by another's record":      "created a 12; created b 3\ngrown b 2",
		"shrunk by what it had not":      "created a 12\nshrunk a 3",
		"merged with a record left":      "created a 12; created b 3\nmerged a 1; grown b 1",
		"retired with a record left":     "created a 12\nretired a 1",
		"restored while it is live":      "created a 1\nrestored a 2",
		"split off without being shrunk": "created a 12\nsplit b 2",
	} {
		if got, err := replayNights(t, nights); err == nil {
			t.Errorf("%s: no error, %v", name, got)
		}
	}
}

func TestRunNumbersAscend(t *testing.T) {
	entry := func(id, previous string, number uint32) Entry {
		return Entry{ID: id, Run: &Run{Info: Info{ID: id, Previous: previous, Number: number}}}
	}
	for name, x := range map[string]struct {
		list []Entry
		ok   bool
	}{
		"one after the other": {[]Entry{entry("a", "", 1), entry("b", "a", 2), entry("c", "a", 3)}, true},
		"one removed":         {[]Entry{entry("b", "a", 2)}, true},
		"a number twice":      {[]Entry{entry("a", "", 1), entry("b", "", 1)}, false},
		"a number too low":    {[]Entry{entry("b", "c", 2), entry("c", "a", 3)}, false},
	} {
		byID := make(map[string]*Run)
		for _, e := range x.list {
			byID[e.ID] = e.Run
		}
		if bad := checkNumbers(x.list, byID); (len(bad) == 0) != x.ok {
			t.Errorf("%s: %v", name, bad)
		}
	}
}

// TestReplayMissesNoRecord has the events give records that the members do not
// have, and other identities than they have.
func TestReplayMissesNoRecord(t *testing.T) {
	_, runs := threeNights(t)
	first, err := runs[0].Members()
	if err != nil {
		t.Fatal(err)
	}
	p := &replayer{keys: make(map[string]map[string]uint32), ids: make(map[string]uint32)}
	if err := p.read(runs[0]); err != nil {
		t.Fatal(err)
	}
	if err := p.apply(); err != nil {
		t.Fatal(err)
	}
	if err := p.compare(runs[0]); err != nil {
		t.Fatal(err)
	}
	stray := p.record("a", []byte("stray"))
	p.owner[stray] = 0
	p.owned[0]++
	if err := p.compare(runs[0]); err == nil {
		t.Error("a record too many: no error")
	}
	p.owner[stray] = NoRecord
	p.owned[0]--
	rec := p.record(first.Key(0).Source, []byte(first.Key(0).ID))
	has := p.owner[rec]
	p.owner[rec] = (has + 1) % uint32(len(p.names))
	if err := p.compare(runs[0]); len(p.names) < 2 || err == nil {
		t.Error("another identity: no error")
	}
	p.owner[rec] = has
	p.identity([]byte("ghost"))
	if err := p.compare(runs[0]); err == nil {
		t.Error("an id that resolves to nothing: no error")
	}
}
