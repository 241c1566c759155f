package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations/*.sql
var migrations embed.FS

// versionTable is the table in which the applied migrations stand, and by
// which a state is told from any other database.
const versionTable = "sama_schema"

// bringUpToDate applies the migrations that a state lacks. Several processes
// may try at once: each migration is one transaction that also enters its
// number, which is unique, so that one of them wins and the others find it
// done.
//
// Where there is no state and create is false, the error is ErrNoState.
func (s *Store) bringUpToDate(ctx context.Context, create bool) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	all, err := goose.NewProvider(s.dialect.goose, s.write, scripts{files, s.dialect.schema},
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	sources := all.ListSources()
	newest := sources[len(sources)-1].Version
	at, err := s.version(ctx)
	if err != nil {
		return err
	}
	if at > newest {
		return &NewerError{s.location, at, newest}
	}
	if at < 0 {
		if s.dialect.server && !create {
			return ErrNoState
		}
		if err := s.makeVersionTable(ctx); err != nil {
			return err
		}
	}
	if err := s.dialect.settle(ctx, s.write, s.opt); err != nil {
		return err
	}
	for at < newest {
		_, failed := all.Up(ctx)
		now, err := s.version(ctx)
		if err != nil {
			return err
		}
		if now > newest {
			return &NewerError{s.location, now, newest}
		}
		if now == at && failed != nil {
			return failed
		}
		at = now
	}
	return nil
}

// scripts are the migrations as a database wants them.
type scripts struct {
	fs.FS
	schema func(sql string) string
}

// Open opens a migration, or the folder.
func (x scripts) Open(name string) (fs.File, error) {
	f, err := x.FS.Open(name)
	if err != nil || path.Ext(name) != ".sql" {
		return f, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &script{f, strings.NewReader(x.schema(string(text)))}, nil
}

// script is one migration.
type script struct {
	fs.File
	text *strings.Reader
}

// Read reads the text.
func (f *script) Read(p []byte) (int, error) { return f.text.Read(p) }

// version returns the number of the newest migration that the state has, −1 if
// the database is empty.
func (s *Store) version(ctx context.Context) (int64, error) {
	names, err := s.dialect.tables(ctx, s.write)
	if err != nil {
		return 0, err
	}
	if len(names) == 0 {
		return -1, nil
	}
	if !slices.Contains(names, versionTable) {
		return 0, errors.New(s.dialect.foreign)
	}
	var at int64
	err = s.write.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+versionTable).Scan(&at)
	return at, err
}

// makeVersionTable makes the table that goose would make, with version numbers
// that cannot be entered twice.
func (s *Store) makeVersionTable(ctx context.Context) error {
	versions, err := database.NewStore(s.dialect.goose, versionTable)
	if err != nil {
		return err
	}
	return s.change(ctx, "making", func(tx *sql.Tx) error {
		names, err := s.dialect.tables(ctx, tx)
		if err != nil || slices.Contains(names, versionTable) {
			return err
		}
		s.created = s.created || s.dialect.server
		if err := versions.CreateVersionTable(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("CREATE UNIQUE INDEX %[1]s_version ON %[1]s (version_id)", versionTable)); err != nil {
			return err
		}
		return versions.Insert(ctx, tx, database.InsertRequest{Version: 0})
	})
}
