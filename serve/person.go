package serve

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"sama/serve/api"
	"sama/serve/consent"
)

// maxAccessRows is how many rows of the access log a person's copy has.
const maxAccessRows = 100_000

// personCopy is everything that is held about a person.
type personCopy struct {
	about    personAbout
	records  []SourceRecord
	golden   []goldenCopy
	consents []api.ConsentEvent
	access   []api.AccessEntry
}

// personAbout says what a copy is of.
type personAbout struct {
	IdentityID string    `json:"identity_id"`
	Aliases    []string  `json:"aliases"`
	RunID      string    `json:"run_id"`
	Made       time.Time `json:"made"`
	Files      []string  `json:"files"`
}

// goldenCopy is one value of the golden record with where it comes from.
type goldenCopy struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	Source   string `json:"source"`
	RecordID string `json:"record_id"`
	Rule     string `json:"rule"`
}

// recordCopy is a source record in the portable file.
type recordCopy struct {
	Source   string            `json:"source"`
	RecordID string            `json:"record_id"`
	Values   map[string]string `json:"values"`
}

// ExportPerson answers POST /v1/exports/person. The copy is for the person: it
// holds all there is, and what a purpose needs has no say in it. The portable
// files have what the person and the sources gave (GDPR Art. 20), the others
// what was made of it and by whom it was seen (Art. 15).
func (s *Server) ExportPerson(ctx context.Context, q api.ExportPersonRequestObject) (api.ExportPersonResponseObject, error) {
	e, err := s.engineOf(ctx)
	if err != nil {
		return nil, err
	}
	id, err := one(ctx, e, q.Body)
	if err != nil {
		return nil, err
	}
	seenOf(ctx).identity = id
	c, err := s.personCopy(ctx, e, id)
	if err != nil {
		return nil, err
	}
	text, err := c.zip()
	if err != nil {
		return nil, err
	}
	return api.ExportPerson200ApplicationzipResponse{Body: bytes.NewReader(text), ContentLength: int64(len(text))}, nil
}

func consentCopies(events []consent.Event) []api.ConsentEvent {
	out := make([]api.ConsentEvent, len(events))
	for i := range events {
		out[i] = recorded(&events[i])
	}
	return out
}

// zip writes the copy.
func (c *personCopy) zip() ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range []struct {
		name  string
		write func() ([]byte, error)
	}{
		{"portable/records.json", func() ([]byte, error) { return indented(c.portable()) }},
		{"portable/records.csv", c.recordsCSV},
		{"held/golden.json", func() ([]byte, error) { return indented(c.golden) }},
		{"held/golden.csv", c.goldenCSV},
		{"held/consents.json", func() ([]byte, error) { return indented(c.consents) }},
		{"held/consents.csv", c.consentsCSV},
		{"held/access.json", func() ([]byte, error) { return indented(c.access) }},
		{"held/access.csv", c.accessCSV},
	} {
		text, err := f.write()
		if err != nil {
			return nil, err
		}
		if err := c.add(z, f.name, text); err != nil {
			return nil, err
		}
		c.about.Files = append(c.about.Files, f.name)
	}
	text, err := indented(c.about)
	if err != nil {
		return nil, err
	}
	if err := c.add(z, "about.json", text); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (c *personCopy) add(z *zip.Writer, name string, text []byte) error {
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: c.about.Made})
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}

func (c *personCopy) portable() []recordCopy {
	out := make([]recordCopy, len(c.records))
	for i, r := range c.records {
		out[i] = recordCopy{r.Key.Source, r.Key.ID, make(map[string]string, len(r.Values))}
		for _, v := range r.Values {
			out[i].Values[v.Column] = v.Value
		}
	}
	return out
}

func (c *personCopy) recordsCSV() ([]byte, error) {
	rows := [][]string{{"source", "record_id", "column", "value"}}
	for _, r := range c.records {
		for _, v := range r.Values {
			rows = append(rows, []string{r.Key.Source, r.Key.ID, v.Column, v.Value})
		}
	}
	return csvText(rows)
}

func (c *personCopy) goldenCSV() ([]byte, error) {
	rows := [][]string{{"column", "value", "source", "record_id", "rule"}}
	for _, v := range c.golden {
		rows = append(rows, []string{v.Name, v.Value, v.Source, v.RecordID, v.Rule})
	}
	return csvText(rows)
}

func (c *personCopy) consentsCSV() ([]byte, error) {
	rows := [][]string{{"at", "purpose", "channel", "controller", "act", "authenticated", "source", "anchor", "text_version", "receipt"}}
	for i := range c.consents {
		e := &c.consents[i]
		rows = append(rows, []string{e.At.Format(time.RFC3339), e.Purpose, or(e.Channel), or(e.Controller), e.Act, string(e.Authenticated), e.Source, e.Anchor, or(e.TextVersion), or(e.Receipt)})
	}
	return csvText(rows)
}

func (c *personCopy) accessCSV() ([]byte, error) {
	rows := [][]string{{"sequence", "at", "client", "purpose", "what", "job", "fields"}}
	for i := range c.access {
		a := &c.access[i]
		rows = append(rows, []string{strconv.FormatInt(a.Sequence, 10), a.At.Format(time.RFC3339), a.Client, a.Purpose, a.What, or(a.Job), strings.Join(a.Fields, " ")})
	}
	return csvText(rows)
}

// csvText writes rows. A value that a spreadsheet would take for a formula gets
// an apostrophe before it; the JSON file has it as it is.
func csvText(rows [][]string) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	for _, row := range rows {
		for i, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				row[i] = "'" + cell
			}
		}
		if err := w.Write(row); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

func indented(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return out.Bytes(), err
}
