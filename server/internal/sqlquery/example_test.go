package sqlquery_test

import (
	"database/sql"
	"fmt"
	"strconv"

	_ "modernc.org/sqlite"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/sqlquery"
)

// A table with nothing but projections answers any filter, in any order.
func Example() {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE users (seq INTEGER PRIMARY KEY, search BLOB)"); err != nil {
		fmt.Println(err)
	}
	for _, doc := range []scim.Document{
		{"userName": "BJensen", "emails": []any{map[string]any{"type": "work", "value": "Babs@Example.com"}}},
		{"userName": "jsmith", "emails": []any{map[string]any{"type": "home", "value": "jim@example.com"}}},
		{"userName": "Aziz", "emails": []any{map[string]any{"type": "work", "value": "aziz@example.com"}}},
	} {
		search, err := sqlquery.Project(schema.User(), doc)
		if err != nil {
			fmt.Println(err)
		}
		if _, err := db.Exec("INSERT INTO users (search) VALUES (jsonb($1))", string(search)); err != nil {
			fmt.Println(err)
		}
	}

	f := filter.Has("emails", filter.Eq("type", "work").And(filter.Ew("value", "@example.com")))
	userName, _ := schema.User().Lookup("userName")

	var args []any
	table := sqlquery.Table{Dialect: sqlquery.SQLite, Key: "u.seq", Search: "u.search"}
	where := table.Where(schema.User(), f, func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	})
	order, _ := table.Order(schema.User(), server.Order{Attribute: userName})
	rows, err := db.Query("SELECT "+order.Key+" FROM users u WHERE "+where.SQL+" ORDER BY "+order.By, args...)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			fmt.Println(err)
		}
		fmt.Println(name)
	}
	fmt.Println("exactly:", where.Exact, rows.Err())
	// Output:
	// aziz
	// bjensen
	// exactly: true <nil>
}
