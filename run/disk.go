package run

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
)

// The names under the output directory.
const (
	lockName        = "lock"
	currentName     = "current"
	nextCurrentName = ".current-next"
	publishingName  = ".publishing"
	runsFolder      = "runs"
	unfinishedName  = "runs/.unfinished"
	infoName        = "run.json"
)

// disk is every way in which publishing touches the file system. Tests set
// fault to make the n-th touch fail.
type disk struct {
	fault func(op, path string) error
}

// try reports the fault that a test wants, if any.
func (d disk) try(op, path string) error {
	if d.fault == nil {
		return nil
	}
	return d.fault(op, path)
}

// writeFile writes and syncs a new file and returns its size and hash.
func (d disk) writeFile(folder, name string, write func(io.Writer) error) (File, error) {
	path := filepath.Join(folder, filepath.FromSlash(name))
	if err := d.try("create", path); err != nil {
		return File{}, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return File{}, err
	}
	w := &summer{disk: d, file: f, hash: sha256.New()}
	err = write(w)
	if err == nil {
		if err = d.try("sync", path); err == nil {
			err = f.Sync()
		}
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return File{}, fmt.Errorf("%s: %w", name, err)
	}
	return File{Name: name, Bytes: w.size, SHA256: hex.EncodeToString(w.hash.Sum(nil))}, nil
}

// summer counts and hashes what goes into a file.
type summer struct {
	disk disk
	file *os.File
	hash hash.Hash
	size int64
}

func (w *summer) Write(p []byte) (int, error) {
	if err := w.disk.try("write", w.file.Name()); err != nil {
		return 0, err
	}
	n, err := w.file.Write(p)
	w.hash.Write(p[:n])
	w.size += int64(n)
	return n, err
}

// sync makes the names in a folder last.
func (d disk) sync(folder string) error {
	if err := d.try("sync", folder); err != nil {
		return err
	}
	return syncFolder(folder)
}

// rename moves a file, link or folder in one step.
func (d disk) rename(from, to string) error {
	if err := d.try("rename", to); err != nil {
		return err
	}
	return os.Rename(from, to)
}
