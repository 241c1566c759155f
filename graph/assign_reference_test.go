package graph

import (
	"maps"
	"slices"
	"strings"
)

// referenceNight does what Assign does, slowly, on keys: every rule of the
// package comment as it reads there.
func referenceNight(live, dormant map[IdentityID]identityState, clusters []string, issuer Issuer) *nightState {
	s := &nightState{run: issuer.Run, clusters: clusters, ids: make([]IdentityID, len(clusters))}
	s.live, s.dormant = make(map[IdentityID]identityState), make(map[IdentityID]identityState)
	for _, ids := range []map[IdentityID]identityState{live, dormant} {
		for {
			id, k := firstPair(ids, clusters, s.ids)
			if id == 0 {
				break
			}
			s.ids[k] = id
		}
	}
	for k, keys := range clusters {
		founder := live[s.ids[k]].founder + dormant[s.ids[k]].founder
		if s.ids[k] == 0 {
			s.ids[k] = issuer.ID(uint64(len(s.issued)))
			s.issued = append(s.issued, s.ids[k])
		}
		if founder == "" || !strings.Contains(keys, founder) {
			founder = keys[:1]
		}
		s.live[s.ids[k]] = identityState{keys: keys, founder: founder}
	}
	s.referenceAliases(live, dormant)
	s.referenceEvents(live, dormant)
	return s
}

// common returns the keys of x that are in y.
func common(x, y string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(y, r) {
			return r
		}
		return -1
	}, x)
}

// missing returns the keys of x that are not in y.
func missing(x, y string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(y, r) {
			return -1
		}
		return r
	}, x)
}

// firstPair returns the id and the cluster to be met first among those that
// are free, 0 if there is none.
func firstPair(ids map[IdentityID]identityState, clusters []string, taken []IdentityID) (IdentityID, int) {
	var best IdentityID
	var at int
	for id, s := range ids {
		for k, keys := range clusters {
			if taken[k] != 0 || slices.Contains(taken, id) || common(s.keys, keys) == "" {
				continue
			}
			if best == 0 || before(id, s, k, best, ids[best], at, clusters) {
				best, at = id, k
			}
		}
	}
	return best, at
}

func before(id IdentityID, s identityState, k int, bestID IdentityID, best identityState, at int, clusters []string) bool {
	if x, y := len(common(s.keys, clusters[k])), len(common(best.keys, clusters[at])); x != y {
		return x > y
	}
	if s.ended != best.ended {
		return s.ended > best.ended
	}
	x := s.founder != "" && strings.Contains(clusters[k], s.founder)
	y := best.founder != "" && strings.Contains(clusters[at], best.founder)
	if x != y {
		return x
	}
	if id.Run() != bestID.Run() {
		return id.Run() < bestID.Run()
	}
	if id != bestID {
		return id < bestID
	}
	return k < at
}

func (s *nightState) referenceAliases(live, dormant map[IdentityID]identityState) {
	leads := make(map[IdentityID]IdentityID)
	for id, old := range live {
		if !slices.Contains(s.ids, id) {
			old.into, old.ended = s.whereMost(id, old), s.run
			s.dormant[id] = old
			leads[id] = old.into
		} else {
			leads[id] = id
		}
	}
	for id, old := range dormant {
		if slices.Contains(s.ids, id) {
			continue
		}
		chain := leads[old.into]
		old.into = s.whereMost(id, old)
		if old.into == 0 {
			old.into = chain
		}
		old.foreign = false
		s.dormant[id] = old
	}
}

// whereMost returns the id whose cluster has most of the keys.
func (s *nightState) whereMost(id IdentityID, old identityState) IdentityID {
	_, k := firstPair(map[IdentityID]identityState{id: old}, s.clusters, make([]IdentityID, len(s.clusters)))
	if len(s.clusters) == 0 || common(old.keys, s.clusters[k]) == "" {
		return 0
	}
	return s.ids[k]
}

func (s *nightState) referenceEvents(live, dormant map[IdentityID]identityState) {
	for k, keys := range s.clusters {
		id := s.ids[k]
		if old, ok := live[id]; ok {
			if gained := missing(keys, old.keys); gained != "" {
				s.events = append(s.events, keyEvent{Grown, id, 0, gained})
			}
			if lost := missing(old.keys, keys); lost != "" {
				s.events = append(s.events, keyEvent{Shrunk, id, 0, lost})
			}
			continue
		}
		var from IdentityID
		for _, other := range slices.Sorted(maps.Keys(live)) {
			if len(common(live[other].keys, keys)) > len(common(live[from].keys, keys)) {
				from = other
			}
		}
		kind := Created
		if from != 0 {
			kind = Split
		}
		if old, ok := dormant[id]; ok && !old.foreign {
			kind = Restored
		}
		s.events = append(s.events, keyEvent{kind, id, from, keys})
	}
	for _, id := range slices.Sorted(maps.Keys(s.dormant)) {
		now := s.dormant[id]
		old, wasLive := live[id]
		switch {
		case wasLive && now.into == 0:
			s.events = append(s.events, keyEvent{Retired, id, 0, old.keys})
		case wasLive:
			s.events = append(s.events, keyEvent{Merged, id, now.into, old.keys})
		case dormant[id].foreign || now.into == 0 || now.into == dormant[id].into:
		case s.dormant[dormant[id].into].into == now.into:
			// The id that it led to went there too.
		default:
			s.events = append(s.events, keyEvent{Merged, id, now.into, now.keys})
		}
	}
}
