package config

import (
	"maps"
	"reflect"
	"slices"

	"sama/graph/golden"
)

// descriptions are the sentences that the schema and the written file show for
// a key, by the Go field.
var descriptions = map[string]string{
	"Config.Inputs":   "files to read; files on the command line replace them",
	"Config.Sources":  "which column is what, by source; a source that is not listed is mapped by what its columns look like",
	"Config.Blocking": "which pairs of records are compared",
	"Config.Model":    "how pairs are weighed",
	"Config.Clusters": "how pairs become identities",
	"Config.Golden":   "which value survives in the golden record",
	"Config.Rejects":  "what the run puts up with",

	"Input.Files":     "files, directories and glob patterns",
	"Input.Source":    "makes all files one source of this name; without it each file is a source",
	"Input.Format":    "found from the content if not given",
	"Input.Separator": "between the cells of a CSV file: one character",
	"Input.Encoding":  "of text, such as windows-1252; found from the content if not given",

	"SourceMapping.Source":  "name of the source",
	"SourceMapping.Key":     "column that names the records: unique and complete",
	"SourceMapping.Columns": "columns that are not listed are mapped by what they look like",
	"SourceMapping.Mode":    "full, or delta where the files hold only what changed since the previous run",
	"SourceMapping.Deleted": "how a delta marks the records that are gone",
	"SourceMapping.Deletes": "files of the keys of records that are gone, for a delta",
	"DeleteMark.Column":     "column of the mark; it is no field",
	"DeleteMark.Values":     "values that mean gone; not given = true, t, yes, y, 1, d, delete, deleted",
	"ColumnMapping.Column":  "name in the file",
	"ColumnMapping.As":      "what the column is",
	"ColumnMapping.Layout":  "dates: YMD, DMY or MDY; telephone numbers: the country of national numbers, such as FI",
	"ColumnMapping.Why":     "why it was proposed; has no effect",

	"ColumnMapping.Purpose":  "consents: what for; marketing if not given",
	"ColumnMapping.Channel":  "consents: through which channel, such as email, sms, phone or post; any if not given",
	"ColumnMapping.Inverted": "consents: yes means that the person refused, as in do_not_call",

	"Blocking.Rules":          "each a conjunction of key expressions, such as family_name.sound + birth_date.year; without rules they are chosen from the data",
	"Blocking.SplitBy":        "key expressions that part blocks that are too large",
	"Blocking.Block":          "greatest number of records in a block",
	"Blocking.PairsPerRecord": "pairs a record that chosen rules may propose",
	"Blocking.MinPairs":       "pairs that chosen rules may propose in any case",

	"Model.File":      "a model.json to use instead of training",
	"Model.Method":    "mixture (the default) or classical, the model of Fellegi and Sunter with levels given below",
	"Model.Classical": "what the classical method compares; proposed from the fields if not given",
	"Model.Joint":     "groups of fields that are compared as one; decided by the data if not given",
	"Joint.Name":      "given and family name together",
	"Joint.Address":   "the parts of an address together",

	"Clusters.Threshold":     "probability from which on a pair speaks for joining; chosen by the model if not given",
	"Clusters.Unique":        "columns of which an identity has at most one value, such as national_id",
	"Clusters.OncePerSource": "sources without duplicates: two of their records are never joined",

	"Options.Groups":    "columns whose values all come from one record; without groups the parts of an address, and given with family name",
	"Options.Ungrouped": "every column is decided by itself",
	"Options.Fields":    "rules by column or field, in order; the first that leaves one value decides",
	"Options.Default":   "rules of all other columns and groups, but for consents: there deny goes before grant",
	"Group.Columns":     "two columns or more",
	"Group.Rules":       "rules of the group; without them the default",
	"Rule.Kind":         "how the value is chosen",
	"Rule.Sources":      "for source_priority: the order, best first",
	"Rule.Only":         "for source_priority: values of other sources never win",
	"Rule.By":           "for most_frequent: sources (the default) or records",
	"Rule.Time":         "for most_recent, first_seen and trust: updated_at, created_at or a date column",
	"Rule.Trust":        "for trust: 0 to 100 by source",
	"Rule.Decay":        "for trust: linear or half_life",
	"Rule.Days":         "for trust with decay: days to nothing, or to half",

	"Rejects.MaxShare": "share of rows that may be rejected before the run is refused",
}

// describe returns the sentence about a type's field.
func describe(t reflect.Type, field string) string {
	if field == "" {
		return ""
	}
	return descriptions[t.Name()+"."+field]
}

// order is the order in which keys are shown in messages: that of the types.
var order = func() map[string]int {
	place := make(map[string]int)
	for _, t := range []reflect.Type{reflect.TypeFor[Config](), reflect.TypeFor[Input](), reflect.TypeFor[Blocking](), reflect.TypeFor[Model](), reflect.TypeFor[Clusters](), reflect.TypeFor[golden.Options](), reflect.TypeFor[golden.Rule](), reflect.TypeFor[Rejects]()} {
		for i := range t.NumField() {
			if key := yamlKey(t.Field(i)); place[key] == 0 {
				place[key] = len(place) + 1
			}
		}
	}
	return place
}()

// inOrder returns the keys of an object in the order of the types, unknown
// ones last by name.
func inOrder(object map[string]any) []string {
	keys := slices.Sorted(maps.Keys(object))
	slices.SortStableFunc(keys, func(a, b string) int {
		x, y := order[a], order[b]
		switch {
		case x == 0 && y == 0 || x == y:
			return 0
		case x == 0:
			return 1
		case y == 0:
			return -1
		}
		return x - y
	})
	return keys
}
