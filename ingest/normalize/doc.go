// Package normalize turns what a source wrote into the form that is compared:
// pure functions string → value, one file a field type.
//
// Every function takes one value as the source wrote it and returns its normal
// form, or "" where the value says nothing (blank, "n/a", a placeholder) or
// cannot be understood. Equal normal forms mean "the same value for a
// comparison"; a normal form is never shown to anybody.
//
//	given name     lower case ASCII, all names in order, initials as one letter, no titles   "Dr. Anna-Maija K." → "anna maija k"
//	family name    the same, particles kept, generation suffixes dropped                     "O'Neill Jr" → "oneill"
//	date           YYYYMMDD, parts that are unknown 00 or 0000, typing errors kept           "1.2.1990" → "19900201"
//	e-mail         lower case, display name and alias parts of known providers removed       "A.B+x@Gmail.com" → "ab@gmail.com"
//	phone          E.164, or the last nine digits                                            "040 123 4560" → "+358401234560"
//	street         abbreviations of street types written out                                 "Main St." → "main street"
//	text           lower case ASCII words, single spaces                                     "Hello,  World" → "hello world"
//
// Nothing here keeps state between calls but [Phones], which caches, and the
// word lists, which are read once. No function panics, whatever bytes it gets;
// the fuzz targets say so. All functions are idempotent on their own output
// where the table above calls the result a text.
package normalize
