package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/parquet-go/parquet-go"
)

// The rows of the generated silos, as a Go program would declare them.

type crmRow struct {
	RecordID      string `parquet:"record_id"`
	FirstNames    string `parquet:"first_names,optional"`
	LastName      string `parquet:"last_name,optional"`
	BirthDate     string `parquet:"birth_date,optional"`
	Gender        string `parquet:"gender,optional"`
	Email         string `parquet:"email,optional"`
	Phone         string `parquet:"phone,optional"`
	StreetAddress string `parquet:"street_address,optional"`
	PostalCode    string `parquet:"postal_code,optional"`
	City          string `parquet:"city,optional"`
	Language      string `parquet:"language,optional"`
	CustomerType  string `parquet:"customer_type,optional"`
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
	Zip          string `parquet:"zip,optional"`
	Town         string `parquet:"town,optional"`
	Country      string `parquet:"country,optional"`
	IsGuest      string `parquet:"is_guest,optional"`
	Company      string `parquet:"company,optional"`
	RegisteredAt string `parquet:"registered_at,optional"`
}

// readerWord makes this binary the plain reader.
const readerWord = "speed:read-files"

// reader, in a process started as the plain reader, reads the files named by the
// arguments, prints the number of rows and does not return.
func reader() {
	if len(os.Args) < 2 || os.Args[1] != readerWord {
		return
	}
	rows, err := readAll(os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(rows)
	os.Exit(0)
}

// readers read a whole file and return its number of rows, by the file's name.
var readers = map[string]func(path string) (int64, error){
	"crm.parquet":     readRows[crmRow],
	"service.parquet": readRows[serviceRow],
	"webshop.parquet": readRows[webshopRow],
}

// readAll reads generated silos one after another and returns the number of
// rows.
func readAll(files []string) (int64, error) {
	var rows int64
	for _, path := range files {
		read := readers[filepath.Base(path)]
		if read == nil {
			return 0, fmt.Errorf("%s is none of the generated silos", path)
		}
		n, err := read(path)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		rows += n
	}
	return rows, nil
}

// readRows reads a file into structs, batch by batch, and drops them.
func readRows[T any](path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := parquet.NewGenericReader[T](f)
	defer r.Close()
	batch := make([]T, 1024)
	var rows int64
	for {
		n, err := r.Read(batch)
		rows += int64(n)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
	}
}
