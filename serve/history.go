package serve

import (
	"errors"
	"path/filepath"
	"sync"

	"sama/run"
	"sama/run/index"
)

// History reads the changes of earlier runs of an output directory. It keeps the
// index that was asked last, since a feed is read page by page.
type History struct {
	Dir string

	mu sync.Mutex // guards what follows
	id string
	x  *index.Index
}

// Changes returns changes of a run, in its own order, from the place after on.
func (h *History) Changes(id string, after, limit int) ([]RunChange, error) {
	x, err := h.open(id)
	if err != nil {
		return nil, err
	}
	defer x.Release()
	return changesOf(x, after, limit), nil
}

// open returns the index of a run, with a reference to give back.
func (h *History) open(id string) (*index.Index, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.x != nil && h.id == id && h.x.Acquire() {
		return h.x, nil
	}
	// An id comes from the state, and names a folder.
	if id == "" || filepath.Base(id) != id || id[0] == '.' {
		return nil, errors.New("it is no run")
	}
	r, err := run.Open(filepath.Join(h.Dir, "runs", id))
	if err != nil {
		return nil, err
	}
	x, err := r.Index()
	if err != nil {
		return nil, err
	}
	if h.x != nil {
		_ = h.x.Close() // it was only read
	}
	h.id, h.x = id, x
	if !x.Acquire() {
		return nil, errors.New("the index is closed")
	}
	return x, nil
}

// Close gives back what is kept.
func (h *History) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.x == nil {
		return nil
	}
	err := h.x.Close()
	h.x = nil
	return err
}
