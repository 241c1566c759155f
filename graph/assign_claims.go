package graph

import (
	"cmp"
	"slices"
)

// claims are ids that each claim the clusters in which their records are.
type claims struct {
	ids     []IdentityID
	founder []uint32
	took    []uint32 // claim → the cluster that it took, None if none
	by      []uint32 // cluster → the claim that took it, None if none

	dormant []Dormant // where the records are, if the ids are dormant; else
	start   []uint32  // claim → its first place in records; one more than there are claims
	records []uint32  // ascending within a claim
}

// at returns the records of claim i, ascending.
func (cl *claims) at(i int) []uint32 {
	if cl.dormant != nil {
		return cl.dormant[i].Records
	}
	return cl.records[cl.start[i]:cl.start[i+1]]
}

// claimsOfIdentities returns the claims of the identities of the previous run.
func claimsOfIdentities(past *Past) claims {
	start := make([]uint32, len(past.IDs)+1)
	for _, i := range past.Of {
		if i != None {
			start[i+1]++
		}
	}
	for i := range past.IDs {
		start[i+1] += start[i]
	}
	next := slices.Clone(start)
	records := make([]uint32, start[len(past.IDs)])
	for r, i := range past.Of {
		if i != None {
			records[next[i]] = uint32(r)
			next[i]++
		}
	}
	return claims{ids: past.IDs, founder: past.Founder, start: start, records: records}
}

// claimsOfDormant returns the claims of ids that are not live.
func claimsOfDormant(dormant []Dormant) claims {
	n := len(dormant)
	cl := claims{ids: make([]IdentityID, n), founder: make([]uint32, n), dormant: dormant}
	for i, d := range dormant {
		cl.ids[i], cl.founder[i] = d.ID, d.Founder
	}
	return cl
}

// overlap is a claim on a cluster, by the records that the two share. Its rank,
// the smaller the earlier it is met, is two numbers:
//
//	bits 32  ¬ records shared │ 32  ¬ the run that ended the id
//	bits  1  1 if the cluster lacks the id's founding record │ 63  id
//
// Ids begin with the run that made them, so the smaller is the older.
type overlap struct {
	rank    [2]uint64
	claim   uint32
	cluster uint32
}

// overlap returns claim i's overlap with cluster k, of so many records.
func (a *assigner) overlap(cl *claims, i int, k, shared uint32) overlap {
	o := overlap{claim: uint32(i), cluster: k}
	o.rank[0] = uint64(^shared) << 32
	if cl.dormant != nil {
		o.rank[0] |= uint64(^cl.dormant[i].Ended)
	}
	o.rank[1] = uint64(cl.ids[i])
	if !a.holds(k, cl.founder[i]) {
		o.rank[1] |= 1 << 63
	}
	return o
}

// compare orders overlaps by their rank, those of one id by cluster.
func (o overlap) compare(p overlap) int {
	if o.rank[0] != p.rank[0] {
		return cmp.Compare(o.rank[0], p.rank[0])
	}
	if o.rank[1] != p.rank[1] {
		return cmp.Compare(o.rank[1], p.rank[1])
	}
	return cmp.Compare(o.cluster, p.cluster)
}

// several stands where there is more than one claim or cluster.
const several = None - 1

// take gives clusters that are not taken to claims: a claim gets one cluster
// at most, and a cluster goes to one claim.
func (a *assigner) take(cl *claims) {
	cl.took, cl.by = filled(len(cl.ids), None), filled(a.c.Len(), None)
	clusters, claim := a.meetings(cl)
	var contested []overlap
	for i, k := range clusters {
		switch {
		case k == None:
		case k != several && claim[k] == uint32(i):
			a.give(cl, uint32(i), k)
		default:
			contested = a.overlaps(contested, cl, i)
		}
	}
	slices.SortFunc(contested, overlap.compare)
	for _, o := range contested {
		if cl.took[o.claim] == None && !a.taken[o.cluster] {
			a.give(cl, o.claim, o.cluster)
		}
	}
}

// meetings returns for every claim the cluster, not taken, that has records
// of it, and for every cluster the claim on it: None if there is none, several
// if there are more.
func (a *assigner) meetings(cl *claims) (clusters, claim []uint32) {
	n := uint32(len(a.c.Of))
	clusters, claim = filled(len(cl.ids), None), filled(a.c.Len(), None)
	for i := range clusters {
		for _, r := range cl.at(i) {
			if r >= n {
				break
			}
			k := a.c.Of[r]
			if a.taken[k] {
				continue
			}
			clusters[i] = either(clusters[i], k)
			claim[k] = either(claim[k], uint32(i))
		}
	}
	return clusters, claim
}

// either returns what x becomes when y is met.
func either(x, y uint32) uint32 {
	if x == None || x == y {
		return y
	}
	return several
}

// overlaps appends the overlaps of claim i with the clusters that are not taken.
func (a *assigner) overlaps(to []overlap, cl *claims, i int) []overlap {
	n := uint32(len(a.c.Of))
	for _, r := range cl.at(i) {
		if r < n && !a.taken[a.c.Of[r]] {
			a.byCluster.add(a.c.Of[r])
		}
	}
	for _, k := range a.byCluster.seen {
		to = append(to, a.overlap(cl, i, k, a.byCluster.of[k]))
	}
	a.byCluster.reset()
	return to
}

// give makes cluster k that of claim i.
func (a *assigner) give(cl *claims, i, k uint32) {
	cl.took[i], cl.by[k], a.taken[k] = k, i, true
	a.out.IDs[k], a.out.Founder[k] = cl.ids[i], cl.founder[i]
}

// counts counts small numbers, and keeps which of them it has met.
type counts struct {
	of   []uint32
	seen []uint32
}

func newCounts(bound int) counts { return counts{of: make([]uint32, bound)} }

func (t *counts) add(x uint32) {
	if t.of[x] == 0 {
		t.seen = append(t.seen, x)
	}
	t.of[x]++
}

func (t *counts) reset() {
	for _, x := range t.seen {
		t.of[x] = 0
	}
	t.seen = t.seen[:0]
}

// filled returns n times x.
func filled(n int, x uint32) []uint32 {
	s := make([]uint32, n)
	for i := range s {
		s[i] = x
	}
	return s
}
