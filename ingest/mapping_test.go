package ingest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestNamesOfColumnsSayTheirRoles(t *testing.T) {
	for _, row := range strings.Split(strings.TrimSpace(`
given_name: first_name FirstName fname etunimi etunimet förnamn Vorname forename givenname fname_c1 primary_name_first customer_first_name
family_name: last_name surname sukunimi efternamn Nachname lname_c2 primary_name_last familyName
middle_name: middle_name middle_initial primary_name_middle
full_name: full_name kokonimi primary_name_full first_and_surname native_name_full
other_name: nameAtBirth maiden_name entinen_nimi former_name
birth_date: dob date_of_birth dateOfBirth birth_date syntymäaika Geburtsdatum födelsedatum
birth_year: by yob birth_year syntymävuosi
birth_month: bm birth_month
birth_day: bd day_of_birth dob_day
gender: sex gender sukupuoli kön Geschlecht
email: email e-mail email_address sähköposti sähköpostiosoite e_post contact_email Email1
phone: phone phone1 phone_2 mobile telephone_number puhelin puhelinnumero matkapuhelin Telefon handy primary_phone fax
street: street street_name katu Strasse
address_line: address address_1 address_line1 addr_line1 street_address katuosoite gatuadress Anschrift
full_address: addr_full full_address
house_number: house_number street_number Hausnummer talonumero
unit: unit_number apartment huoneisto
postal_code: zip zip_code postcode postinumero plz postnummer addr_postal_code postcode_fake
city: city town suburb postitoimipaikka kaupunki Ort kommun addr_city
region: state province addr_state maakunta Bundesland
country: country maa land addr_country
national_id: ssn soc_sec_id hetu henkilötunnus personnummer national_id_number ssn_number
business_id: y-tunnus business_id tax_id_number lei_number
vehicle_reg: plate rekisterinumero regno Kennzeichen VIN
identifier: credit_card_number passport_number drivers_license_number
created_at: created_at registered_at first_visit luotu createdDate
updated_at: updated_at last_visit modified päivitetty
language: language kieli språk
date: transaction_date event_date survey_date
number: age income amount income_normal lat blood_pressure
category: race marital_status occupation record_type race_ethnicity
text: title authors venue memo birth_place placeOfBirth
carried: source_file status customer_type is_guest phone_type addr_type notes
`), "\n") {
		role, names, _ := strings.Cut(row, ": ")
		for _, name := range strings.Fields(names) {
			if got, certain := roleByName(name); string(got) != role || certain == 0 {
				t.Errorf("%s is %q, want %s", name, got, role)
			}
		}
	}
	for _, name := range []string{"x7", "col1", "neighborhood", "program_option", "", "123", "uganda_nin_x", "zzz"} {
		if got, certain := roleByName(name); certain > 0 {
			t.Errorf("%q is %s", name, got)
		}
	}
}

func TestRoleWordsAreDistinct(t *testing.T) {
	seen := make(map[string]Role)
	for _, r := range roleWords {
		for name := range strings.FieldsSeq(r.names) {
			if before, double := seen[name]; double && before != r.role {
				t.Errorf("%s means %s and %s", name, before, r.role)
			}
			seen[name] = r.role
			if strings.Join(nameParts(name), "") != name {
				t.Errorf("%s is not folded", name)
			}
		}
	}
}

func TestColumnsWithoutATellingNameAreKnownByTheirValues(t *testing.T) {
	given := strings.Fields("Anna Matti Juha Liisa Maria Pekka Kari Helena Johannes Eeva Antti Tuula Mikko Sari Jukka Päivi Timo Ritva Heikki Marja Hannu Anne Seppo Leena")
	family := strings.Fields("Virtanen Korhonen Nieminen Mäkinen Hämäläinen Laine Heikkinen Koskinen Järvinen Lehtonen Lehtinen Saarinen Niemi Heinonen Salonen Heikkilä Turunen Kinnunen Salminen Rantanen Tuominen Jokinen Savolainen Lahtinen")
	towns := strings.Fields("Helsinki Espoo Tampere Vantaa Oulu Turku Jyväskylä Lahti")
	names := strings.Fields("x0 x1 x2 x3 x4 x5 x6 x7 x8 x9")
	var rows [][]string
	for i := range 400 {
		g, f := given[i%len(given)], family[(i*7+i/24)%len(family)]
		rows = append(rows, []string{
			fmt.Sprintf("R%05d", i), f, g, fmt.Sprintf("%02d.%02d.%d", 1+i%28, 1+i%12, 1940+i%70), strings.ToLower(fmt.Sprintf("%s.%s%d@posti.fi", g, f, i)),
			fmt.Sprintf("040 %03d %04d", 200+i%700, 1000+i*13%8999), []string{"N", "M"}[i%2], fmt.Sprintf("%02d%03d", i%8*10+1, 100), towns[i%8], fmt.Sprintf("Koivutie %d", 1+i%60),
		})
	}
	m, _ := Propose([]*Raw{rawOfRows(t, "s", names, rows)})
	var got []string
	if m.Sources[0].Key != "x0" {
		t.Errorf("key %q", m.Sources[0].Key)
	}
	for _, c := range m.Sources[0].Columns {
		got = append(got, string(c.As))
	}
	if want := "family_name given_name birth_date email phone gender postal_code city address_line"; strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

func TestValuesVetoNames(t *testing.T) {
	var rows [][]string
	for i := range 60 {
		rows = append(rows, []string{fmt.Sprint("k", i), fmt.Sprintf("%02d/%02d/%02d", 1+i%12, 1+i%28, 10+i%7), fmt.Sprintf("a%d@firma.fi", i), "Yes"})
	}
	m, notes := Propose([]*Raw{rawOfRows(t, "s", []string{"id", "email_address", "service_type", "website"}, rows)})
	for i, want := range []Role{"date", "email", "carried"} {
		if got := m.Sources[0].Columns[i]; got.As != want {
			t.Errorf("%s taken as %s, want %s", got.Column, got.As, want)
		}
	}
	if len(notes) != 1 {
		t.Errorf("notes: %v", notes)
	}
}

func TestMappingsSurviveYAML(t *testing.T) {
	raws := []*Raw{rawOf(t, "crm", "id | email | dob\n1 | a@firma.fi | 1.2.1990\n2 | b@firma.fi | 31.12.1991")}
	m, _ := Propose(raws)
	text, err := yaml.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var back Mapping
	if err := yaml.UnmarshalWithOptions(text, &back, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(back) != fmt.Sprint(m) {
		t.Errorf("%v became %v by way of\n%s", m, back, text)
	}
	if errs := back.Validate(raws); len(errs) > 0 {
		t.Error(errs)
	}
}
