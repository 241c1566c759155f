package comparison

import (
	"cmp"
	"slices"

	"sama/record"
)

// maxUsers is the greatest number of different given names that are told apart
// on one contact point.
const maxUsers = 8

// userCounts returns, per value of a contact column, how many people seem to
// use it: the given names on it, those that may be one person's (one given
// name in common, an initial, a nickname, a misspelling) counted once, at most
// maxUsers; 1 where names are unknown.
//
// Names that are merely spelt differently must not count as two: the count
// would then tell whether the names are equal, which is for the name
// comparison to say.
func userCounts(l *Layout, name string, contact, given *record.Column) []uint8 {
	users := make([]uint8, contact.Normal.Len())
	for i := range users {
		users[i] = 1
	}
	if given == nil {
		return users
	}
	type use struct{ contact, given uint32 }
	var uses []use
	for i, code := range contact.Code {
		if code != 0 && given.Code[i] != 0 && contact.Count[code] > 1 {
			uses = append(uses, use{code, given.Code[i]})
		}
	}
	slices.SortFunc(uses, func(a, b use) int {
		return cmp.Or(cmp.Compare(a.contact, b.contact), cmp.Compare(a.given, b.given))
	})
	uses = slices.Compact(uses)
	n := newNames(l, given, nil)
	var people [maxUsers]uint32
	for start := 0; start < len(uses); {
		end := start
		count := 0
	next:
		for ; end < len(uses) && uses[end].contact == uses[start].contact; end++ {
			for _, other := range people[:count] {
				if n.compareGiven(other, uses[end].given) <= givenLike {
					continue next
				}
			}
			if count < maxUsers {
				people[count] = uses[end].given
				count++
			}
		}
		users[uses[start].contact] = uint8(count)
		start = end
	}
	if l.Whole != nil {
		for code := range users {
			users[code] = uint8(l.whole(usersOf(name), contact.Normal.At(uint32(code)), uint32(users[code])))
		}
	}
	return users
}

// usersCounted returns the contact points that several people use.
func usersCounted(name string, users []uint8, texts *record.Strings) record.Counts {
	var c record.Counter
	for code, n := range users {
		if n > 1 {
			c.Add(texts.At(uint32(code)), uint32(n))
		}
	}
	return c.Counts(usersOf(name))
}
