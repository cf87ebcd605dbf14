package patch_test

import (
	"fmt"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/schema"
)

// change returns the document with some attributes changed; null takes one away.
func change(t *testing.T, document, changes string) scim.Document {
	t.Helper()
	doc := decode(t, document)
	for name, v := range decode(t, changes) {
		if v == nil {
			delete(doc, name)
		} else {
			doc[name] = v
		}
	}
	return doc
}

func TestDiff(t *testing.T) {
	const noPassword = `"password":null`
	tests := []struct {
		name, document, changes string
		schema                  *schema.Schema
		dialect                 patch.Dialect
		want                    string
	}{
		{name: "nothing", changes: `{` + noPassword + `}`, want: ``},
		{
			name: "one operation per attribute", changes: `{"title":"Chief","active":false,"nickName":"Babs",` + noPassword + `}`,
			want: `{"op":"replace","path":"nickName","value":"Babs"},{"op":"replace","path":"title","value":"Chief"},{"op":"replace","path":"active","value":false}`,
		},
		{
			name: "entra", dialect: patch.Entra(), changes: `{"title":"Chief","active":false,"nickName":"Babs",` + noPassword + `}`,
			want: `{"op":"Add","path":"nickName","value":"Babs"},{"op":"Replace","path":"title","value":"Chief"},{"op":"Replace","path":"active","value":"False"}`,
		},
		{
			name: "entra with its flag", dialect: patch.EntraOptSCIM(),
			changes: `{"active":false,"name":{"givenName":"Babs","familyName":"Smith"},` + noPassword + `}`,
			want:    `{"op":"replace","value":{"active":false,"name.givenName":"Babs","name.familyName":"Smith"}}`,
		},
		{
			name: "okta", dialect: patch.Okta(), changes: `{"active":false,"name":{"givenName":"Babs","familyName":"Smith"},` + noPassword + `}`,
			want: `{"op":"replace","value":{"id":"u1","active":false,"name":{"givenName":"Babs","familyName":"Smith"}}}`,
		},
		{
			name: "listed attributes without a path", dialect: patch.Dialect{Pathless: []string{"active"}},
			changes: `{"active":false,"userName":"babs",` + noPassword + `}`,
			want:    `{"op":"replace","value":{"active":false}},{"op":"replace","path":"userName","value":"babs"}`,
		},
		{name: "one sub-attribute", changes: `{"name":{"givenName":"Barbara"},` + noPassword + `}`, want: `{"op":"remove","path":"name.familyName"}`},
		{name: "a complex attribute goes", changes: `{"name":null,` + noPassword + `}`, want: `{"op":"remove","path":"name"}`},
		{name: "an empty string is none", changes: `{"title":"",` + noPassword + `}`, want: `{"op":"remove","path":"title"}`},
		{name: "a password is written", changes: `{}`, want: `{"op":"replace","path":"password","value":"t1meMa$heen"}`},
		{name: "readOnly attributes make no difference", changes: `{"groups":null,"meta":{"version":"2"},` + noPassword + `}`, want: ``},
		{
			name: "one e-mail address by its type", changes: `{"emails":[{"value":"new@example.com","type":"work","primary":true},{"value":"babs@example.org","type":"home"}],` + noPassword + `}`,
			want: `{"op":"replace","path":"emails[type eq \"work\"].value","value":"new@example.com"}`,
		},
		{
			name: "one e-mail address more", changes: `{"emails":[{"value":"babs@example.org","type":"home"},{"value":"bjensen@example.com","type":"work","primary":true},{"value":"o@x","type":"other"}],` + noPassword + `}`,
			want: `{"op":"add","path":"emails","value":[{"value":"o@x","type":"other"}]}`,
		},
		{
			name: "one e-mail address less", changes: `{"emails":[{"value":"bjensen@example.com","type":"work","primary":true}],` + noPassword + `}`,
			want: `{"op":"remove","path":"emails[type eq \"home\"]"}`,
		},
		{
			name: "another primary", changes: `{"emails":[{"value":"bjensen@example.com","type":"work"},{"value":"babs@example.org","type":"home","primary":true}],` + noPassword + `}`,
			want: `{"op":"replace","path":"emails","value":[{"value":"bjensen@example.com","type":"work"},{"value":"babs@example.org","type":"home","primary":true}]}`,
		},
		{
			name: "another manager", changes: `{"` + enterprise + `":{"employeeNumber":"701984","manager":{"value":"m2"}},` + noPassword + `}`,
			want: `{"op":"replace","path":"` + enterprise + `:manager","value":{"value":"m2"}}`,
		},
		{
			name: "an extension goes", changes: `{"` + enterprise + `":null,` + noPassword + `}`,
			want: `{"op":"remove","path":"` + enterprise + `:employeeNumber"},{"op":"remove","path":"` + enterprise + `:manager"}`,
		},
		{
			name: "members", schema: schema.Group(), document: groupDocument, changes: `{"members":[{"value":"u2"},{"value":"u3"}]}`,
			want: `{"op":"remove","path":"members[value eq \"u1\"]"},{"op":"add","path":"members","value":[{"value":"u3"}]}`,
		},
		{
			name: "members for entra", schema: schema.Group(), document: groupDocument, dialect: patch.Entra(), changes: `{"members":[{"value":"u3"}]}`,
			want: `{"op":"Remove","path":"members","value":[{"value":"u1"},{"value":"u2"}]},{"op":"Add","path":"members","value":[{"value":"u3"}]}`,
		},
		{
			name: "members for a service that replaces them", schema: schema.Group(), document: groupDocument,
			dialect: patch.Dialect{MemberRemoval: patch.ReplaceAll}, changes: `{"members":[{"value":"u2"},{"value":"u3"}]}`,
			want: `{"op":"replace","path":"members","value":[{"value":"u2"},{"value":"u3"}]}`,
		},
		{
			name: "a group is renamed as Postman asks", schema: schema.Group(), document: groupDocument,
			dialect: patch.Dialect{Pathless: []string{"displayName"}, PathlessID: true}, changes: `{"displayName":"Hosts"}`,
			want: `{"op":"replace","value":{"id":"g1","displayName":"Hosts"}}`,
		},
		{
			name: "a member's id is quoted", schema: schema.Group(), document: `{"displayName":"x","members":[{"value":"a\" or value pr or value eq \"\\"},{"value":"b"}]}`,
			changes: `{"members":[{"value":"b"}]}`,
			want:    `{"op":"remove","path":"members[value eq \"a\\\" or value pr or value eq \\\"\\\\\"]"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, document := tt.schema, tt.document
			if s == nil {
				s, document = schema.User(), userDocument
			}
			old := decode(t, document)
			new := change(t, document, tt.changes)
			got, err := patch.Diff(s, old, new, tt.dialect)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(asJSON(t, decodeOps(t, "["+tt.want+"]")), asJSON(t, got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// asJSON returns operations as they are sent, one a line.
func asJSON(t *testing.T, ops []scim.PatchOperation) []string {
	t.Helper()
	lines := []string{}
	for _, op := range ops {
		data, err := json.Marshal(op, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(data))
	}
	return lines
}

func TestDiffRefuses(t *testing.T) {
	device := `{"label":"x","serial":"1","codes":["a"],"maker":{"code":"c"}}`
	tests := []struct {
		name, document, changes string
		schema                  *schema.Schema
		typ                     scim.ErrorType
	}{
		{"what is required and goes", userDocument, `{"userName":null}`, schema.User(), scim.Mutability},
		{"what is unknown and changes", userDocument, `{"colour":"teal"}`, schema.User(), scim.InvalidPath},
		{"what is unknown in an extension", userDocument, `{"` + enterprise + `":{"floor":1}}`, schema.User(), scim.InvalidPath},
		{"what is immutable and changes", device, `{"serial":"2"}`, deviceSchema(t), scim.Mutability},
		{"what is immutable and goes", device, `{"serial":null}`, deviceSchema(t), scim.Mutability},
		{"a required list that goes", device, `{"codes":null}`, deviceSchema(t), scim.Mutability},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := patch.Diff(tt.schema, decode(t, tt.document), change(t, tt.document, tt.changes), patch.Dialect{})
			checkType(t, err, tt.typ)
		})
	}
}

func checkType(t *testing.T, err error, typ scim.ErrorType) {
	t.Helper()
	if refused, ok := err.(*scim.Error); !ok || refused.Type != typ {
		t.Errorf("got %v, want %s", err, typ)
	}
}

func TestDiffOfUnknownAttributesThatStay(t *testing.T) {
	old := change(t, userDocument, `{"colour":"teal","password":null}`)
	new := change(t, userDocument, `{"colour":"teal","password":null,"title":"Chief"}`)
	ops, err := patch.Diff(schema.User(), old, new, patch.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`{"op":"replace","path":"title","value":"Chief"}`}, asJSON(t, ops)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMemberOperations(t *testing.T) {
	tests := []struct {
		name        string
		dialect     patch.Dialect
		add, remove []string
		want        []string
	}{
		{"nothing", patch.Dialect{}, nil, nil, []string{}},
		{
			"value paths",
			patch.Dialect{},
			[]string{"u3", "u4"},
			[]string{"u1", "u2"},
			[]string{
				`{"op":"remove","path":"members[value eq \"u1\"]"}`, `{"op":"remove","path":"members[value eq \"u2\"]"}`,
				`{"op":"add","path":"members","value":[{"value":"u3"},{"value":"u4"}]}`,
			},
		},
		{
			"value array", patch.Entra(),
			[]string{"u3"},
			[]string{"u1", "u2"},
			[]string{
				`{"op":"Remove","path":"members","value":[{"value":"u1"},{"value":"u2"}]}`,
				`{"op":"Add","path":"members","value":[{"value":"u3"}]}`,
			},
		},
		{
			"only additions where members are replaced",
			patch.Dialect{MemberRemoval: patch.ReplaceAll},
			[]string{"u3"},
			nil,
			[]string{`{"op":"add","path":"members","value":[{"value":"u3"}]}`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.dialect.MemberOperations(tt.add, tt.remove)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, asJSON(t, got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	replaceAll := patch.Dialect{MemberRemoval: patch.ReplaceAll}
	if _, err := replaceAll.MemberOperations(nil, []string{"u1"}); err == nil {
		t.Error("a removal was written for a service that has none")
	}
	want := []string{`{"op":"replace","path":"members","value":[{"value":"u1"}]}`}
	if diff := cmp.Diff(want, asJSON(t, []scim.PatchOperation{replaceAll.ReplaceMembers([]string{"u1"})})); diff != "" {
		t.Errorf("ReplaceMembers (-want +got):\n%s", diff)
	}
}

func ids(from, to int) []string {
	var list []string
	for i := from; i < to; i++ {
		list = append(list, fmt.Sprintf("u%d", i))
	}
	return list
}

func TestChunk(t *testing.T) {
	rename := scim.PatchOperation{Op: scim.OpReplace, Path: "displayName", Value: "x"}
	type shape [][]int // members in each operation of each request
	tests := []struct {
		name        string
		dialect     patch.Dialect
		first       []scim.PatchOperation
		add, remove []string
		want        shape
	}{
		{"no limit", patch.Dialect{}, nil, ids(0, 250), ids(300, 302), shape{{1, 1, 250}}},
		{"nothing", patch.Dialect{MembersPerRequest: 100}, nil, nil, nil, nil},
		{"a long list is split", patch.Dialect{MembersPerRequest: 100}, nil, ids(0, 250), nil, shape{{100}, {100}, {50}}},
		{"removals count", patch.Dialect{MembersPerRequest: 3}, nil, ids(0, 4), ids(10, 14), shape{{1, 1, 1}, {1, 2}, {2}}},
		{
			"both lists are split",
			patch.Dialect{MembersPerRequest: 3, MemberRemoval: patch.ValueArray},
			nil, ids(0, 4), ids(10, 14),
			shape{{3}, {1, 2}, {2}},
		},
		{"other operations do not count", patch.Dialect{MembersPerRequest: 2}, []scim.PatchOperation{rename}, ids(0, 3), nil, shape{{0, 2}, {1}}},
		{"operations are limited", patch.Dialect{OperationsPerRequest: 2}, []scim.PatchOperation{rename}, ids(0, 3), ids(5, 7), shape{{0, 1}, {1, 3}}},
		{
			"a replacement stays whole",
			patch.Dialect{MembersPerRequest: 2},
			[]scim.PatchOperation{rename, patch.Dialect{}.ReplaceMembers(ids(0, 5))},
			ids(10, 12), nil,
			shape{{0}, {5}, {2}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ops, err := tt.dialect.MemberOperations(tt.add, tt.remove)
			if err != nil {
				t.Fatal(err)
			}
			all := append(tt.first, ops...)
			requests := tt.dialect.Chunk(all)
			var got shape
			var rest []scim.PatchOperation
			for _, request := range requests {
				var counts []int
				for _, op := range request {
					list, ok := op.Value.([]any)
					switch {
					case ok:
						counts = append(counts, len(list))
					case op.Path == "displayName":
						counts = append(counts, 0)
					default:
						counts = append(counts, 1)
					}
				}
				got = append(got, counts)
				rest = append(rest, request...)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(asJSON(t, all), asJSON(t, joinLists(rest))); diff != "" {
				t.Errorf("the requests do not say what the operations say (-want +got):\n%s", diff)
			}
		})
	}
}

// joinLists puts operations together that differ in their lists only.
func joinLists(ops []scim.PatchOperation) []scim.PatchOperation {
	var joined []scim.PatchOperation
	for _, op := range ops {
		list, ok := op.Value.([]any)
		if last := len(joined) - 1; ok && last >= 0 && joined[last].Op == op.Op && joined[last].Path == op.Path {
			joined[last].Value = append(append([]any{}, joined[last].Value.([]any)...), list...)
			continue
		}
		joined = append(joined, op)
	}
	return joined
}
