package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"reflect"
	"time"
)

//go:embed page.html
var pageText string

//go:embed style.css
var style string

//go:embed assets/charts.js
var charts string

// The marks around what depends on the clock and the machine.
const (
	runBegins = "<!-- run -->"
	runEnds   = "<!-- end of run -->"
)

// page is the parsed template.
var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"count": count, "percent": percent, "probable": probable, "signed": signed, "probability": probability,
	"bytes": sizeText, "rate": rate, "cut": cut, "times100": func(x float64) float64 { return 100 * x },
	"day": func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
}).Parse(pageText))

// scriptHash names the one script that the page may run, as a content security
// policy writes it (W3C CSP Level 3, §2.3.1).
var scriptHash = func() string {
	sum := sha256.Sum256([]byte(charts))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}()

// view is what the template sees.
type view struct {
	*Data
	Policy, RunBegins, RunEnds template.HTML
	Style                      template.CSS
	Script, Charts, RunCharts  template.JS
	HasChart                   map[string]bool
	Chosen                     *Point
	SharedIdentities           int64
	Total                      float64 // seconds of all stages
}

// Render returns the page.
func Render(d *Data) ([]byte, error) {
	for _, s := range d.Sources {
		if len(s.Fill) != len(d.Fields) {
			return nil, fmt.Errorf("report: source %s has %d fill rates for %d fields", s.Name, len(s.Fill), len(d.Fields))
		}
	}
	all, run := specs(d), runSpecs(d.Run)
	text, err := json.Marshal(all)
	runText, err2 := json.Marshal(run)
	if err := errors.Join(err, err2); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	v := view{
		Data: d, Style: template.CSS(style), Script: template.JS(charts), Charts: template.JS(text), RunCharts: template.JS(runText),
		Policy: template.HTML(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src '` + scriptHash +
			`'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">`),
		RunBegins: runBegins, RunEnds: runEnds,
		HasChart: map[string]bool{}, Chosen: chosen(d),
	}
	for name := range all {
		v.HasChart[name] = true
	}
	for _, o := range d.Overlap {
		if len(o.Sources) > 1 {
			v.SharedIdentities += o.Identities
		}
	}
	if d.Run != nil {
		for _, s := range d.Run.Stages {
			v.Total += s.Seconds
		}
	}
	var out bytes.Buffer
	out.Grow(len(charts) + len(text) + 1<<17)
	if err := page.Execute(&out, v); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return out.Bytes(), nil
}

// WithoutRun returns the page without what depends on the clock and the
// machine.
func WithoutRun(page []byte) []byte {
	before, rest, ok := bytes.Cut(page, []byte(runBegins))
	if !ok {
		return page
	}
	_, after, _ := bytes.Cut(rest, []byte(runEnds))
	return append(append([]byte(nil), before...), after...)
}

// chosen returns the point of the curve that is nearest to the threshold.
func chosen(d *Data) *Point {
	var best *Point
	for i := range d.Curve {
		p := &d.Curve[i]
		if best == nil || abs(p.Bits-d.Threshold.Bits) < abs(best.Bits-d.Threshold.Bits) {
			best = p
		}
	}
	return best
}

func abs(x float64) float64 { return max(x, -x) }

// rows is the head of a long list and how much it leaves out.
type rows struct {
	Rows any
	More int
}

// cut returns the first most elements of a list.
func cut(list any, most int) rows {
	v := reflect.ValueOf(list)
	n := min(v.Len(), most)
	return rows{v.Slice(0, n).Interface(), v.Len() - n}
}
