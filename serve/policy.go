package serve

import (
	"net/http"
	"slices"

	"sama/serve/store"
)

// rule says who may call an operation.
type rule struct {
	// roles are those of which a client needs one; nil lets every client in.
	roles []store.Role
	// purpose says that the request names a purpose, which the client must have
	// been granted.
	purpose bool
	// cost is how many tokens of the client's rate it takes.
	cost int
	// work is what it keeps busy most.
	work work
}

// work is a kind of work. Each kind has its own places, so that many who ask for
// what takes long do not keep those waiting who ask for what does not.
type work int

const (
	reading   work = iota // little but waiting for the access log
	computing             // the processors: weighing pairs, walking the feed
	changing              // the state
	works
)

// maxCost is the cost of the dearest operation.
const maxCost = 100

// rules is the authorisation of every operation of the contract that is not
// open. Default deny: an operation without a line is refused, and a test holds
// this table against the contract.
var rules = map[string]rule{
	"getProfile":      {[]store.Role{store.RoleRead}, true, 1, reading},
	"lookupProfiles":  {[]store.Role{store.RoleRead}, true, 1, reading},
	"searchProfiles":  {[]store.Role{store.RoleSearch}, true, 5, computing},
	"putRecords":      {[]store.Role{store.RoleWriteRecords}, false, 1, changing},
	"deleteRecords":   {[]store.Role{store.RoleWriteRecords}, false, 1, changing},
	"listChanges":     {[]store.Role{store.RoleRead}, true, 5, computing},
	"listWebhooks":    {[]store.Role{store.RoleRead}, false, 1, reading},
	"addWebhook":      {[]store.Role{store.RoleRead}, false, 5, changing},
	"getWebhook":      {[]store.Role{store.RoleRead}, false, 1, reading},
	"deleteWebhook":   {[]store.Role{store.RoleRead}, false, 1, changing},
	"enableWebhook":   {[]store.Role{store.RoleRead}, false, 1, changing},
	"listPurposes":    {nil, false, 1, reading},
	"getPurpose":      {nil, false, 1, reading},
	"putPurpose":      {[]store.Role{store.RoleAdmin}, false, 5, changing},
	"getConsents":     {[]store.Role{store.RoleConsents}, true, 1, reading},
	"addConsents":     {[]store.Role{store.RoleConsents}, false, 1, changing},
	"lookupConsents":  {[]store.Role{store.RoleConsents}, true, 1, reading},
	"listDecisions":   {[]store.Role{store.RoleSteward}, true, 5, computing},
	"decide":          {[]store.Role{store.RoleSteward}, false, 5, changing},
	"revokeDecision":  {[]store.Role{store.RoleSteward}, false, 5, changing},
	"explainIdentity": {[]store.Role{store.RoleSteward}, true, 5, computing},
	"explainPair":     {[]store.Role{store.RoleSteward}, true, 5, computing},
	"erase":           {[]store.Role{store.RoleAdmin}, false, maxCost, changing},
	"exportPerson":    {[]store.Role{store.RoleAdmin}, true, maxCost, computing},
	"listAccess":      {[]store.Role{store.RoleAdmin}, true, 5, computing},
}

// authorise lets a request through or says why not: the client by its secret,
// then its rate, its role, its purpose.
func (s *Server) authorise(r *http.Request, op *operation, seen *seen) error {
	secret := bearer(r.Header)
	if secret == "" {
		return refuse("unauthenticated", "send Authorization: Bearer SECRET; sama client add makes one")
	}
	client, ok, err := s.Store.Authenticate(r.Context(), secret)
	if err != nil {
		return stateProblem(err)
	}
	if !ok {
		return refuse("unauthenticated", "the secret is not that of a client; it may have been rotated or revoked")
	}
	seen.client, seen.secret = client, secret
	rule, ok := rules[op.id]
	if !ok {
		return refuse("role_missing", "nobody may")
	}
	if err := s.rates.take(client.Name, rule.cost); err != nil {
		s.metrics.refused.WithLabelValues("rate").Inc()
		return err
	}
	if rule.roles != nil && !slices.ContainsFunc(rule.roles, client.Has) {
		return refuse("role_missing", "it takes the role "+string(rule.roles[0])+", which this client does not have")
	}
	if !rule.purpose {
		return nil
	}
	values := r.Header.Values("Sama-Purpose")
	if len(values) != 1 || values[0] == "" {
		// The contract says what is missing.
		return nil
	}
	if !slices.Contains(client.Purposes, values[0]) {
		return refuse("purpose_not_granted", "this client was not granted that purpose")
	}
	seen.purpose = values[0]
	return nil
}

// stateProblem is what a client is told when the state cannot be asked.
func stateProblem(err error) error {
	return &problem{code: "unavailable", detail: "the state cannot be reached; try again", retryAfter: 1, cause: err}
}
