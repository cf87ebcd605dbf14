package csv_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"

	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/source/csv"
)

type object = map[string]any

// people is a table of one file with this text.
func people(text string) csv.Table {
	return csv.Table{
		Type: "User", File: "people.csv", FS: fstest.MapFS{"people.csv": {Data: []byte(text)}}, ID: "id",
		Booleans: []string{"enabled"}, Lists: map[string]string{"roles": ";"},
	}
}

func open(t testing.TB, tables ...csv.Table) *csv.Source {
	t.Helper()
	s, err := csv.New(tables...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// read returns all entries, or the first error.
func read(s *csv.Source, objectType string) (entries []provision.Entry, err error) {
	for e, err := range s.Entries(context.Background(), objectType) {
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

const header = "id,mail,enabled,roles\n"

func TestEntries(t *testing.T) {
	ada := provision.Entry{ID: "1", Attributes: object{"id": "1", "mail": "ada@x", "enabled": true, "roles": []any{"a", "b"}}}
	tests := []struct {
		name, text string
		change     func(*csv.Table)
		want       []provision.Entry
	}{
		{"a line", header + "1,ada@x,TRUE,a;b\n", nil, []provision.Entry{ada}},
		{"no line break at the end", header + "1,ada@x,yes,a;b", nil, []provision.Entry{ada}},
		{"byte order mark and CRLF", "\ufeffid,mail,enabled,roles\r\n1,ada@x,1,a;b\r\n", nil, []provision.Entry{ada}},
		{"UTF-16", "\xff\xfei\x00d\x00\n\x001\x00\n\x00", func(t *csv.Table) { t.Booleans, t.Lists = nil, nil }, []provision.Entry{{ID: "1", Attributes: object{"id": "1"}}}},
		{"Latin-1", "id,enabled,roles,name\n1,,,Jos\xe9\n", func(t *csv.Table) { t.Encoding = charmap.ISO8859_1 }, []provision.Entry{
			{ID: "1", Attributes: object{"id": "1", "name": "José", "roles": []any{}}},
		}},
		{"blank lines", "\n" + header + "\n\n1,ada@x,true,a;b\n\n", nil, []provision.Entry{ada}},
		{"spaces around names and values", " id , mail,enabled ,roles\n 1 , ada@x , true , a ; b \n", nil, []provision.Entry{ada}},
		{"separators at the end of a list", header + "1,ada@x,true,;a;;b;\n", nil, []provision.Entry{ada}},
		{"separators at the end of all lines", "id,mail,enabled,roles,,\n1,ada@x,true,a;b,,\n", nil, []provision.Entry{ada}},
		{"a quoted line break", header + "1,\"ada\n\"\"the first\"\"\",,\n", nil, []provision.Entry{
			{ID: "1", Attributes: object{"id": "1", "mail": "ada\n\"the first\"", "roles": []any{}}},
		}},
		{"an empty field is no value, an empty list is one", header + "1,,,\n", nil, []provision.Entry{{ID: "1", Attributes: object{"id": "1", "roles": []any{}}}}},
		{"an id twice is the job's business", header + "1,a,,\n1,b,,\n", nil, []provision.Entry{
			{ID: "1", Attributes: object{"id": "1", "mail": "a", "roles": []any{}}}, {ID: "1", Attributes: object{"id": "1", "mail": "b", "roles": []any{}}},
		}},
		{"only a header", header, nil, nil},
		{"another separator, other names", "id;mail;enabled;roles\n1;ada@x;no;\n", func(t *csv.Table) {
			t.Comma, t.Lists, t.Rename, t.Ignore = ';', map[string]string{"roles": ","}, map[string]string{"mail": "userName"}, []string{"enabled"}
		}, []provision.Entry{{ID: "1", Attributes: object{"id": "1", "userName": "ada@x", "roles": []any{}}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := people(tt.text)
			if tt.change != nil {
				tt.change(&table)
			}
			s := open(t, table)
			got, err := read(s, "User")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if n, err := s.Count(t.Context(), "User"); n != len(tt.want) || err != nil {
				t.Errorf("Count = %d, %v, want %d", n, err, len(tt.want))
			}
		})
	}
}

func numberedColumns(n int) string {
	names := ""
	for i := range n {
		names += fmt.Sprintf(",c%d", i)
	}
	return names
}

func TestRefusedFilesNameThePlace(t *testing.T) {
	tests := []struct {
		name, text string
		change     func(*csv.Table)
		want       string
	}{
		{"an empty file", "", nil, "csv: people.csv:1:1: the file is empty: a first line with the names of the columns is needed"},
		{"no column for the id", "mail,enabled,roles\n", nil, `csv: people.csv:1: there is no column "id"; there are mail, enabled, roles`},
		{"a named column is missing", "id,enabled\n", nil, `csv: people.csv:1: there is no column "roles"; there are id, enabled`},
		{"a required column is missing", header, func(t *csv.Table) { t.Require = []string{"mail", "surname"} }, `there is no column "surname"`},
		{
			"many long names", "a" + strings.Repeat("é", 150) + ",x" + numberedColumns(30) + "\n", nil,
			`there is no column "id"; there are a` + strings.Repeat("é", 99) + "…, x, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17 and 12 more",
		},
		{"names that do not print", "i\x00d\x00,m\x00\n", nil, `there is no column "id"; there are "i\x00d\x00", "m\x00"`},
		{"a long value", header + "1,a," + strings.Repeat("x", 500) + ",\n", nil, `column enabled: "` + strings.Repeat("x", 100) + `" is neither true nor false`},
		{"a column twice", "id,mail,mail\n", nil, "csv: people.csv:1:9: the column occurs twice"},
		{"a field too few", header + "1,a,,\n2,b\n", nil, "csv: people.csv:3:1: the line does not have the 4 fields that the first line has"},
		{"a field too many", header + "1,a,,,\n", nil, "csv: people.csv:2:1: the line does not have the 4 fields that the first line has"},
		{"a quote within a field", header + "1,a\"b,,\n", nil, "csv: people.csv:2:4: bare \" in non-quoted-field"},
		{"a quote left open", header + "1,\"a,,\n2,b,,\n", nil, "(the field begins in line 2)"},
		{"no id", header + ",a,,\n", nil, "csv: people.csv:2:1: column id: the line has no id"},
		{"neither true nor false", header + "1,a,maybe,\n", nil, `csv: people.csv:2:5: column enabled: "maybe" is neither true nor false`},
		{"not UTF-8", header + "1,Jos\xe9,,\n", nil, "csv: people.csv:2:3: column mail: the text is not UTF-8; name the file's encoding if it has another"},
		{"an id twice where ids are unique", header + "1,a,,\n1,b,,\n", func(t *csv.Table) { t.UniqueIDs = true }, `csv: people.csv:3:1: column id: the id "1" occurs twice`},
		{"a line beyond the limit", header + "1,\"" + strings.Repeat("x\n", 100_000), func(t *csv.Table) { t.Limits.RecordBytes = 1000 }, "is a quote left open?"},
		{"a first line beyond the limit", strings.Repeat("x", 100_000), func(t *csv.Table) { t.Limits.RecordBytes = 1000 }, "is a quote left open?"},
		{"a file beyond the limit", header + strings.Repeat("1,a,,\n", 100), func(t *csv.Table) { t.Limits.FileBytes = 100 }, "the file is larger than the limit"},
		{"too many columns", strings.Repeat("x,", 20) + "\n", func(t *csv.Table) { t.Limits.Columns = 10 }, "csv: people.csv:1: 21 columns, and 10 are allowed"},
		{"no file", header, func(t *csv.Table) { t.File = "gone.csv" }, "csv: gone.csv: open gone.csv: file does not exist"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := people(tt.text)
			if tt.change != nil {
				tt.change(&table)
			}
			_, err := read(open(t, table), "User")
			var e *csv.Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestNewRefusesTablesThatSayTooLittle(t *testing.T) {
	for name, change := range map[string]func(*csv.Table){
		"no type": func(t *csv.Table) { t.Type = "" }, "no file": func(t *csv.Table) { t.File = "" }, "no id": func(t *csv.Table) { t.ID = "" },
		"the id left out":        func(t *csv.Table) { t.Ignore = []string{"id"} },
		"a list without a comma": func(t *csv.Table) { t.Lists["roles"] = "" },
		"half a link":            func(t *csv.Table) { t.Links = []csv.Link{{Attribute: "members", File: "m.csv"}} },
	} {
		table := people(header)
		change(&table)
		if _, err := csv.New(table); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestLinksAreJoined(t *testing.T) {
	files := fstest.MapFS{
		"groups.csv":  {Data: []byte("gid,name\ng1,One\ng2,Two\n")},
		"members.csv": {Data: []byte("group,person\ng1,1\ng1,2\nghost,1\n")},
	}
	s := open(t, csv.Table{Type: "Group", File: "groups.csv", FS: files, ID: "gid", Links: []csv.Link{
		{Attribute: "members", File: "members.csv", From: "group", To: "person"},
	}})
	got, err := read(s, "Group")
	if err != nil {
		t.Fatal(err)
	}
	want := []provision.Entry{
		{ID: "g1", Attributes: object{"gid": "g1", "name": "One", "members": []any{"1", "2"}}},
		{ID: "g2", Attributes: object{"gid": "g2", "name": "Two"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	files["members.csv"].Data = []byte("group,person\ng1,\n")
	if _, err := read(s, "Group"); err == nil || !strings.Contains(err.Error(), "members.csv:2:4: column person: the field is empty") {
		t.Errorf("got %v", err)
	}
}

func TestLookup(t *testing.T) {
	got, err := open(t, people(header+"1,a,,\n2,b,,\n3,c,,\n")).Lookup(t.Context(), "User", []string{"3", "1", "4"})
	if err != nil || len(got) != 2 || got[0].ID != "1" || got[1].ID != "3" {
		t.Errorf("got %v, %v", got, err)
	}
}

// What is the same is not read again, so everything that makes a difference must change the watermark.
func TestWatermarkChangesWithFilesAndTables(t *testing.T) {
	table := people(header + "1,a,,\n")
	table.Ignore = []string{"mail"}
	mark := func(tables ...csv.Table) string {
		t.Helper()
		m, err := open(t, tables...).Watermark(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	first := mark(table)
	if mark(table) != first {
		t.Error("the same files have two watermarks")
	}
	for name, change := range map[string]func(*csv.Table){
		"another text":         func(t *csv.Table) { t.FS = fstest.MapFS{"people.csv": {Data: []byte(header + "1,b,,\n")}} },
		"another name":         func(t *csv.Table) { t.Rename = map[string]string{"mail": "userName"} },
		"a column is read":     func(t *csv.Table) { t.Ignore = nil },
		"another type of data": func(t *csv.Table) { t.Booleans = nil },
		"another separator":    func(t *csv.Table) { t.Lists = map[string]string{"roles": "|"} },
		"another encoding":     func(t *csv.Table) { t.Encoding = charmap.Windows1252 },
	} {
		changed := table
		change(&changed)
		if mark(changed) == first {
			t.Errorf("%s: the watermark is the same", name)
		}
	}
	changes := func(since string) (err error) {
		for _, err = range open(t, table).Changes(t.Context(), "User", since) {
		}
		return err
	}
	if err := changes(first); err != nil {
		t.Error(err)
	}
	if err := changes("other"); !errors.Is(err, provision.ErrWatermarkExpired) {
		t.Errorf("got %v", err)
	}
}

func TestCancelledReadsEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range open(t, people(header+"1,a,,\n")).Entries(ctx, "User") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
}

// Whatever a file holds, it is read wholly, and each entry has an id, or it is refused with an error that names it.
func FuzzEntries(f *testing.F) {
	for _, seed := range []string{header + "1,ada@x,TRUE,a;b\n", "\ufeffid\r\n\"1\r\n2\"\r\n", "\xff\xfei\x00d\x00", "id,id\n", "\"", header + "1,\"a\"\"b\",no,;\n"} {
		f.Add(seed, "")
	}
	f.Add(header, "roles")
	f.Add(header, strings.Repeat("x", 20_000))
	f.Fuzz(func(t *testing.T, text, required string) {
		table := people(text)
		table.Limits = csv.Limits{FileBytes: 1 << 16, RecordBytes: 1 << 12, Columns: 50}
		if required != "" {
			table.Require = []string{required}
		}
		s := open(t, table)
		entries, err := read(s, "User")
		var e *csv.Error
		switch {
		case err != nil && (!errors.As(err, &e) || e.File != "people.csv" || len(err.Error()) > 1<<14):
			t.Fatalf("an error without a place: %v", err)
		case err != nil:
			return
		}
		for _, e := range entries {
			if e.ID == "" || e.Attributes == nil {
				t.Fatalf("an entry without id: %v", e)
			}
		}
		if n, err := s.Count(t.Context(), "User"); n != len(entries) || err != nil {
			t.Fatalf("Count = %d, %v, want %d", n, err, len(entries))
		}
	})
}
