// Package blocking proposes the candidate pairs that are worth comparing.
//
// A key expression ([Expression]) takes a part of a field: the family name's
// sound, the year of a birth date, any of the given names. A rule ([Rule]) is
// a conjunction of key expressions; two records are a candidate pair of the
// rule if all its expressions agree on them. Where an expression has several
// values for one record (any given name), one value in common is enough.
//
// A plan ([Plan]) is an ordered list of rules over one table. Every pair is
// proposed once, by the first rule that finds it: a later rule rejects it by
// comparing the earlier rules' keys, so that no set of pairs is ever held.
//
//	keys      rule × record → 32-bit hash of the expressions' codes, 0 = null
//	order     rule → records sorted by key (radix sort)
//	blocks    rule → runs of equal keys of at least two records
//
// A block with more records than the limit is split by further expressions:
// its records' keys are replaced by hashes of key and further value, until the
// parts are small enough. What stays too large is given up by this rule (keys
// become null, other rules may still find its pairs) and is counted and named
// in [RuleStats]. Because the replaced keys are what later rules compare, the
// pairs that a split lost may still be found by a later rule.
//
// Hashes that collide merge two blocks, which costs a few comparisons and
// loses nothing.
//
// Memory: 4 bytes a record and slot for keys, 4 for the order. Nothing grows
// with the number of pairs.
package blocking
