package serve

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"sama/serve/api"

	"github.com/getkin/kin-openapi/openapi3"
)

// contractText is the contract as it is served.
//
//go:embed openapi.yaml
var contractText []byte

// contract is the API as openapi.yaml has it: what requests are held against.
type contract struct {
	doc        *openapi3.T
	operations []*operation
	byPattern  map[string]*operation
}

// operation is one method of one path.
type operation struct {
	id       string
	method   string
	path     string
	tag      string
	open     bool // without authentication
	produces []string
	params   []parameter
	body     *openapi3.Schema // nil if it takes none
	spec     *openapi3.Operation
}

// parameter is one parameter of an operation.
type parameter struct {
	name, in string
	required bool
	schema   *openapi3.Schema
}

// pattern is the operation in the language of http.ServeMux.
func (o *operation) pattern() string { return o.method + " " + o.path }

// readContract reads openapi.yaml.
func readContract() (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(contractText)
	if err != nil {
		return nil, fmt.Errorf("the contract: %w", err)
	}
	c := &contract{doc: doc, byPattern: make(map[string]*operation)}
	for path, item := range doc.Paths.Map() {
		for method, spec := range item.Operations() {
			o := &operation{id: spec.OperationID, method: method, path: path, tag: spec.Tags[0], spec: spec,
				open: spec.Security != nil && len(*spec.Security) == 0}
			o.read(spec)
			c.operations = append(c.operations, o)
			c.byPattern[o.pattern()] = o
		}
	}
	slices.SortFunc(c.operations, func(a, b *operation) int { return strings.Compare(a.pattern(), b.pattern()) })
	return c, nil
}

// read takes what requests are held against out of the contract.
func (o *operation) read(spec *openapi3.Operation) {
	for _, p := range spec.Parameters {
		o.params = append(o.params, parameter{p.Value.Name, p.Value.In, p.Value.Required, p.Value.Schema.Value})
	}
	if spec.RequestBody != nil {
		o.body = spec.RequestBody.Value.Content.Get("application/json").Schema.Value
	}
	for status, response := range spec.Responses.Map() {
		if status[0] != '2' {
			continue
		}
		for media := range response.Value.Content {
			o.produces = append(o.produces, media)
		}
	}
	slices.Sort(o.produces)
}

// check holds a request against the contract and returns its body, which is
// read whole. What it finds wrong is named by place.
func (o *operation) check(r *http.Request) ([]byte, error) {
	var places []api.ProblemPlace
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse("invalid_request", "the query of the URL cannot be read")
	}
	known := 0
	for _, p := range o.params {
		var values []string
		switch p.in {
		case "path":
			values = []string{r.PathValue(p.name)}
		case "query":
			values = query[p.name]
			if len(values) > 0 {
				known++
			}
		case "header":
			values = r.Header.Values(p.name)
		}
		if reason := p.wrong(values); reason != "" {
			places = append(places, api.ProblemPlace{Place: p.name, Reason: reason})
		}
	}
	if known < len(query) {
		places = append(places, o.unknown(query)...)
	}
	if len(places) > 0 {
		return nil, &problem{code: "invalid_request", detail: "parameters are wrong; errors says which and why", places: places}
	}
	return o.checkBody(r)
}

// unknown names the query parameters that the contract has not.
func (o *operation) unknown(query url.Values) []api.ProblemPlace {
	var names []string
	for name := range query {
		if !slices.ContainsFunc(o.params, func(p parameter) bool { return p.in == "query" && p.name == name }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	places := make([]api.ProblemPlace, 0, len(names))
	for _, name := range names[:min(len(names), maxPlaces)] {
		places = append(places, api.ProblemPlace{Place: cut(name, 100), Reason: "there is no such parameter"})
	}
	return places
}

// wrong says what is wrong with the values of a parameter, or nothing.
func (p *parameter) wrong(values []string) string {
	if len(values) == 0 {
		if p.required {
			return "it is missing"
		}
		return ""
	}
	if len(values) > 1 {
		return "it is there more than once"
	}
	var value any = values[0]
	if p.schema.Type.Is("integer") {
		n, err := strconv.ParseInt(values[0], 10, 64)
		if err != nil || strconv.FormatInt(n, 10) != values[0] {
			return "want a whole number"
		}
		value = float64(n)
	} else if !utf8.ValidString(values[0]) {
		return "it is not UTF-8"
	}
	if err := p.schema.VisitJSON(value); err != nil {
		return reasonOf(err)
	}
	return ""
}

// maxPlaces is how many places of a problem are named.
const maxPlaces = 100

// checkBody reads the body and holds it against its schema.
func (o *operation) checkBody(r *http.Request) ([]byte, error) {
	if o.body == nil {
		// One byte tells whether there is a body.
		if n, err := io.ReadFull(r.Body, make([]byte, 1)); n > 0 {
			return nil, refuse("invalid_request", "the request has a body, and this operation takes none")
		} else if !errors.Is(err, io.EOF) {
			return nil, bodyProblem(err)
		}
		return nil, nil
	}
	if media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" || !utf8Charset(params) {
		return nil, refuse("unsupported_media_type", "want a body with Content-Type: application/json, in UTF-8")
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, refuse("unsupported_media_type", "a compressed body is not taken; send it as it is")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, bodyProblem(err)
	}
	if !utf8.Valid(body) {
		return nil, refuse("invalid_json", "the body is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, refuse("invalid_json", fmt.Sprintf("the body cannot be read as JSON, at byte %d", d.InputOffset()))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, refuse("invalid_json", "there is something behind the JSON value of the body")
	}
	if err := o.body.VisitJSON(value, openapi3.MultiErrors(), openapi3.EnableFormatValidation()); err != nil {
		return nil, &problem{code: "invalid_request", detail: "the body is not what the contract says; errors says where and why", places: placesOf(err)}
	}
	return body, nil
}

// utf8Charset reports whether the parameters of a media type say nothing but
// UTF-8.
func utf8Charset(params map[string]string) bool {
	charset, ok := params["charset"]
	return !ok && len(params) == 0 || ok && len(params) == 1 && strings.EqualFold(charset, "utf-8")
}

// bodyProblem is why a body could not be read whole.
func bodyProblem(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return &problem{code: "invalid_request", detail: "the body could not be read whole", cause: err}
}

// placesOf takes the places out of an error of the schema.
func placesOf(err error) []api.ProblemPlace {
	var places []api.ProblemPlace
	var walk func(err error)
	walk = func(err error) {
		var several openapi3.MultiError
		var one *openapi3.SchemaError
		switch {
		case len(places) == maxPlaces:
		case errors.As(err, &several):
			for _, e := range several {
				walk(e)
			}
		case errors.As(err, &one):
			place := strings.Join(one.JSONPointer(), "/")
			places = append(places, api.ProblemPlace{Place: cut("/"+place, 1000), Reason: reasonOf(one)})
		}
	}
	walk(err)
	if len(places) == 0 {
		places = append(places, api.ProblemPlace{Place: "/", Reason: "it is not what the contract says"})
	}
	return places
}

// reasonOf says why a value does not fit its schema.
func reasonOf(err error) string {
	var one *openapi3.SchemaError
	if errors.As(err, &one) && one.Reason != "" {
		return cut(one.Reason, 2000)
	}
	return "it is not what the contract says"
}

// cut shortens a text to n bytes, without breaking a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
