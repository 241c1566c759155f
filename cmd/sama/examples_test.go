package main

import (
	"testing"

	"sama/record"
)

// column makes a column of two records from their values as written and in
// normal form.
func column(t *testing.T, f record.Field, raw, normal [2]string) *record.Column {
	t.Helper()
	c := &record.Column{Field: f}
	texts := func(values [2]string) (codes []uint32, text record.Strings) {
		var in record.Interner
		in.Code("x") // code 0 is there
		for _, v := range values {
			codes = append(codes, in.Code(v))
		}
		text, err := in.Strings()
		if err != nil {
			t.Fatal(err)
		}
		return codes, text
	}
	c.Raw, c.RawText = texts(raw)
	c.Code, c.Normal = texts(normal)
	return c
}

func TestValuesDifferByTheirNormalForms(t *testing.T) {
	pair := func(a, b string) [2]string { return [2]string{a, b} }
	phone := column(t, record.Phone, pair("040 1", "+35840 2"), pair("+358401", "+358402"))
	second := column(t, record.Phone, pair("", "0401"), pair("", "+358401"))
	street := column(t, record.Street, pair("Katu", "KATU"), pair("katu", "katu"))
	number := column(t, record.HouseNumber, pair("1", "2"), pair("1", "2"))
	for name, c := range map[string]struct {
		columns []*record.Column
		want    bool
	}{
		"written differently":            {[]*record.Column{street}, false},
		"different":                      {[]*record.Column{phone}, true},
		"one telephone number in common": {[]*record.Column{phone, second}, false},
		"one part differs":               {[]*record.Column{street, number}, true},
		"one side only":                  {[]*record.Column{second}, false},
		"not understood, equal":          {[]*record.Column{column(t, record.Phone, pair("?", "?"), pair("", ""))}, false},
		"not understood, different":      {[]*record.Column{column(t, record.Phone, pair("?", "!"), pair("", ""))}, true},
	} {
		if got := differ(c.columns, 0, 1); got != c.want {
			t.Errorf("%s: differ %v, want %v", name, got, c.want)
		}
	}
}
