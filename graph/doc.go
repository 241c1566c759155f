// Package graph turns edges into clusters and clusters into identities.
//
// An edge is a scored pair of records. The steps, each a pure function over
// flat slices whose result depends neither on the order of the edges nor on
// the number of workers:
//
//	Components      records joined by edges at or above a weight
//	MissingPairs    pairs inside components that blocking never met, to score
//	ChooseThreshold the weight with the highest closure-aware expected F1
//	Correlate       components parted by correlation clustering
//	Cohere          how firmly each cluster holds; Doubtful: which to review
//	Assign          clusters → identity ids and events
//
// # Correlation clustering
//
// At threshold t a pair of records has the signed weight
//
//	w = clip(weight − t, ±Clip)   for a pair with an edge
//	w = Unseen                    for a pair without
//
// and a clustering is worth the sum of the signed weights of all pairs that it
// puts together. Finding the best one is NP-hard (Bansal, Blum and Chawla,
// Correlation Clustering, Machine Learning 56, 2004). Within a component of
// positive weights, clusters start as single records, and the two clusters with
// the largest sum of signed weights between them are joined while that sum is
// above 0 (greedy additive edge contraction: Keuper and others, Efficient
// Decomposition of Image and Mesh Graphs by Lifted Multicuts, ICCV 2015).
// Equal sums are ordered by the pair of clusters, a cluster being named by its
// largest member, the smaller pair first. Then
//
//   - up to 8 nodes, the exact optimum is computed over all subsets and taken
//     where it is worth more;
//   - up to 512 nodes, local search moves single nodes between clusters, or out
//     to stand alone, and joins clusters, in a fixed order, while that adds
//     worth;
//   - above, contraction alone, with a heap whose entries are upper bounds.
//
// A node is a record, or all records that a steward has declared the same.
// Cost: about quadratic in the size of a component up to 512 records, E log E
// above.
//
// # Constraints
//
// "Same" and "not same" decisions and unique identifiers are hard. Where they
// contradict each other, "same" holds, and the contradiction is returned with
// the chain of decisions that makes it.
//
// # Identities across runs
//
// An id is live while it names an identity; one whose identity was merged or
// retired is dormant, and an alias of the live id that it leads to, if any. A
// dormant id remembers the records that it had when it was last live. [Assign]
// gives every cluster one id, and no id to two clusters:
//
//  1. Pairs of a live id and a cluster are met by: records that the cluster
//     shares with the identity in the previous run, most first; the cluster
//     holds the identity's founding record; the older id, of those of one run
//     the smaller; the smaller cluster. Where both are free, they stay together.
//  2. Dormant ids and the clusters left over are met likewise, by the records
//     remembered. Of ids that share as many, the one that was live last comes
//     first, before founding records are asked for. Such an id is restored. So
//     clusters that were one for a time, or gone, have the ids that they had.
//  3. A cluster left over gets a new id, in order of clusters.
//  4. A live id left over is merged into the id of the cluster that shares most
//     of its records; of equal ones, the order is that of 1. If all its records
//     are gone, it is retired.
//  5. A dormant id leads to the id of the cluster that shares most of the records
//     it remembers, by the same order. If all of them are gone, it leads where
//     the id that it led to leads now: to itself, to what it merged into, or,
//     if it was retired, to none. So every id ever issued leads in one step to
//     a live id, or is retired.
//
// The founding record of an identity is the smallest of its first cluster. If
// it leaves, the smallest of those there takes its place, so that every
// identity holds its own: that is what makes a tie in a merger, and the tie
// when the parts come apart again, fall to the same id.
//
// Events tell a run's changes. Whoever reads all of them, from the first run,
// in any order within a run, knows the records of every live id, and where
// every other id that they name leads:
//
//	created   the id has these records; none had an identity
//	split     the id has these records; most of those that had an identity had Other
//	restored  a dormant id has these records; Other likewise, or none
//	grown     the id has these records as well
//	shrunk    the id has these records no longer
//	merged    the id has no records now and leads to Other; these it had, or remembers
//	retired   the id has no records now and leads nowhere; these it had
//
// Unless they have an event of their own, ids that led to a merged one lead to
// its Other, and those that led to a retired one nowhere. A run on the
// same clusters as the run before has no events.
//
// A foreign id was issued by a run that the previous run does not follow, being
// rolled back or held back. It is dormant as others are, but its past is not
// among the events: taken up, it is created or split; left, it has no event.
//
// # Limits
//
// Record numbers are 32 bits. Every pair may have one edge at most.
package graph
