package report

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser returns the path of a Chromium, or skips the test unless
// SAMA_TEST_REQUIRE=all.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("SAMA_TEST_REQUIRE") == "all" {
		t.Fatal("chromium is needed")
	}
	t.Skip("chromium not found")
	return ""
}

// seen is what a browser says about a page once its charts are drawn.
type seen struct {
	Charts    int      // elements that should hold a chart
	Drawn     int      // those that hold a picture with marks in it
	Missing   []string // names of the others
	Empty     []string // pictures without marks
	Resources int      // loaded beside the page itself
	Wide      int      // pixels that the page is wider than its window
	When      string
}

const look = `(() => {
  const charts = [...document.querySelectorAll('[data-chart]')];
  const marks = c => c.querySelectorAll('svg .mark-rect path, svg .mark-line path, svg .mark-text text').length;
  const drawn = charts.filter(c => c.dataset.drawn && c.querySelector('svg') && c.clientHeight > 20);
  return {
    Charts: charts.length,
    Drawn: drawn.length,
    Missing: charts.filter(c => !drawn.includes(c)).map(c => c.dataset.chart),
    Empty: drawn.filter(c => marks(c) === 0).map(c => c.dataset.chart),
    Resources: performance.getEntriesByType('resource').filter(r => !r.name.startsWith('data:')).length,
    Wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    When: document.querySelector('[data-when]')?.textContent ?? '',
  };
})()`

// TestBrowserDrawsThePage opens the report from a file, wide and narrow.
func TestBrowserDrawsThePage(t *testing.T) {
	path := browser(t)
	text, err := Render(sample())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, text, 0o666); err != nil {
		t.Fatal(err)
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	defer stop()
	for name, width := range map[string]int64{"desk": 1200, "phone": 390} {
		t.Run(name, func(t *testing.T) {
			got, messages := open(t, ctx, file, width)
			want := len(specs(sample())) + len(runSpecs(sample().Run))
			if got.Charts != want || got.Drawn != want || len(got.Empty) > 0 {
				t.Errorf("%d charts, %d drawn, want %d; missing %v, empty %v", got.Charts, got.Drawn, want, got.Missing, got.Empty)
			}
			if got.Resources != 0 {
				t.Errorf("the page loaded %d other files", got.Resources)
			}
			if got.Wide > 0 {
				t.Errorf("the page is %d pixels wider than a window of %d", got.Wide, width)
			}
			if got.When != "23 November 2026, 02:00 UTC" {
				t.Errorf("the head says %q", got.When)
			}
			if len(messages) > 0 {
				t.Errorf("the console says\n%s", strings.Join(messages, "\n"))
			}
		})
	}
}

// open loads the page in a tab of that width and returns what is there, and
// everything on the console.
func open(t *testing.T, ctx context.Context, file string, width int64) (seen, []string) {
	ctx, cancel := chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900)); err != nil {
		t.Fatal(err)
	}
	console := chromedp.Console(ctx)
	if err := chromedp.Do(ctx, chromedp.Navigate("file://"+file)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.documentElement.dataset.charts === 'drawn'`)); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[seen](look))
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("SAMA_TEST_SCREENSHOTS"); dir != "" {
		picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-")+".png")
		if err := os.WriteFile(name, picture, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	// A message of our own ends the collection.
	const last = "end of the test"
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](`console.log("`+last+`")`)); err != nil {
		t.Fatal(err)
	}
	var messages []string
	for m, err := range console {
		if err != nil {
			t.Fatal(err)
		}
		if m.Text == last {
			break
		}
		messages = append(messages, m.Text)
	}
	return got, messages
}
