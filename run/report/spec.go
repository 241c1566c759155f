package report

import (
	"fmt"
	"math"
	"strings"
)

// object is a JSON object; encoding/json writes its keys sorted.
type object = map[string]any

// vegaLite is the schema that the specifications follow.
const vegaLite = "https://vega.github.io/schema/vega-lite/v6.json"

// Colours are variables of the page's style sheet.
const (
	accent  = "var(--accent)"
	against = "var(--against)"
	soft    = "var(--soft)"
	ink     = "var(--ink)"
	muted   = "var(--muted)"
)

// countLabel writes 0.05, 500, 20k.
const countLabel = "format(datum.value, datum.value < 1000 ? '~g' : '~s')"

// countAxis is an axis of counts.
var countAxis = object{"labelExpr": countLabel, "tickCount": 5}

// Labels are cut to a number of letters, so that Vega, which cuts at the end,
// need not: it takes any that are wider than letterWidth pixels a letter.
const (
	letterWidth  = 8
	fieldLetters = 24
	ruleLetters  = 34
	levelLetters = 24
)

// rowHeight is the height of one bar with its gap, in pixels.
const rowHeight = 26

// maxRows is how many rows a chart has at most.
const maxRows = 60

// specs returns the specification of every chart that the data has something
// for, by name.
func specs(d *Data) map[string]object {
	all := map[string]object{}
	add := func(name string, n int, spec func() object) {
		if n > 0 {
			all[name] = finish(spec())
		}
	}
	add("fill", len(d.Sources)*len(d.Fields), func() object { return fillSpec(d) })
	add("rules", len(d.Rules), func() object { return rulesSpec(d.Rules) })
	add("histogram", len(d.Histogram), func() object { return histogramSpec(d) })
	add("curve", len(d.Curve), func() object { return curveSpec(d) })
	add("sizes", len(d.Sizes), func() object { return sizesSpec(d.Sizes) })
	add("overlap", len(d.Overlap), func() object { return overlapSpec(d.Overlap) })
	low, high := weightRange(d.Comparisons)
	for i, c := range d.Comparisons {
		add(fmt.Sprintf("weights-%d", i), len(c.Levels), func() object { return weightsSpec(c, low, high) })
	}
	for i := range d.Examples {
		add(fmt.Sprintf("example-%d", i), 1, func() object { return waterfallSpec(&d.Examples[i], d.Prior, d.Threshold.Bits) })
	}
	return all
}

// runSpecs returns the charts of what the run cost.
func runSpecs(r *Run) map[string]object {
	if r == nil || len(r.Stages) == 0 {
		return nil
	}
	return map[string]object{"stages": finish(stagesSpec(r.Stages))}
}

// finish adds what all charts have in common.
func finish(spec object) object {
	spec["$schema"] = vegaLite
	spec["width"] = "container"
	return spec
}

// fillSpec: fields by sources, the fuller the darker.
func fillSpec(d *Data) object {
	fields := d.Fields[:min(len(d.Fields), maxRows)]
	names := labels(fields, fieldLetters)
	sources := make([]string, len(d.Sources))
	for k, s := range d.Sources {
		sources[k] = s.Name
	}
	sources = labels(sources, fieldLetters)
	values := []object{}
	for k, s := range d.Sources {
		for i := range fields {
			values = append(values, object{"source": sources[k], "field": names[i], "fill": round(s.Fill[i], 4), "label": percent(s.Fill[i])})
		}
	}
	at := object{
		"y": object{"field": "field", "type": "nominal", "sort": nil, "title": nil, "axis": object{"labelLimit": fieldLetters * letterWidth}},
		"x": object{"field": "source", "type": "nominal", "sort": nil, "title": nil, "axis": object{"orient": "top", "labelAngle": 0}},
	}
	return object{
		"data": object{"values": values}, "height": len(fields) * rowHeight, "encoding": at,
		"layer": []object{
			{
				"mark": object{"type": "rect", "color": accent, "tooltip": true},
				"encoding": object{"opacity": object{"field": "fill", "type": "quantitative", "legend": nil,
					"scale": object{"domain": []int{0, 1}, "range": []float64{0.03, 0.55}}}},
			},
			{
				"mark":     object{"type": "text", "color": ink},
				"encoding": object{"text": object{"field": "label"}},
			},
		},
	}
}

// rulesSpec: pairs by rule, those that no earlier rule finds first.
func rulesSpec(rules []Rule) object {
	rules = rules[:min(len(rules), maxRows)]
	names := make([]string, len(rules))
	for i, r := range rules {
		names[i] = r.Name
	}
	names = labels(names, ruleLetters)
	values := []object{}
	for i, r := range rules {
		values = append(values,
			object{"rule": names[i], "kind": "new", "pairs": r.New, "order": 0},
			object{"rule": names[i], "kind": "found before", "pairs": r.Pairs - r.New, "order": 1})
	}
	return object{
		"data": object{"values": values}, "height": len(values) / 2 * rowHeight,
		"mark": object{"type": "bar", "tooltip": true},
		"encoding": object{
			"y":     object{"field": "rule", "type": "nominal", "sort": nil, "title": nil, "axis": object{"labelLimit": ruleLetters * letterWidth}},
			"x":     object{"field": "pairs", "type": "quantitative", "title": "candidate pairs", "axis": countAxis},
			"order": object{"field": "order"},
			"color": object{"field": "kind", "type": "nominal", "title": nil, "sort": nil, "legend": object{"orient": "top"},
				"scale": object{"domain": []string{"new", "found before"}, "range": []string{accent, soft}}},
		},
	}
}

// weightRange returns the least and greatest level weight, 0 among them.
func weightRange(all []Comparison) (low, high float64) {
	for _, c := range all {
		for _, l := range c.Levels {
			low, high = min(low, l.Bits), max(high, l.Bits)
		}
	}
	return math.Floor(low), math.Ceil(high)
}

// weightsSpec: evidence by level, for to the right and against to the left, on
// one scale for all comparisons.
func weightsSpec(c Comparison, low, high float64) object {
	names := make([]string, len(c.Levels))
	for i, l := range c.Levels {
		names[i] = l.Label
		if l.Untrained {
			names[i] += " (untrained)"
		}
	}
	short := labels(names, levelLetters)
	values := []object{}
	for i, l := range c.Levels {
		values = append(values, object{"level": short[i], "name": names[i], "bits": round(l.Bits, 3), "m": round(l.M, 6), "u": l.U,
			"color": color(l.Bits), "opacity": opacity(l.Untrained)})
	}
	return object{
		"data": object{"values": values}, "height": len(values) * 22,
		"mark": object{"type": "bar", "tooltip": true},
		"encoding": object{
			"y": object{"field": "level", "type": "nominal", "sort": nil, "title": nil, "axis": object{"labelLimit": 170, "minExtent": 170, "maxExtent": 170}},
			"x": object{"field": "bits", "type": "quantitative", "title": nil, "scale": object{"domain": []float64{low, high}},
				"axis": object{"tickCount": 5}},
			"color":   object{"field": "color", "type": "nominal", "scale": nil, "legend": nil},
			"opacity": object{"field": "opacity", "type": "quantitative", "scale": nil, "legend": nil},
			"tooltip": []object{{"field": "name", "title": "level"}, {"field": "bits"}, {"field": "m"}, {"field": "u"}},
		},
	}
}

// color returns the colour of evidence for or against.
func color(bits float64) string {
	if bits < 0 {
		return against
	}
	return accent
}

func opacity(untrained bool) float64 {
	if untrained {
		return 0.35
	}
	return 0.9
}

// histogramSpec: pairs by match weight, with the threshold. A square root on
// the count keeps rare weights visible.
func histogramSpec(d *Data) object {
	values := []object{}
	for _, b := range d.Histogram {
		values = append(values, object{"from": b.From, "to": b.To, "pairs": b.Pairs,
			"color": color((b.From+b.To)/2 - d.Threshold.Bits)})
	}
	return object{
		"data": object{"values": values}, "height": 240,
		"layer": []object{
			{
				"mark": object{"type": "bar", "tooltip": true, "binSpacing": 0.5},
				"encoding": object{
					"x":  bitsAxis(d, "match weight (bits)", "binned"),
					"x2": object{"field": "to"},
					"y": object{"field": "pairs", "type": "quantitative", "title": nil, "scale": object{"type": "sqrt"},
						"axis": object{"labelExpr": countLabel, "tickCount": 5, "minExtent": 44}},
					"color": object{"field": "color", "type": "nominal", "scale": nil, "legend": nil},
				},
			},
			thresholdRule(d.Threshold.Bits, "x"),
		},
	}
}

// bitsAxis is the horizontal axis that histogram and curve share.
func bitsAxis(d *Data, title string, bin any) object {
	low, high := d.Threshold.Bits, d.Threshold.Bits
	for _, b := range d.Histogram {
		low, high = min(low, b.From), max(high, b.To)
	}
	for _, p := range d.Curve {
		low, high = min(low, p.Bits), max(high, p.Bits)
	}
	return object{"field": "from", "type": "quantitative", "title": title, "bin": bin,
		"scale": object{"domain": []float64{low, high}, "nice": false}, "axis": object{"grid": false, "tickCount": 12, "labelFlush": false}}
}

// thresholdRule is a dashed line at the threshold.
func thresholdRule(bits float64, channel string) object {
	return object{
		"data":     object{"values": []object{{"at": bits}}},
		"mark":     object{"type": "rule", "color": ink, "strokeDash": []int{4, 4}},
		"encoding": object{channel: object{"field": "at", "type": "quantitative"}},
	}
}

// curveSpec: what the model expects of other thresholds.
func curveSpec(d *Data) object {
	values := []object{}
	for _, p := range d.Curve {
		for _, v := range []struct {
			name  string
			value float64
		}{{"precision", p.Precision}, {"recall", p.Recall}, {"F1", p.F1}} {
			values = append(values, object{"from": p.Bits, "measure": v.name, "value": round(v.value, 5)})
		}
	}
	return object{
		"data": object{"values": values}, "height": 200,
		"layer": []object{
			{
				"mark": object{"type": "line", "strokeWidth": 2, "tooltip": true, "interpolate": "monotone"},
				"encoding": object{
					"x": bitsAxis(d, "threshold (bits)", nil),
					"y": object{"field": "value", "type": "quantitative", "title": nil, "axis": object{"format": ".0%", "tickCount": 5, "minExtent": 44},
						"scale": object{"zero": false, "nice": true}},
					"color": object{"field": "measure", "type": "nominal", "title": nil, "sort": nil, "legend": object{"orient": "top", "symbolType": "stroke"},
						"scale": object{"domain": []string{"precision", "recall", "F1"}, "range": []string{accent, against, ink}}},
				},
			},
			thresholdRule(d.Threshold.Bits, "x"),
		},
	}
}

// sizesSpec: identities by number of records.
func sizesSpec(sizes []Size) object {
	values := []object{}
	for _, s := range sizeGroups(sizes) {
		values = append(values, object{"records": s.label, "identities": s.identities, "label": count(s.identities)})
	}
	return labelledBars(values, "records", "identities", "identities")
}

// overlapSpec: identities by the sources that know them.
func overlapSpec(all []Overlap) object {
	all = all[:min(len(all), maxRows)]
	names := make([]string, len(all))
	for i, o := range all {
		names[i] = strings.Join(o.Sources, " + ")
	}
	names = labels(names, ruleLetters)
	values := []object{}
	for i, o := range all {
		values = append(values, object{"sources": names[i], "identities": o.Identities, "records": o.Records,
			"label": count(o.Identities)})
	}
	return labelledBars(values, "sources", "identities", "identities")
}

// labelledBars are horizontal bars with their label behind them, for which the
// scale leaves room.
func labelledBars(values []object, name, figure, title string) object {
	y := object{"field": name, "type": "nominal", "sort": nil, "title": nil, "axis": object{"labelLimit": ruleLetters * letterWidth}}
	most := 0.0
	for _, v := range values {
		most = max(most, number(v[figure]))
	}
	x := object{"field": figure, "type": "quantitative", "title": title, "axis": countAxis,
		"scale": object{"domain": []float64{0, most * 1.2}, "nice": false}}
	return object{
		"data": object{"values": values}, "height": len(values) * rowHeight,
		"encoding": object{"y": y, "x": x},
		"layer": []object{
			{"mark": object{"type": "bar", "tooltip": true}},
			{
				"mark":     object{"type": "text", "align": "left", "dx": 6, "color": muted},
				"encoding": object{"text": object{"field": "label"}},
			},
		},
	}
}

// number returns a chart value as a float.
func number(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

// waterfallSpec: from the prior over the comparisons to the pair's weight. The
// name of a step has its level on a second line.
func waterfallSpec(e *Example, prior, threshold float64) object {
	values := []object{}
	at := 0.0
	step := func(name, level string, bits float64) {
		values = append(values, object{"step": name + "\n" + level, "from": round(at, 3), "to": round(at+bits, 3),
			"bits": signed(bits), "color": color(bits)})
		at += bits
	}
	step("prior", "before any comparison", prior)
	names := make([]string, len(e.Steps))
	for i, s := range e.Steps {
		names[i] = s.Name
	}
	for i, name := range labels(names, levelLetters) {
		step(name, e.Steps[i].Level, e.Steps[i].Bits)
	}
	values = append(values, object{"step": "match weight\n" + probable(e.Probability) + " probable", "from": 0, "to": round(e.Bits, 3),
		"bits": signed(e.Bits), "color": ink})
	return object{
		"data": object{"values": values}, "height": len(values) * 36,
		"layer": []object{
			{
				"mark": object{"type": "bar", "height": object{"band": 0.55}},
				"encoding": object{
					"y":       object{"field": "step", "type": "nominal", "sort": nil, "title": nil, "axis": object{"labelLimit": levelLetters * letterWidth, "labelOffset": -7}},
					"x":       object{"field": "from", "type": "quantitative", "title": "bits", "axis": object{"tickCount": 5}},
					"x2":      object{"field": "to"},
					"color":   object{"field": "color", "type": "nominal", "scale": nil, "legend": nil},
					"tooltip": []object{{"field": "step"}, {"field": "bits"}},
				},
			},
			thresholdRule(threshold, "x"),
		},
	}
}

// stagesSpec: seconds by stage.
func stagesSpec(stages []Stage) object {
	values := []object{}
	for _, s := range stages {
		values = append(values, object{"stage": s.Name, "seconds": round(s.Seconds, 3), "label": fmt.Sprintf("%.2f", s.Seconds)})
	}
	return labelledBars(values, "stage", "seconds", "seconds")
}

// round keeps the page small and free of floating-point noise.
func round(x float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(x*p) / p
}
