// Package match decides how likely two records mean the same person.
//
// A [Plan] says which fields of a table are compared and how. [Plan.Propose]
// chooses blocking rules, [Plan.Count] compares every candidate pair once and
// counts the comparison vectors, [Plan.Train] learns a [Model] from the counts
// without labels, and [Plan.Edges] gives the pairs that are worth keeping with
// their match weights. [Plan.Score] weighs any pairs, and [Plan.Explain] tells
// why a pair has its weight: all of them by the same comparisons and the same
// integer tables ([Weights]).
package match
