package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// File is a configuration with the places where it says what.
type File struct {
	Config
	Name string
	root ast.Node // nil: an empty file
}

// Parse reads the text of a configuration file. Whatever is wrong with it is
// returned as *Errors, all at once. Beside them comes the configuration, as far
// as the rest of it could be read, to look for what else is wrong; or nil.
func Parse(name string, text []byte) (*File, error) {
	f := &File{Name: name}
	parsed, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, &Errors{[]*Error{f.syntaxError(err)}}
	}
	docs := slices.DeleteFunc(parsed.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	if len(docs) == 0 {
		return f, nil
	}
	if len(docs) > 1 {
		return nil, &Errors{[]*Error{f.at(firstToken(docs[1].Body), "", "a second document; a configuration is one")}}
	}
	f.root = docs[0].Body
	problems := f.structure(f.root, "")
	if len(problems) == 0 {
		problems = f.schemaErrors()
	}
	if len(problems) > 0 {
		sortErrors(problems)
		if f.decode(text) != nil {
			f = nil
		}
		return f, &Errors{problems}
	}
	if err := f.decode(text, yaml.Strict()); err != nil {
		return nil, &Errors{[]*Error{f.syntaxError(err)}}
	}
	return f, nil
}

// decode reads the values. The library panics at some values of another kind than
// the type has, such as a tagged one where a list belongs.
func (f *File) decode(text []byte, options ...yaml.DecodeOption) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a value of another kind than belongs there (%v)", p)
		}
	}()
	return yaml.UnmarshalWithOptions(text, &f.Config, options...)
}

// ErrorAt returns an error about the value at a path of keys and indices, such
// as "sources", 0, "key". Where the file does not have that path, its nearest
// parent is shown.
func (f *File) ErrorAt(text string, path ...any) *Error {
	keys := make([]string, len(path))
	for i, p := range path {
		keys[i] = fmt.Sprint(p)
	}
	return f.at(f.find(keys), pathText(keys), text)
}

func (f *File) at(t *token.Token, path, text string) *Error {
	e := &Error{File: f.Name, Line: 1, Column: 1, Path: path, Text: text}
	if t != nil && t.Position != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
	}
	return e
}

func (f *File) syntaxError(err error) *Error {
	var y yaml.Error
	if errors.As(err, &y) {
		return f.at(y.GetToken(), "", y.GetMessage())
	}
	return f.at(nil, "", err.Error())
}

// structure returns what the schema cannot see: keys given twice and YAML that
// is more than plain data.
func (f *File) structure(n ast.Node, path string) []*Error {
	var out []*Error
	switch n := n.(type) {
	case *ast.MappingNode:
		seen := make(map[string]int)
		for _, v := range n.Values {
			key := keyText(v)
			here := strings.TrimPrefix(path+"."+key, ".")
			if line, twice := seen[key]; twice {
				out = append(out, f.at(v.Key.GetToken(), here, fmt.Sprintf("given twice, first in line %d", line)))
			} else {
				seen[key] = v.Key.GetToken().Position.Line
			}
			out = append(out, f.structure(v.Value, here)...)
		}
	case *ast.SequenceNode:
		for i, v := range n.Values {
			out = append(out, f.structure(v, fmt.Sprintf("%s[%d]", path, i))...)
		}
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		out = append(out, f.at(n.GetToken(), path, "anchors, aliases and tags are not used here; write the value out"))
	}
	return out
}

// schemaErrors returns every violation of the schema.
func (f *File) schemaErrors() []*Error {
	value, err := plain(f.root)
	if err != nil {
		return []*Error{f.at(f.root.GetToken(), "", err.Error())}
	}
	err = compiled().Validate(value)
	if err == nil {
		return nil
	}
	var v *jsonschema.ValidationError
	if !errors.As(err, &v) {
		return []*Error{f.at(f.root.GetToken(), "", err.Error())}
	}
	var out []*Error
	f.flatten(v, &out)
	return out
}

// plain returns a node as JSON values.
func plain(n ast.Node) (any, error) {
	var v any
	if err := yaml.NodeToValue(n, &v); err != nil {
		return nil, err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(text))
}

// flatten turns the tree of violations into a list in the user's terms.
func (f *File) flatten(v *jsonschema.ValidationError, out *[]*Error) {
	for _, cause := range v.Causes {
		f.flatten(cause, out)
	}
	path := v.InstanceLocation
	add := func(path []string, format string, args ...any) {
		*out = append(*out, f.at(f.find(path), pathText(path), fmt.Sprintf(format, args...)))
	}
	switch k := v.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, key := range k.Properties {
			known := knownKeys(v.SchemaURL)
			full := append(slices.Clone(path), key)
			*out = append(*out, f.at(f.findKey(full), pathText(full), "unknown key; want one of "+strings.Join(known, ", ")))
		}
	case *kind.Required:
		add(path, "missing: %s", strings.Join(k.Missing, ", "))
	case *kind.Type:
		add(path, "is %s, want %s", article(k.Got), article(k.Want...))
	case *kind.Enum:
		add(path, "is %v, want one of %s", k.Got, joinAny(k.Want))
	case *kind.Minimum:
		add(path, "is %s, want at least %s", number(k.Got.Float64()), number(k.Want.Float64()))
	case *kind.Maximum:
		add(path, "is %s, want at most %s", number(k.Got.Float64()), number(k.Want.Float64()))
	case *kind.ExclusiveMinimum:
		add(path, "is %s, want more than %s", number(k.Got.Float64()), number(k.Want.Float64()))
	case *kind.ExclusiveMaximum:
		add(path, "is %s, want less than %s", number(k.Got.Float64()), number(k.Want.Float64()))
	case *kind.MinItems:
		add(path, "has %d elements, want at least %d", k.Got, k.Want)
	case *kind.MinLength, *kind.MaxLength:
		add(path, "want one character")
	case *kind.Pattern:
		add(path, "is %q, want letters, digits, _, - and . only", k.Got)
	default:
		if len(v.Causes) == 0 {
			add(path, "%s", v.Error())
		}
	}
}

func number(x float64, _ bool) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// article names JSON types in a sentence.
func article(types ...string) string {
	names := make([]string, len(types))
	for i, t := range types {
		switch t {
		case "null":
			names[i] = "empty"
		case "array":
			names[i] = "a list"
		case "object":
			names[i] = "a group of keys"
		case "string":
			names[i] = "a text"
		case "boolean":
			names[i] = "true or false"
		case "integer":
			names[i] = "a whole number"
		default:
			names[i] = "a " + t
		}
	}
	return strings.Join(names, " or ")
}

func joinAny(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, ", ")
}

// find returns the token of the value at a path, or of its nearest parent.
func (f *File) find(path []string) *token.Token {
	n := f.root
	for _, p := range path {
		next := child(n, p)
		if next == nil {
			break
		}
		n = next
	}
	if n == nil {
		return nil
	}
	return firstToken(n)
}

// findKey returns the token of a key itself.
func (f *File) findKey(path []string) *token.Token {
	n := f.root
	for i, p := range path {
		if m, ok := n.(*ast.MappingNode); ok && i == len(path)-1 {
			for _, v := range m.Values {
				if keyText(v) == p {
					return v.Key.GetToken()
				}
			}
		}
		if next := child(n, p); next != nil {
			n = next
		}
	}
	return f.find(path)
}

// firstToken returns where a node begins: a mapping's own token is the colon
// of its first key.
func firstToken(n ast.Node) *token.Token {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken()
	}
	return n.GetToken()
}

func child(n ast.Node, key string) ast.Node {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			if keyText(v) == key {
				return v.Value
			}
		}
	case *ast.SequenceNode:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.Values) {
			return n.Values[i]
		}
	}
	return nil
}

func keyText(v *ast.MappingValueNode) string {
	return v.Key.GetToken().Value
}

// pathText writes a path as "sources[0].key".
func pathText(path []string) string {
	var b strings.Builder
	for _, p := range path {
		if _, err := strconv.Atoi(p); err == nil {
			fmt.Fprintf(&b, "[%s]", p)
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(p)
	}
	return b.String()
}

func sortErrors(list []*Error) {
	slices.SortStableFunc(list, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Text, b.Text))
	})
}
