// Package generate makes three synthetic silos of one Finnish car business,
// with the truth about who is who: crm, service and webshop. No real person is
// in them.
//
// A population is a number of households. A household has a municipality, one
// to five persons, addresses, cars and a history: moves, marriages, divorces,
// children that leave home. Each person is a customer of some of the silos,
// and each source record shows the person's state on one day, seen through the
// silo's habits (formats, missing values) and its noise (misspellings, junk,
// shared contact points). rates.go holds every figure.
//
// # Determinism
//
// Nothing is drawn from shared state. Each decision has its own counter-based
// stream (SplitMix64) keyed by seed, household, purpose and member, so any
// household can be made alone, in any order, by any worker:
//
//	seed, household, purpose, member ──mix──→ stream ──→ draws
//
// Record ids are a Feistel permutation (four rounds, cycle walking) of the
// running number within a silo; ids and file order carry no truth. The same
// options give the same bytes, whatever the number of workers.
//
// # Addresses that no two households share
//
// A personal e-mail address names one household, as in life, and it does so
// without a register of the addresses given out. Surnames are dealt, not drawn
// at random: household h takes position π(h) of H evenly spaced positions in
// the cumulative surname table, where π is a Feistel permutation. A surname
// held by n households then gives each a running number k of 0..n-1, which the
// household knows by itself. The first names of its adult man and its adult
// woman are random functions of surname and k, so it also knows whether a
// household before it has the same full name. The first may use
// matti.korhonen@; the others get a number made of k, as in matti.korhonen512@.
// Addresses without the household's full name get a number made of π(h). A
// number also encodes member and address (modulo 50), so two persons never
// meet. Spellings that fold to the same letters (Hämäläinen, Hamalainen) are
// owned by the more common one; the others use π(h). Family members sharing an
// address, junk, hubs and misspelt addresses still make equal values. People of
// one full name in different households are as common as chance makes them.
//
// Phone numbers and number plates are permuted running numbers as well, and
// repeat only when the space of numbers is smaller than the population needs.
//
// # Output
//
//	crm.*, service.*, webshop.*   source records, sorted by record id
//	truth.parquet                 silo, record_id, person_id, household_id, record_flags, person_flags
//	manifest.json                 options, counts, checks, SHA-256 of each file
//
// A run measures what it made (see Check) and fails when a figure is more than
// 10 % off the reference, so that a change of the generator cannot silently
// change what is measured with its output.
//
// # Sources and limits
//
// Names: name statistics of DVV, 2023-08-01, CC BY 4.0. Population:
// Statistics Finland table 11re, 2020, CC BY 4.0. Swedish names: joke2k/faker,
// MIT. Names of 15 other countries: sigpwned/popular-names-by-country-dataset,
// CC0. Postal codes, places and streets are composed by hand: the code of a
// municipality starts where one expects it, the rest is invented. Given names
// are not tied to birth cohorts. Rows are held in memory, about 200 bytes a
// record, until they are written.
package generate
