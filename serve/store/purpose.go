package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Purpose is one version of a purpose for which data may be asked. The state
// keeps its body as it is and does not look into it.
type Purpose struct {
	ID      string // a lower-case word
	Version int64  // from 1
	Body    []byte // a JSON object
	By      string // who entered this version
	Made    time.Time
}

// NoPurposeError says that there is no such purpose, or no such version.
type NoPurposeError struct {
	ID      string
	Version int64 // 0 = any
}

// Error says which.
func (e *NoPurposeError) Error() string {
	if e.Version == 0 {
		return fmt.Sprintf("there is no purpose %s", e.ID)
	}
	return fmt.Sprintf("there is no version %d of purpose %s", e.Version, e.ID)
}

func (*NoPurposeError) aboutState() {}

// PutPurpose enters a purpose, as its next version, and returns it. A body that
// is byte for byte that of the newest version changes nothing: that one is
// returned. Old versions stay, for consents refer to them.
func (s *Store) PutPurpose(ctx context.Context, id string, body []byte, by string) (Purpose, error) {
	p := Purpose{ID: id, Body: bytes.Clone(body), By: by}
	if err := p.check(); err != nil {
		return Purpose{}, &invalidError{err}
	}
	err := s.transact(ctx, "entering a purpose into", func(t *txn) error {
		newest, err := purposeOf(t.ctx, t.tx, id, 0)
		if _, none := errors.AsType[*NoPurposeError](err); err != nil && !none {
			return err
		}
		if err == nil && bytes.Equal(newest.Body, p.Body) {
			p = newest
			return nil
		}
		p.Version, p.Made = newest.Version+1, t.now
		if _, err := t.take(headPurposes, 1); err != nil {
			return err
		}
		_, err = t.exec("INSERT INTO purposes ("+purposeColumns+") VALUES ($1, $2, $3, $4, $5)", p.ID, p.Version, p.Body, p.By, p.Made.UnixMicro())
		return err
	})
	if err != nil {
		return Purpose{}, err
	}
	return p, nil
}

func (p *Purpose) check() error {
	var errs []error
	if !isWord(p.ID) {
		errs = append(errs, fmt.Errorf("purpose %q: want an id of lower-case letters, digits, - and _, at most %d", p.ID, maxWord))
	}
	if p.By == "" {
		errs = append(errs, errors.New("nobody is named as the one who enters the purpose"))
	}
	if err := checkText("name", p.By); err != nil {
		errs = append(errs, err)
	}
	if !isObject(p.Body) {
		errs = append(errs, fmt.Errorf("purpose %s: want a JSON object", p.ID))
	}
	return errors.Join(errs...)
}

// isObject reports whether bytes are one JSON object.
func isObject(body []byte) bool {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(body)
}

// Purposes returns the newest version of every purpose, in order of their ids.
func (s *Store) Purposes(ctx context.Context) ([]Purpose, error) {
	list, err := readPurposes(ctx, s.read, "SELECT "+purposeColumns+" FROM purposes AS p WHERE version = (SELECT MAX(version) FROM purposes WHERE id = p.id) ORDER BY id")
	return list, s.failed("reading purposes from", err)
}

// PurposeVersions returns every version of a purpose, the first one first.
func (s *Store) PurposeVersions(ctx context.Context, id string) ([]Purpose, error) {
	list, err := readPurposes(ctx, s.read, "SELECT "+purposeColumns+" FROM purposes WHERE id = $1 ORDER BY version", id)
	return list, s.failed("reading purposes from", err)
}

// Purpose returns a version of a purpose, the newest if version is 0. The error
// is a [*NoPurposeError] if there is none.
func (s *Store) Purpose(ctx context.Context, id string, version int64) (Purpose, error) {
	p, err := purposeOf(ctx, s.read, id, version)
	return p, s.failed("reading purposes from", err)
}

func purposeOf(ctx context.Context, db queryer, id string, version int64) (Purpose, error) {
	query, args := "SELECT "+purposeColumns+" FROM purposes WHERE id = $1", []any{id}
	if version != 0 {
		query, args = query+" AND version = $2", append(args, version)
	}
	list, err := readPurposes(ctx, db, query+" ORDER BY version DESC LIMIT 1", args...)
	if err == nil && len(list) == 0 {
		err = &NoPurposeError{id, version}
	}
	if err != nil {
		return Purpose{}, err
	}
	return list[0], nil
}

const purposeColumns = "id, version, body, made_by, made"

func readPurposes(ctx context.Context, db queryer, query string, args ...any) ([]Purpose, error) {
	var list []Purpose
	err := eachRow(ctx, db, func(rows *sql.Rows) error {
		var p Purpose
		var made sql.NullInt64
		if err := rows.Scan(&p.ID, &p.Version, &p.Body, &p.By, &made); err != nil {
			return err
		}
		p.Made = ofMicros(made)
		list = append(list, p)
		return nil
	}, query, args...)
	return list, err
}
