// Package ingest turns exports into the table that everything later reads.
//
//	files ─ReadSources→ Raw, one a source: columns of texts as the files say them
//	      ─Propose────→ Mapping: what each column is, from its name and its values
//	      ─Build──────→ record.Table: normal forms and raw forms by code, and a BuildReport
//
// A Raw holds every value as the source wrote it. A [Mapping] gives each column
// a [Role]: a field ("email"), a compound that is taken apart or put together
// ("full_name", "birth_day"), or carried, key, ignore. It is proposed without
// any configuration, printed, and obeyed as edited.
//
// How a column's role is proposed: its name is looked up among the words for
// the fields in English, Finnish, Swedish and German; its values, a sample of
// distinct ones, are looked at for what they are like (e-mail addresses, dates,
// known names, streets with numbers …). A name decides unless the values cannot
// be what it says; where a name says nothing the values decide alone; then the
// columns of a source are looked at together (day, month and year beside each
// other; words that a postal code determines), and sources with equal column
// names are made to agree.
//
// Columns of yes and no whose names speak of marketing (email_opt_in,
// markkinointilupa, do_not_call) are consents: for a purpose, through a channel,
// and where the name is that of a refusal, turned round. Their normal forms are
// grant and deny; what says neither is invalid, and null stays null.
//
// How the table is built: the normal form of a value is worked out once for
// each distinct value; records are sorted by source and id; codes are given in
// the order of records. So the table depends on the values alone: not on the
// order of files, rows or columns, nor on the number of workers.
//
// What is lost is counted: rows without a key or with a key seen before are
// rejects, values without a normal form are null, junk or invalid in the
// report, and values that name nobody in particular are marked generic.
package ingest
