package consent

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestReleaseIsTheIntersection goes through every combination of what the client
// was granted, what the purpose lists, what the policy says and what the person
// decided, for a field and a further column of it, and compares with the rule
// written down as four sets of fields.
func TestReleaseIsTheIntersection(t *testing.T) {
	columns := []string{"given_name", "secret", "secret_2", "address", "address_2"}
	lists := map[string][]string{
		"nothing": nil, "every": {"*"}, "one": {"secret"}, "further": {"secret_2"}, "address": {"address"},
		"every and one": {"*", "secret"}, "all": {"given_name", "secret", "address"},
	}
	policies := map[string]FieldPolicy{
		"free": {}, "guarded": {Guarded: []string{"secret"}},
		"tied":             {Channels: []ChannelRule{{Field: "address", Channels: []Channel{"email"}, Contact: true}}},
		"guarded and tied": {Guarded: []string{"secret"}, Channels: []ChannelRule{{Field: "address", Channels: []Channel{"sms"}, Contact: true}}},
	}
	questions := []Question{
		{}, {Channel: "email"}, {Channel: "sms"}, {Channel: "post"},
		{Channel: "email", Contact: contactN(1)}, {Channel: "email", Contact: contactN(1), Column: "address_2"},
		{Contact: contactN(1), Column: "address"}, {Channel: "email", Contact: contactN(1), Column: "given_name"},
	}
	n := 0
	for grantName, grantFields := range lists {
		for purposeName, purposeFields := range lists {
			for policyName, policy := range policies {
				for _, q := range questions {
					for state := range 8 {
						granted, allowed, foreign := state&1 != 0, state&2 != 0, state&4 != 0
						p := newsletter()
						p.Fields = purposeFields
						g := &Grant{Purposes: []string{"other"}, Fields: grantFields}
						if granted {
							g.Purposes = append(g.Purposes, p.ID)
						}
						d := Decision{Allowed: allowed, Purpose: p.ID, Question: q}
						if foreign {
							d.Purpose = "other"
						}
						want := map[string]bool{}
						if granted && allowed && !foreign && q.Channel != "post" {
							want = obvious(columns, grantFields, purposeFields, policyName, q)
						}
						n++
						checkRelease(t, fmt.Sprintf("client %s, purpose %s, policy %s, question %+v, granted %v, allowed %v, foreign %v",
							grantName, purposeName, policyName, q, granted, allowed, foreign), Release(g, p, d, &policy, columns), want, columns)
					}
				}
			}
		}
	}
	t.Logf("%d combinations", n)
}

// obvious crosses the fields out one rule after the other.
func obvious(columns, grant, purpose []string, policy string, q Question) map[string]bool {
	of := map[string][]string{"secret": {"secret", "secret_2"}, "address": {"address", "address_2"}}
	spread := func(list []string, star bool) (out []string) {
		for _, f := range list {
			out = append(out, f)
			out = append(out, of[f]...)
			if f == "*" && star {
				out = append(out, columns...)
			}
		}
		return out
	}
	left := map[string]bool{}
	for _, c := range columns {
		star := !(strings.Contains(policy, "guarded") && strings.HasPrefix(c, "secret"))
		left[c] = slices.Contains(spread(grant, star), c) && slices.Contains(spread(purpose, star), c)
	}
	tied := map[string]Channel{"tied": "email", "guarded and tied": "sms"}[policy]
	for _, address := range of["address"] {
		if tied == "" {
			continue
		}
		if q.Channel != "" && q.Channel != tied || !q.Contact.IsZero() && q.Column != address {
			left[address] = false
		}
	}
	return left
}

func checkRelease(t *testing.T, name string, r Released, want map[string]bool, columns []string) {
	t.Helper()
	withheld := map[string]bool{}
	for _, w := range r.Withheld {
		withheld[w.Field] = true
		if w.Reason == NotWithheld || !strings.HasSuffix(w.Sentence(), ".") {
			t.Errorf("%s: %+v: %s", name, w, w.Sentence())
		}
	}
	for _, c := range columns {
		released := slices.Contains(r.Fields, c)
		if released != want[c] || released == withheld[c] {
			t.Errorf("%s: %s released %v, withheld %v, want released %v", name, c, released, withheld[c], want[c])
		}
	}
}

// TestWhyAFieldIsWithheld gives every reason its case, and shows which is named
// where several apply: those that say nothing of the person first.
func TestWhyAFieldIsWithheld(t *testing.T) {
	policy := DefaultPolicy()
	p := newsletter()
	p.Fields = []string{"*"}
	all := &Grant{Purposes: []string{p.ID}, Fields: []string{"*"}}
	email := Question{Channel: "email"}
	here := Question{Channel: "email", Contact: contactN(1), Column: "email"}
	yes := func(q Question) Decision { return Decision{Allowed: true, Purpose: p.ID, Question: q} }
	for _, c := range []struct {
		field string
		grant *Grant
		needs []string
		d     Decision
		want  Withheld
	}{
		{"city", all, p.Fields, yes(email), NotWithheld},
		{"city", &Grant{Fields: []string{"*"}}, p.Fields, yes(email), ClientPurpose},
		{"city", &Grant{Fields: []string{"*"}}, nil, Decision{}, ClientPurpose},
		{"city", all, p.Fields, Decision{Allowed: true, Purpose: "profiling", Question: email}, OtherDecision},
		{"city", all, p.Fields, yes(Question{Channel: "post"}), OtherDecision},
		{"city", &Grant{Purposes: all.Purposes, Fields: []string{"email"}}, nil, Decision{Purpose: p.ID}, ClientField},
		{"city", all, []string{"email"}, Decision{Purpose: p.ID}, PurposeField},
		{"national_id", all, p.Fields, yes(email), PolicyGuarded},
		{"national_id_2", all, []string{"national_id"}, Decision{Purpose: p.ID}, PolicyGuarded},
		{"national_id_2", &Grant{Purposes: all.Purposes, Fields: []string{"national_id"}}, []string{"national_id"}, yes(email), NotWithheld},
		{"phone_2", all, p.Fields, yes(email), PolicyChannel},
		{"phone_2", all, p.Fields, yes(Question{}), NotWithheld},
		{"phone", all, p.Fields, yes(Question{Channel: "sms"}), NotWithheld},
		{"city", all, p.Fields, Decision{Purpose: p.ID, Question: email}, PersonDecision},
		{"email", all, p.Fields, yes(here), NotWithheld},
		{"email_2", all, p.Fields, yes(here), AnotherContact},
		{"city", all, p.Fields, yes(here), NotWithheld},
		{"email_2", all, p.Fields, yes(email), NotWithheld},
		{"email", all, p.Fields, yes(Question{Channel: "email", Contact: contactN(1)}), AnotherContact},
	} {
		needs := *p
		needs.Fields = c.needs
		columns := []string{"email", "email_2", "given_name", c.field}
		if got := Compile(c.grant, &needs, &policy, columns).Why(3, &c.d); got != c.want {
			t.Errorf("%s, grant %v, purpose %v, decision %+v: %v, want %v", c.field, c.grant, c.needs, c.d, got, c.want)
		}
	}
	seen := Release(&Grant{Purposes: all.Purposes, Fields: []string{"*"}}, p, Decision{Purpose: p.ID, Question: email}, &policy,
		[]string{"given_name", "phone", "national_id", "email"})
	want := "0 of 4 fields are released; not national_id: it is guarded, and both the client's grant and the purpose have to name it; " +
		"not phone: it does not belong to the channel; not given_name, email: nobody has agreed to purpose newsletter."
	if got := seen.Sentence(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestFiltersAgreeWithRelease is for more columns than one word of a set holds.
func TestFiltersAgreeWithRelease(t *testing.T) {
	policy := DefaultPolicy()
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"email", "email_2", "phone", "city", "national_id", "street", "given_name"}
		columns := slices.Clone(names)
		for i := range rapid.IntRange(0, 140).Draw(t, "carried") {
			columns = append(columns, fmt.Sprintf("carried %d", i))
		}
		list := func(label string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(append([]string{"*", "carried 70"}, names...)), 0, 5, rapid.ID).Draw(t, label)
		}
		p := newsletter()
		p.Fields = list("purpose")
		g := &Grant{Purposes: []string{p.ID}, Fields: list("grant")}
		q := drawQuestion(t)
		q.Column = rapid.SampledFrom(append([]string{""}, names...)).Draw(t, "column")
		d := Decision{Allowed: rapid.Bool().Draw(t, "allowed"), Purpose: p.ID, Question: q}
		set, released := Compile(g, p, &policy, columns).Apply(&d), Release(g, p, d, &policy, columns)
		var got []string
		for i, c := range columns {
			if set.Has(i) {
				got = append(got, c)
			}
		}
		if diff := cmp.Diff(released.Fields, got); diff != "" || set.Len() != len(got) || set.Has(len(columns)) || set.Has(1000) {
			t.Fatalf("%d in the set: %s", set.Len(), diff)
		}
		other := Set{rapid.Uint64().Draw(t, "other")}
		both := set.AppendUnion(other, nil)
		for i := range 300 {
			if both.Has(i) != (set.Has(i) || other.Has(i)) {
				t.Fatalf("union at %d", i)
			}
		}
	})
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		field, column string
		want          bool
	}{
		{"email", "email", true}, {"email", "email_2", true}, {"email", "email_10", true}, {"email", "email_0", false},
		{"email", "email_1", false}, {"email", "email_02", false}, {"email", "email_", false}, {"email", "email_2b", false},
		{"email", "emails", false}, {"email", "work_email", false}, {"email_2", "email", false}, {"email_2", "email_2", true},
		{"email_2", "email_3", false}, {"", "", false}, {"", "_2", false}, {"Näköala", "Näköala_3", true},
	} {
		if got := Covers(c.field, c.column); got != c.want {
			t.Errorf("%q covers %q: %v", c.field, c.column, got)
		}
	}
}

func TestDecideAndApplyDoNotAllocate(t *testing.T) {
	p, q, events, now := benchEvents()
	policy := DefaultPolicy()
	f := Compile(&Grant{Purposes: []string{p.ID}, Fields: []string{"*"}}, p, &policy, p.Fields)
	if n := testing.AllocsPerRun(100, func() {
		d := Decide(p, q, events, now)
		f.Apply(&d)
		f.Why(0, &d)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
