package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	"sama/run"
)

// extraTime sums nights and the first runs on the same files.
type extraTime struct {
	pairs                       int
	night, first                map[string]float64 // stage → seconds
	nightWall, firstWall        float64
	nightCPU, firstCPU          float64
	smallestRatio, largestRatio float64
}

func (x *extraTime) add(l *line) {
	if x.pairs++; x.pairs == 1 {
		x.night, x.first = map[string]float64{}, map[string]float64{}
		x.smallestRatio = l.usage.Wall.Seconds() / l.first.Wall.Seconds()
	}
	for name, s := range stagesOf(&l.now.info) {
		x.night[name] += s
	}
	for name, s := range l.first.stages {
		x.first[name] += s
	}
	x.nightWall += l.usage.Wall.Seconds()
	x.firstWall += l.first.Wall.Seconds()
	x.nightCPU += l.usage.CPU.Seconds()
	x.firstCPU += l.first.CPU.Seconds()
	ratio := l.usage.Wall.Seconds() / l.first.Wall.Seconds()
	x.smallestRatio, x.largestRatio = min(x.smallestRatio, ratio), max(x.largestRatio, ratio)
}

// print tells how much longer a night takes than a first run, and in which
// stages.
func (x *extraTime) print(w io.Writer) {
	if x.pairs == 0 {
		return
	}
	n := float64(x.pairs)
	fmt.Fprintf(w, "\n%d nights beside first runs: wall %.2f s and %.2f s, ratio %.3f (%.3f to %.3f); CPU %.2f s and %.2f s, ratio %.3f\n", x.pairs,
		x.nightWall/n, x.firstWall/n, x.nightWall/x.firstWall, x.smallestRatio, x.largestRatio, x.nightCPU/n, x.firstCPU/n, x.nightCPU/x.firstCPU)
	names := slices.Sorted(maps.Keys(x.night))
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Compare(x.night[b]-x.first[b], x.night[a]-x.first[a])
	})
	fmt.Fprintln(w, "stages by extra seconds of a night (night, first run):")
	for _, name := range names {
		if extra := (x.night[name] - x.first[name]) / n; extra > 0.002 || extra < -0.002 {
			fmt.Fprintf(w, "  %-10s %+7.3f  (%.3f, %.3f)\n", name, extra, x.night[name]/n, x.first[name]/n)
		}
	}
}

// stagesOf returns the seconds of every stage.
func stagesOf(info *run.Info) map[string]float64 {
	stages := map[string]float64{}
	for _, s := range info.Stages {
		stages[s.Name] += s.Seconds
	}
	return stages
}
