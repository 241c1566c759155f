// Package strsim holds string-metric kernels, one metric a file. It knows
// nothing of records.
//
// # Metrics
//
//	Jaro, JaroWinkler    similarity, 0 (nothing in common) to 1 (equal)
//	Levenshtein          insertions, deletions, substitutions
//	OSA                  those and transpositions of neighbours, no part
//	                     edited twice (optimal string alignment)
//	DamerauLevenshtein   those and transpositions, unrestricted
//
// All metrics are symmetric and count code points: "é" and "e" differ by one
// edit. Each byte that is not valid UTF-8 counts as one U+FFFD, as in a range
// loop. Nothing is normalised: "é" as one code point and as "e" with a
// combining accent are different strings. Empty strings: two are equal
// (similarity 1, distance 0); one empty string has similarity 0 and, as
// distance, the length of the other. No argument makes a kernel panic or
// return NaN.
//
// OSA is no metric in the strict sense (it breaks the triangle inequality);
// Levenshtein and DamerauLevenshtein are. Levenshtein ≥ OSA ≥
// DamerauLevenshtein ≥ 2/3 OSA, and the last two are equal where OSA is at most
// 2 ("ca" and "abc" are 3 and 2 apart).
//
// # Use
//
// One pair: the functions. One string against many: [Matcher], which prepares
// one side once. A threshold: [Signature] once per distinct value, then
// [JaroWinklerCut], [JaroWinklerAtLeast] or [OSAWithinSig], which reject almost
// all unrelated pairs from two 16-byte signatures, without reading the
// strings, and are exact: a filter rejects only what it has proved.
//
// # How
//
// One side's positions are kept as one mask of up to 64 bits per byte; each
// byte of the other side then costs a handful of word operations (Myers 1999,
// Hyyrö 2003 for the distances). Only equality between the two sides counts, so
// strings that are not ASCII are first transcoded to an alphabet of their own:
// ASCII from the space on stays, the first side's other code points take the
// bytes 0 to 30, and everything else that the second side has is byte 31. This
// serves up to 64 code points a side with up to 31 different ones beyond ASCII,
// and allocates nothing. Other strings take memory of linear size from a pool,
// which allocates nothing once it has grown:
//
//	Jaro, JaroWinkler                      time O(|a| + |b|)
//	distances                              time O(|a|·|b|)
//	LevenshteinWithin, OSAWithin           time O(|a| + |b| + k·min(|a|, |b|))
//	DamerauLevenshteinWithin               as OSAWithin with 3/2·k, and where that
//	                                       does not decide, O(|a|·|b|)
//
// The distances of two cells of megabytes therefore take hours, as with any
// exact method; JaroWinkler, LevenshteinWithin and OSAWithin do not.
package strsim
