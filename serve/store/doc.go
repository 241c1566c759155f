// Package store keeps what changes between runs: the one state of sama that
// cannot be built again from the exports.
//
// It is a database behind [Open]: one SQLite file, which is made on first use,
// readable by its owner alone, or a PostgreSQL database by its connection
// string. The schema is a list of migrations in the folder of that name, applied
// when the state is opened; a state with a schema newer than the program is
// refused, as is a database that is something else.
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
// # What serving needs
//
//   - A [Client] may ask, with a secret of which the state has only a hash; a
//     [Purpose] is what for, in versions.
//   - A [ConsentEvent] is one row of the ledger, tied to an anchor that lasts
//     where identities come and go; what the rows mean is for package consent.
//   - An [OnlineRecord] came between the runs. It stays until every run that may
//     be current again has taken it up: [Store.ForgetOnline].
//   - A [FeedEvent] is one row of the change feed, without values. A marker in it
//     says which run was adopted.
//   - A [Request] with an idempotency key is done once; its answer is remembered.
//   - An [Access] is one row of the access log, each chained to the one before:
//     a single read, or a job with everybody whose data left.
//   - A [Webhook] is a client's place in the feed, served by one process at a
//     time.
//   - An [Erasure] takes a person out of all that, in one transaction, and leaves
//     tombstones, by which what comes back is known: keyed digests, whose [Keys]
//     are in a file outside the state.
//
// What belongs together is one transaction: see [Also]. [Store.Revision] says
// how far each has got, so that a process learns cheaply of what others did.
//
// Numbers of feed events, online records, consent events and rows of the access
// log count from 1 without gaps, and who reads what comes after a number misses
// nothing: they are given out in the order of the commits, because there is one
// writer at a time, whatever the database. A number is not used again, even if
// its row is removed.
//
// Times are kept in whole microseconds, UTC. Errors about values of persons do
// not quote them.
//
// # Durability and concurrency
//
// A call that changes something is one transaction and returns when that is on
// disk: what was acknowledged survives a power cut, and of what was not, nothing
// is left. Calls of [Store.PutRecords], [Store.AddConsents], [Store.AppendAccess]
// and [Store.AppendFeed] that come at the same time share a transaction, so that
// the disk is waited for once: with 64 callers tens of thousands a second into
// SQLite, and thousands into PostgreSQL, on two cores and a disk with 500 syncs
// a second. Several processes may have the state open; a writer waits for the
// other, up to [Options.Wait]. Readers do not wait.
//
// SQLite (write-ahead log, synchronous = FULL) keeps two files, -wal and -shm,
// beside the state while it is open, so that even reading needs a folder that
// can be written; a network file system is not a place for it. [Store.Backup]
// copies it.
//
// PostgreSQL is used over one connection that writes, under an advisory lock
// that the other writers of the database wait for, and a few that read. It wants
// a database, or a schema named by search_path=, of its own, whose owner it is;
// the server's fsync must be on. synchronous_commit is turned on where it is
// off. What the connection string leaves open comes from the variables that
// libpq knows, such as PGPASSFILE; passwords appear in no error and not in
// [Store.Location]. Its backups are made by pg_dump and restored by pg_restore,
// or by continuous archiving.
//
// # Portability
//
// Statements and migrations are in the SQL that SQLite and PostgreSQL share
// (numbered parameters, TEXT, BIGINT, BYTEA, RETURNING, ON CONFLICT, partial
// indexes), and numbers of rows are given out by the state itself; what differs
// is gathered in the type dialect. There a migration gets what one database
// needs: keys of 64 bits, and texts in the order of their bytes. Text that
// PostgreSQL cannot keep (NUL, bytes that are no UTF-8) is refused from the
// start.
package store
