package serve

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

//go:embed docs.html
var docsTemplate string

//go:embed docs.css
var docsStyle string

// docsPolicy lets the page of the contract have its own style, by its hash, and
// nothing else.
var docsPolicy = func() string {
	sum := sha256.Sum256([]byte(docsStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// docsPage renders the contract as one page.
func docsPage(c *contract) ([]byte, error) {
	t, err := template.New("docs").Funcs(template.FuncMap{
		"paragraphs": func(text string) []string { return strings.Split(strings.TrimSpace(text), "\n\n") },
		"lower":      strings.ToLower,
		"code":       codeParts,
	}).Parse(docsTemplate)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, docsOf(c))
	return out.Bytes(), err
}

// docs is the contract as the page shows it.
type docs struct {
	Style                       template.CSS
	Title, Version, Description string
	Tags                        []docsTag
	Schemas                     []docsSchema
}

type docsTag struct {
	Name, Description string
	Operations        []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, Description string
	Params                                 []docsField
	Body                                   string // schema
	Example                                string
	Responses                              []docsResponse
}

type docsField struct {
	Name, In, Type, Ref, Description string
	Required                         bool
}

type docsResponse struct{ Status, Description, Media, Ref string }

type docsSchema struct {
	Name, Type, Description, Example string
	Fields                           []docsField
}

// docsOf takes apart what the page shows.
func docsOf(c *contract) docs {
	d := docs{Style: template.CSS(docsStyle), Title: c.doc.Info.Title, Version: c.doc.Info.Version, Description: c.doc.Info.Description}
	for _, tag := range c.doc.Tags {
		t := docsTag{Name: tag.Name, Description: tag.Description}
		for _, op := range c.operations {
			if op.tag == tag.Name {
				t.Operations = append(t.Operations, docsOperationOf(op))
			}
		}
		d.Tags = append(d.Tags, t)
	}
	var names []string
	for name := range c.doc.Components.Schemas {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		schema := c.doc.Components.Schemas[name].Value
		s := docsSchema{Name: name, Type: typeOf(schema), Description: schema.Description, Example: exampleOf(schema.Example)}
		s.Fields = fieldsOf(schema)
		d.Schemas = append(d.Schemas, s)
	}
	return d
}

func docsOperationOf(op *operation) docsOperation {
	o := docsOperation{ID: op.id, Method: op.method, Path: op.path, Summary: op.spec.Summary, Description: op.spec.Description}
	for _, p := range op.spec.Parameters {
		v := p.Value
		o.Params = append(o.Params, docsField{Name: v.Name, In: v.In, Type: typeOf(v.Schema.Value), Ref: refName(v.Schema.Ref), Description: v.Description, Required: v.Required})
	}
	if op.spec.RequestBody != nil {
		media := op.spec.RequestBody.Value.Content.Get("application/json")
		o.Body = refName(media.Schema.Ref)
		o.Example = exampleOf(media.Schema.Value.Example)
	}
	statuses := make([]string, 0, op.spec.Responses.Len())
	for status := range op.spec.Responses.Map() {
		statuses = append(statuses, status)
	}
	slices.Sort(statuses)
	for _, status := range statuses {
		v := op.spec.Responses.Value(status).Value
		r := docsResponse{Status: status, Description: *v.Description}
		for _, media := range sortedKeys(v.Content) {
			r.Media, r.Ref = media, refName(v.Content[media].Schema.Ref)
			break
		}
		o.Responses = append(o.Responses, r)
	}
	return o
}

func sortedKeys(content openapi3.Content) []string {
	keys := make([]string, 0, len(content))
	for k := range content {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// fieldsOf are the properties of a schema, the required ones first.
func fieldsOf(s *openapi3.Schema) []docsField {
	var names []string
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if ra, rb := slices.Contains(s.Required, a), slices.Contains(s.Required, b); ra != rb {
			if ra {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	var out []docsField
	for _, name := range names {
		p := s.Properties[name]
		f := docsField{Name: name, Type: typeOf(p.Value), Ref: refName(p.Ref), Description: p.Value.Description, Required: slices.Contains(s.Required, name)}
		if f.Ref == "" && len(p.Value.AllOf) == 1 {
			f.Ref = refName(p.Value.AllOf[0].Ref)
		}
		if p.Value.Items != nil {
			f.Ref = refName(p.Value.Items.Ref)
		}
		out = append(out, f)
	}
	return out
}

// typeOf says in words what a schema is.
func typeOf(s *openapi3.Schema) string {
	text := ""
	if s.Type != nil {
		text = strings.Join(s.Type.Slice(), " or ")
	}
	if s.Format != "" {
		text += " (" + s.Format + ")"
	}
	if len(s.Enum) > 0 {
		var words []string
		for _, v := range s.Enum {
			words = append(words, strings.Trim(exampleOf(v), `"`))
		}
		text += ": " + strings.Join(words, ", ")
	}
	return text
}

func refName(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

func exampleOf(v any) string {
	if v == nil {
		return ""
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if e.Encode(v) != nil {
		return ""
	}
	return strings.TrimSpace(out.String())
}

// codePart is a piece of a text, in backquotes or not.
type codePart struct {
	Text string
	Code bool
}

// codeParts parts a text at its backquotes, and drops the stars of Markdown.
func codeParts(text string) []codePart {
	var out []codePart
	for i, part := range strings.Split(text, "`") {
		if i%2 == 0 {
			part = strings.ReplaceAll(part, "**", "")
		}
		out = append(out, codePart{part, i%2 == 1})
	}
	return out
}
