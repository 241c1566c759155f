package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// prepared are statements for reading that are parsed once a connection. The
// zero value is ready.
type prepared struct {
	mu sync.RWMutex
	of map[string]*sql.Stmt
}

// queryPrepared reads with a statement of which there are few, each asked often.
func (s *Store) queryPrepared(ctx context.Context, query string, do func(rows *sql.Rows) error, args ...any) error {
	p := &s.prepared
	p.mu.RLock()
	stmt := p.of[query]
	p.mu.RUnlock()
	if stmt == nil {
		var err error
		if stmt, err = p.add(ctx, s.read, query); err != nil {
			return err
		}
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	return visitRows(rows, do)
}

func (p *prepared) add(ctx context.Context, db *sql.DB, query string) (*sql.Stmt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if stmt := p.of[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if p.of == nil {
		p.of = make(map[string]*sql.Stmt)
	}
	p.of[query] = stmt
	return stmt, nil
}

func (p *prepared) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, stmt := range p.of {
		errs = append(errs, stmt.Close())
	}
	p.of = nil
	return errors.Join(errs...)
}
