// Package columns writes tables whose columns are already codes, as Parquet or
// Arrow IPC files.
//
// A row-wise Parquet writer hashes every value to build a dictionary that the
// table had all along. Here a column is a slice of codes beside the values
// that they stand for, and goes to disk as it is:
//
//	Codes  3 1 3 3 2 …      one code an entry (none: entry i holds value i)
//	Texts  "" Åbo Turku …   code → text (or Ints, Doubles)
//	          │
//	          ▼ per row group of 131,072 rows and leaf column
//	dictionary page   the values met, in order of first appearance
//	data pages        their numbers, run-length and bit-packed
//
// A chunk whose values are more than half distinct is written PLAIN instead.
// Pages are version 1 and Snappy-compressed with CRCs; the file carries no
// time and no version of anything, so its bytes follow from the table alone.
// Chunks are encoded on several workers and written in order.
//
// A column is a leaf or a list: Starts cuts the entries of its elements into
// rows, and several elements make a list of structs.
//
//	Starts   0 2 2 5        row 0 has entries 0–1, row 1 none, row 2 entries 2–4
//	Elements {source} {record_id}
//
// Formats: https://parquet.apache.org/docs/file-format/ and
// https://arrow.apache.org/docs/format/Columnar.html.
package columns
