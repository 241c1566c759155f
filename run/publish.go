package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"sama/graph"
	"sama/run/columns"

	"golang.org/x/sync/errgroup"
)

// Options are how to publish.
type Options struct {
	Now     func() time.Time // the clock; nil = time.Now
	Workers int              // 0 = as many as the process may use
	Arrow   bool             // write members.arrow and golden.arrow too
	// Lock is the writer's lock of the directory, held by the caller who took it
	// before the long work began; nil takes and releases it here.
	Lock *Lock
	// Kept are the files that KeepSource has written for this run.
	Kept []File
	// HoldBack is asked when all files but run.json are written: if it says so,
	// the run is kept, but does not become the current one. nil = never.
	HoldBack func(*Run) (bool, error)

	disk    disk
	noIndex bool // as runs were before there was a profile index
}

// Publish writes a run directory under dir, makes it the current one, and
// returns its path. On any error, and when ctx ends before the switch, dir is
// as it was before.
// If another process is writing there the error is an *ErrLocked.
func Publish(ctx context.Context, dir string, c *Content, opt Options) (string, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Workers <= 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	if err := c.validate(); err != nil {
		return "", err
	}
	if opt.Lock == nil {
		lock, err := Acquire(dir, opt.Now)
		if err != nil {
			return "", err
		}
		defer lock.Release()
	}
	p := &publisher{Options: opt, dir: dir, begin: opt.Now(), layout: newLayout(c, opt.Workers)}
	path, err := p.publish(ctx)
	if err != nil {
		return "", fmt.Errorf("writing the run to %s: %w", dir, errors.Join(err, p.undo()))
	}
	return path, nil
}

// publisher is one call of Publish.
type publisher struct {
	Options
	*layout
	dir   string
	begin time.Time
	path  string // the finished run, once it has its name
	done  bool   // current names it, or it is held back
	arrow []File // by arrowTables
}

// publish builds, renames and switches.
func (p *publisher) publish(ctx context.Context) (string, error) {
	work := filepath.Join(p.dir, unfinishedName)
	if err := p.disk.try("mkdir", work); err != nil {
		return "", err
	}
	for _, folder := range []string{"records", indexFolder} {
		if err := os.MkdirAll(filepath.Join(work, folder), 0o777); err != nil {
			return "", err
		}
	}
	files, err := p.writeFiles(ctx, work)
	if err != nil {
		return "", err
	}
	info, err := p.info(files)
	if err != nil {
		return "", err
	}
	if p.HoldBack != nil {
		if info.HeldBack, err = p.HoldBack(&Run{Path: work, Info: *info}); err != nil {
			return "", err
		}
	}
	if err := p.writeInfo(work, info); err != nil {
		return "", err
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	folders := []string{filepath.Join(work, "records"), filepath.Join(work, indexFolder), work}
	if len(p.Kept) > 0 {
		folders = append([]string{filepath.Join(work, sourcesFolder)}, folders...)
	}
	for _, folder := range folders {
		if err := p.disk.sync(folder); err != nil {
			return "", err
		}
	}
	return p.path, p.switchTo(work, info)
}

// switchTo gives the finished folder its name and, unless it is held back, makes
// it the current run.
func (p *publisher) switchTo(work string, info *Info) error {
	next := filepath.Join(p.dir, publishingName)
	if !info.HeldBack {
		if err := p.announce(next, info.ID); err != nil {
			return err
		}
	}
	final := filepath.Join(p.dir, runsFolder, info.ID)
	if err := p.disk.rename(work, final); err != nil {
		return err
	}
	p.path = final
	if err := p.disk.sync(filepath.Join(p.dir, runsFolder)); err != nil {
		return err
	}
	if info.HeldBack {
		p.done = true
		return nil
	}
	if err := p.disk.rename(next, filepath.Join(p.dir, currentName)); err != nil {
		return err
	}
	p.done = true
	if err := p.disk.sync(p.dir); err != nil {
		return fmt.Errorf("run %s is whole and current, but that may not last if the machine fails now: %w", info.ID, err)
	}
	return nil
}

// announce makes the link that is to be current. It is on disk before the run has
// its name: whoever finds it knows that its run was never current.
func (p *publisher) announce(next, id string) error {
	if err := p.disk.try("symlink", next); err != nil {
		return err
	}
	if err := os.Symlink(filepath.Join(runsFolder, id), next); err != nil {
		return err
	}
	return p.disk.sync(p.dir)
}

// undo removes what a failed publish wrote. A run that current already names
// is whole and stays.
func (p *publisher) undo() error {
	if p.done {
		return nil
	}
	err := errors.Join(os.RemoveAll(filepath.Join(p.dir, unfinishedName)), clearPublishing(p.dir))
	if p.path != "" {
		err = errors.Join(err, discard(p.dir, filepath.Base(p.path)))
	}
	return err
}

// writeFiles writes everything but run.json and returns the files by name.
func (p *publisher) writeFiles(ctx context.Context, work string) ([]File, error) {
	tables := p.tables()
	files := make([]File, len(tables))
	encoder := columns.NewEncoder(p.Workers)
	if p.Arrow {
		p.arrow = make([]File, len(arrowTables))
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(p.Workers)
	for i, t := range tables {
		g.Go(func() error {
			built := t.build()
			var err error
			files[i], err = p.disk.writeFile(work, t.name, func(w io.Writer) error {
				return encoder.WriteParquet(ctx, w, built.rows, built.columns)
			})
			files[i].Rows = int64(built.rows)
			if err == nil && p.Arrow && slices.Contains(arrowTables, t.name) {
				return p.writeArrow(ctx, work, t.name, built)
			}
			return err
		})
	}
	var indexed []File
	if !p.noIndex {
		g.Go(func() (err error) {
			indexed, err = p.writeIndex(ctx, work)
			return err
		})
	}
	plain := make([]File, 3)
	for i, f := range []struct {
		name string
		text []byte
	}{{"report.html", p.Report}, {"sama.yaml", p.Config}, {"model.json", p.Model}} {
		g.Go(func() (err error) {
			plain[i], err = p.disk.writeFile(work, f.name, func(w io.Writer) error {
				_, err := w.Write(f.text)
				return err
			})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	files = slices.Concat(files, plain, p.arrow, indexed, p.Kept)
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
}

// info completes run.json.
func (p *publisher) info(files []File) (*Info, error) {
	info := p.Info
	info.Format = FormatVersion
	info.Files = files
	info.Columns = p.columnInfo()
	info.Counts = p.counts()
	for _, f := range files {
		switch f.Name {
		case "sama.yaml":
			info.ConfigSHA256 = f.SHA256
		case "model.json":
			info.ModelSHA256 = f.SHA256
		}
	}
	if info.Since != nil {
		info.Since.Events = p.eventCounts()
	}
	if info.Started.IsZero() {
		info.Started = p.begin
	}
	info.Started = info.Started.UTC().Truncate(time.Second)
	id, err := p.newID(info.Started, files)
	if err != nil {
		return nil, err
	}
	info.ID = id
	now := p.Now()
	info.Finished = now.UTC().Truncate(time.Second)
	info.Workers = p.Workers
	info.Stages = append(slices.Clone(info.Stages), Stage{
		Name: "publish", Seconds: now.Sub(p.begin).Seconds(), Items: int64(len(files)), Unit: "files",
	})
	if info.Memory.PeakBytes == 0 {
		info.Memory.PeakBytes = PeakMemory()
	}
	return &info, nil
}

// newID returns the start in UTC and the first digits of a hash over all
// files; more digits where an equal run of the same second stands already.
func (p *publisher) newID(started time.Time, files []File) (string, error) {
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%s %s\n", f.SHA256, f.Name)
	}
	digits := hex.EncodeToString(h.Sum(nil))
	for n := 4; n <= len(digits); n++ {
		id := started.Format("2006-01-02T15-04-05Z-") + digits[:n]
		if _, err := os.Lstat(filepath.Join(p.dir, runsFolder, id)); errors.Is(err, os.ErrNotExist) {
			return id, nil
		}
	}
	return "", fmt.Errorf("too many runs of %s with the same content", started.Format(time.RFC3339))
}

// counts completes the figures.
func (p *publisher) counts() Counts {
	c := p.Info.Counts
	c.Sources = int64(len(p.Table.Sources))
	c.Records = int64(p.Table.Len())
	c.Identities = int64(len(p.Assigned.IDs))
	c.Edges = int64(len(p.Edges))
	c.Events = int64(len(p.Assigned.Events))
	c.Aliases = int64(len(p.Assigned.Dormant))
	if p.Content.Consents != nil {
		c.Consents = int64(len(p.Content.Consents.Acts))
	}
	c.Rejects = max(c.Rejects, int64(len(p.Rejects)))
	c.Joined, c.Largest = 0, 0
	for id := range p.Assigned.IDs {
		n := int64(len(p.of(uint32(id))))
		c.Largest = max(c.Largest, n)
		if n > 1 {
			c.Joined += n
		}
	}
	return c
}

// eventCounts counts the events by kind.
func (p *publisher) eventCounts() map[string]int64 {
	counts := make(map[string]int64)
	for _, kind := range graph.EventKinds() {
		counts[kind.String()] = 0
	}
	for _, e := range p.Assigned.Events {
		counts[e.Kind.String()]++
	}
	return counts
}

// columnInfo describes the table's columns.
func (p *publisher) columnInfo() []Column {
	all := make([]Column, len(p.names))
	for i, c := range p.Table.Columns {
		all[i] = Column{Name: p.names[i], Column: c.Name, Field: c.Field, Filled: c.Filled(), Distinct: c.Normal.Len() - 1}
	}
	return all
}

// writeInfo writes run.json.
func (p *publisher) writeInfo(work string, info *Info) error {
	text, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", infoName, err)
	}
	_, err = p.disk.writeFile(work, infoName, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	return err
}
