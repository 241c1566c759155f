package generate

import (
	"context"
	"io"

	"github.com/parquet-go/parquet-go"
)

// The rows of the Parquet files. Empty texts are null. Columns of few values
// have dictionaries.

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

func (s *rowStore) writeCRM(ctx context.Context, w io.Writer) error {
	b := newBatch[crmRow](w)
	err := s.eachRow(ctx, crm, func(id []byte, c []string) error {
		return b.add(crmRow{b.text(id), c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13]})
	})
	return b.finish(err)
}

func (s *rowStore) writeService(ctx context.Context, w io.Writer) error {
	b := newBatch[serviceRow](w)
	err := s.eachRow(ctx, service, func(id []byte, c []string) error {
		return b.add(serviceRow{b.text(id), c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9]})
	})
	return b.finish(err)
}

func (s *rowStore) writeWebshop(ctx context.Context, w io.Writer) error {
	b := newBatch[webshopRow](w)
	err := s.eachRow(ctx, webshop, func(id []byte, c []string) error {
		return b.add(webshopRow{b.text(id), c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10]})
	})
	return b.finish(err)
}

// writeTruth writes the truth of all records, by silo and record id.
func (s *rowStore) writeTruth(ctx context.Context, w io.Writer) error {
	b := newBatch[truthRow](w)
	flags := map[recordFlag]string{}
	var facts [256]string
	for f := range facts[:1<<len(personFlagNames)] {
		facts[f] = personFlag(f).String()
	}
	var text []byte
	id := func(write func(b []byte) []byte) string {
		text = write(text[:0])
		return b.text(text)
	}
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
			err := b.add(truthRow{
				Silo:        sourceNames[source],
				RecordID:    id(func(b []byte) []byte { return s.p.appendRecordID(b, source, uint64(i)) }),
				PersonID:    id(func(b []byte) []byte { return appendPersonID(b, h, member) }),
				HouseholdID: id(func(b []byte) []byte { return appendHouseholdID(b, h) }),
				RecordFlags: flagText,
				PersonFlags: facts[r.persona()],
			})
			if err != nil {
				return err
			}
		}
	}
	return b.finish(nil)
}

const (
	batchRows = 1024
	groupRows = 128 << 10
)

// A batch collects rows for the writer, which copies them.
type batch[T any] struct {
	w    *parquet.GenericWriter[T]
	rows []T
	ids  arena
}

// newBatch starts a Parquet file: snappy, row groups of 128k, a fixed creator so
// that the bytes do not depend on how the program was built.
func newBatch[T any](w io.Writer) *batch[T] {
	return &batch[T]{w: parquet.NewGenericWriter[T](w,
		parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(groupRows), parquet.CreatedBy("sama", "generate", "1"))}
}

// text keeps an id until the batch is written.
func (b *batch[T]) text(id []byte) string {
	kept := b.ids.take(len(id))
	copy(kept, id)
	return unsafeString(kept)
}

func (b *batch[T]) add(r T) error {
	if b.rows = append(b.rows, r); len(b.rows) < batchRows {
		return nil
	}
	return b.flush()
}

func (b *batch[T]) flush() error {
	_, err := b.w.Write(b.rows)
	b.rows = b.rows[:0]
	return err
}

func (b *batch[T]) finish(err error) error {
	if err != nil {
		return err
	}
	if err := b.flush(); err != nil {
		return err
	}
	return b.w.Close()
}
