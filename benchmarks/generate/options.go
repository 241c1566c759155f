package generate

import (
	"errors"
	"fmt"
	"runtime"
)

// Options says what to make. The zero value of every field but Records is a
// usable default.
type Options struct {
	Records int     // about how many source records in all silos together
	Seed    uint64  // everything random follows from it
	Noise   Profile // how faulty the records are
	Format  Format  // how the silos are written; truth is always Parquet
	Workers int     // goroutines; 0 = cores; never changes the output
}

// MaxRecords is the largest accepted value of Options.Records: household
// numbers stay below 2^26, which the 64-bit arithmetic of dealing relies on.
const MaxRecords = 150_000_000

// Validate returns every problem of the options at once.
func (o Options) Validate() error {
	var errs []error
	if o.Records < 1 || o.Records > MaxRecords {
		errs = append(errs, fmt.Errorf("records: %d is outside 1 to %d", o.Records, MaxRecords))
	}
	if o.Noise >= profileCount {
		errs = append(errs, fmt.Errorf("noise: no profile %d; profiles are clean, normal and dirty", o.Noise))
	}
	if o.Format >= formatCount {
		errs = append(errs, fmt.Errorf("format: no format %d; formats are parquet, csv and mixed", o.Format))
	}
	if o.Workers < 0 {
		errs = append(errs, fmt.Errorf("workers: %d is negative", o.Workers))
	}
	return errors.Join(errs...)
}

func (o Options) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// Profile is a level of noise: a factor on every rate of error, junk and hub
// values. Missing values, formats, shared contact points and events of life do
// not depend on it.
type Profile uint8

// The profiles. Normal is the default.
const (
	Normal Profile = iota // factor 1
	Clean                 // factor 0
	Dirty                 // factor 1.5

	profileCount
)

var profileNames = [profileCount]string{Normal: "normal", Clean: "clean", Dirty: "dirty"}

// shift returns the factor on the rates of noise.
func (p Profile) shift() float64 { return [profileCount]float64{Normal: 1, Clean: 0, Dirty: 1.5}[p] }

// String returns the profile's name.
func (p Profile) String() string { return nameOf(profileNames[:], int(p), "profile") }

// MarshalText implements encoding.TextMarshaler.
func (p Profile) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Profile) UnmarshalText(text []byte) error {
	i, err := indexOf(profileNames[:], string(text), "noise profile")
	*p = Profile(i)
	return err
}

// Format is how the silos are written.
type Format uint8

// The formats. Parquet is the default.
const (
	Parquet Format = iota // crm, service and webshop as Parquet, snappy
	CSV                   // crm with commas; webshop with semicolons; service with tabs, byte order mark and CRLF; all UTF-8
	Mixed                 // crm Parquet, webshop gzipped CSV with semicolons, service JSON Lines

	formatCount
)

var formatNames = [formatCount]string{Parquet: "parquet", CSV: "csv", Mixed: "mixed"}

// String returns the format's name.
func (f Format) String() string { return nameOf(formatNames[:], int(f), "format") }

// MarshalText implements encoding.TextMarshaler.
func (f Format) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *Format) UnmarshalText(text []byte) error {
	i, err := indexOf(formatNames[:], string(text), "format")
	*f = Format(i)
	return err
}

func nameOf(names []string, i int, what string) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%s(%d)", what, i)
}

func indexOf(names []string, text, what string) (int, error) {
	for i, n := range names {
		if n == text {
			return i, nil
		}
	}
	return 0, fmt.Errorf("unknown %s %q; choose one of %v", what, text, names)
}
