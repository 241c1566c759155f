package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func render(t testing.TB, d *Data) string {
	t.Helper()
	text, err := Render(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPageSaysEverything looks for one word of each part.
func TestPageSaysEverything(t *testing.T) {
	text := render(t, sample())
	head, _, _ := strings.Cut(text, `<script type="application/json" id="charts">`)
	for _, want := range []string{
		"92\u202f431 records", "vehicle_reg: 2 of 4 levels", "asiakasryhmä", "carried along", "shared by 208 different names",
		"sound(family_name) &amp; birth year &amp; initial", "22\u202f366", "nickname or initial", "untrained", "&#43;2.9 bits", "largest expected F1",
		"Kauppakatu 11 B 4", "hangs on one weak edge", "not a date", "231 MiB", "sama 0.1.0",
	} {
		if !strings.Contains(head, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if got := strings.Count(head, "<section"); got != 11 {
		t.Errorf("%d sections", got)
	}
}

func TestEmptyRunHasAPage(t *testing.T) {
	text := render(t, &Data{Title: "nothing"})
	if strings.Contains(text, "data-chart=\"") || !strings.Contains(text, `id="charts">{}<`) {
		t.Error("an empty run has charts")
	}
	if _, err := Render(&Data{Sources: []Source{{Name: "a", Fill: []float64{1}}}}); err == nil {
		t.Error("a fill rate without a field is accepted")
	}
}

// TestEveryChartHasASpec compares the places for charts with the
// specifications, and each with what Vega-Lite needs.
func TestEveryChartHasASpec(t *testing.T) {
	d := sample()
	all := specs(d)
	for name, spec := range runSpecs(d.Run) {
		all[name] = spec
	}
	places := regexp.MustCompile(`data-chart="([^"]+)"`).FindAllStringSubmatch(render(t, d), -1)
	if len(places) != len(all) {
		t.Errorf("%d places for %d charts", len(places), len(all))
	}
	for _, p := range places {
		spec := all[p[1]]
		if spec["$schema"] != vegaLite || spec["width"] != "container" || spec["data"] == nil || spec["height"] == nil {
			t.Errorf("chart %s: %v", p[1], spec)
		}
	}
}

// TestWaterfallAddsUp: each bar begins where the one before ended, and the last
// is the pair's weight.
func TestWaterfallAddsUp(t *testing.T) {
	d := sample()
	for _, e := range d.Examples {
		values := waterfallSpec(&e, d.Prior, d.Threshold.Bits)["data"].(object)["values"].([]object)
		at := 0.0
		for _, v := range values[:len(values)-1] {
			if math.Abs(v["from"].(float64)-at) > .002 {
				t.Errorf("%s begins at %v, want %v", v["step"], v["from"], at)
			}
			at = v["to"].(float64)
		}
		if last := values[len(values)-1]; math.Abs(last["to"].(float64)-at) > .01 || math.Abs(at-e.Bits) > .01 {
			t.Errorf("%s: steps end at %v, weight %v", e.Kind, at, last["to"])
		}
	}
}

// TestPolicyAllowsTheScript recomputes the hash from the page itself.
func TestPolicyAllowsTheScript(t *testing.T) {
	text := render(t, sample())
	scripts := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(text, -1)
	if len(scripts) != 1 {
		t.Fatalf("%d scripts", len(scripts))
	}
	sum := sha256.Sum256([]byte(scripts[0][1]))
	want := "script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(text)
	if policy == nil || !strings.Contains(policy[1], want) || !strings.Contains(policy[1], "default-src 'none'") {
		t.Errorf("policy %v, want it to hold %s", policy, want)
	}
	for _, word := range []string{"unsafe-eval", " src=", "<link", "@import", "url("} {
		if strings.Contains(strings.Replace(text, scripts[0][1], "", 1), word) {
			t.Errorf("the page holds %q", word)
		}
	}
}

// TestHostileTextStaysText puts markup everywhere.
func TestHostileTextStaysText(t *testing.T) {
	const hostile = `</script><script>alert(1)</script><img src=x onerror=alert(2)>`
	d := sample()
	d.Title, d.Sources[0].Name, d.Fields[0] = hostile, hostile, hostile
	d.Junk[0].Value, d.Rejects[0].Example, d.Doubtful[0].Members[0].Values = hostile, hostile, hostile
	d.Rules[0].Name, d.Examples[0].Steps[0].Level, d.Comparisons[0].Levels[0].Label = hostile, hostile, hostile
	d.Run.Stages[0].Name = hostile
	text := render(t, d)
	if strings.Contains(text, hostile) || strings.Count(text, "<script") != 3 || strings.Contains(text, "<img") {
		t.Error("markup got through")
	}
}

// TestOnlyTheRunDependsOnTheClock renders the same content of another run.
func TestOnlyTheRunDependsOnTheClock(t *testing.T) {
	a, b := sample(), sample()
	b.Run.Started = b.Run.Started.Add(time.Hour)
	b.Run.PeakBytes, b.Run.Workers, b.Run.Stages[0].Seconds = 9<<30, 7, 3.21
	x, y := render(t, a), render(t, b)
	if x == y {
		t.Error("the page does not show the run")
	}
	if !bytes.Equal(WithoutRun([]byte(x)), WithoutRun([]byte(y))) {
		t.Error("the rest of the page depends on the clock")
	}
	if strings.Contains(string(WithoutRun([]byte(x))), "02:00") {
		t.Error("the time is left")
	}
	b.Run = nil
	if strings.Contains(render(t, b), "Where time and memory went") {
		t.Error("a page without a run shows one")
	}
}

func TestLongListsAreCut(t *testing.T) {
	d := sample()
	for i := range 500 {
		d.Mapping = append(d.Mapping, Mapping{"crm", fmt.Sprintf("column %d", i), "", "fits nothing"})
		d.Fields = append(d.Fields, fmt.Sprintf("field %d", i))
		for s := range d.Sources {
			d.Sources[s].Fill = append(d.Sources[s].Fill, .5)
		}
	}
	text := render(t, d)
	if !strings.Contains(text, "and 304 more") || len(text) > 2_000_000 {
		t.Errorf("a page of %d bytes", len(text))
	}
	if n := len(fillSpec(d)["data"].(object)["values"].([]object)); n != maxRows*len(d.Sources) {
		t.Errorf("%d cells", n)
	}
}

// TestBinsCountEveryWeightOnce compares with counting one by one.
func TestBinsCountEveryWeightOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOf(rapid.Float64Range(-80, 80)).Draw(t, "weights")
		width := rapid.SampledFrom([]float64{.5, 1, 2}).Draw(t, "width")
		bins := Bins(len(weights), func(i int) float64 { return weights[i] }, width, 40)
		total := 0
		for i, b := range bins {
			n := 0
			for _, w := range weights {
				w = max(-40, min(40-width/2, w))
				if b.From <= w && w < b.To {
					n++
				}
			}
			if int64(n) != b.Pairs || b.To-b.From != width || i > 0 && b.From != bins[i-1].To {
				t.Fatalf("bin %+v, want %d", b, n)
			}
			total += n
		}
		if total != len(weights) {
			t.Fatalf("%d of %d weights", total, len(weights))
		}
	})
}

func TestFigures(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{count(0), "0"}, {count(999), "999"}, {count(1000), "1\u202f000"}, {count(-1234567), "−1\u202f234\u202f567"},
		{percent(0), "0\u00a0%"}, {percent(1), "100\u00a0%"}, {percent(.9999), ">\u00a099.9\u00a0%"}, {percent(.00001), "<\u00a00.1\u00a0%"},
		{percent(.5), "50\u00a0%"}, {percent(.956), "95.6\u00a0%"}, {percent(math.NaN()), "–"},
		{probable(1), ">\u00a099.9\u00a0%"}, {probable(0), "<\u00a00.1\u00a0%"}, {probable(.5), "50\u00a0%"},
		{signed(3.14), "+3.1"}, {signed(-3.14), "−3.1"},
		{sizeText(5), "5 B"}, {sizeText(1536), "1.5 KiB"}, {sizeText(231 << 20), "231 MiB"},
		{rate(Stage{Seconds: 2, Items: 4000, Unit: "rows"}), "2\u202f000 rows/s"}, {rate(Stage{Items: 1}), ""},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// TestBundleIsWhatBuildMakes checks that the committed bundle names the
// licence of every package that package-lock.json would bundle, and holds the
// code of build/charts.js.
func TestBundleIsWhatBuildMakes(t *testing.T) {
	licences, err := os.ReadFile("assets/LICENSES.txt")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("build/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct{ Version string }
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^={72}\n(\S+) (\S+) \(`).FindAllStringSubmatch(string(licences), -1) {
		if got := lock.Packages["node_modules/"+m[1]].Version; got != m[2] {
			t.Errorf("%s %s is bundled, package-lock.json has %q; run the build again", m[1], m[2], got)
		}
	}
	if !strings.Contains(string(licences), "\nvega-lite ") {
		t.Error("LICENSES.txt does not name vega-lite")
	}
	source, err := os.ReadFile("build/charts.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`'(var\(--\w+\)|\[data-\w+\]|This chart[^']+)'`).FindAllStringSubmatch(string(source), -1) {
		if !strings.Contains(charts, m[1]) {
			t.Errorf("the bundle does not hold %q of charts.js; run the build again", m[1])
		}
	}
	if len(charts) > 1<<20 {
		t.Errorf("the bundle has %d bytes", len(charts))
	}
}

// TestSpecsCompile lets Vega-Lite itself compile every specification, where
// Node.js and the build's packages are installed.
func TestSpecsCompile(t *testing.T) {
	if _, err := os.Stat("build/node_modules/vega-lite"); err != nil {
		t.Skip("npm ci in build has not been run")
	}
	all := specs(sample())
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "--input-type=module", "-e", `
import {compile} from 'vega-lite';
import {readFileSync} from 'node:fs';
const warn = message => console.log(message);
const logger = {level() { return this; }, error: warn, warn, info() { return this; }, debug() { return this; }};
for (const [name, spec] of Object.entries(JSON.parse(readFileSync(0, 'utf8')))) compile(spec, {logger});`)
	cmd.Dir = "build"
	cmd.Stdin = bytes.NewReader(text)
	out, err := cmd.CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}

func BenchmarkRender(b *testing.B) {
	d := sample()
	for b.Loop() {
		if _, err := Render(d); err != nil {
			b.Fatal(err)
		}
	}
}

// TestPageWithoutTimesSaysWhatWasDone renders what sama resolve writes: work,
// and no word of the clock.
func TestPageWithoutTimesSaysWhatWasDone(t *testing.T) {
	d := sample()
	for _, s := range d.Run.Stages {
		d.Work = append(d.Work, Stage{Name: s.Name, Items: s.Items, Unit: s.Unit})
	}
	d.Run = nil
	text := render(t, d)
	for _, want := range []string{"Where the work went", `<a href="run.json">`, d.Work[0].Name} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(text, `data-started="`) {
		t.Error("the page says when the run was made")
	}
}
