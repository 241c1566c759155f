package ingest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sama/ingest/normalize"
	"sama/record"
)

// Role says what a column of a source is: a field by its name ("email"), or
// one of the words below.
type Role string

// The roles that are no field of their own. Compound ones are taken apart or
// put together when the table is built.
const (
	RoleIgnore      Role = "ignore"       // not read into the table
	RoleKey         Role = "key"          // names the records
	RoleCarried     Role = "carried"      // carried along to the golden record as it is
	RoleFullName    Role = "full_name"    // given and family names in one
	RoleMiddleName  Role = "middle_name"  // appended to the given names
	RoleFullAddress Role = "full_address" // street, postal code and city in one
	RoleAddressLine Role = "address_line" // street with number and unit; lines of one source are read together
	RoleLocality    Role = "locality"     // postal code and city in one
	RoleBirthDay    Role = "birth_day"
	RoleBirthMonth  Role = "birth_month"
	RoleBirthYear   Role = "birth_year"
)

// compoundRoles are the roles that are neither a field nor handled before the
// columns are read.
var compoundRoles = []Role{RoleFullName, RoleMiddleName, RoleFullAddress, RoleAddressLine, RoleLocality, RoleBirthDay, RoleBirthMonth, RoleBirthYear}

// Mapping says for every source which column is what. It is proposed by
// [Propose], written into sama.yaml, and obeyed by [Build].
type Mapping struct {
	Sources []SourceMapping `yaml:"sources" json:"sources"`
}

// SourceMapping is the mapping of one source.
type SourceMapping struct {
	Source  string          `yaml:"source" json:"source"`
	Key     string          `yaml:"key,omitempty" json:"key,omitempty"` // the column that names the records; the columns of a source that are not listed are carried
	Columns []ColumnMapping `yaml:"columns,omitempty" json:"columns,omitempty"`

	// Mode is ModeDelta where the files hold only the records that changed since
	// the previous run; "" and ModeFull: they hold all.
	Mode string `yaml:"mode,omitempty" json:"mode,omitempty" jsonschema:"enum=full,enum=delta"`
	// Deleted is how a delta marks the records that are gone, nil = not at all.
	Deleted *DeleteMark `yaml:"deleted,omitempty" json:"deleted,omitempty"`
	// Deletes are files of the keys of records that are gone, one a row.
	Deletes []string `yaml:"deletes,omitempty" json:"deletes,omitempty"`
}

// The modes of a source.
const (
	ModeFull  = "full"
	ModeDelta = "delta"
)

// DeleteMark is a column whose value marks the records of a delta that are gone.
type DeleteMark struct {
	Column string   `yaml:"column" json:"column"`
	Values []string `yaml:"values,omitempty" json:"values,omitempty"` // none = true, t, yes, y, 1, d, delete, deleted
}

// ColumnMapping is the mapping of one column.
type ColumnMapping struct {
	Column string `yaml:"column" json:"column"`
	As     Role   `yaml:"as" json:"as"`
	Layout string `yaml:"layout,omitempty" json:"layout,omitempty"` // dates: YMD, DMY or MDY; phones: the region of national numbers, such as FI
	Why    string `yaml:"why,omitempty" json:"why,omitempty"`       // why it was proposed; has no effect

	// Of consents: what for, "" = marketing; through which channel, "" = any; and
	// whether the column says no where others say yes, as do_not_call does.
	Purpose  string `yaml:"purpose,omitempty" json:"purpose,omitempty"`
	Channel  string `yaml:"channel,omitempty" json:"channel,omitempty"`
	Inverted bool   `yaml:"inverted,omitempty" json:"inverted,omitempty"`
}

// Note is something about a proposal that a person should read.
type Note struct {
	Source, Column string
	Text           string
}

// String returns "source.column: text", or the text alone where it is about all.
func (n Note) String() string {
	where := n.Source
	if n.Column != "" {
		where += "." + n.Column
	}
	if where == "" {
		return n.Text
	}
	return where + ": " + n.Text
}

// Roles returns every role, in the order of the documentation.
func Roles() []Role {
	roles := []Role{RoleIgnore, RoleKey}
	for _, f := range record.Fields() {
		roles = append(roles, Role(f.String()))
	}
	return append(roles, compoundRoles...)
}

func (r Role) known() bool {
	_, field := r.Field()
	return field || r == RoleIgnore || r == RoleKey || slices.Contains(compoundRoles, r)
}

// Field returns the field that a role names; ok is false for ignore, key and
// the compound roles.
func (r Role) Field() (f record.Field, ok bool) {
	return record.FieldNamed(string(r))
}

// Validate returns every problem of the mapping with the sources, in order.
func (m Mapping) Validate(raws []*Raw) []error {
	var errs []error
	sources := make(map[string]*Raw, len(raws))
	for _, r := range raws {
		sources[r.Source] = r
	}
	seen := make(map[string]bool)
	for _, s := range m.Sources {
		r := sources[s.Source]
		switch {
		case r == nil:
			errs = append(errs, fmt.Errorf("mapping: source %q is not among the inputs", s.Source))
			continue
		case seen[s.Source]:
			errs = append(errs, fmt.Errorf("mapping: source %q is listed twice", s.Source))
			continue
		}
		seen[s.Source] = true
		errs = append(errs, s.validate(r)...)
	}
	for _, r := range raws {
		if !seen[r.Source] {
			errs = append(errs, fmt.Errorf("mapping: source %q is missing; add it or run sama init", r.Source))
		}
	}
	return errs
}

func (s SourceMapping) validate(r *Raw) []error {
	var errs []error
	names := columnNames(r)
	if s.Key == "" {
		errs = append(errs, fmt.Errorf("source %s: no key column; name the column that is unique and complete with --key (columns: %s)", s.Source, strings.Join(names, ", ")))
	} else if !slices.Contains(names, s.Key) {
		errs = append(errs, fmt.Errorf("source %s: key column %q does not exist (columns: %s)", s.Source, s.Key, strings.Join(names, ", ")))
	}
	seen := make(map[string]bool)
	for _, c := range s.Columns {
		switch {
		case !slices.Contains(names, c.Column):
			errs = append(errs, fmt.Errorf("source %s: column %q does not exist (columns: %s)", s.Source, c.Column, strings.Join(names, ", ")))
		case seen[c.Column]:
			errs = append(errs, fmt.Errorf("source %s: column %q is mapped twice", s.Source, c.Column))
		case !c.As.known():
			errs = append(errs, fmt.Errorf("source %s, column %q: unknown role %q; want one of %v", s.Source, c.Column, c.As, Roles()))
		default:
			if err := cmp.Or(c.checkLayout(), c.checkConsent()); err != nil {
				errs = append(errs, fmt.Errorf("source %s, column %q: %w", s.Source, c.Column, err))
			}
		}
		seen[c.Column] = true
	}
	return errs
}

func (c ColumnMapping) checkLayout() error {
	if c.Layout == "" {
		return nil
	}
	if c.As == Role(record.Phone.String()) {
		if !normalize.KnownRegionCode(c.Layout) {
			return fmt.Errorf("unknown region %q of telephone numbers; want a country code such as FI", c.Layout)
		}
		return nil
	}
	_, err := normalize.ParseOrder(c.Layout)
	return err
}

func columnNames(r *Raw) []string {
	names := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		names[i] = c.Name
	}
	return names
}
