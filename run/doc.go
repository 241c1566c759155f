// Package run writes and opens run directories: all that one nightly run has
// found, for analysts to load and for serving to stand on.
//
//	DIR/lock                    the holder of the writer's lock, while there is one
//	DIR/current                 → runs/<id>, switched atomically
//	DIR/runs/<id>/
//	  run.json                  what the run was and what it wrote: [Info]; written last
//	  sama.yaml model.json      configuration and model as used
//	  members.parquet           record → identity
//	  golden.parquet            identity → golden record
//	  provenance.parquet        where each golden value comes from, and what lost
//	  edges.parquet             scored pairs, with the level of each comparison
//	  events.parquet            what happened to identities
//	  aliases.parquet           identity ids that name no identity now, and where they lead
//	  consents.parquet          what records say of uses of their persons' data
//	  records/<source>.parquet  the normal forms of the source records
//	  sources/<source>.parquet  the records as their source wrote them
//	  rejects.parquet           input that was refused, and why
//	  report.html               the run on one page
//	  index/                    the profile index, for serving: see package index
//	  members.arrow golden.arrow  the same as the Parquet files, on request
//
// README.md in this folder documents every column.
//
// # Publishing
//
// [Publish] builds the directory as runs/.unfinished, with every file and
// folder synced to disk and run.json last, makes the symbolic link .publishing to
// its id, renames it to that, and renames the link over current. Whoever follows
// current therefore finds a whole run at any instant. One killed in between
// leaves runs/.unfinished, or a whole run that was never current and that
// .publishing names; the next writer removes either. A run that fails or is
// cancelled removes what it wrote. A run to be removed is renamed
// runs/.removed-<id> first, so that no run is ever there in part.
//
// One writer at a time: [Acquire] takes an advisory lock on DIR/lock, in which
// the holder's process id and start stand. The operating system drops the lock
// of a process that dies, so a stale one needs no cleaning.
//
// # Bytes
//
// A run's id is its start in UTC and the first digits of a hash over its
// files. All bytes of all files but run.json follow from the [Content] and, for
// what the profile index says of changed golden records, from the previous run:
// not from the clock, not from the number of workers, not from the order of
// input. Clock-bound facts belong into run.json; of the report the caller
// decides.
package run
