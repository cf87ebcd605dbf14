package csv

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/scimbridge/scim/provision"
)

// reader reads the records of one file.
type reader struct {
	name    string
	file    io.Closer
	csv     *csv.Reader
	bound   *boundedReader
	columns []string
}

// open opens a file and reads its first line.
func (t *Table) open(name string) (*reader, error) {
	f, err := t.openFile(name)
	if err != nil {
		return nil, err
	}
	limits := t.Limits
	bound := &boundedReader{r: f, file: limits.FileBytes, record: limits.RecordBytes, most: limits.RecordBytes}
	r := &reader{name: name, file: f, bound: bound}
	// A byte order mark decides; without one the table does.
	decoder := unicode.UTF8.NewDecoder()
	if t.Encoding != nil {
		decoder = t.Encoding.NewDecoder()
	}
	// The decoder for UTF-8 would replace what is not UTF-8; text without a mark is checked below instead.
	fallback := transform.Transformer(decoder)
	if t.Encoding == nil {
		fallback = transform.Nop
	}
	r.csv = csv.NewReader(transform.NewReader(bound, unicode.BOMOverride(fallback)))
	r.csv.ReuseRecord = true
	if t.Comma != 0 {
		r.csv.Comma = t.Comma
	}
	if err := r.header(limits.Columns); err != nil {
		_ = f.Close()
		return nil, err
	}
	return r, nil
}

func (r *reader) close() error { return r.file.Close() }

func (r *reader) header(most int) error {
	record, err := r.next()
	if err != nil {
		return err
	}
	if record == nil {
		return &Error{File: r.name, Line: 1, Column: 1, Err: errors.New("the file is empty: a first line with the names of the columns is needed")}
	}
	if len(record) > most {
		return &Error{File: r.name, Line: 1, Err: fmt.Errorf("%d columns, and %d are allowed", len(record), most)}
	}
	for i, name := range record {
		name = strings.TrimSpace(name)
		if slices.Contains(r.columns, name) && name != "" {
			return r.at(i, errors.New("the column occurs twice"))
		}
		r.columns = append(r.columns, strings.Clone(name))
	}
	return nil
}

// index returns the place of a column.
func (r *reader) index(column string) (int, error) {
	if i := slices.Index(r.columns, column); i >= 0 {
		return i, nil
	}
	return 0, &Error{File: r.name, Line: 1, Err: fmt.Errorf("there is no column %.100q; there are %s", column, list(r.columns))}
}

// next returns the next record, which is valid until the one after it is read, or nil at the end of the file.
func (r *reader) next() ([]string, error) {
	r.bound.left()
	record, err := r.csv.Read()
	if err == io.EOF {
		return nil, nil
	}
	if err != nil {
		return nil, r.wrap(err)
	}
	for i, field := range record {
		if !utf8.ValidString(field) {
			return nil, r.at(i, errors.New("the text is not UTF-8; name the file's encoding if it has another"))
		}
	}
	return record, nil
}

// wrap says where an error of the parser is.
func (r *reader) wrap(err error) error {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		line, _ := r.csv.FieldPos(0)
		return &Error{File: r.name, Line: line, Err: err}
	}
	line, column, cause := p.Line, p.Column, p.Err
	if errors.Is(cause, csv.ErrFieldCount) {
		// The record itself is returned with this error; its end is where a field is missing or too much.
		cause = fmt.Errorf("the line does not have the %d fields that the first line has", r.csv.FieldsPerRecord)
	}
	if errors.Is(cause, csv.ErrQuote) && p.StartLine != p.Line {
		cause = fmt.Errorf("%w (the field begins in line %d)", cause, p.StartLine)
	}
	return &Error{File: r.name, Line: line, Column: column, Err: cause}
}

// at returns an error about a field of the record just read.
func (r *reader) at(field int, err error) error {
	line, column := r.csv.FieldPos(field)
	e := &Error{File: r.name, Line: line, Column: column, Err: err}
	if field < len(r.columns) {
		e.Field = r.columns[field]
	}
	return e
}

// boundedReader ends a read that is too long: of the file, or of one record, whose end an open quote can hide.
type boundedReader struct {
	r                  io.Reader
	file, record, most int64
}

var (
	errFileTooLong   = errors.New("the file is larger than the limit")
	errRecordTooLong = errors.New("the line is longer than the limit; is a quote left open?")
)

// left lets a whole record be read again.
func (b *boundedReader) left() { b.record = b.most }

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.record <= 0 {
		return 0, errRecordTooLong
	}
	// One byte more than allowed tells a file that is too long from one that just fits.
	if int64(len(p)) > b.file+1 {
		p = p[:b.file+1]
	}
	n, err := b.r.Read(p)
	b.file -= int64(n)
	b.record -= int64(n)
	if b.file < 0 {
		return 0, errFileTooLong
	}
	return n, err
}

// columnUse says what a column becomes.
type columnUse struct {
	attribute string
	separator string
	boolean   bool
}

// entries yields the lines of a table, and reports whether more is wanted.
func (t *Table) entries(ctx context.Context, yield func(provision.Entry, error) bool) bool {
	fail := func(err error) bool {
		yield(provision.Entry{}, err)
		return false
	}
	links, err := t.readLinks(ctx)
	if err != nil {
		return fail(err)
	}
	r, err := t.open(t.File)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = r.close() }()
	id, uses, err := t.uses(r)
	if err != nil {
		return fail(err)
	}
	seen := map[string]bool{}
	for n := 0; ; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return fail(ctx.Err())
		}
		record, err := r.next()
		if err != nil {
			return fail(err)
		}
		if record == nil {
			return true
		}
		e, err := entry(r, record, id, uses)
		if err != nil {
			return fail(err)
		}
		if t.UniqueIDs {
			if seen[e.ID] {
				return fail(r.at(id, fmt.Errorf("the id %.100q occurs twice", e.ID)))
			}
			seen[e.ID] = true
		}
		for attribute, values := range links {
			if v := values[e.ID]; len(v) > 0 {
				have, _ := e.Attributes[attribute].([]any)
				e.Attributes[attribute] = append(have, v...)
			}
		}
		if !yield(e, nil) {
			return false
		}
	}
}

// uses works out what the columns become.
func (t *Table) uses(r *reader) (id int, uses []columnUse, err error) {
	if id, err = r.index(t.ID); err != nil {
		return 0, nil, err
	}
	for _, column := range slices.Concat(sortedKeys(t.Rename), t.Booleans, sortedKeys(t.Lists), t.Require) {
		if _, err := r.index(column); err != nil {
			return 0, nil, err
		}
	}
	uses = make([]columnUse, len(r.columns))
	for i, column := range r.columns {
		if column == "" || slices.Contains(t.Ignore, column) {
			continue
		}
		uses[i] = columnUse{attribute: column, separator: t.Lists[column], boolean: slices.Contains(t.Booleans, column)}
		if name, ok := t.Rename[column]; ok {
			uses[i].attribute = name
		}
	}
	return id, uses, nil
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// entry makes an entry of a record. Its texts share one copy of the record's.
func entry(r *reader, record []string, id int, uses []columnUse) (provision.Entry, error) {
	e := provision.Entry{ID: strings.TrimSpace(record[id]), Attributes: make(map[string]any, len(uses))}
	if e.ID == "" {
		return e, r.at(id, errors.New("the line has no id"))
	}
	e.ID = strings.Clone(e.ID)
	for i, field := range record {
		use := uses[i]
		if use.attribute == "" {
			continue
		}
		field = strings.TrimSpace(field)
		switch {
		case use.separator != "":
			e.Attributes[use.attribute] = split(field, use.separator)
		case use.boolean:
			b, ok := boolean(field)
			if !ok {
				return e, r.at(i, fmt.Errorf("%.100q is neither true nor false", field))
			}
			if b != nil {
				e.Attributes[use.attribute] = b
			}
		case field != "":
			e.Attributes[use.attribute] = field
		}
	}
	return e, nil
}

// split returns the values of a list, never nil: an empty list is known to be empty.
func split(field, separator string) []any {
	values := []any{}
	for _, v := range strings.Split(field, separator) {
		if v = strings.TrimSpace(v); v != "" {
			values = append(values, v)
		}
	}
	return values
}

func boolean(field string) (value any, ok bool) {
	switch strings.ToLower(field) {
	case "":
		return nil, true
	case "true", "yes", "1":
		return true, true
	case "false", "no", "0":
		return false, true
	}
	return nil, false
}

// readLinks reads the link files: for each attribute, the values of each id.
func (t *Table) readLinks(ctx context.Context) (map[string]map[string][]any, error) {
	links := map[string]map[string][]any{}
	for _, l := range t.Links {
		values := links[l.Attribute]
		if values == nil {
			values = map[string][]any{}
			links[l.Attribute] = values
		}
		if err := t.readLink(ctx, l, values); err != nil {
			return nil, err
		}
	}
	return links, nil
}

func (t *Table) readLink(ctx context.Context, l Link, values map[string][]any) error {
	r, err := t.open(l.File)
	if err != nil {
		return err
	}
	defer func() { _ = r.close() }()
	from, err := r.index(l.From)
	if err != nil {
		return err
	}
	to, err := r.index(l.To)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		record, err := r.next()
		if err != nil || record == nil {
			return err
		}
		id, value := strings.TrimSpace(record[from]), strings.TrimSpace(record[to])
		for field, text := range map[int]string{from: id, to: value} {
			if text == "" {
				return r.at(field, errors.New("the field is empty"))
			}
		}
		values[strings.Clone(id)] = append(values[strings.Clone(id)], strings.Clone(value))
	}
}
