package main

import (
	"strings"
	"testing"
)

func TestGuardsHoldTheirLimits(t *testing.T) {
	base := guardBase{identities: 1000, records: 2000}
	counts := map[string]int64{"split": 5, "merged": 0, recordsGone: 20, goldenChanged: 100}
	for text, violated := range map[string]bool{
		"split>5": false, "split>=5": true, "split>4": true, "split > 4.5": true, "split>=6": false,
		"split>0.5%": false, "split>=0.5%": true, "split>0.49 %": true,
		"records_gone>1%": false, "records_gone>=1%": true, // of records, not identities
		"golden_changed>9.9%": true, "golden_changed>10%": false,
		"merged>0": false, "merged>=0": true, "retired>0": false,
	} {
		guards, err := parseGuards([]string{text})
		if err != nil || len(guards) != 1 {
			t.Fatalf("%s: %v, %v", text, guards, err)
		}
		if got := checkGuards(guards, counts, base); (len(got) > 0) != violated {
			t.Errorf("%s: %q", text, got)
		}
		again, err := parseGuard(guards[0].String())
		if err != nil || again != guards[0] {
			t.Errorf("%s: written as %s, read as %v (%v)", text, guards[0], again, err)
		}
	}
}

func TestGuardsSayWhatIsTooMuch(t *testing.T) {
	guards, err := parseGuards([]string{"split>0.1%,merged>0", "records_gone>3"})
	if err != nil {
		t.Fatal(err)
	}
	got := checkGuards(guards, map[string]int64{"split": 1234, "records_gone": 4}, guardBase{identities: 100_000, records: 1})
	want := "split 1 234 of 100 000 identities, 1.234 %: the limit is split>0.1%; records gone 4: the limit is records_gone>3"
	if strings.Join(got, "; ") != want {
		t.Errorf("got  %q\nwant %q", strings.Join(got, "; "), want)
	}
}

func TestAShareOfNothingIsWithinEveryGuard(t *testing.T) {
	guards, err := parseGuards([]string{"created>=0%"})
	if err != nil {
		t.Fatal(err)
	}
	if got := checkGuards(guards, map[string]int64{"created": 9}, guardBase{}); len(got) > 0 {
		t.Error(got)
	}
}

func TestBadGuardsAreUsageErrors(t *testing.T) {
	for _, text := range []string{"", "split", "split>", "split<3", "split>x", "split>-1", "split>1%%", "unchanged>1", ">1", "split>1,", "split>1e3"} {
		if _, err := parseGuards([]string{text}); exitCode(err) != exitUsage {
			t.Errorf("%q: %v", text, err)
		}
	}
	_, err := parseGuards([]string{"a>1,split=1", "b>2"})
	if n := strings.Count(err.Error(), "\n"); n != 2 {
		t.Errorf("not every mistake is named: %v", err)
	}
}
