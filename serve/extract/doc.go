// Package extract writes files of golden records for one client and one purpose:
// what a mailing system or an analyst may have of every person tonight.
//
// It is the release rule of package serve, person by person and field by field,
// over everybody at once:
//
//	state  consents ────────────┐ read once
//	run    index, identities ───┼─Decide, once a person─→ columns ─→ file, access log, its name
//	state  records that came ───┘
//
// # Whose data
//
// The golden records are those of a run together with what came online since.
// The ledger of a person is that of the person's records and contact points:
// what stands in the state under the key of a record, or under the digest of an
// e-mail address or phone number that a record holds, unless that names nobody in
// particular, and what its source said of the record. What stands at a record is
// about the record's contact points as consent.Spread has it. For every channel of
// the purpose, and every contact point that the golden record has for it, the
// rules of package consent decide; what any of these decisions releases is
// released.
//
// Some are left out whatever the purpose: whoever was erased, or has a record
// that was, and, unlike in a single read, whoever is restricted (GDPR Art. 18)
// on the basis of a legal obligation or a vital interest too. A person of whom
// no value is released is not in the file, and for a channel with contact points
// neither is one whom it does not reach.
//
// # The file
//
// Columns are identity_id and the columns of the golden record that the client
// may have for the purpose, in their order; asked for a channel, its contact
// points stand last and those of other channels are left out. Rows are in the
// order of identity ids. All values are texts, as the sources wrote them; a
// value that is withheld, or that there is not, is null: in CSV an empty field.
// The bytes follow from the run, the state, the time and the request alone.
//
// A file is written under a temporary name beside its own, for its owner alone,
// and synced. Then the extract goes into the access log as one job, whose name
// has the SHA-256 of the file, with the ids of the persons in it, so that each
// sees it among who had their data; and only then gets the file its name. Whoever is
// killed leaves the file of before, or the new one, and at most a temporary one,
// which the next extract to the folder removes.
//
// If somebody is erased meanwhile, or a client or a purpose changes, all of it is
// done again, by the rights that there are then. That is looked at once more when
// the row is in the access log, for which other writers are waited for; the row of
// a file that is given up so late stays: the log may say too much, never too little.
// Consents are those that were in the ledger when it was read; the report and the
// access log name the last.
//
// # Cost
//
// The ledger is read once, as far as it is about the purpose: 56 bytes an event.
// Contact points are hashed only if the ledger has acts that stand at some:
// about 1 µs each. A person takes one decision for each contact point and a look
// at each column; what they need beyond that is 4 bytes a value.
package extract
