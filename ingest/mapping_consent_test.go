package ingest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sama/record"

	"github.com/google/go-cmp/cmp"
)

func TestNamesOfConsents(t *testing.T) {
	const (
		any  = "any channel"
		none = "no consent"
	)
	for _, row := range strings.Split(strings.TrimSpace(`
email: email_opt_in emailOptIn EMAIL_OPT_IN newsletter Newsletter newsletter_subscribed uutiskirje uutiskirje_lupa email_marketing email_marketing_consent sähköpostimarkkinointi sähköpostimarkkinointilupa
email: sahkoposti_lupa nyhetsbrev e_mail_werbung accepts_email newsletter_abo email_consent receive_newsletter
sms: sms_marketing sms_opt_in sms_consent tekstiviestimarkkinointi tekstiviestilupa sms_newsletter allow_sms
phone: phone_marketing telemarketing puhelinmarkkinointi phone_permission can_call telefonwerbung
post: postal_marketing direct_mail postimarkkinointi post_opt_in kirje_lupa
any channel: marketing marketing_consent marketingConsent accepts_marketing opt_in optin markkinointilupa suoramarkkinointi suoramarkkinointilupa marknadsföring marknadsföring_samtycke Werbung Werbeeinwilligung contact_permission
inverted phone: do_not_call doNotCall puhelinmyyntikielto puhelinmarkkinointikielto no_calls
inverted email: do_not_email no_newsletter email_opt_out sähköpostikielto email_unsubscribed
inverted any channel: kielto esto markkinointikielto suoramarkkinointikielto opt_out do_not_contact unsubscribed no_marketing kein_marketing marketing_opt_out suoramarkkinointiesto
no consent: email phone sms post consent consents gdpr_consent cookie_consent profiling_consent third_party_marketing partner_marketing_consent data_sharing_consent marketing_consent_at
no consent: email_verified email_status phone_no tel_no is_active vip status newsletter_source email_sms_opt_in opt_in_date marketing_no_opt_out tilaustila x1 kirjeenvaihto noise allowance 7
`), "\n") {
		want, names, _ := strings.Cut(row, ": ")
		for name := range strings.FieldsSeq(names) {
			channel, inverted, ok := consentName(nameParts(name))
			got := none
			if ok {
				if got = channel; got == "" {
					got = any
				}
				if inverted {
					got = "inverted " + got
				}
			}
			if got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
	}
	for w := range consentNames {
		if strings.Join(nameParts(w), "") != w {
			t.Errorf("%s is not folded", w)
		}
	}
}

// consentRaw is a source with columns of yes and no, and others of those names.
func consentRaw(t *testing.T) *Raw {
	var rows [][]string
	for i := range 40 {
		rows = append(rows, []string{
			fmt.Sprintf("%03d", i), fmt.Sprintf("person%d@firma.fi", i), []string{"Yes", "No", ""}[i%3], []string{"1", "0"}[i%2], []string{"Kyllä", "Ei"}[i%2],
			[]string{"weekly", "monthly", "never before"}[i%3], "true", []string{"yes", "no"}[i%2], "",
		})
	}
	return rawOfRows(t, "crm", []string{"id", "email", "email_opt_in", "uutiskirje", "do_not_call", "newsletter", "sms_marketing", "vip", "marketing"}, rows)
}

func TestConsentsAreProposed(t *testing.T) {
	m, notes := Propose([]*Raw{consentRaw(t)})
	got := make(map[string]ColumnMapping)
	for _, c := range m.Sources[0].Columns {
		c.Why = ""
		got[c.Column] = c
	}
	for _, want := range []ColumnMapping{
		{Column: "email_opt_in", As: "consent", Purpose: "marketing", Channel: "email"},
		{Column: "uutiskirje", As: "consent", Purpose: "marketing", Channel: "email"},
		{Column: "do_not_call", As: "consent", Purpose: "marketing", Channel: "phone", Inverted: true},
		{Column: "sms_marketing", As: "consent", Purpose: "marketing", Channel: "sms"},
		{Column: "vip", As: "carried"},
		{Column: "marketing", As: "carried"}, // empty
	} {
		if diff := cmp.Diff(want, got[want.Column]); diff != "" {
			t.Errorf("%s: %s", want.Column, diff)
		}
	}
	if got["newsletter"].As == "consent" {
		t.Errorf("how often a newsletter comes is taken for a consent: %+v", got["newsletter"])
	}
	if !slices.ContainsFunc(notes, func(n Note) bool { return n.Column == "do_not_call" && strings.Contains(n.Text, "has not agreed") }) {
		t.Errorf("notes: %v", notes)
	}
	if errs := m.Validate([]*Raw{consentRaw(t)}); len(errs) > 0 {
		t.Error(errs)
	}
}

func TestConsentsAreNormalised(t *testing.T) {
	crm := rawOf(t, "crm", "id | Email opt-in | vip | do_not_call | email\n1 | yes | 1 | yes | a@firma.fi\n2 | NO | 0 | no | b@firma.fi\n3 | perhaps | 1 | kielletty |\n4 | n/a | 1 | | c@firma.fi")
	web := rawOf(t, "web", "id | email_opt_in\n1 | 0\n2 | x")
	m := Mapping{Sources: []SourceMapping{
		{Source: "crm", Key: "id", Columns: []ColumnMapping{
			{Column: "Email opt-in", As: "consent", Purpose: "newsletter", Channel: "email"}, {Column: "do_not_call", As: "consent", Inverted: true}, {Column: "email", As: "email"}}},
		{Source: "web", Key: "id", Columns: []ColumnMapping{{Column: "email_opt_in", As: "consent"}}},
	}}
	table, report, err := Build(context.Background(), []*Raw{crm, web}, m, BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Check(); err != nil {
		t.Error(err)
	}
	values := func(name string) (out []string) {
		c := table.Named(name)
		if c == nil || c.Field != record.Consent {
			t.Fatalf("no column of consents %s", name)
		}
		for i := range uint32(table.Len()) {
			out = append(out, c.Value(i))
		}
		return out
	}
	if got := strings.Join(values("email_opt_in"), ","); got != "grant,deny,,,deny,grant" {
		t.Errorf("email_opt_in: %s", got)
	}
	if got := strings.Join(values("do_not_call"), ","); got != "deny,,deny,,," {
		t.Errorf("do_not_call: %s", got)
	}
	want := []ConsentColumn{{"crm", "do_not_call", "marketing", ""}, {"crm", "email_opt_in", "newsletter", "email"}, {"web", "email_opt_in", "marketing", ""}}
	if diff := cmp.Diff(want, report.Consents); diff != "" {
		t.Error(diff)
	}
	for _, c := range report.Sources[0].Columns {
		if c.Column == "Email opt-in" && (c.Invalid != 1 || c.Null != 1 || c.Values != 3 || c.Junk != 0) {
			t.Errorf("counted as %+v", c)
		}
	}

	// Of a list the least permissive counts.
	list := rawOf(t, "web", "id | newsletter\n1 | yes;yes\n2 | yes;no\n3 | yes;perhaps\n4 |")
	c := &list.Columns[1]
	c.List = true
	var texts record.StringsBuilder
	for i := range uint32(c.Values.Len()) {
		texts.Append(strings.ReplaceAll(c.Values.At(i), ";", ListSeparator))
	}
	c.Values = texts.Build()
	table, _, err = Build(context.Background(), []*Raw{list}, Mapping{Sources: []SourceMapping{{Source: "web", Key: "id", Columns: []ColumnMapping{{Column: "newsletter", As: "consent"}}}}}, BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(values("newsletter"), ","); got != "grant,deny,," {
		t.Errorf("newsletter: %s", got)
	}
}

func TestConsentsOfMappingsAreChecked(t *testing.T) {
	raw := rawOf(t, "crm", "id | a | b | c | d\n1 | yes | yes | yes | 1.1.2020")
	m := Mapping{Sources: []SourceMapping{{Source: "crm", Key: "id", Columns: []ColumnMapping{
		{Column: "a", As: "consent", Purpose: "Marketing mails"}, {Column: "b", As: "consent", Channel: "E-mail"}, {Column: "c", As: "text", Purpose: "marketing"},
		{Column: "d", As: "date", Layout: "DMY", Inverted: true},
	}}}}
	var texts []string
	for _, err := range m.Validate([]*Raw{raw}) {
		texts = append(texts, err.Error())
	}
	want := []string{
		`source crm, column "a": purpose "Marketing mails": want a lower-case word, such as marketing`,
		`source crm, column "b": channel "E-mail": want a lower-case word, such as email, sms, phone or post`,
		`source crm, column "c": purpose, channel and inverted go with the role consent`,
		`source crm, column "d": purpose, channel and inverted go with the role consent`,
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Error(diff)
	}
}

// TestErasedRecordsAreNamed: who keeps something of a record beside the table
// has to know which ones were left out.
func TestErasedRecordsAreNamed(t *testing.T) {
	raw := rawOf(t, "crm", "id | email | email_opt_in\n3 | c@firma.fi | yes\n1 | a@firma.fi | yes\n2 | b@firma.fi | no\n4 | a@firma.fi | no")
	m, _ := Propose([]*Raw{raw})
	table, report, err := Build(context.Background(), []*Raw{raw}, m, BuildOptions{Erased: &Erased{
		Record: func(_, id string) bool { return id == "2" },
		Value:  map[record.Field]func(string) bool{record.Email: func(s string) bool { return s == "a@firma.fi" }},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := report.Sources[0]
	if table.Len() != 1 || s.Erased != 3 || !slices.Equal(s.ErasedIDs, []string{"1", "2", "4"}) {
		t.Errorf("%d records left, %d erased: %v", table.Len(), s.Erased, s.ErasedIDs)
	}
}
