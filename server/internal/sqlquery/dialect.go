package sqlquery

import (
	"slices"
	"strconv"
	"strings"
)

// Dialect is the SQL of a database.
type Dialect uint8

// The dialects. The zero Dialect is none of them.
const (
	// SQLite is that of SQLite 3.45 and later. A projection is kept as JSON text or, which is faster to read, as the result of
	// the function jsonb.
	SQLite Dialect = iota + 1
	// PostgreSQL is that of PostgreSQL 14 and later. A projection is kept as jsonb.
	PostgreSQL
)

// text returns the string at a place of a JSON value, as the databases compare it byte by byte.
func (d Dialect) text(base string, names ...string) string {
	if d == PostgreSQL {
		return "(" + d.descend(base, names[:len(names)-1]) + " ->> " + quote(names[len(names)-1]) + `) COLLATE "C"`
	}
	return "(" + base + " ->> " + jsonPath(names) + ")"
}

// node returns the JSON value at a place of another; the SQL NULL when there is none.
func (d Dialect) node(base string, names ...string) string {
	if d == PostgreSQL {
		return "(" + d.descend(base, names) + ")"
	}
	return "(" + base + " -> " + jsonPath(names) + ")"
}

// step leads to a value: to the first when there are many.
type step struct {
	name string
	many bool
}

// first returns the string that steps lead to.
func (d Dialect) first(base string, steps []step) string {
	path := "$"
	var arrows []string
	for _, s := range steps {
		path += `."` + s.name + `"`
		arrows = append(arrows, quote(s.name))
		if s.many {
			path += "[0]"
			arrows = append(arrows, "0")
		}
	}
	if d == SQLite {
		return "(" + base + " ->> " + quote(path) + ")"
	}
	last := len(arrows) - 1
	return "(" + strings.Join(append([]string{base}, arrows[:last]...), " -> ") + " ->> " + arrows[last] + `) COLLATE "C"`
}

func (d Dialect) descend(base string, names []string) string {
	for _, name := range names {
		base += " -> " + quote(name)
	}
	return base
}

// each returns the rows of an array of objects, each of which is in the column value.
func (d Dialect) each(base string, names []string, alias string) string {
	if d == PostgreSQL {
		return "jsonb_array_elements(" + d.descend(base, names) + ") AS " + alias + "(value)"
	}
	return "json_each(" + base + ", " + jsonPath(names) + ") AS " + alias
}

// eachText is each for an array of strings.
func (d Dialect) eachText(base string, names []string, alias string) string {
	if d == PostgreSQL {
		return "jsonb_array_elements_text(" + d.descend(base, names) + ") AS " + alias + "(value)"
	}
	return d.each(base, names, alias)
}

// element returns the string that an alias of eachText stands for.
func (d Dialect) element(alias string) string { return d.collate(alias + ".value") }

func (d Dialect) collate(text string) string {
	if d == PostgreSQL {
		return text + ` COLLATE "C"`
	}
	return text
}

// emptyText is the JSON value "".
func (d Dialect) emptyText() string {
	if d == PostgreSQL {
		return `'""'::jsonb`
	}
	return `'""'`
}

// contains returns the condition that text contains the argument at needle.
func (d Dialect) contains(text, needle string) string {
	if d == PostgreSQL {
		return "strpos(" + text + ", " + needle + ") > 0"
	}
	return "instr(" + text + ", " + needle + ") > 0"
}

// startsWith returns the condition that text starts with the argument at needle, which has so many characters.
func (d Dialect) startsWith(text, needle string, length int) string {
	if d == PostgreSQL {
		return "left(" + text + ", " + strconv.Itoa(length) + ") = " + needle
	}
	return "substr(" + text + ", 1, " + strconv.Itoa(length) + ") = " + needle
}

// endsWith returns the condition that text ends with the argument at needle, which has so many characters.
func (d Dialect) endsWith(text, needle string, length int) string {
	if d == PostgreSQL {
		return "right(" + text + ", " + strconv.Itoa(length) + ") = " + needle
	}
	return "substr(" + text + ", -" + strconv.Itoa(length) + ") = " + needle
}

// jsonPath returns the place of a value as SQLite writes it, as a string literal.
func jsonPath(names []string) string {
	path := "$"
	for _, name := range names {
		path += `."` + name + `"`
	}
	return quote(path)
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// writable reports whether names can be part of a statement. Those of attributes always can, the URN of an extension may hold anything.
func writable(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		return strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == 0x7f })
	})
}
