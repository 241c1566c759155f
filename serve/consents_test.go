package serve

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"sama/serve/api"
	"sama/serve/consent"
)

// TestWhatWasSaidIsShownOnce says things at a record on any channel, of whose
// contact points all are decided by it, and asks what was said.
func TestWhatWasSaidIsShownOnce(t *testing.T) {
	r := newRig(t, nil)
	r.run.imported = []consent.Event{{Anchor: consent.OfRecord("crm", "1"), Purpose: "newsletter", Act: consent.ActGrant, At: time.Unix(1, 0), Source: "crm.news"}}
	const n = 3
	for range n {
		r.want(call{client: "all", method: "POST", path: "/v1/consents",
			body: `{"events":[{"anchor":{"record":{"source":"crm","record_id":"1"}},"purpose":"newsletter","act":"grant","authenticated":"account"}]}`}, 200, "")
	}
	once := func(what string, events []api.ConsentEvent) {
		t.Helper()
		seen := make(map[string]int)
		for _, e := range events {
			if e.EventId == nil {
				seen["imported"]++
			} else {
				seen[fmt.Sprint(*e.EventId)]++
			}
		}
		if len(events) != n+1 || len(seen) != n+1 {
			t.Errorf("%s has %v", what, seen)
		}
	}
	c := read[api.Consents](t, r.want(call{client: "all", purpose: "service", method: "GET", path: "/v1/consents?identity_id=" + anna}, 200, ""))
	once("GET /v1/consents", c.Events)
	for _, d := range c.Decisions {
		if or(d.Purpose) == "newsletter" && !d.Allowed {
			t.Errorf("what was said at the record does not hold for its addresses: %+v", d)
		}
	}
	list := read[api.ConsentsList](t, r.want(call{client: "all", purpose: "service", method: "POST", path: "/v1/consents:lookup", body: `{"record":{"source":"crm","record_id":"1"}}`}, 200, ""))
	once("POST /v1/consents:lookup", list.Consents[0].Events)
	if p := read[api.Profile](t, r.want(call{client: "all", purpose: "newsletter", method: "GET", path: "/v1/profiles/" + anna}, 200, "")); p.Golden["email"] == "" || p.Golden["email_2"] == "" {
		t.Errorf("released: %v", p.Golden)
	}
	body := r.want(call{client: "all", purpose: "service", method: "POST", path: "/v1/exports/person", body: `{"identity_id":"` + anna + `"}`}, 200, "").body
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open("held/consents.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var events []api.ConsentEvent
	if err := json.NewDecoder(f).Decode(&events); err != nil {
		t.Fatal(err)
	}
	once("held/consents.json", events)
}
