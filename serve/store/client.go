package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Role is what a client may do at all.
type Role string

// The roles.
const (
	RoleRead         Role = "read"          // profiles by id and identifier, the change feed
	RoleSearch       Role = "search"        // profiles by a partial record
	RoleWriteRecords Role = "write_records" // put and delete source records
	RoleConsents     Role = "consents"      // record consent events
	RoleSteward      Role = "steward"       // decisions, explanations
	RoleAdmin        Role = "admin"         // the privacy desk: erasures, exports of a person, the access log
)

// Roles are all roles.
var Roles = []Role{RoleRead, RoleSearch, RoleWriteRecords, RoleConsents, RoleSteward, RoleAdmin}

// Client is an application that may ask, and what it is granted.
type Client struct {
	Name     string // a lower-case word that stays its own for ever, for the access log names it
	Roles    []Role
	Purposes []string // ids of purposes
	Fields   []string // names of fields
	Sources  []string // whose records it may write; none = those that the run has
	Made     time.Time
	Revoked  time.Time // zero = it may ask
	Secrets  []SecretInfo
}

// SecretInfo says of a secret what may be known of it later.
type SecretInfo struct {
	ID      int64
	Made    time.Time
	Expires time.Time // zero = it does not
}

// Has reports whether a client has a role.
func (c *Client) Has(r Role) bool { return slices.Contains(c.Roles, r) }

// Writes reports whether a client may write records of a source; named says that
// it was granted that source by name.
func (c *Client) Writes(source string) (ok, named bool) {
	named = slices.Contains(c.Sources, source)
	return named || len(c.Sources) == 0, named
}

// ClientExistsError refuses a name that a client has or had.
type ClientExistsError struct{ Name string }

// Error says so.
func (e *ClientExistsError) Error() string {
	return fmt.Sprintf("there is a client %s, or was one; take another name, for the access log keeps this one", e.Name)
}

// NoClientError says that there is no such client that may ask.
type NoClientError struct {
	Name    string
	Revoked time.Time // zero = there never was
}

// Error says which.
func (e *NoClientError) Error() string {
	if e.Revoked.IsZero() {
		return fmt.Sprintf("there is no client %s", e.Name)
	}
	return fmt.Sprintf("client %s was revoked at %s", e.Name, e.Revoked.Format(time.RFC3339))
}

func (*ClientExistsError) aboutState() {}
func (*NoClientError) aboutState()     {}

// AddClient makes a client and returns it with its first secret, which is
// shown this once. Sources are those whose records it may write, also such as no
// run has yet; none are those that the run has. The error is a
// [*ClientExistsError] if the name is taken.
func (s *Store) AddClient(ctx context.Context, name string, roles []Role, purposes, fields []string, sources ...string) (Client, string, error) {
	c := Client{Name: name, Roles: slices.Clone(roles), Purposes: slices.Clone(purposes), Fields: slices.Clone(fields), Sources: slices.Clone(sources)}
	if err := c.check(); err != nil {
		return Client{}, "", &invalidError{err}
	}
	secret, digest, err := newSecret(s.opt.Random)
	if err != nil {
		return Client{}, "", err
	}
	err = s.transact(ctx, "adding a client to", func(t *txn) error {
		c.Made, c.Secrets = t.now, nil
		n, err := t.exec("INSERT INTO clients (name, roles, purposes, fields, sources, made) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
			c.Name, listText(c.Roles), listText(c.Purposes), listText(c.Fields), listText(c.Sources), c.Made.UnixMicro())
		if err == nil && n == 0 {
			err = &ClientExistsError{name}
		}
		if err != nil {
			return err
		}
		info, err := t.addSecret(name, digest)
		c.Secrets = append(c.Secrets, info)
		return err
	})
	if err != nil {
		return Client{}, "", err
	}
	s.clients.forget()
	return c, secret, nil
}

// ChangeClient gives a client other roles, purposes, fields and sources; its
// secrets stay. The error is a [*NoClientError] if it is none that may ask.
func (s *Store) ChangeClient(ctx context.Context, name string, roles []Role, purposes, fields []string, sources ...string) error {
	c := Client{Name: name, Roles: roles, Purposes: purposes, Fields: fields, Sources: sources}
	if err := c.check(); err != nil {
		return &invalidError{err}
	}
	return s.changeClient(ctx, name, func(t *txn) error {
		_, err := t.exec("UPDATE clients SET roles = $1, purposes = $2, fields = $3, sources = $4 WHERE name = $5",
			listText(roles), listText(purposes), listText(fields), listText(sources), name)
		return err
	})
}

// RotateSecret gives a client one more secret, which is shown this once, and
// lets its others hold for no longer than overlap. The error is a
// [*NoClientError] if it is none that may ask.
func (s *Store) RotateSecret(ctx context.Context, name string, overlap time.Duration) (string, error) {
	secret, digest, err := newSecret(s.opt.Random)
	if err != nil {
		return "", err
	}
	err = s.changeClient(ctx, name, func(t *txn) error {
		until := t.now.Add(max(0, overlap)).UnixMicro()
		if _, err := t.exec("UPDATE client_secrets SET expires = $1 WHERE client = $2 AND (expires IS NULL OR expires > $3)", until, name, until); err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM client_secrets WHERE client = $1 AND expires <= $2", name, t.now.UnixMicro()); err != nil {
			return err
		}
		_, err := t.addSecret(name, digest)
		return err
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// RevokeClient takes a client all its secrets and its right to ask, for ever.
// The error is a [*NoClientError] if it is none that may ask.
func (s *Store) RevokeClient(ctx context.Context, name string) error {
	return s.changeClient(ctx, name, func(t *txn) error {
		if _, err := t.exec("DELETE FROM client_secrets WHERE client = $1", name); err != nil {
			return err
		}
		_, err := t.exec("UPDATE clients SET revoked = $1 WHERE name = $2", t.now.UnixMicro(), name)
		return err
	})
}

// changeClient changes a client that may ask.
func (s *Store) changeClient(ctx context.Context, name string, do func(t *txn) error) error {
	err := s.transact(ctx, "changing a client in", func(t *txn) error {
		var revoked sql.NullInt64
		err := t.one("SELECT revoked FROM clients WHERE name = $1", []any{name}, &revoked)
		if errors.Is(err, sql.ErrNoRows) || err == nil && revoked.Valid {
			return &NoClientError{name, ofMicros(revoked)}
		}
		if err != nil {
			return err
		}
		if _, err := t.take(headClients, 1); err != nil {
			return err
		}
		return do(t)
	})
	if err == nil {
		s.clients.forget()
	}
	return err
}

func (t *txn) addSecret(client string, digest [32]byte) (SecretInfo, error) {
	id, err := t.take(headSecrets, 1)
	if err == nil {
		_, err = t.take(headClients, 1)
	}
	if err != nil {
		return SecretInfo{}, err
	}
	_, err = t.exec("INSERT INTO client_secrets (id, client, digest, made) VALUES ($1, $2, $3, $4)", id, client, digest[:], t.now.UnixMicro())
	return SecretInfo{ID: id, Made: t.now}, err
}

// Clients returns all clients, the revoked ones too, in order of their names.
func (s *Store) Clients(ctx context.Context) ([]Client, error) {
	var list []Client
	err := s.snapshot(ctx, func(tx *sql.Tx) error {
		all, err := readClients(ctx, tx)
		if err != nil {
			return err
		}
		for _, c := range all {
			list = append(list, c.Client)
		}
		return nil
	})
	return list, s.failed("reading clients from", err)
}

// clientSecrets is a client with the digests of its secrets, in their order.
type clientSecrets struct {
	Client
	digests [][32]byte
}

func readClients(ctx context.Context, db queryer) ([]clientSecrets, error) {
	var list []clientSecrets
	places := make(map[string]int)
	err := eachRow(ctx, db, func(rows *sql.Rows) error {
		var c clientSecrets
		var roles, purposes, fields, sources string
		var made, revoked sql.NullInt64
		if err := rows.Scan(&c.Name, &roles, &purposes, &fields, &sources, &made, &revoked); err != nil {
			return err
		}
		c.Made, c.Revoked = ofMicros(made), ofMicros(revoked)
		places[c.Name] = len(list)
		list = append(list, c)
		last := &list[len(list)-1]
		return errors.Join(ofListText(roles, &last.Roles), ofListText(purposes, &last.Purposes), ofListText(fields, &last.Fields),
			ofListText(sources, &last.Sources))
	}, "SELECT name, roles, purposes, fields, sources, made, revoked FROM clients ORDER BY name")
	if err != nil {
		return nil, err
	}
	err = eachRow(ctx, db, func(rows *sql.Rows) error {
		var info SecretInfo
		var name string
		var digest []byte
		var made, expires sql.NullInt64
		if err := rows.Scan(&info.ID, &name, &digest, &made, &expires); err != nil {
			return err
		}
		info.Made, info.Expires = ofMicros(made), ofMicros(expires)
		if len(digest) != 32 {
			return fmt.Errorf("secret %d of client %s has a digest of %d bytes, want 32", info.ID, name, len(digest))
		}
		c := &list[places[name]]
		c.Secrets = append(c.Secrets, info)
		c.digests = append(c.digests, [32]byte(digest))
		return nil
	}, "SELECT id, client, digest, made, expires FROM client_secrets ORDER BY id")
	return list, err
}

// check says everything that is wrong with a client.
func (c *Client) check() error {
	var errs []error
	if !isWord(c.Name) {
		errs = append(errs, fmt.Errorf("client %q: want a name of lower-case letters, digits, - and _, at most %d", c.Name, maxWord))
	}
	for _, r := range c.Roles {
		if !slices.Contains(Roles, r) {
			errs = append(errs, fmt.Errorf("role %q: want one of %s", r, listOf(Roles)))
		}
	}
	if len(c.Roles) == 0 {
		errs = append(errs, fmt.Errorf("the client has no role; want one or more of %s", listOf(Roles)))
	}
	for _, list := range []struct {
		what  string
		names []string
	}{{"purpose", c.Purposes}, {"field", c.Fields}, {"source", c.Sources}} {
		for i, name := range list.names {
			if name == "" || checkText(list.what, name) != nil {
				errs = append(errs, fmt.Errorf("%s %q: want a name", list.what, name))
			}
			if slices.Contains(list.names[:i], name) {
				errs = append(errs, fmt.Errorf("%s %q is there twice", list.what, name))
			}
		}
	}
	return errors.Join(errs...)
}

// maxWord is the length of the longest word.
const maxWord = 64

// isWord reports whether a text is a name as clients, kinds and the like have.
func isWord(text string) bool {
	if text == "" || len(text) > maxWord || text[0] < 'a' || text[0] > 'z' {
		return false
	}
	return strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func listOf[T ~string](list []T) string {
	var texts []string
	for _, x := range list {
		texts = append(texts, string(x))
	}
	return strings.Join(texts, ", ")
}

// listText is a list of texts as a column keeps it, a JSON array.
func listText[T ~string](list []T) string {
	if len(list) == 0 {
		return "[]"
	}
	// Texts can always be written.
	text, _ := json.Marshal(list)
	return string(text)
}

func ofListText[T ~string](text string, list *[]T) error {
	if text == "[]" {
		*list = nil
		return nil
	}
	return json.Unmarshal([]byte(text), list)
}

// eachRow calls do for every row of a query.
func eachRow(ctx context.Context, db queryer, do func(rows *sql.Rows) error, query string, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return visitRows(rows, do)
}

// visitRows visits the rows of an answer and closes it.
func visitRows(rows *sql.Rows, do func(rows *sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
