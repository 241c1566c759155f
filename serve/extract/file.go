package extract

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// file is a file that gets its name when it is whole. Until then it stands
// beside it under a name of its own, locked: what is there unlocked was left by
// somebody who was killed.
type file struct {
	path string
	temp *os.File // nil once published
	hash hash.Hash
	size int64
}

const (
	tempPrefix = ".sama-extract-"
	tempSuffix = ".part"
)

// create begins a file, and removes what others left in its folder.
func create(path string) (*file, error) {
	folder := filepath.Dir(path)
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, refused("it is a folder, or no plain file; name a file")
	}
	clear, err := os.ReadDir(folder)
	if err != nil {
		return nil, plain(err)
	}
	for _, e := range clear {
		if strings.HasPrefix(e.Name(), tempPrefix) && strings.HasSuffix(e.Name(), tempSuffix) {
			removeLeft(filepath.Join(folder, e.Name()))
		}
	}
	for range createTries {
		f, ours, err := createTemp(path)
		if err != nil || ours {
			return f, err
		}
	}
	return nil, errors.New("another extract removed what this one began, again and again; try again")
}

// createTries is how often a file is begun that another process takes for one
// that was left: it can between the two steps of making and locking it.
const createTries = 10

// createTemp makes a file and locks it. It reports false if another process was
// faster, so that it is not there any more or will not be.
func createTemp(path string) (f *file, ours bool, err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), tempPrefix+"*"+tempSuffix)
	if err != nil {
		return nil, false, plain(err)
	}
	f = &file{path: path, temp: temp}
	if err = lock(temp); err == nil {
		own, err := temp.Stat()
		named, gone := os.Lstat(temp.Name())
		if err == nil && gone == nil && os.SameFile(own, named) {
			return f, true, nil
		}
	}
	f.discard()
	if errors.Is(err, errHeld) {
		err = nil
	}
	return nil, false, err
}

// errHeld is the error of lock where somebody else has the file.
var errHeld = errors.New("another process has it")

// removeLeft removes a file that a killed process left. One that cannot be
// removed is in nobody's way.
func removeLeft(name string) {
	if f, err := os.OpenFile(name, os.O_RDWR, 0); err == nil {
		removeUnlocked(f)
	}
}

// write writes the content, in the place of what was written before, and syncs
// it.
func (f *file) write(content func(io.Writer) error) error {
	if err := f.temp.Truncate(0); err != nil {
		return plain(err)
	}
	if _, err := f.temp.Seek(0, io.SeekStart); err != nil {
		return plain(err)
	}
	f.hash, f.size = sha256.New(), 0
	b := bufio.NewWriterSize(f, 1<<18)
	if err := content(b); err != nil {
		return plain(err)
	}
	return plain(errors.Join(b.Flush(), f.temp.Sync()))
}

// Write implements [io.Writer] for what write is given.
func (f *file) Write(p []byte) (int, error) {
	n, err := f.temp.Write(p)
	f.hash.Write(p[:n])
	f.size += int64(n)
	return n, err
}

// sum is the SHA-256 of what was written.
func (f *file) sum() string { return hex.EncodeToString(f.hash.Sum(nil)) }

// publish gives the file its name, for good.
func (f *file) publish() error {
	if err := giveName(f.temp, f.path); err != nil {
		return plain(err)
	}
	f.temp = nil
	return syncFolder(filepath.Dir(f.path))
}

// discard removes a file that was not published.
func (f *file) discard() {
	if f.temp == nil {
		return
	}
	_ = f.temp.Close()
	_ = os.Remove(f.temp.Name())
}

// plain drops the operation and path that the caller's message has already.
func plain(err error) error {
	var path *os.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
