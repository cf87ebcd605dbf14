package sqlquery_test

import (
	"cmp"
	"flag"
	"slices"
	"strconv"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

var (
	seed   = flag.Uint64("seed", 1, "the first seed of the random tests")
	rounds = flag.Int("rounds", defaultRounds, "how many seeds the random tests try")
)

var databases = map[string]func(testing.TB) database{"SQLite": openSQLite, "PostgreSQL": openPostgreSQL}

const (
	documents = 40
	filters   = 200
)

func layouts() []layout {
	return []layout{{}, {lookup: true}, {lookup: true, members: true, columns: true}}
}

// TestSameAnswer compares the answers of the databases with those of the evaluator, for random filters over random documents.
func TestSameAnswer(t *testing.T) {
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			asked, inexact, telling := 0, 0, 0
			for round := range uint64(*rounds) {
				m := newMaker(things(), *seed+round)
				docs := m.documents()
				l := layouts()[round%3]
				d.fill(t, m.schema, l, docs)
				for range filters {
					f := m.filter(docs, 3)
					asked++
					answer := d.agree(t, m.schema, l, docs, f, m.IntN(4) == 0, *seed+round)
					if !answer.exact {
						inexact++
					}
					if answer.found > 0 && answer.found < len(docs) {
						telling++
					}
					if t.Failed() {
						return
					}
				}
			}
			if inexact*50 > asked {
				t.Errorf("%d of %d filters were not translated exactly", inexact, asked)
			}
			if telling*3 < asked {
				t.Errorf("only %d of %d filters tell one document from another", telling, asked)
			}
		})
	}
}

func (m *maker) documents() []scim.Document {
	docs := make([]scim.Document, documents)
	for i := range docs {
		docs[i] = m.document("id" + strconv.Itoa(i))
	}
	return docs
}

// answer is what a database says to a filter.
type answer struct {
	exact bool
	found int
}

// agree checks that the database finds what the evaluator does.
func (d database) agree(t *testing.T, s *schema.Schema, l layout, docs []scim.Document, f filter.Filter, strict bool, seed uint64) answer {
	t.Helper()
	types := s.LooseTypes()
	if strict {
		types = s
	}
	match, err := f.Compile(types, filter.UnknownAsAbsent())
	if err != nil {
		t.Fatalf("compile %s: %v", f, err)
	}
	st := d.statement()
	table := st.table(l)
	table.Strict = strict
	c := table.Where(s, f, st.add)
	found, _, err := st.rows("", c.SQL, "ORDER BY r.seq")
	if err != nil {
		t.Fatalf("%s, seed %d: %s: %v", d.name, seed, f, err)
	}
	for i, doc := range docs {
		got := slices.Contains(found, int64(i+1))
		want := match.Match(doc)
		if got != want && (c.Exact || want) {
			t.Errorf("%s (%s, strict %v), seed %d: found %v, want %v\nfilter   %s\ndocument %s\nSQL      %s\nargs     %q", d.name, l, strict, seed, got, want, f, jsonOf(doc), c.SQL, st.args)
			break
		}
	}
	return answer{c.Exact, len(found)}
}

func jsonOf(doc scim.Document) string {
	b, err := doc.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// TestSameOrder compares the orders of the databases, page by page, with those of package server.
func TestSameOrder(t *testing.T) {
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			for round := range uint64(*rounds) {
				m := newMaker(things(), *seed+round)
				docs := m.documents()
				l := layouts()[round%3]
				d.fill(t, m.schema, l, docs)
				for _, a := range m.attributes {
					if a.Type == schema.Complex || a.Type == schema.Binary {
						continue
					}
					d.sameOrder(t, m.schema, l, docs, server.Order{Attribute: a, Descending: m.IntN(2) == 0}, *seed+round)
					if t.Failed() {
						return
					}
				}
			}
		})
	}
}

func (d database) sameOrder(t *testing.T, s *schema.Schema, l layout, docs []scim.Document, o server.Order, seed uint64) {
	t.Helper()
	want := make([]int64, len(docs))
	for i := range want {
		want[i] = int64(i + 1)
	}
	slices.SortFunc(want, func(a, b int64) int {
		return cmp.Or(o.Compare(o.Key(docs[a-1]), o.Key(docs[b-1])), cmp.Compare(a, b))
	})
	var got []int64
	var key *string
	for {
		st := d.statement()
		order, ok := st.table(l).Order(s, o)
		if !ok {
			return
		}
		where := "TRUE"
		if len(got) > 0 {
			where = order.After(key, got[len(got)-1], st.add)
		}
		numbers, keys, err := st.rows(order.Key, where, "ORDER BY "+order.By+" LIMIT 7")
		if err != nil {
			t.Fatalf("%s, seed %d: %v", d.name, seed, err)
		}
		if got = append(got, numbers...); len(numbers) < 7 || len(got) > len(docs) {
			break
		}
		key = keys[6]
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s (%s), seed %d: order by %s, descending %v: got %v, want %v", d.name, l, seed, o.Attribute, o.Descending, got, want)
		for _, n := range want {
			t.Logf("%d: %+v", n, o.Key(docs[n-1]))
		}
	}
}
