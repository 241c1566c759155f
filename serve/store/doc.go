// Package store keeps what changes between runs: the one state of sama that
// cannot be built again from the exports.
//
// It is a database behind [Open]: one SQLite file, which is made on first use,
// readable by its owner alone. The schema is a list of migrations in the
// folder of that name, applied when the state is opened; a state with a schema
// newer than the program is refused, as is a file that is something else.
//
// # Decisions
//
// A [Decision] is a steward's word that two source records are the same or are
// not the same, whatever their match weight. It names records by key, not by
// number, and does not ask whether they exist: a decision on a record that is
// gone waits for it. The two keys are kept in order, A before B.
//
//	         Decide                      Revoke
//	no word ────────→ active decision ──────────→ revoked, kept for ever
//
// A pair of keys has at most one active decision. Deciding the same again
// changes nothing; deciding the opposite is refused with the decision in the
// way, an [*OppositeError], until that one is revoked. Nothing is deleted and
// ids, which count from 1, are not used again. Whether decisions agree with
// each other over three or more records is a question for package graph.
//
// Times are kept in whole microseconds, UTC.
//
// # Durability and concurrency
//
// A call that changes something is one transaction and returns when that is on
// disk (write-ahead log, synchronous = FULL): what was acknowledged survives a
// power cut, and of what was not, nothing is left. Several processes may have
// the state open; a writer waits for the other, up to [Options.Wait].
// SQLite keeps two files, -wal and -shm, beside the state while it is open, so
// that even reading needs a folder that can be written; a network file system
// is not a place for it.
//
// # Portability
//
// Statements and migrations are in the SQL that SQLite and PostgreSQL share
// (numbered parameters, TEXT, BIGINT, partial indexes); what differs is
// gathered in the type dialect. Text that PostgreSQL cannot keep (NUL, bytes
// that are no UTF-8) is refused from the start.
package store
