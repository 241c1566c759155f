package config

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"sama/graph/golden"
	"sama/ingest"

	"github.com/invopop/jsonschema"
	checker "github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaID names the schema; nothing is fetched from there.
const schemaID = "https://sama.invalid/sama.yaml.schema.json"

// Schema returns the JSON Schema (draft 2020-12) of sama.yaml, for editors and
// for [Parse] alike.
func Schema() []byte {
	r := jsonschema.Reflector{
		FieldNameTag:  "yaml",
		LookupComment: describe,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			switch t {
			case reflect.TypeFor[ingest.Role]():
				return roleSchema()
			case reflect.TypeFor[golden.Kind]():
				return ruleSchema()
			}
			if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
				return &jsonschema.Schema{Type: "string"}
			}
			return nil
		},
	}
	s := r.Reflect(new(Config))
	s.ID = schemaID
	s.Title = "sama.yaml"
	s.Description = "What a run of sama reads and how it decides. What is left out is found from the data."
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("schema of our own types: %v", err))
	}
	return append(text, '\n')
}

func roleSchema() *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string", Description: "what the column is"}
	for _, role := range ingest.Roles() {
		s.Enum = append(s.Enum, string(role))
	}
	return s
}

func ruleSchema() *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string", Description: "how the value is chosen"}
	for _, name := range golden.KindNames()[golden.SourcePriority:] {
		s.Enum = append(s.Enum, name)
	}
	return s
}

// compiled returns the schema ready to check with.
var compiled = sync.OnceValue(func() *checker.Schema {
	doc, err := checker.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		panic(fmt.Sprintf("our own schema: %v", err))
	}
	c := checker.NewCompiler()
	if err := c.AddResource(schemaID, doc); err != nil {
		panic(fmt.Sprintf("our own schema: %v", err))
	}
	s, err := c.Compile(schemaID)
	if err != nil {
		panic(fmt.Sprintf("our own schema: %v", err))
	}
	return s
})

// knownKeys returns the keys of the object that a schema location is about.
func knownKeys(location string) []string {
	_, fragment, _ := strings.Cut(location, "#")
	var doc map[string]any
	if json.Unmarshal(Schema(), &doc) != nil {
		return nil
	}
	var at any = doc
	for part := range strings.SplitSeq(strings.Trim(fragment, "/"), "/") {
		if m, ok := at.(map[string]any); ok && m[part] != nil {
			at = m[part]
		}
	}
	m, _ := at.(map[string]any)
	if ref, ok := m["$ref"].(string); ok {
		return knownKeys(ref)
	}
	props, _ := m["properties"].(map[string]any)
	return inOrder(props)
}
