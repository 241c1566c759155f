package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"sama/run"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress tells how far a command is: bars on a terminal, a line a stage
// elsewhere, nothing when quiet. It also keeps what each stage took.
type progress struct {
	to     io.Writer // nil: quiet
	bars   *mpb.Progress
	now    func() time.Time
	stages []run.Stage
}

// newProgress makes a progress on the command's stderr.
func (c *cli) newProgress(quiet bool) *progress {
	p := &progress{now: c.now}
	if quiet {
		return p
	}
	p.to = c.stderr
	if isTerminal(c.stderr) {
		p.bars = mpb.New(mpb.WithOutput(c.stderr), mpb.WithWidth(40), mpb.WithRefreshRate(100*time.Millisecond))
	}
	return p
}

// stage is one part of the work on its way.
type stage struct {
	*progress
	name  string
	unit  string
	begin time.Time

	mu       sync.Mutex // guards bar and measured: done is called by several workers
	bar      *mpb.Bar
	measured bool // the bar knows how much there is to do
}

// begin starts a stage whose items are counted in unit.
func (p *progress) begin(name, unit string) *stage {
	s := &stage{progress: p, name: name, unit: unit, begin: p.now()}
	if p.bars != nil {
		s.bar = p.bars.New(0, mpb.SpinnerStyle().PositionLeft(), s.decorations()...)
	}
	return s
}

// decorations are the stage's name before the bar and its time behind it.
func (s *stage) decorations() []mpb.BarOption {
	return []mpb.BarOption{
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(fmt.Sprintf("%-10s ", s.name))),
		mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_MMSS)),
	}
}

// done tells that done of total items are worked through. Several workers may
// call it at once.
func (s *stage) done(done, total int64) {
	if s.bars == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.measured {
		s.bar.Abort(true)
		s.bar = s.bars.AddBar(total, s.decorations()...)
		s.measured = true
	}
	s.bar.SetCurrent(done)
}

// end ends the stage, which went through items.
func (s *stage) end(items int64, err error) {
	took := s.now().Sub(s.begin)
	s.stages = append(s.stages, run.Stage{Name: s.name, Seconds: took.Seconds(), Items: items, Unit: s.unit})
	if s.bar != nil {
		s.bar.Abort(true)
	}
	if s.to == nil || err != nil {
		return
	}
	line := fmt.Sprintf("%-10s %8s %12s %s\n", s.name, duration(took), count(items), s.unit)
	if s.bars != nil {
		fmt.Fprint(s.bars, line)
		return
	}
	fmt.Fprint(s.to, line)
}

// close waits until the bars are gone; nothing may be written to the terminal
// before.
func (p *progress) close() {
	if p.bars != nil {
		p.bars.Wait()
		p.bars = nil
	}
}

// duration writes a time for people.
func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
