package csv

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"

	"github.com/scimbridge/scim/provision"
)

// Source reads CSV files. It is a [provision.ChangeSource] and a [provision.CountSource].
type Source struct {
	tables []Table
}

var (
	_ provision.ChangeSource = (*Source)(nil)
	_ provision.CountSource  = (*Source)(nil)
)

// New returns a source that reads files. They are opened when they are read, so they may be replaced while a job runs; replace them
// by renaming, so that none is read half-written.
func New(tables ...Table) (*Source, error) {
	s := &Source{}
	for _, t := range tables {
		if err := t.check(); err != nil {
			return nil, err
		}
		t.Limits = t.Limits.withDefaults()
		s.tables = append(s.tables, t)
	}
	return s, nil
}

// Entries yields the lines of the files of a type.
func (s *Source) Entries(ctx context.Context, objectType string) iter.Seq2[provision.Entry, error] {
	return func(yield func(provision.Entry, error) bool) {
		for i := range s.tables {
			if s.tables[i].Type != objectType {
				continue
			}
			if !s.tables[i].entries(ctx, yield) {
				return
			}
		}
	}
}

// Lookup reads the files and returns the objects with the ids.
func (s *Source) Lookup(ctx context.Context, objectType string, ids []string) ([]provision.Entry, error) {
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	var found []provision.Entry
	for e, err := range s.Entries(ctx, objectType) {
		if err != nil {
			return nil, err
		}
		if wanted[e.ID] {
			found = append(found, e)
		}
	}
	return found, nil
}

// Count returns how many objects of a type there are. It reads the files for it.
func (s *Source) Count(ctx context.Context, objectType string) (int, error) {
	n := 0
	for i := range s.tables {
		if s.tables[i].Type != objectType {
			continue
		}
		r, err := s.tables[i].open(s.tables[i].File)
		if err != nil {
			return 0, err
		}
		for {
			record, err := r.next()
			if err != nil {
				_ = r.close()
				return 0, err
			}
			if record == nil {
				break
			}
			if n++; n%1024 == 0 && ctx.Err() != nil {
				_ = r.close()
				return 0, ctx.Err()
			}
		}
		if err := r.close(); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// Watermark returns a digest of all files, and of how they are read.
func (s *Source) Watermark(ctx context.Context) (string, error) {
	h := sha256.New()
	for i := range s.tables {
		t := &s.tables[i]
		// Maps are printed in the order of their keys.
		_, _ = fmt.Fprintf(h, "%q %q %q %q %q %q %q %q %v", t.Type, t.ID, t.Rename, t.Ignore, t.Lists, t.Booleans, t.Links, t.Comma, t.Encoding)
		files := []string{t.File}
		for _, l := range t.Links {
			files = append(files, l.File)
		}
		for _, name := range files {
			if err := ctx.Err(); err != nil {
				return "", err
			}
			// The size of each file goes in first, so that text cannot move from one file to the next unseen.
			if err := t.hash(h, name); err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (t *Table) hash(h io.Writer, name string) error {
	f, err := t.openFile(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return &Error{File: name, Err: err}
	}
	_, _ = fmt.Fprintf(h, "%d:", info.Size())
	n, err := io.Copy(h, io.LimitReader(f, t.Limits.FileBytes+1))
	if err != nil {
		return &Error{File: name, Err: err}
	}
	if n > t.Limits.FileBytes {
		return &Error{File: name, Err: fmt.Errorf("the file is larger than %d bytes", t.Limits.FileBytes)}
	}
	return nil
}

// Changes yields nothing when the files are as they were, and [provision.ErrWatermarkExpired] otherwise.
func (s *Source) Changes(ctx context.Context, _, since string) iter.Seq2[provision.Entry, error] {
	return func(yield func(provision.Entry, error) bool) {
		now, err := s.Watermark(ctx)
		if err == nil && now != since {
			err = provision.ErrWatermarkExpired
		}
		if err != nil {
			yield(provision.Entry{}, err)
		}
	}
}

func (t *Table) openFile(name string) (fs.File, error) {
	var f fs.File
	var err error
	if t.FS != nil {
		f, err = t.FS.Open(name)
	} else {
		f, err = os.Open(name)
	}
	if err != nil {
		return nil, &Error{File: name, Err: err}
	}
	return f, nil
}
