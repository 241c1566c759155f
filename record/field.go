package record

import "fmt"

// Field is a typed attribute of a record.
type Field uint8

// The fields. Carried is the zero value: a column that fits no field and is
// carried along to the golden record as it is.
const (
	Carried Field = iota

	// Persons.
	GivenName    // all given names in order, space separated; initials allowed
	FamilyName   // surname in use
	OtherName    // another surname of the same person: at birth, maiden, former, alias
	BirthDate    // normal form YYYYMMDD, "00" and "0000" for unknown parts
	Gender       // normal form f, m or x
	NationalID   // personal identity code, social security number
	Organization // name of a company, site or association

	// Contact points.
	Email
	Phone // normal form E.164, or the last nine digits where the country is unknown

	// Address parts.
	Street      // street name without number
	HouseNumber // number with its letter
	Unit        // stair and flat
	PostalCode
	City
	Region // state, province, county
	Country

	// Identifiers.
	BusinessID // register number of an organisation
	VehicleReg // number plate
	Identifier // any other value that should name one thing: card number, VIN, customer number of another system

	// Other kinds of value, compared by their type only.
	Text     // free text: a title, a memo, several names
	Category // one of few values
	Number   // a quantity, compared by difference
	Date     // a date other than birth, normal form YYYYMMDD

	// Columns with a part to play beside comparing.
	CreatedAt // when the source made the record
	UpdatedAt // when the source last changed it
	Language  // preferred language: golden record only
	Consent   // what the person agreed or refused to, normal form grant or deny: golden record and consents only

	fieldCount
)

var fieldNames = [fieldCount]string{
	Carried: "carried", GivenName: "given_name", FamilyName: "family_name", OtherName: "other_name",
	BirthDate: "birth_date", Gender: "gender", NationalID: "national_id", Organization: "organization",
	Email: "email", Phone: "phone", Street: "street", HouseNumber: "house_number", Unit: "unit",
	PostalCode: "postal_code", City: "city", Region: "region", Country: "country",
	BusinessID: "business_id", VehicleReg: "vehicle_reg", Identifier: "identifier",
	Text: "text", Category: "category", Number: "number", Date: "date",
	CreatedAt: "created_at", UpdatedAt: "updated_at", Language: "language", Consent: "consent",
}

// String returns the field's name as configuration and output write it.
func (f Field) String() string {
	if f < fieldCount {
		return fieldNames[f]
	}
	return fmt.Sprintf("field(%d)", uint8(f))
}

// ParseField returns the field of that name.
func ParseField(name string) (Field, error) {
	if f, ok := FieldNamed(name); ok {
		return f, nil
	}
	return Carried, fmt.Errorf("unknown field %q; the fields are %v", name, fieldNames[:])
}

// FieldNamed returns the field of that name; ok is false if there is none.
func FieldNamed(name string) (f Field, ok bool) {
	for f, n := range fieldNames {
		if n == name {
			return Field(f), true
		}
	}
	return Carried, false
}

// MarshalText implements encoding.TextMarshaler.
func (f Field) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *Field) UnmarshalText(text []byte) error {
	v, err := ParseField(string(text))
	if err != nil {
		return err
	}
	*f = v
	return nil
}

// Fields returns every field in declaration order.
func Fields() []Field {
	all := make([]Field, fieldCount)
	for i := range all {
		all[i] = Field(i)
	}
	return all
}
