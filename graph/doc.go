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
// # Limits
//
// Record numbers are 32 bits. Every pair may have one edge at most.
package graph
