package sqlquery_test

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/internal/postgrestest"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/sqlquery"
)

// database is one that queries are tried in.
type database struct {
	name    string
	dialect sqlquery.Dialect
	*sql.DB
}

const tables = `
CREATE TABLE resources (seq BIGINT PRIMARY KEY, tenant TEXT %[1]s NOT NULL, id TEXT %[1]s NOT NULL, search %[2]s NOT NULL, at TEXT %[1]s);
CREATE TABLE terms (tenant TEXT %[1]s NOT NULL, attribute TEXT %[1]s NOT NULL, value TEXT %[1]s NOT NULL, owner BIGINT NOT NULL, PRIMARY KEY (tenant, attribute, value, owner));
CREATE TABLE members (tenant TEXT %[1]s NOT NULL, value TEXT %[1]s NOT NULL, owner BIGINT NOT NULL, search %[2]s NOT NULL, PRIMARY KEY (tenant, value, owner))`

func openSQLite(t testing.TB) database {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return database{"SQLite", sqlquery.SQLite, db}.prepare(t, "", "BLOB")
}

func openPostgreSQL(t testing.TB) database {
	db, err := sql.Open("pgx", postgrestest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return database{"PostgreSQL", sqlquery.PostgreSQL, db}.prepare(t, `COLLATE "C"`, "JSONB")
}

func (d database) prepare(t testing.TB, collation, json string) database {
	t.Helper()
	for _, statement := range strings.Split(fmt.Sprintf(tables, collation, json), ";") {
		if _, err := d.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// layout is how a store may keep what a query looks at.
type layout struct {
	lookup, members, columns bool
}

func (l layout) String() string {
	return fmt.Sprintf("lookup %v, members %v, columns %v", l.lookup, l.members, l.columns)
}

// fill adds the documents to the tables, numbered from 1.
func (d database) fill(t testing.TB, s *schema.Schema, l layout, docs []scim.Document) {
	t.Helper()
	insert := func(text string, args ...any) {
		t.Helper()
		if d.dialect == sqlquery.SQLite {
			text = strings.ReplaceAll(text, "$json", "jsonb(?)")
		}
		text = strings.ReplaceAll(text, "$json", "?")
		for n := 1; d.dialect == sqlquery.PostgreSQL && strings.Contains(text, "?"); n++ {
			text = strings.Replace(text, "?", "$"+strconv.Itoa(n), 1)
		}
		if _, err := d.Exec(text, args...); err != nil {
			t.Fatalf("%s: %s: %v", d.name, text, err)
		}
	}
	for _, table := range []string{"resources", "terms", "members"} {
		insert("DELETE FROM " + table)
	}
	for i, doc := range docs {
		seq := int64(i + 1)
		rest := doc
		if l.members {
			var members []map[string]any
			rest, members = split(doc)
			for _, element := range members {
				search, err := sqlquery.ProjectMember(s, element)
				if err != nil {
					t.Fatal(err)
				}
				insert("INSERT INTO members (tenant, value, owner, search) VALUES (?, ?, ?, $json)", "t", sqlquery.Escape(element["value"].(string)), seq, string(search))
			}
		}
		search, err := sqlquery.Project(s, rest)
		if err != nil {
			t.Fatal(err)
		}
		insert("INSERT INTO resources (seq, tenant, id, search, at) VALUES (?, ?, ?, $json, ?)", seq, "t", doc.ID(), string(search), at(s, doc))
		for _, e := range sqlquery.Entries(s, doc, indexed...) {
			insert("INSERT INTO terms (tenant, attribute, value, owner) VALUES (?, ?, ?, ?)", "t", e.Path, e.Value, seq)
		}
	}
}

// indexed are the attributes in the table of entries.
var indexed = []string{"meta.lastModified", "text", "exact", "words", "real", "many.value", "many.exact", "one.text", extension + ":text", extension + ":several.value"}

// at is what the column for the attribute at has.
func at(s *schema.Schema, doc scim.Document) any {
	a, ok := s.Lookup("at")
	if !ok || doc["at"] == nil {
		return nil
	}
	text, _ := sqlquery.Text(a, doc["at"])
	return text
}

// split takes the members out of a document that a store keeps apart.
func split(doc scim.Document) (scim.Document, []map[string]any) {
	list, _ := doc[server.Members].([]any)
	var members []map[string]any
	var others []any
	for _, e := range list {
		_, ok := server.MemberValue(e)
		if ok {
			members = append(members, e.(map[string]any))
		} else {
			others = append(others, e)
		}
	}
	rest := doc.Clone()
	if delete(rest, server.Members); others != nil {
		rest[server.Members] = others
	}
	return rest, members
}

// statement is a query under construction.
type statement struct {
	database
	args []any
}

func (d database) statement() *statement { return &statement{database: d, args: []any{"t"}} }

func (s *statement) add(v any) string {
	s.args = append(s.args, v)
	if s.dialect == sqlquery.PostgreSQL {
		return "$" + strconv.Itoa(len(s.args))
	}
	return "?" + strconv.Itoa(len(s.args))
}

func (s *statement) tenant() string {
	if s.dialect == sqlquery.PostgreSQL {
		return "$1"
	}
	return "?1"
}

func (s *statement) table(l layout) sqlquery.Table {
	t := sqlquery.Table{Dialect: s.dialect, Key: "r.seq", Search: "r.search"}
	if l.lookup {
		t.Lookup = &sqlquery.Lookup{
			From: "terms e", Scope: "e.tenant = " + s.tenant(), Key: "e.owner", Attribute: "e.attribute", Value: "e.value", Attributes: make(map[string]any),
		}
		for _, path := range indexed {
			t.Lookup.Attributes[path] = path
		}
	}
	if l.members {
		t.Members = &sqlquery.Members{From: "members m", Scope: "m.tenant = " + s.tenant(), Key: "m.owner", Value: "m.value", Search: "m.search"}
	}
	if l.columns {
		t.Columns = map[string]string{"id": "r.id", "at": "r.at"}
	}
	return t
}

// rows returns the number of each resource found, and the value of the key expression.
func (s *statement) rows(key, where, rest string) (numbers []int64, keys []*string, err error) {
	if key == "" {
		key = "NULL"
	}
	text := "SELECT r.seq, " + key + " FROM resources r WHERE r.tenant = " + s.tenant() + " AND " + where + " " + rest
	rows, err := s.QueryContext(context.Background(), text, s.args...)
	if err != nil {
		return nil, nil, fmt.Errorf("%w in %s", err, text)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var k *string
		if err := rows.Scan(&n, &k); err != nil {
			return nil, nil, err
		}
		numbers, keys = append(numbers, n), append(keys, k)
	}
	return numbers, keys, rows.Err()
}
