// Package index writes and reads the profile index of a run: all that serving
// must know of records and identities, in files that are mapped into memory and
// read where they lie.
//
// An identity and a record are numbers, identity i being row i of golden.parquet
// and record r row r of members.parquet. A column is its place among the table's
// columns, a value its code there; code 0 is null. The golden record, its
// provenance and the values that lost are put together from these when asked
// for; no profile is stored.
//
//	identities.idx  ids, and where to find one; per identity its records, times,
//	                and for each column whose value is shown, by what rule;
//	                aliases; what the run changed
//	records.idx     keys; per record its source, identity and times, and for each
//	                column the codes of the raw value and of the normal form;
//	                what it said of uses of its person's data
//	values.idx      per column the texts of both codes; per normal form how many
//	                records hold it, its sound, whether it is generic, and where
//	                to find it; the records with it, for the fields email, phone,
//	                national_id, business_id, vehicle_reg and identifier
//	extra.idx       sections of others, by name
//
// What belongs to one record or identity stands in one row of bits (see rows),
// because a profile asks for all columns of a few records: a row is one or two
// cache lines, where columns would be thirty places in memory. Texts are found
// by their hash (see finder), keys and aliases by binary search, records with a
// value by their place in one list of all (starts and records). Nothing that
// reads allocates, but for short lists of names at opening.
//
// # Container
//
// Each file is a container of named sections, little-endian:
//
//	header     64 bytes   "samaidx\n", version u32, zeros
//	sections              each at a multiple of 64 bytes, zeros between them
//	directory             per section: kind u8, length of name u8, name, count u64,
//	                      offset u64, CRC-32C u32 of every 2²⁰ bytes, the zeros
//	                      behind the section included
//	trailer    64 bytes   "samaidx\n", version u32, CRC-32C u32 of the directory,
//	                      its offset u64 and length u64, length u64 of the file,
//	                      zeros, CRC-32C u32 of the trailer's first 60 bytes
//
// CRC-32C is that of Castagnoli (RFC 3720, section 12.1). [Open] reads every byte
// and compares every checksum before it maps the file, so damage of any kind is
// an error that names the section, and not a wrong answer or a signal later. A
// machine of the other byte order turns the numbers around as it reads.
//
// The bytes follow from the [Input] alone. All files of an index hold the same
// section index.shape: figures, and checksums of the ids and keys; files of
// different indexes are not opened together.
//
// # Lifetime
//
// The memory is unmapped when the last who acquired the index has released it;
// see [Index].
//
// # Figures
//
// By the benchmarks of this package with -records 1000000, half a million
// identities and 19 columns, on 2 cores that others used too. SQLite
// (modernc.org/sqlite) held the same profiles as JSON, and in a second table the
// keys and identifiers that lead to them; both sorted, inserted in bulk without
// journal, and read from an immutable file.
//
//	                                   index              SQLite
//	build, synced; identities/s        820,000            23,000
//	bytes a record                     196                1,695
//	memory taken to build              70 MB              -
//	open, every byte verified          30 ms              -
//	profile by id; p50, p99            3.6 µs, 6.1 µs     17.5 µs, 60 µs
//	records by e-mail; p50, p99        0.7 µs, 1.1 µs     -
//	record by key; p50, p99            0.8 µs, 1.7 µs     -
//
// Three silos of sama generate, a million records in 20 columns, take 220 bytes
// a record: 106 for texts and what leads to them, 79 for records, 35 for
// identities.
package index
