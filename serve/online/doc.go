// Package online answers questions about persons between two runs: whose record
// is this, which identities does a partial record fit, what is known of one.
//
// It is the engine of the nightly run on fewer records. A record that comes is
// normalised by the run's own mapping, meets the run's records by the run's own
// blocking rules, and is weighed by the same comparisons under the run's model;
// how rare a name is and how many people use an address are those of the whole
// table, which the run's index keeps as a [record.Population]. The new record,
// the identities that it may belong to and every pair among them then make a
// small graph, which is clustered as the nightly run clusters its large one,
// under the same constraints.
//
//	run directory ─Open→ Engine (immutable)       one a run
//	records that came since ─Put, Delete→ Overlay  one a Service
//	Service.Search, Service.Put, Service.Profile   Engine and Overlay together
//
// A record that comes joins the identity that most of its cluster's records
// have, or founds a new one; it never joins two identities and never parts one.
// That is for the nightly run, which sees all records together and is the
// authority. The ids of new identities are counted beyond those that a run can
// issue, from a random place on: so neither another process, nor the same one
// after a restart, gives anybody an id that somebody has, or had and was erased.
// The store keeps the id with the record.
package online
