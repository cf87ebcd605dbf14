package csv

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/encoding"
)

// Table says what one file holds.
type Table struct {
	// Type is the object type that the lines are: User, Group.
	Type string
	// File is the path of the file.
	File string
	// FS is where File is looked for, instead of in the file system of the machine.
	FS fs.FS
	// ID names the column with the id of an object: one that stays the same for as long as the object exists, such as an
	// employee number, and never an e-mail address.
	ID string
	// Rename gives attributes another name than their column.
	Rename map[string]string
	// Ignore are columns that are left out.
	Ignore []string
	// Lists are columns that hold several values, with the separator between them. Values are trimmed, empty ones dropped.
	Lists map[string]string
	// Booleans are columns that hold true or false, in any case; also yes and no, 1 and 0. An empty field is no value.
	Booleans []string
	// Links are files with further values, such as memberships.
	Links []Link
	// Require are columns that must be there, besides those that other fields name: what the mappings read. A column that was renamed
	// in the export is noticed before anything is done.
	Require []string
	// Comma separates fields: a comma when 0.
	Comma rune
	// Encoding is that of the file when it has no byte order mark: UTF-8 when nil.
	Encoding encoding.Encoding
	// UniqueIDs refuses a file in which an id occurs twice. Without it such objects are left to the job, which provisions
	// neither and reports both.
	UniqueIDs bool
	Limits    Limits
}

// Link is a file that has one line for each pair of objects: a group and its member, a person and a role. Its lines are held in
// memory while the table is read.
type Link struct {
	// Attribute is what the values become: members.
	Attribute string
	File      string
	// From names the column with the id of the object that gets the value, To the one with the value.
	From, To string
}

// Limits bound what is read. Zero values mean the defaults.
type Limits struct {
	// FileBytes is the largest file: 2 GiB.
	FileBytes int64
	// RecordBytes is the longest line, with all that is quoted in it: 16 MiB.
	RecordBytes int64
	// Columns is the largest number of columns: 1,000.
	Columns int
}

func (l Limits) withDefaults() Limits {
	if l.FileBytes == 0 {
		l.FileBytes = 2 << 30
	}
	if l.RecordBytes == 0 {
		l.RecordBytes = 16 << 20
	}
	if l.Columns == 0 {
		l.Columns = 1000
	}
	return l
}

// check finds mistakes that can be seen without the file.
func (t *Table) check() error {
	switch {
	case t.Type == "":
		return fmt.Errorf("csv: %s: a table needs a type", t.File)
	case t.File == "":
		return fmt.Errorf("csv: %s: a table needs a file", t.Type)
	case t.ID == "":
		return fmt.Errorf("csv: %s: a table needs the name of the column with the id", t.File)
	case slices.Contains(t.Ignore, t.ID):
		return fmt.Errorf("csv: %s: the column %s with the id cannot be left out", t.File, t.ID)
	}
	for column, separator := range t.Lists {
		if separator == "" {
			return fmt.Errorf("csv: %s: column %s needs a separator", t.File, column)
		}
	}
	for _, l := range t.Links {
		if l.Attribute == "" || l.File == "" || l.From == "" || l.To == "" {
			return fmt.Errorf("csv: %s: a link needs an attribute, a file and two columns", t.File)
		}
	}
	return nil
}

// Error says where a file cannot be read, and why.
type Error struct {
	File string
	// Line and Column are counted from 1; Column counts bytes in the line. 0 stands for not known.
	Line, Column int
	// Field is the name of the column, where known.
	Field string
	Err   error
}

// Error returns file:line:column and the reason.
func (e *Error) Error() string {
	text := e.File
	if e.Line > 0 {
		text += fmt.Sprintf(":%d", e.Line)
	}
	if e.Column > 0 {
		text += fmt.Sprintf(":%d", e.Column)
	}
	if e.Field != "" {
		text += ": column " + shown(e.Field)
	}
	return "csv: " + text + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// longestShown is how many characters of one text an error shows, and mostShown how many names.
const longestShown, mostShown = 100, 20

// shown returns a text of the file as errors show it: the beginning of a long one, and quoted where it would not print, as happens when the
// file has another encoding than it is read in.
func shown(s string) string {
	if n := 0; len(s) > longestShown {
		for i := range s {
			if n++; n > longestShown {
				s = s[:i] + "…"
				break
			}
		}
	}
	if strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) || c == unicode.ReplacementChar }) {
		return strconv.Quote(s)
	}
	return s
}

// list returns names as errors show them.
func list(names []string) string {
	var out []string
	for i, name := range names {
		if i == mostShown {
			return strings.Join(out, ", ") + fmt.Sprintf(" and %d more", len(names)-mostShown)
		}
		out = append(out, shown(name))
	}
	return strings.Join(out, ", ")
}
