// Package report writes report.html: one self-contained page about one run,
// for a manager to read and an engineer to use.
//
// The page opens from a file without any network. Its charts are Vega-Lite
// specifications made here, as plain JSON that tests can look at, and drawn by
// the bundle in assets (build/ makes it). A content security policy in the page
// allows that one script, by its hash, and nothing else; expressions are
// interpreted, so unsafe-eval is not needed.
//
// Everything that depends on the clock or the machine, that is [Data.Run],
// stands in one stretch of the page, between two marks. [WithoutRun] cuts it
// out: what is left depends on the run's content alone.
//
//	Data ──specs──→ charts as JSON ──┐
//	     └─page.html (html/template)─┴─→ report.html
package report
