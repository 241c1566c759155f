package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// fileTable is what one file holds.
type fileTable struct {
	File
	columns []RawColumn
	rejects []Reject
	before  os.FileInfo // as it was when reading began
}

// task is a piece of the reading of a file that runs beside others. It writes
// nothing that another task reads.
type task struct {
	path string
	run  func() error // nil: done before
	err  error
}

// readFiles reads the files of all sources; tables[s][f] belongs to
// sources[s].paths[f].
func readFiles(ctx context.Context, sources []sourceFiles, opt ReadOptions) (tables [][]*fileTable, err error) {
	var tasks []*task
	var finish []func()
	opened := make(map[*task]*fileTable)
	for i := range sources {
		s := &sources[i]
		row := make([]*fileTable, len(s.paths))
		for k, path := range s.paths {
			t := &fileTable{File: File{Path: path}}
			row[k] = t
			var more []*task
			var done func()
			open := &task{path: path}
			open.err = guard(func() (err error) {
				more, done, err = openFile(ctx, t, s.input, opt)
				return err
			})
			if done != nil {
				finish = append(finish, done)
			}
			tasks = append(append(tasks, open), more...)
			if open.err == nil {
				opened[open] = t
				tasks = append(tasks, &task{path: path, run: func() (err error) {
					t.SHA256, err = hashFile(path)
					return err
				}})
			}
		}
		tables = append(tables, row)
	}
	defer func() {
		for _, f := range finish {
			f()
		}
	}()
	runTasks(tasks, opt.Workers)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for open, t := range opened {
		open.err = t.unchanged()
	}
	return tables, taskErrors(tasks)
}

// unchanged returns an error if the file is not the one that reading began with:
// what was read is then neither the old file nor the new one, and half an export
// would retire the identities of the other half.
func (t *fileTable) unchanged() error {
	now, err := os.Stat(t.Path)
	const advice = "; give exports their name when they are complete, and run again"
	switch {
	case err != nil:
		return fmt.Errorf("it went away while it was read: %v"+advice, rootCause(err))
	case !os.SameFile(t.before, now):
		return errors.New("it was replaced by another file while it was read" + advice)
	case now.Size() != t.before.Size():
		return fmt.Errorf("it changed while it was read: it had %d bytes and has %d"+advice, t.before.Size(), now.Size())
	case !now.ModTime().Equal(t.before.ModTime()):
		return errors.New("it changed while it was read" + advice)
	}
	return nil
}

// runTasks runs the tasks that are still to be done.
func runTasks(tasks []*task, workers int) {
	var next atomic.Int64
	var g errgroup.Group
	for range workers {
		g.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(tasks)); i = next.Add(1) - 1 {
				if t := tasks[i]; t.run != nil {
					t.err = guard(t.run)
				}
			}
			return nil
		})
	}
	g.Wait()
}

// taskErrors joins the first error of each file, in the order of files.
func taskErrors(tasks []*task) error {
	var errs []error
	last := ""
	for _, t := range tasks {
		if t.err != nil && t.path != last {
			errs = append(errs, fmt.Errorf("file %s: %w", t.path, rootCause(t.err)))
			last = t.path
		}
	}
	return errors.Join(errs...)
}

// guard turns a panic on damaged data into an error: one bad file must not end
// the process that reads the others.
func guard(run func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("corrupt: reading it failed: %v", p)
		}
	}()
	return run()
}

// openFile finds a file's format and returns the tasks that read it into t, and
// what is to be called when they are done.
func openFile(ctx context.Context, t *fileTable, in Input, opt ReadOptions) (tasks []*task, done func(), err error) {
	f, err := os.Open(t.Path)
	if err != nil {
		return nil, nil, err
	}
	done = func() { f.Close() }
	info, err := f.Stat()
	if err != nil {
		return nil, done, err
	}
	t.Size, t.before = info.Size(), info
	head := make([]byte, min(t.Size, sniffSize))
	if _, err := io.ReadFull(f, head); err != nil {
		return nil, done, err
	}
	format, err := formatOf(t.Path, head)
	if err != nil {
		return nil, done, err
	}
	if in.Format == formatParquet && format != formatParquet {
		return nil, done, errors.New("it is configured as Parquet, but does not begin as a Parquet file")
	}
	if format == formatParquet {
		if in.Format != "" && in.Format != formatParquet {
			return nil, done, fmt.Errorf("it is configured as %s, but is a Parquet file", in.Format)
		}
		tasks, err = parquetTasks(ctx, t, f, opt)
		return tasks, done, err
	}
	return []*task{{path: t.Path, run: func() error { return readText(ctx, t, in, opt) }}}, done, nil
}

// parquetTasks returns a task a column.
func parquetTasks(ctx context.Context, t *fileTable, f *os.File, opt ReadOptions) ([]*task, error) {
	t.Format = formatParquet
	rej := rejects{file: t.Path, limit: opt.KeepRejects}
	p, err := openParquet(t.Path, f, t.Size, &rej)
	if err != nil {
		return nil, err
	}
	t.Rows = int(p.meta.NumRows)
	t.rejects = rej.list
	t.columns = make([]RawColumn, len(p.columns))
	parts := make([]rejects, len(p.columns))
	repaired := make([]int, len(p.columns))
	left := atomic.Int64{}
	left.Store(int64(len(p.columns)))
	var tasks []*task
	for i := range p.columns {
		parts[i] = rejects{file: t.Path, limit: opt.KeepRejects}
		tasks = append(tasks, &task{path: t.Path, run: func() (err error) {
			t.columns[i], repaired[i], err = p.readColumn(ctx, &p.columns[i], opt.MaxCell, &parts[i])
			if left.Add(-1) == 0 { // the last column gathers, in the order of columns
				for k := range parts {
					t.rejects = append(t.rejects, parts[k].list...)
					t.Repaired += repaired[k]
				}
			}
			return err
		}})
	}
	return tasks, nil
}
