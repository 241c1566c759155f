package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// flowWidth is the width up to which a group or list is written on one line.
const flowWidth = 100

// value is a JSON value whose objects keep the order of their keys: that of the
// struct's fields, or ascending.
type value struct {
	text   string // of a scalar, as YAML
	keys   []string
	values []value
	list   bool
	object bool
}

// marshal writes one of our own types, which has the same JSON and YAML keys,
// as YAML. The library's own writer does not quote the keys of maps.
func (w *writer) marshal(indent int, v any) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("%T as JSON: %v", v, err))
	}
	d := json.NewDecoder(&buf)
	d.UseNumber()
	w.block(indent, readValue(d))
}

// readValue reads the next value of our own JSON.
func readValue(d *json.Decoder) value {
	t, err := d.Token()
	if err != nil {
		panic(fmt.Sprintf("our own JSON: %v", err))
	}
	switch t := t.(type) {
	case json.Delim:
		v := value{list: t == '[', object: t == '{'}
		for d.More() {
			if v.object {
				key, _ := d.Token()
				v.keys = append(v.keys, scalar(fmt.Sprint(key)))
			}
			v.values = append(v.values, readValue(d))
		}
		d.Token()
		return v
	case string:
		return value{text: scalar(t)}
	case nil:
		return value{text: "null"}
	default:
		return value{text: fmt.Sprint(t)}
	}
}

// flow writes a value on one line.
func (v value) flow() string {
	if !v.list && !v.object {
		return v.text
	}
	parts := make([]string, len(v.values))
	for i, x := range v.values {
		parts[i] = x.flow()
		if v.object {
			parts[i] = v.keys[i] + ": " + parts[i]
		}
	}
	if v.list {
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// block writes an object or a list over several lines.
func (w *writer) block(indent int, v value) {
	for i, x := range v.values {
		head := "-"
		if v.object {
			head = v.keys[i] + ":"
		}
		line := x.flow()
		nested := (x.list || x.object) && len(x.values) > 0 && (len(line) > flowWidth || indent < 2 && x.object)
		if !nested {
			w.line(indent, "%s %s", head, line)
			continue
		}
		w.line(indent, "%s", head)
		w.block(indent+1, x)
	}
}
