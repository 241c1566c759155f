// Package measure runs sama the way a user does, as a process of its own, and
// tells what the run cost and how right it was.
//
// A [Set] is a folder with records and their truth:
//
//	records.parquet, or one file per silo    input
//	truth.parquet                            record_id, its person, and the silo where ids repeat; for scoring only
//	extra.parquet, pairs.parquet             not input
//
// A [Change] makes a copy of a set's input that should give the same answer, or
// nearly so: shuffled, with meaningless column names, or a random part of it. It
// also leaves out columns that would make a set too easy.
//
// [Program.Resolve] runs `sama resolve FILES --out DIR --quiet --json` with no configuration
// and returns its summary and its [Usage]. [Score] compares the members.parquet that
// it wrote with the truth. All true pairs count, also those that were never
// compared; a record that the run does not know stands alone.
//
// # Peak memory
//
// The peak resident set is the kernel's own figure for the finished process
// (getrusage, ru_maxrss). Linux starts that figure with the peak of whoever
// starts the process, so a large benchmark would hide a small child. Each
// measured process is therefore started by a small one in between: the benchmark's own
// binary started again, which is what [Helper] is for.
package measure
