package graph

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ascending is a seed under which the first ids of runs 1 to 7 ascend, so that
// tests may call them by run and letter: 1a, 1b, 2a.
func ascending(t *testing.T) uint64 {
	t.Helper()
	for seed := range uint64(1 << 32) {
		good := true
		for run := uint32(1); run < 8 && good; run++ {
			is := Issuer{Run: run, Seed: seed}
			good = is.ID(0) < is.ID(1) && is.ID(1) < is.ID(2)
		}
		if good {
			return seed
		}
	}
	t.Fatal("no such seed")
	return 0
}

// name returns an id's run and its letter among those issued in the run.
func (w *runs) name(id IdentityID) string {
	is := Issuer{Run: id.Run(), Seed: w.seed}
	for n := range uint64(26) {
		if is.ID(n) == id {
			return fmt.Sprintf("%d%c", id.Run(), 'a'+rune(n))
		}
	}
	return id.String()
}

// describe writes a night as the tests below have it: identities, ids that are
// not live and where they lead, events.
func (w *runs) describe(s *nightState) string {
	var b strings.Builder
	for k, keys := range s.clusters {
		fmt.Fprintf(&b, "%s=%s ", w.name(s.ids[k]), keys)
	}
	for _, id := range slices.Sorted(maps.Keys(s.dormant)) {
		into := "retired"
		if d := s.dormant[id]; d.into != 0 {
			into = w.name(d.into)
		}
		fmt.Fprintf(&b, "%s>%s ", w.name(id), into)
	}
	for _, e := range s.events {
		fmt.Fprintf(&b, "| %v %s %s ", e.kind, w.name(e.id), e.keys)
		if e.other != 0 {
			fmt.Fprintf(&b, "%s ", w.name(e.other))
		}
	}
	return strings.TrimSpace(b.String())
}

// Every case is a sequence of nights: the clusters, and what becomes of them.
// A night that begins with "n<" follows run n and not the run before it.
var assignCases = []struct {
	name   string
	nights [][2]string
}{
	{"a first run issues ids in order of clusters", [][2]string{
		{"ad b c", "1a=ad 1b=b 1c=c | created 1a ad | created 1b b | created 1c c"},
		{"ad b c", "1a=ad 1b=b 1c=c"},
	}},
	{"the cluster with most of the records takes the id", [][2]string{
		{"abcde", "1a=abcde | created 1a abcde"},
		{"ab cde", "2a=ab 1a=cde | split 2a ab 1a | shrunk 1a ab"},
	}},
	{"of equal parts that with the founding record takes the id", [][2]string{
		{"bc", "1a=bc | created 1a bc"},
		{"abcd", "1a=abcd | grown 1a ad"},
		{"ad bc", "3a=ad 1a=bc | split 3a ad 1a | shrunk 1a ad"},
	}},
	{"a founding record that left is followed by the smallest", [][2]string{
		{"abcdef", "1a=abcdef | created 1a abcdef"},
		{"bcdef", "1a=bcdef | shrunk 1a a"},
		{"abcdef", "1a=abcdef | grown 1a a"},
		{"acd bef", "4a=acd 1a=bef | split 4a acd 1a | shrunk 1a acd"},
	}},
	{"of equal identities in one cluster the older keeps its id", [][2]string{
		{"c", "1a=c | created 1a c"},
		{"b c", "2a=b 1a=c | created 2a b"},
		{"bc", "1a=bc 2a>1a | grown 1a b | merged 2a b 1a"},
	}},
	{"of equal identities of one run that with the smaller id", [][2]string{
		{"a b", "1a=a 1b=b | created 1a a | created 1b b"},
		{"ab", "1a=ab 1b>1a | grown 1a b | merged 1b b 1a"},
	}},
	{"the larger of merged identities keeps its id and the smaller its memory", [][2]string{
		{"a bc", "1a=a 1b=bc | created 1a a | created 1b bc"},
		{"abc", "1b=abc 1a>1b | grown 1b a | merged 1a a 1b"},
		{"a bc", "1a=a 1b=bc | restored 1a a 1b | shrunk 1b a"},
	}},
	{"an identity whose founding record moved away loses a tie", [][2]string{
		{"ab cd", "1a=ab 1b=cd | created 1a ab | created 1b cd"},
		{"bd ac", "1a=ac 1b=bd | grown 1a c | shrunk 1a b | grown 1b b | shrunk 1b c"},
	}},
	{"an id goes to one cluster, a cluster to one id", [][2]string{
		{"abc de", "1a=abc 1b=de | created 1a abc | created 1b de"},
		{"abde c", "1a=abde 2a=c 1b>1a | grown 1a de | shrunk 1a c | split 2a c 1a | merged 1b de 1a"},
	}},
	{"a split id came from the identity with most of its records", [][2]string{
		{"abc defg hijklm", "1a=abc 1b=defg 1c=hijklm | created 1a abc | created 1b defg | created 1c hijklm"},
		{"ab cdhi efg jklm", "1a=ab 2a=cdhi 1b=efg 1c=jklm | shrunk 1a c | split 2a cdhi 1c | shrunk 1b d | shrunk 1c hi"},
	}},
	{"of equal ones from that with the smaller id", [][2]string{
		{"efgh abcd", "1a=abcd 1b=efgh | created 1a abcd | created 1b efgh"},
		{"abc dh efg", "1a=abc 2a=dh 1b=efg | shrunk 1a d | split 2a dh 1a | shrunk 1b h"},
	}},
	{"a merged id leads to the cluster with most of its records", [][2]string{
		{"aij cdklm efgno", "1a=aij 1b=cdklm 1c=efgno | created 1a aij | created 1b cdklm | created 1c efgno"},
		{"acdkl efgnoij m", "1b=acdkl 1c=efgijno 2a=m 1a>1c | grown 1b a | shrunk 1b m | grown 1c ij | split 2a m 1b | merged 1a aij 1c"},
	}},
	{"of equal clusters to that with the founding record", [][2]string{
		{"cdefg", "1a=cdefg | created 1a cdefg"},
		{"ahi cdefg", "2a=ahi 1a=cdefg | created 2a ahi"},
		{"a cdefg", "2a=a 1a=cdefg | shrunk 2a hi"},
		{"aj cdefg bkl", "2a=aj 4a=bkl 1a=cdefg | grown 2a j | created 4a bkl"},
		{"bkl jh cdefga", "1a=acdefg 4a=bkl 2a=hj | grown 1a a | grown 2a h | shrunk 2a a"},
		{"bkl h cdefgaj", "1a=acdefgj 4a=bkl 2a=h | grown 1a j | shrunk 2a j"},
		{"bklh cdefgaj", "1a=acdefgj 4a=bhkl 2a>4a | grown 4a h | merged 2a h 4a"},
	}},
	{"an identity without records is retired, and restored when they return", [][2]string{
		{"ab c", "1a=ab 1b=c | created 1a ab | created 1b c"},
		{"c", "1b=c 1a>retired | retired 1a ab"},
		{"c", "1b=c 1a>retired"},
		{"bd c", "1a=bd 1b=c | restored 1a bd"},
	}},
	{"a retired id whose records return to another identity becomes its alias", [][2]string{
		{"ab c", "1a=ab 1b=c | created 1a ab | created 1b c"},
		{"c", "1b=c 1a>retired | retired 1a ab"},
		{"bc", "1b=bc 1a>1b | grown 1b b | merged 1a ab 1b"},
	}},
	{"an alias follows the id that it leads to", [][2]string{
		{"a bc defg", "1a=a 1b=bc 1c=defg | created 1a a | created 1b bc | created 1c defg"},
		{"abc defg", "1b=abc 1c=defg 1a>1b | grown 1b a | merged 1a a 1b"},
		{"bc defg", "1b=bc 1c=defg 1a>1b | shrunk 1b a"},
		{"bcdefg", "1c=bcdefg 1a>1c 1b>1c | grown 1c bc | merged 1b bc 1c"},
		{"h", "5a=h 1a>retired 1b>retired 1c>retired | created 5a h | retired 1c bcdefg"},
	}},
	{"an alias follows its records, not the id that they leave", [][2]string{
		{"a bc defg", "1a=a 1b=bc 1c=defg | created 1a a | created 1b bc | created 1c defg"},
		{"abc defg", "1b=abc 1c=defg 1a>1b | grown 1b a | merged 1a a 1b"},
		{"bc adefg", "1c=adefg 1b=bc 1a>1c | grown 1c a | shrunk 1b a | merged 1a a 1c"},
		{"adefg", "1c=adefg 1a>1c 1b>retired | retired 1b bc"},
	}},
	{"an alias whose records went with its id has no event of its own", [][2]string{
		{"a bc defg", "1a=a 1b=bc 1c=defg | created 1a a | created 1b bc | created 1c defg"},
		{"abc defg", "1b=abc 1c=defg 1a>1b | grown 1b a | merged 1a a 1b"},
		{"abcdefg", "1c=abcdefg 1a>1c 1b>1c | grown 1c abc | merged 1b abc 1c"},
	}},
	{"live ids come before aliases", [][2]string{
		{"a bc", "1a=a 1b=bc | created 1a a | created 1b bc"},
		{"abc", "1b=abc 1a>1b | grown 1b a | merged 1a a 1b"},
		{"a", "1b=a 1a>1b | shrunk 1b bc"},
	}},
	{"an alias is restored where most of its records are", [][2]string{
		{"abc defg", "1a=abc 1b=defg | created 1a abc | created 1b defg"},
		{"abcdefg", "1b=abcdefg 1a>1b | grown 1b abc | merged 1a abc 1b"},
		{"a bc defg", "3a=a 1a=bc 1b=defg | split 3a a 1b | restored 1a bc 1b | shrunk 1b abc"},
	}},
	{"of aliases of the same records the last to end is restored", [][2]string{
		{"cd efg", "1a=cd 1b=efg | created 1a cd | created 1b efg"},
		{"cdefg", "1b=cdefg 1a>1b | grown 1b cd | merged 1a cd 1b"},
		{"cd", "1b=cd 1a>1b | shrunk 1b efg"},
		{"h", "4a=h 1a>retired 1b>retired | created 4a h | retired 1b cd"},
		{"cd h", "1b=cd 4a=h 1a>1b | restored 1b cd | merged 1a cd 1b"},
	}},
	{"of aliases that ended together the older", [][2]string{
		{"ab", "1a=ab | created 1a ab"},
		{"ab cd", "1a=ab 2a=cd | created 2a cd"},
		{"h", "3a=h 1a>retired 2a>retired | created 3a h | retired 1a ab | retired 2a cd"},
		{"ac h", "1a=ac 3a=h 2a>1a | restored 1a ac | merged 2a cd 1a"},
	}},
	{"of aliases that ended together that whose founding record is there", [][2]string{
		{"ab", "1a=ab | created 1a ab"},
		{"ab cd", "1a=ab 2a=cd | created 2a cd"},
		{"h", "3a=h 1a>retired 2a>retired | created 3a h | retired 1a ab | retired 2a cd"},
		{"bc h", "2a=bc 3a=h 1a>2a | restored 2a bc | merged 1a ab 2a"},
	}},
	{"ids of runs that were rolled back are taken up, as if new", [][2]string{
		{"a", "1a=a | created 1a a"},
		{"a b", "1a=a 2a=b | created 2a b"},
		{"1< a b c", "1a=a 2a=b 3a=c | created 2a b | created 3a c"},
		{"1< a c", "1a=a 3a=c 2a>retired | created 3a c"},
		{"a b c", "1a=a 2a=b 3a=c | restored 2a b"},
	}},
	{"a foreign id of records that had an identity is split from it", [][2]string{
		{"abc", "1a=abc | created 1a abc"},
		{"a bc", "2a=a 1a=bc | split 2a a 1a | shrunk 1a a"},
		{"1< a bc", "2a=a 1a=bc | split 2a a 1a | shrunk 1a a"},
	}},
	{"a foreign id that is not taken up leads to its records, without an event", [][2]string{
		{"ab", "1a=ab | created 1a ab"},
		{"ab c", "1a=ab 2a=c | created 2a c"},
		{"1< abc", "1a=abc 2a>1a | grown 1a c"},
		{"ab c", "1a=ab 2a=c | shrunk 1a c | restored 2a c 1a"},
	}},
	{"no records at all", [][2]string{
		{"", ""},
		{"a", "2a=a | created 2a a"},
		{"", "2a>retired | retired 2a a"},
		{"", "2a>retired"},
	}},
}

func TestAssignmentAcrossRuns(t *testing.T) {
	seed := ascending(t)
	for _, test := range assignCases {
		t.Run(test.name, func(t *testing.T) {
			w := &runs{seed: seed}
			nights := []*nightState{start()}
			for n, night := range test.nights {
				from, clusters := nights[n], strings.Fields(night[0])
				if len(clusters) > 0 && strings.HasSuffix(clusters[0], "<") {
					from, clusters = nights[clusters[0][0]-'0'], clusters[1:]
				}
				s, err := w.night(from, inOrder(clusters))
				if err != nil {
					t.Fatal(err)
				}
				if got := w.describe(s); got != night[1] {
					t.Errorf("run %d\n got %s\nwant %s", n+1, got, night[1])
				}
				nights = append(nights, s)
			}
		})
	}
}

func TestAPastThatContradictsItselfIsRefused(t *testing.T) {
	c := ClustersOf([]uint32{1, 2, 1})
	first, second := Issuer{Run: 1}.ID(0), Issuer{Run: 2}.ID(0)
	good := func() *Past {
		return &Past{
			IDs: []IdentityID{first, second}, Of: []uint32{0, 1, None, 0}, Founder: []uint32{3, None},
			Dormant: []Dormant{{ID: Issuer{Run: 1}.ID(1), Into: second, Founder: 2, Records: []uint32{0, 3}}, {ID: Issuer{Run: 2}.ID(1), Founder: None}},
		}
	}
	if _, err := Assign(c, good(), Issuer{Run: 3}); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		spoil func(p *Past)
		want  string
	}{
		{func(p *Past) { p.Of = p.Of[:2] }, "identities of 2 records where this run has 3"},
		{func(p *Past) { p.Of[1] = 2 }, "record 1 has identity 2 of 2"},
		{func(p *Past) { p.Of[1] = None }, "has no record"},
		{func(p *Past) { p.Of = nil }, "has no record"},
		{func(p *Past) { p.Founder = p.Founder[:1] }, "1 founding records of 2 identities"},
		{func(p *Past) { p.Founder[0] = 4 }, "was founded on record 4 of 4"},
		{func(p *Past) { p.IDs[1] = first }, "stands twice"},
		{func(p *Past) { p.IDs[1] = 0 }, "was never issued"},
		{func(p *Past) { p.IDs[1] = ^IdentityID(0) }, "was never issued"},
		{func(p *Past) { p.IDs[1] = Issuer{Run: 3}.ID(0) }, "run number 3 was used before"},
		{func(p *Past) { p.IDs[1] = Issuer{Run: 4}.ID(0) }, "take one above 4"},
		{func(p *Past) { p.Dormant[0].ID = 7 }, "was never issued"},
		{func(p *Past) { p.Dormant[1].ID = Issuer{Run: 9}.ID(0) }, "run number 3 was used before"},
		{func(p *Past) { p.Dormant[1].ID = p.Dormant[0].ID }, "stands twice"},
		{func(p *Past) { p.Dormant[1].ID = first }, "both an identity and an alias"},
		{func(p *Past) { p.Dormant[0].Into = p.Dormant[1].ID }, "which is no identity"},
		{func(p *Past) { p.Dormant[0].Founder = 4 }, "was founded on record 4 of 4"},
		{func(p *Past) { p.Dormant[0].Records[1] = 4 }, "had record 4 of 4"},
		{func(p *Past) { p.Dormant[0].Records[0] = 3 }, "must ascend"},
	}
	for _, test := range tests {
		past := good()
		test.spoil(past)
		if _, err := Assign(c, past, Issuer{Run: 3}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want %q", err, test.want)
		}
	}
	for _, run := range []uint32{0, MaxRun + 1} {
		if _, err := Assign(c, nil, Issuer{Run: run}); err == nil {
			t.Errorf("run %d issued ids", run)
		}
	}
}

func TestAssignLeavesThePastAlone(t *testing.T) {
	c, past := secondNight(t, 20_000, 0.5, 1000)
	kept := &Past{slices.Clone(past.IDs), slices.Clone(past.Of), slices.Clone(past.Founder), slices.Clone(past.Dormant)}
	first, err := Assign(c, past, Issuer{Run: 2})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kept, past); diff != "" {
		t.Error(diff)
	}
	again := &Past{IDs: first.IDs, Of: c.Of, Founder: first.Founder, Dormant: first.Dormant}
	second, err := Assign(c, again, Issuer{Run: 3})
	if err != nil {
		t.Fatal(err)
	}
	if len(second.Events) > 0 || second.Issued > 0 || !slices.Equal(second.IDs, first.IDs) || !slices.Equal(second.Founder, first.Founder) {
		t.Errorf("a rerun of %d records: %d events, %d ids issued", len(c.Of), len(second.Events), second.Issued)
	}
	if diff := cmp.Diff(first.Dormant, second.Dormant); diff != "" {
		t.Error(diff)
	}
}

func TestEventKindsReadBack(t *testing.T) {
	for k := range eventKinds {
		text, _ := k.MarshalText()
		var got EventKind
		if err := got.UnmarshalText(text); err != nil || got != k {
			t.Errorf("%v: %v, %v", k, got, err)
		}
	}
	if Restored.String() != "restored" {
		t.Errorf("restored reads %v", Restored)
	}
	if _, err := ParseEventKind("lost"); err == nil {
		t.Error("lost taken for an event")
	}
}
