package store

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Keys are the secret keys of digests: of tombstones, and of contact points
// that consents are tied to. They live in a file of their own, outside the
// state: who has only one of the two can tell nobody from it. Without the file
// the tombstones say nothing any more and those who were erased come back with
// the next export, so it belongs into a backup of its own.
//
// The file is text, readable by its owner alone: a first line "sama keys 1",
// then one line a key, with its version, a space, and 32 bytes in hexadecimal.
// New digests are made with the highest version. The values behind old ones are
// gone, so a version stays as long as there are digests of it, and every value
// that is looked for costs one digest a version.
type Keys struct {
	path string
	list []secretKey // in order of versions
}

type secretKey struct {
	version int64
	secret  [32]byte
}

const (
	keysHeader = "sama keys 1"
	maxKeys    = 8
)

// LoadKeys reads a key file. Where there is none the error is an
// [fs.ErrNotExist].
func LoadKeys(path string) (*Keys, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("key file %s cannot be read: %w", path, cause(err))
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("key file %s can be read by others than its owner; chmod 600 it", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("key file %s cannot be read: %w", path, cause(err))
	}
	k := &Keys{path: path}
	if err := k.parse(text); err != nil {
		return nil, fmt.Errorf("key file %s: %w; restore it from a copy", path, err)
	}
	return k, nil
}

// parse reads a key file; its errors do not quote it.
func (k *Keys) parse(text []byte) error {
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if lines[0] != keysHeader || !bytes.HasSuffix(text, []byte("\n")) {
		return fmt.Errorf("want a first line %q, and an end of line after the last", keysHeader)
	}
	for i, line := range lines[1:] {
		version, secret, _ := strings.Cut(line, " ")
		n, err := strconv.ParseInt(version, 10, 64)
		raw, wrong := hex.DecodeString(secret)
		if err != nil || wrong != nil || n < 1 || len(raw) != 32 {
			return fmt.Errorf("line %d: want a version and 32 bytes in hexadecimal", i+2)
		}
		if len(k.list) > 0 && n <= k.newest().version {
			return fmt.Errorf("line %d: version %d comes after version %d", i+2, n, k.newest().version)
		}
		k.list = append(k.list, secretKey{n, [32]byte(raw)})
	}
	if len(k.list) == 0 || len(k.list) > maxKeys {
		return fmt.Errorf("it has %d keys, want 1 to %d", len(k.list), maxKeys)
	}
	return nil
}

// CreateKeys makes a key file with one key from a source of random bytes. A
// file that is there is never written over: the error is an [fs.ErrExist].
func CreateKeys(path string, random io.Reader) (*Keys, error) {
	k := &Keys{path: path}
	if err := k.add(random); err != nil {
		return nil, err
	}
	if err := k.save(false); err != nil {
		return nil, err
	}
	return k, nil
}

// Rotate adds a key of the next version to the file, with which digests are
// made from then on, and returns the keys with it. k is left as it is.
func (k *Keys) Rotate(random io.Reader) (*Keys, error) {
	if len(k.list) == maxKeys {
		return nil, fmt.Errorf("key file %s has %d keys; drop one that no tombstone needs first", k.path, maxKeys)
	}
	next := &Keys{path: k.path, list: slices.Clone(k.list)}
	if err := next.add(random); err != nil {
		return nil, err
	}
	return next, next.save(true)
}

// Drop removes a version from the file and returns the keys without it. That
// nothing needs it is for [Store.KeysInUse] to say. The newest stays.
func (k *Keys) Drop(version int64) (*Keys, error) {
	next := &Keys{path: k.path, list: slices.DeleteFunc(slices.Clone(k.list), func(x secretKey) bool { return x.version == version })}
	if len(next.list) == len(k.list) || version == k.newest().version {
		return nil, fmt.Errorf("key file %s: version %d is not there, or is the newest; an older one can be dropped", k.path, version)
	}
	return next, next.save(true)
}

func (k *Keys) add(random io.Reader) error {
	next := secretKey{version: 1}
	if len(k.list) > 0 {
		next.version = k.newest().version + 1
	}
	if _, err := io.ReadFull(random, next.secret[:]); err != nil {
		return fmt.Errorf("no random bytes for a key: %w", err)
	}
	k.list = append(k.list, next)
	return nil
}

func (k *Keys) newest() secretKey { return k.list[len(k.list)-1] }

// Newest returns the version by which new digests are made.
func (k *Keys) Newest() int64 { return k.newest().version }

// Versions returns the versions that there are, in order.
func (k *Keys) Versions() []int64 {
	var versions []int64
	for _, x := range k.list {
		versions = append(versions, x.version)
	}
	return versions
}

// save writes the file under another name and gives it its own: by a link if
// nothing may be replaced.
func (k *Keys) save(replace bool) error {
	var text strings.Builder
	text.WriteString(keysHeader + "\n")
	for _, x := range k.list {
		fmt.Fprintf(&text, "%d %s\n", x.version, hex.EncodeToString(x.secret[:]))
	}
	err := writeAside(k.path, []byte(text.String()), replace)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("key file %s is there already: %w", k.path, fs.ErrExist)
	}
	if err != nil {
		return fmt.Errorf("key file %s cannot be written: %w", k.path, cause(err))
	}
	return nil
}

// writeAside writes a file for its owner alone so that it is there whole or
// not at all, and lasts.
func writeAside(path string, content []byte, replace bool) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // it is gone if all went well
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if replace {
		err = os.Rename(f.Name(), path)
	} else {
		err = os.Link(f.Name(), path)
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes the names in a folder last.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // it has no such call for folders
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// KeyedDigest is HMAC-SHA256 under a key of a kind, a zero byte, and a value.
type KeyedDigest [32]byte

// String returns it in hexadecimal.
func (d KeyedDigest) String() string { return hex.EncodeToString(d[:]) }

// Hasher makes digests with one key. It allocates nothing, and is for one
// goroutine.
type Hasher struct {
	version int64
	mac     hash.Hash
	buf     []byte
	sum     [32]byte
}

// Hasher returns a hasher with the newest key.
func (k *Keys) Hasher() *Hasher { return k.newest().hasher() }

// Hashers returns a hasher for every key, in order of versions: a value is
// looked for under all of them.
func (k *Keys) Hashers() []*Hasher {
	var list []*Hasher
	for _, x := range k.list {
		list = append(list, x.hasher())
	}
	return list
}

func (x secretKey) hasher() *Hasher {
	return &Hasher{version: x.version, mac: hmac.New(sha256.New, x.secret[:])}
}

// Version returns the version of the key.
func (h *Hasher) Version() int64 { return h.version }

// Digest returns the digest of a value, in its normal form, of a kind.
func (h *Hasher) Digest(kind, value string) KeyedDigest {
	h.buf = append(append(append(h.buf[:0], kind...), 0), value...)
	h.mac.Reset()
	h.mac.Write(h.buf)
	return KeyedDigest(h.mac.Sum(h.sum[:0]))
}

// proof is by what a key is told from another of the same version: the digest
// of a kind that no value has.
func (x secretKey) proof() KeyedDigest { return x.hasher().Digest("", "sama key") }
