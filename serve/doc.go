// Package serve answers over HTTP who somebody is, what of them may be seen, and
// what changed. openapi.yaml is the contract: requests are held against it as
// they come, and package api is generated from it.
//
//	openapi.yaml   the contract, served at /openapi.yaml and as a page at /docs
//	router.go      what every request passes on its way to a handler
//	policy.go      who may call what: one table, default deny
//	live.go        the run that is served, and how the next one takes its place
//	engine.go      what handlers ask of a run; running.go answers it with package online
//	ledger.go      the consent events of an identity, out of run and state
//	release.go     the one place through which profiles leave
//	*.go           handlers: decode, one call, encode
//
// # Release
//
// Every read of a person names a client, by its secret, and a purpose, by the
// header Sama-Purpose. What leaves is the client's grant ∩ the purpose's fields ∩
// what the person's consents allow ∩ the field policy (package consent), column
// by column; an answer leaves when its row in the access log is on disk. A
// lookup or search does not tell of persons whose consents refuse the purpose.
// Record keys are for clients with the role steward or admin: to others, which
// records were joined is not theirs to know. The copy for the person is the one
// release that no purpose limits.
//
// # Runs and requests
//
// A request holds the run that it began with until it ends. The next run is
// opened and verified beside it; then, while nobody puts records, it is brought
// up to date with what came online and who was erased, the feed is told, and a
// pointer is swapped. A broken run is said, by the log, /readyz and a metric, and
// the run before stays.
//
// # Cursors
//
// The feed is the state's log of events, in which a run stands as one marker. A
// marker is read as the run's own changes, in its own order, so a cursor is
// a sequence number and, inside of a marker, how many of the run's changes were
// taken: "12.500". Changes come at least once and in order; streams and webhooks
// are places in the same feed.
//
// # Load
//
// Everything is bounded: bodies, headers, times, requests at work and in the
// queue, the rate of each client, streams, webhooks, pages. What is too much is
// refused at once, with 429 or 503 and Retry-After. Goroutines are owned by
// Serve, which waits for them.
//
// Logs hold ids of requests, clients, purposes and identities, routes by
// pattern, and codes; never bodies, queries, record keys or values.
package serve
