package generate

import (
	"context"
	"io"
	"unsafe"

	"github.com/parquet-go/parquet-go"
)

// The rows of the Parquet files: they make the schemas, the columns are written
// one by one. Empty texts are null. Columns of few values have dictionaries.

type crmRow struct {
	RecordID      string `parquet:"record_id"`
	FirstNames    string `parquet:"first_names,optional"`
	LastName      string `parquet:"last_name,optional"`
	BirthDate     string `parquet:"birth_date,optional"`
	Gender        string `parquet:"gender,optional,dict"`
	Email         string `parquet:"email,optional"`
	Phone         string `parquet:"phone,optional"`
	StreetAddress string `parquet:"street_address,optional"`
	PostalCode    string `parquet:"postal_code,optional,dict"`
	City          string `parquet:"city,optional,dict"`
	Language      string `parquet:"language,optional,dict"`
	CustomerType  string `parquet:"customer_type,optional,dict"`
	CompanyName   string `parquet:"company_name,optional"`
	CreatedAt     string `parquet:"created_at,optional"`
	UpdatedAt     string `parquet:"updated_at,optional"`
}

type serviceRow struct {
	RecordID   string `parquet:"record_id"`
	Surname    string `parquet:"surname,optional"`
	Forename   string `parquet:"forename,optional"`
	Phone1     string `parquet:"phone1,optional"`
	Phone2     string `parquet:"phone2,optional"`
	Email      string `parquet:"email,optional"`
	Address    string `parquet:"address,optional"`
	Plate      string `parquet:"plate,optional"`
	Company    string `parquet:"company,optional"`
	FirstVisit string `parquet:"first_visit,optional"`
	LastVisit  string `parquet:"last_visit,optional"`
}

type webshopRow struct {
	RecordID     string `parquet:"record_id"`
	FullName     string `parquet:"full_name,optional"`
	Email        string `parquet:"email,optional"`
	Mobile       string `parquet:"mobile,optional"`
	AddressLine1 string `parquet:"address_line1,optional"`
	AddressLine2 string `parquet:"address_line2,optional"`
	Zip          string `parquet:"zip,optional,dict"`
	Town         string `parquet:"town,optional,dict"`
	Country      string `parquet:"country,optional,dict"`
	IsGuest      string `parquet:"is_guest,optional,dict"`
	Company      string `parquet:"company,optional"`
	RegisteredAt string `parquet:"registered_at,optional"`
}

type truthRow struct {
	Silo        string `parquet:"silo,dict"`
	RecordID    string `parquet:"record_id"`
	PersonID    string `parquet:"person_id"`
	HouseholdID string `parquet:"household_id"`
	RecordFlags string `parquet:"record_flags,optional,dict"`
	PersonFlags string `parquet:"person_flags,optional,dict"`
}

// writeSilo returns what writes one silo.
func (s *rowStore) writeSilo(source int) func(ctx context.Context, w io.Writer) error {
	schema := [sourceCount]*parquet.Schema{
		crm: parquet.SchemaOf(crmRow{}), service: parquet.SchemaOf(serviceRow{}), webshop: parquet.SchemaOf(webshopRow{}),
	}[source]
	return func(ctx context.Context, w io.Writer) error {
		b := newBatch(w, schema, 1)
		err := s.eachRow(ctx, source, func(id []byte, cells []string) error {
			b.set(0, b.text(id))
			for i, c := range cells {
				b.set(i+1, c)
			}
			return b.endRow()
		})
		return b.finish(err)
	}
}

// writeTruth writes the truth of all records, by silo and record id.
func (s *rowStore) writeTruth(ctx context.Context, w io.Writer) error {
	b := newBatch(w, parquet.SchemaOf(truthRow{}), 4)
	flags := map[recordFlag]string{}
	var facts [256]string
	for f := range facts[:1<<len(personFlagNames)] {
		facts[f] = personFlag(f).String()
	}
	var id []byte
	for source, rows := range s.rows {
		for i, r := range rows {
			if i%4096 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			flagText, ok := flags[r.flags()]
			if !ok {
				flagText = r.flags().String()
				flags[r.flags()] = flagText
			}
			h, member := r.person()/16, int(r.person()%16)
			b.set(0, sourceNames[source])
			id = s.p.appendRecordID(id[:0], source, uint64(i))
			b.set(1, b.text(id))
			id = appendPersonID(id[:0], h, member)
			b.set(2, b.text(id))
			id = appendHouseholdID(id[:0], h)
			b.set(3, b.text(id))
			b.set(4, flagText)
			b.set(5, facts[r.persona()])
			if err := b.endRow(); err != nil {
				return err
			}
		}
	}
	return b.finish(nil)
}

const (
	batchRows = 2048
	groupRows = 128 << 10 // a multiple of batchRows
)

// A batch collects rows column by column. The columns are written one by one:
// the row writer of parquet-go 0.32 stores some empty optional texts as present
// (writeRowsFuncOfOptional compares a run of set bits that ends inside a word
// with the wrong mask).
type batch struct {
	w        *parquet.GenericWriter[any]
	required int // the first columns are never null
	columns  [][]parquet.Value
	rows     int // in the batch
	group    int // in the row group
	ids      arena
}

// newBatch starts a Parquet file: snappy, row groups of 128k, a fixed creator so
// that the bytes do not depend on how the program was built.
func newBatch(w io.Writer, schema *parquet.Schema, required int) *batch {
	b := &batch{required: required, columns: make([][]parquet.Value, len(schema.Columns()))}
	b.w = parquet.NewGenericWriter[any](w, schema, parquet.Compression(&parquet.Snappy), parquet.CreatedBy("sama", "generate", "1"))
	for i := range b.columns {
		b.columns[i] = make([]parquet.Value, 0, batchRows)
	}
	return b
}

// text keeps an id until the batch is written.
func (b *batch) text(id []byte) string {
	kept := b.ids.take(len(id))
	copy(kept, id)
	return unsafe.String(&kept[0], len(kept))
}

// set gives column i of the row its value; an empty text is null.
func (b *batch) set(i int, text string) {
	v := parquet.Value{}
	switch {
	case i < b.required:
		v = parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(text), len(text))).Level(0, 0, i)
	case text == "":
		v = v.Level(0, 0, i)
	default:
		v = parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(text), len(text))).Level(0, 1, i)
	}
	b.columns[i] = append(b.columns[i], v)
}

func (b *batch) endRow() error {
	if b.rows++; b.rows < batchRows {
		return nil
	}
	return b.flush()
}

func (b *batch) flush() error {
	for i, c := range b.w.ColumnWriters() {
		if _, err := c.WriteRowValues(b.columns[i]); err != nil {
			return err
		}
		b.columns[i] = b.columns[i][:0]
	}
	b.group += b.rows
	b.rows = 0
	if b.group < groupRows {
		return nil
	}
	b.group = 0
	return b.w.Flush()
}

func (b *batch) finish(err error) error {
	if err != nil {
		return err
	}
	if err := b.flush(); err != nil {
		return err
	}
	return b.w.Close()
}
