package serve

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sama/record"
	"sama/serve/api"
	"sama/serve/consent"
	"sama/serve/store"

	"pgregory.net/rapid"
)

// goodCalls are, for every operation, a request that is in order.
var goodCalls = map[string]call{
	"getProfile":      {method: "GET", path: "/v1/profiles/" + anna},
	"lookupProfiles":  {method: "POST", path: "/v1/profiles:lookup", body: `{"record":{"source":"crm","record_id":"1"}}`},
	"searchProfiles":  {method: "POST", path: "/v1/profiles:search", body: `{"fields":{"given_name":"Anna"}}`},
	"putRecords":      {method: "POST", path: "/v1/records", body: `{"records":[{"source":"crm","record_id":"9","fields":{"given_name":"Eva"}}]}`},
	"deleteRecords":   {method: "POST", path: "/v1/records:delete", body: `{"records":[{"source":"crm","record_id":"none"}]}`},
	"listChanges":     {method: "GET", path: "/v1/changes?limit=3"},
	"listWebhooks":    {method: "GET", path: "/v1/webhooks"},
	"addWebhook":      {method: "POST", path: "/v1/webhooks", body: `{"url":"https://shop.example/hook"}`},
	"getWebhook":      {method: "GET", path: "/v1/webhooks/wh_77"},
	"deleteWebhook":   {method: "DELETE", path: "/v1/webhooks/wh_77"},
	"enableWebhook":   {method: "POST", path: "/v1/webhooks/wh_77/enable"},
	"listPurposes":    {method: "GET", path: "/v1/purposes"},
	"getPurpose":      {method: "GET", path: "/v1/purposes/service"},
	"putPurpose":      {method: "PUT", path: "/v1/purposes/other", body: `{"title":"Other","controller":"acme","basis":"contract","fields":["email"],"text_version":"1"}`},
	"getConsents":     {method: "GET", path: "/v1/consents?identity_id=" + anna},
	"addConsents":     {method: "POST", path: "/v1/consents", body: `{"events":[{"anchor":{"account":"a1"},"purpose":"newsletter","act":"deny","authenticated":"account"}]}`},
	"lookupConsents":  {method: "POST", path: "/v1/consents:lookup", body: `{"record":{"source":"crm","record_id":"1"}}`},
	"listDecisions":   {method: "GET", path: "/v1/decisions"},
	"decide":          {method: "POST", path: "/v1/decisions", body: `{"decision":"same","a":{"source":"crm","record_id":"1"},"b":{"source":"web","record_id":"A"}}`},
	"revokeDecision":  {method: "POST", path: "/v1/decisions/77/revoke", body: `{}`},
	"explainIdentity": {method: "GET", path: "/v1/explain?identity_id=" + anna},
	"explainPair":     {method: "POST", path: "/v1/explain", body: `{"a":{"source":"crm","record_id":"1"},"b":{"source":"web","record_id":"A"}}`},
	"erase":           {method: "POST", path: "/v1/erasures", body: `{"person":{"record":{"source":"crm","record_id":"none"}}}`},
	"exportPerson":    {method: "POST", path: "/v1/exports/person", body: `{"identity_id":"` + anna + `"}`},
	"listAccess":      {method: "GET", path: "/v1/access?identity_id=" + anna},
	"health":          {method: "GET", path: "/healthz"},
	"ready":           {method: "GET", path: "/readyz"},
	"metrics":         {method: "GET", path: "/metrics"},
	"docs":            {method: "GET", path: "/docs"},
	"contract":        {method: "GET", path: "/openapi.yaml"},
}

// TestAuthorisationIsWhatTheContractSays goes through every operation, every
// kind of client and every purpose. What is right is read from the contract's
// words, not from the table that the server obeys.
func TestAuthorisationIsWhatTheContractSays(t *testing.T) {
	r := newRig(t, nil)
	roles := map[string][]store.Role{"": nil}
	for set := 1; set < 1<<len(store.Roles); set++ {
		name := fmt.Sprintf("roles_%b", set)
		for i, role := range store.Roles {
			if set>>i&1 == 1 {
				roles[name] = append(roles[name], role)
			}
		}
		r.client(name, roles[name], []string{"service"}, []string{"*"})
	}
	r.client("revoked", store.Roles, []string{"service"}, []string{"*"})
	if err := r.store.RevokeClient(t.Context(), "revoked"); err != nil {
		t.Fatal(err)
	}
	roles["revoked"] = nil
	n := 0
	for _, op := range r.server.contract.operations {
		c, ok := goodCalls[op.id]
		if !ok {
			t.Fatalf("there is no request for %s", op.id)
		}
		takes := slices.ContainsFunc(op.params, func(p parameter) bool { return p.name == "Sama-Purpose" })
		for client, has := range roles {
			for _, purpose := range []string{"", "service", "newsletter", "unknown"} {
				n++
				c.client, c.purpose = client, purpose
				status := r.do(c).status
				var want func(int) bool
				switch {
				case op.open:
					want = func(s int) bool { return s == 200 }
				case client == "" || client == "revoked":
					want = func(s int) bool { return s == 401 }
				default:
					need := rolesInWords(t, op)
					allowed := need == nil || slices.ContainsFunc(need, func(role store.Role) bool { return slices.Contains(has, role) })
					switch {
					case !allowed:
						want = func(s int) bool { return s == 403 }
					case takes && purpose == "":
						want = func(s int) bool { return s == 400 }
					case takes && purpose != "service":
						want = func(s int) bool { return s == 403 }
					default:
						want = func(s int) bool { return s < 300 || s == 404 }
					}
				}
				if !want(status) {
					t.Errorf("%s as %q for %q: %d", op.id, client, purpose, status)
				}
			}
		}
	}
	t.Logf("%d combinations", n)
}

// TestEveryOperationWorks sends the requests above as a client that may
// everything, and holds the answers against the contract.
func TestEveryOperationWorks(t *testing.T) {
	r := newRig(t, nil)
	for _, op := range r.server.contract.operations {
		c := goodCalls[op.id]
		c.client, c.purpose = "all", "service"
		if out := r.do(c); out.status >= 300 && !strings.Contains(c.path, "77") && op.id != "erase" {
			t.Errorf("%s: %d %s", op.id, out.status, out.body)
		}
	}
}

// TestNoByteBeyondTheGrant asks for one person by every operation that answers
// with profiles, as clients with any grant for purposes with any fields, while
// the person has said anything, and looks for every value in the bytes that
// came back. What may be there is worked out in the plainest way.
func TestNoByteBeyondTheGrant(t *testing.T) {
	r := newRig(t, nil)
	names := []string{"given_name", "email", "national_id", "phone", "*"}
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		purpose := fmt.Sprintf("p%d", n)
		needs := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 4, rapid.ID).Draw(t, "needs")
		granted := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 4, rapid.ID).Draw(t, "granted")
		basis := rapid.SampledFrom([]consent.Basis{consent.BasisConsent, consent.BasisContract}).Draw(t, "basis")
		act := rapid.SampledFrom([]string{"", "grant", "deny", "withdraw", "restrict"}).Draw(t, "act")
		r.purpose(consent.Purpose{ID: purpose, Title: "P", Controller: "acme", Basis: basis, Fields: needs, TextVersion: "1"})
		client := fmt.Sprintf("c%d", n)
		r.client(client, []store.Role{store.RoleRead, store.RoleSearch}, []string{purpose}, granted)
		if act != "" {
			body := fmt.Sprintf(`{"events":[{"anchor":{"record":{"source":"web","record_id":"A"}},"purpose":%q,"act":%q,"authenticated":"account"}]}`, purpose, act)
			r.want(call{client: "all", method: "POST", path: "/v1/consents", body: body}, 200, "")
		}
		said := act == "grant" || basis == consent.BasisContract && act == "" || basis == consent.BasisContract && (act == "deny" || act == "withdraw")
		for _, id := range []string{"getProfile", "lookupProfiles", "searchProfiles", "listChanges"} {
			c := goodCalls[id]
			c.client, c.purpose = client, purpose
			out := r.want(c, 200, "")
			for _, column := range smallColumns {
				may := said && names2(needs, column.Name) && names2(granted, column.Name) && id != "listChanges"
				if has := strings.Contains(out.body, secret(anna, column.Name)); has != may {
					t.Fatalf("%s: %s is there: %v, may be: %v; the purpose needs %v, the client has %v, basis %s, act %q", id, column.Name, has, may, needs, granted, basis, act)
				}
			}
			if strings.Contains(out.body, `"record_id"`) {
				t.Fatalf("%s: the client sees record ids", id)
			}
		}
	})
}

// names2 is the plain rule: a list names a column itself, its field, or, unless
// it is guarded, by a star.
func names2(list []string, column string) bool {
	for _, f := range list {
		if f == column || f == "email" && column == "email_2" || f == "*" && column != "national_id" {
			return true
		}
	}
	return false
}

func TestReleasesAreInTheAccessLogBeforeTheyLeave(t *testing.T) {
	r := newRig(t, nil)
	r.client("shop", []store.Role{store.RoleRead}, []string{"service"}, []string{"given_name", "shoe, size"})
	r.want(call{client: "shop", purpose: "service", method: "GET", path: "/v1/profiles/" + anna}, 200, "")
	out := read[api.AccessPage](t, r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/access?identity_id=" + anna}, 200, ""))
	if len(out.Entries) != 1 || out.Entries[0].Client != "shop" || out.Entries[0].Purpose != "service" || !slices.Equal(out.Entries[0].Fields, []string{"given_name", "shoe  size"}) {
		t.Errorf("the log says %+v", out.Entries)
	}
	if _, err := r.store.VerifyAccess(t.Context()); err != nil {
		t.Error(err)
	}
	// Without a log nothing leaves.
	r.store.Close()
	again := call{client: "shop", purpose: "service", method: "GET", path: "/v1/profiles/" + anna}
	if out := r.do(again); out.status != 503 || strings.Contains(out.body, "SECRET") {
		t.Errorf("%d %s", out.status, out.body)
	}
}

func TestAliasesAndRetiredIdentities(t *testing.T) {
	r := newRig(t, nil)
	c := call{client: "all", purpose: "service", method: "GET"}
	c.path = "/v1/profiles/0001000000001"
	p := read[api.Profile](t, r.want(c, 200, ""))
	if p.IdentityId != anna || p.AliasOf == nil || *p.AliasOf != "0001000000001" {
		t.Errorf("the alias is answered with %s, alias_of %v", p.IdentityId, p.AliasOf)
	}
	c.path = "/v1/profiles/0001000000002"
	r.want(c, 410, "identity_retired")
	c.path = "/v1/profiles/0001000000003"
	r.want(c, 404, "unknown_identity")
	c.path = "/v1/profiles/ILOU000000003"
	r.want(c, 400, "invalid_request")
}

func TestETagsFollowWhatAProfileStandsOn(t *testing.T) {
	clock := newClock()
	r := newRig(t, func(o *Options) { o.Now = clock.now })
	c := call{client: "all", purpose: "newsletter", method: "GET", path: "/v1/profiles/" + anna}
	tags := make(map[string]bool)
	fresh := func(what string) {
		t.Helper()
		tag := r.want(c, 200, "").header.Get("ETag")
		if tag == "" || tags[tag] {
			t.Fatalf("%s: the tag %s is not another", what, tag)
		}
		tags[tag] = true
		again := c
		again.header = map[string]string{"If-None-Match": `"x", ` + tag}
		if out := r.want(again, 304, ""); out.body != "" {
			t.Fatalf("%s: 304 with %s", what, out.body)
		}
	}
	fresh("at first")
	event := `{"events":[{"anchor":{"record":{"source":"crm","record_id":"1"}},"purpose":"newsletter","channel":"email","act":"grant","authenticated":"account","expires":%q}]}`
	r.want(call{client: "all", method: "POST", path: "/v1/consents", body: fmt.Sprintf(event, clock.now().Add(time.Hour).Format(time.RFC3339))}, 200, "")
	fresh("after a consent")
	clock.advance(2 * time.Hour)
	fresh("after it ended, though nothing came")
	r.want(call{client: "all", method: "POST", path: "/v1/records", body: `{"records":[{"source":"crm","record_id":"2","fields":{"given_name":"x"}}]}`}, 200, "")
	fresh("after a record came")
	if err := r.store.ChangeClient(t.Context(), "all", store.Roles, []string{"newsletter", "service"}, []string{"email"}); err != nil {
		t.Fatal(err)
	}
	fresh("after the grant was changed")
	c.purpose = "service"
	fresh("for another purpose")
}

func TestConsentsHoldOnTheVeryNextRead(t *testing.T) {
	r := newRig(t, nil)
	mailer := call{client: "all", purpose: "newsletter", method: "GET", path: "/v1/profiles/" + anna}
	say := func(act string) {
		body := fmt.Sprintf(`{"events":[{"anchor":{"contact":{"field":"email","value":%q}},"purpose":"newsletter","channel":"email","act":%q,"authenticated":"account"}]}`, secret(anna, "email"), act)
		out := r.want(call{client: "all", method: "POST", path: "/v1/consents", body: body}, 200, "")
		if strings.Contains(out.body, "SECRET") {
			t.Fatalf("the anchor tells the address: %s", out.body)
		}
	}
	for range 5 {
		say("grant")
		if p := read[api.Profile](t, r.want(mailer, 200, "")); p.Golden["email"] == "" || p.Golden["email_2"] != "" {
			t.Fatalf("after a grant for one address: %v", p.Golden)
		}
		say("withdraw")
		if p := read[api.Profile](t, r.want(mailer, 200, "")); len(p.Golden) != 0 {
			t.Fatalf("after a withdrawal: %v", p.Golden)
		}
	}
	look := mailer
	look.method, look.path, look.body = "POST", "/v1/profiles:lookup", `{"record":{"source":"crm","record_id":"1"}}`
	if p := read[api.Profiles](t, r.want(look, 200, "")); len(p.Profiles) != 0 {
		t.Error("a lookup tells of somebody who did not agree")
	}
}

// TestProfilesLeaveThroughOneFile looks for what makes a profile, or reads the
// values of one, elsewhere than in release.go.
func TestProfilesLeaveThroughOneFile(t *testing.T) {
	fset := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			switch x := lit.Type.(type) {
			case *ast.SelectorExpr:
				if of, ok := x.X.(*ast.Ident); ok && of.Name == "api" && slices.Contains([]string{"Profile", "Provenance", "LosingValue"}, x.Sel.Name) {
					if made++; name != "release.go" {
						t.Errorf("%s makes an api.%s", fset.Position(lit.Pos()), x.Sel.Name)
					}
				}
			case *ast.Ident:
				if (x.Name == "goldenCopy" || x.Name == "personCopy") && name != "release.go" {
					t.Errorf("%s makes a %s", fset.Position(lit.Pos()), x.Name)
				}
			}
			return true
		})
	}
	if made < 3 {
		t.Errorf("the test has found %d places only", made)
	}
}

func TestErasureIsGoneFromEveryReadPath(t *testing.T) {
	r := newRig(t, nil)
	r.run.add(bertil, record.Key{Source: "crm", ID: "2"})
	// An address that both have gets no tombstone.
	r.run.identities[bertil].Identifiers = append(r.run.identities[bertil].Identifiers, Identifier{record.Phone, strings.ToLower(secret(anna, "phone")), record.Key{Source: "crm", ID: "2"}})
	r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/profiles/" + anna}, 200, "")
	done := read[api.Erasure](t, r.want(call{client: "all", method: "POST", path: "/v1/erasures", body: `{"person":{"record":{"source":"crm","record_id":"1"}},"reason":"letter"}`}, 200, ""))
	if done.IdentityId != anna || done.Records != 2 || done.Tombstones != 5 || len(done.NotCaught) != 4 {
		t.Errorf("%+v", done)
	}
	for _, id := range []string{"getProfile", "getConsents", "explainIdentity", "listAccess", "exportPerson"} {
		c := goodCalls[id]
		c.client, c.purpose = "all", "service"
		r.want(c, 410, "identity_retired")
	}
	for _, id := range []string{"lookupProfiles", "searchProfiles", "lookupConsents", "listChanges"} {
		c := goodCalls[id]
		c.client, c.purpose = "all", "service"
		if out := r.want(c, 200, ""); strings.Contains(out.body, "SECRET-"+anna) {
			t.Errorf("%s: %s", id, out.body)
		}
	}
	back := fmt.Sprintf(`{"records":[{"source":"web","record_id":"A","fields":{"given_name":"x"}},{"source":"web","record_id":"new","fields":{"email":%q}},{"source":"web","record_id":"else","fields":{"email":"other@example.com"}}]}`, secret(anna, "email"))
	out := read[api.RecordsResult](t, r.want(call{client: "all", method: "POST", path: "/v1/records", body: back}, 200, ""))
	if got := []api.RecordResultOutcome{out.Records[0].Outcome, out.Records[1].Outcome, out.Records[2].Outcome}; !slices.Equal(got, []api.RecordResultOutcome{"erased", "erased", "founded"}) {
		t.Errorf("what came back was %v", got)
	}
	r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/profiles/" + bertil}, 200, "")
	// A run from before the erasure does not bring the person back.
	r.run = newSmallRun("run-2", 2)
	r.server.Run.Look(t.Context())
	r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/profiles/" + anna}, 410, "identity_retired")
	// Nor does one that has the records under other identities, as a run that was
	// computed meanwhile may; one that knows the erasure is believed.
	for n, erased := range []int64{0, 1} {
		r.run = newSmallRun(fmt.Sprintf("run-%d", n+3), int64(n+3))
		r.run.erased = erased
		delete(r.run.identities, anna)
		r.run.add(bertil, record.Key{Source: "web", ID: "A"})
		r.server.Run.Look(t.Context())
		status, code := 410, "identity_retired"
		if erased > 0 {
			status, code = 200, ""
		}
		r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/profiles/" + bertil}, status, code)
	}
}

// TestErasureOfAnotherProcess erases behind the back of the server, which serves
// a run with other identities than the erasure names.
func TestErasureOfAnotherProcess(t *testing.T) {
	r := newRig(t, nil)
	person := store.Person{Marks: []store.Mark{{Kind: store.KindRecord, Value: "crm:1"}, {Kind: store.KindRecord, Value: "web:A"}}}
	if _, _, err := r.store.Erase(t.Context(), store.Erasure{Identities: []string{bertil}, By: "other"}, person); err != nil {
		t.Fatal(err)
	}
	if err := r.server.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/profiles/" + anna}, 410, "identity_retired")
}

func TestProblemsTellNothingOfPersons(t *testing.T) {
	r := newRig(t, nil)
	r.run.panics = true
	out := r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/profiles/" + anna}, 500, "internal")
	if strings.Contains(out.body, "SECRET") {
		t.Error(out.body)
	}
	var p api.Problem
	if err := json.Unmarshal([]byte(out.body), &p); err != nil || p.RequestId == "" || p.RequestId != out.header.Get("X-Request-Id") {
		t.Errorf("%v %+v", err, p)
	}
}

// TestSourcesAreWrittenByWhomTheyAreGrantedTo: the run has crm and web, and knows
// of no garage.
func TestSourcesAreWrittenByWhomTheyAreGrantedTo(t *testing.T) {
	r := newRig(t, nil)
	writes := []store.Role{store.RoleWriteRecords}
	r.client("any", writes, nil, nil)
	r.client("garage", writes, nil, nil, "garage")
	r.client("both", writes, nil, nil, "garage", "crm")
	for _, x := range []struct {
		client, source, put, deleted string
	}{
		{"any", "crm", "", ""}, {"any", "web", "", ""}, {"any", "garage", "unknown_source", ""},
		{"garage", "crm", "source_not_granted", "source_not_granted"}, {"garage", "web", "source_not_granted", "source_not_granted"}, {"garage", "garage", "", ""},
		{"both", "crm", "", ""}, {"both", "web", "source_not_granted", "source_not_granted"}, {"both", "garage", "", ""},
	} {
		want := func(code, path, body string) {
			t.Helper()
			status := map[string]int{"": 200, "unknown_source": 404, "source_not_granted": 403}[code]
			r.want(call{client: x.client, method: "POST", path: path, body: body}, status, code)
		}
		// The first record of a request is one that may be written, where there is one.
		first := map[string]string{"any": "crm", "garage": "garage", "both": "garage"}[x.client]
		want(x.put, "/v1/records", fmt.Sprintf(`{"records":[{"source":%q,"record_id":"1","fields":{"given_name":"Eva"}},{"source":%q,"record_id":"2","fields":{"given_name":"Eva"}}]}`, first, x.source))
		want(x.deleted, "/v1/records:delete", fmt.Sprintf(`{"records":[{"source":%q,"record_id":"none"},{"source":%q,"record_id":"none"}]}`, first, x.source))
	}
}
