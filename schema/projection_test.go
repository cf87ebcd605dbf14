package schema_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	elimity "github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// returned is a schema with an attribute for each way to be returned.
func returned(t *testing.T) *schema.Schema {
	t.Helper()
	text := func(name string, r elimity.AttributeReturned) elimity.SimpleParams {
		return elimity.SimpleStringParams(elimity.StringParams{Name: name, Returned: r})
	}
	subs := []elimity.SimpleParams{
		text("always", elimity.AttributeReturnedAlways()), text("default", elimity.AttributeReturnedDefault()),
		text("request", elimity.AttributeReturnedRequest()), text("never", elimity.AttributeReturnedNever()),
	}
	var list []elimity.CoreAttribute
	for _, sub := range subs {
		list = append(list, elimity.SimpleCoreAttribute(sub))
	}
	list = append(list,
		elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "part", SubAttributes: subs}),
		elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "asked", SubAttributes: subs, Returned: elimity.AttributeReturnedRequest(), MultiValued: true}),
		elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "hidden", SubAttributes: subs, Returned: elimity.AttributeReturnedNever()}),
	)
	s, err := schema.Compile(elimity.Schema{ID: "urn:example:Thing", Attributes: list},
		schema.Extension{Schema: elimity.Schema{ID: "urn:example:Extra:2.0", Attributes: list}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func returnedDocument() scim.Document {
	subs := func() object { return object{"always": "a", "default": "d", "request": "r", "never": "n"} }
	attributes := func() object {
		o := subs()
		o["part"], o["hidden"] = subs(), subs()
		o["asked"] = []any{subs(), subs()}
		return o
	}
	doc := scim.Document(attributes())
	doc["id"], doc["externalId"] = "1", "x"
	doc["schemas"] = []any{"urn:example:Thing", "urn:example:Extra:2.0"}
	doc["meta"] = object{"resourceType": "Thing", "version": "1"}
	doc["urn:example:Extra:2.0"] = attributes()
	doc["favColor"] = "red"
	return doc
}

// leaves lists the paths of all simple values in a document.
func leaves(prefix string, v any) []string {
	switch v := v.(type) {
	case object:
		var list []string
		for name, value := range v {
			joint := "."
			switch prefix {
			case "":
				joint = ""
			case "urn:example:Extra:2.0":
				joint = ":"
			}
			list = append(list, leaves(prefix+joint+name, value)...)
		}
		return list
	case []any:
		if _, ok := v[0].(object); ok {
			return leaves(prefix, v[0])
		}
	}
	return []string{prefix}
}

func TestProject(t *testing.T) {
	const extra = "urn:example:Extra:2.0"
	const always = "always id schemas "
	tests := []struct {
		name                 string
		attributes, excluded string
		want                 string
	}{
		{
			name: "by default",
			want: always + "default externalId favColor meta.resourceType meta.version part.always part.default " +
				extra + ":always " + extra + ":default " + extra + ":part.always " + extra + ":part.default",
		},
		{name: "one attribute", attributes: "externalId", want: always + "externalId"},
		{name: "in another case, with spaces", attributes: " EXTERNALID , Default", want: always + "default externalId"},
		{name: "the core URN before it", attributes: "urn:example:thing:externalId", want: always + "externalId"},
		{name: "on request", attributes: "request", want: always + "request"},
		{name: "never", attributes: "never,hidden.always", want: always},
		{name: "sub-attribute never", attributes: "part.never", want: always + "part.always"},
		{name: "complex", attributes: "part", want: always + "part.always part.default"},
		{name: "sub-attribute", attributes: "part.default", want: always + "part.always part.default"},
		{name: "sub-attribute on request", attributes: "part.request", want: always + "part.always part.request"},
		{name: "complex and its sub-attribute on request", attributes: "part,part.request", want: always + "part.always part.default part.request"},
		{name: "sub-attribute of an attribute on request", attributes: "asked.default", want: always + "asked.always asked.default"},
		{name: "meta", attributes: "meta.version", want: always + "meta.version"},
		{name: "extension", attributes: extra, want: always + extra + ":always " + extra + ":default " + extra + ":part.always " + extra + ":part.default"},
		{name: "of an extension", attributes: "urn:example:EXTRA:2.0:part.default", want: always + extra + ":always " + extra + ":part.always " + extra + ":part.default"},
		{name: "core schema", attributes: "urn:example:Thing", want: always + "asked.always asked.default default part.always part.default request"},
		{name: "unknown to the schema", attributes: "FAVCOLOR", want: always + "favColor"},
		{name: "unknown to all", attributes: "nosuch", want: always},

		{
			name: "excluded", excluded: "default,part," + extra,
			want: always + "externalId favColor meta.resourceType meta.version",
		},
		{
			name: "excluded sub-attributes", excluded: "default,part.default,part.always,favcolor,meta.version," + extra + ":default," + extra + ":part",
			want: always + "externalId meta.resourceType part.always " + extra + ":always",
		},
		{
			name: "always cannot be excluded", excluded: "id,schemas,always,default,externalId,favColor,meta,part," + extra,
			want: always,
		},
		{name: "both", attributes: "part,externalId", excluded: "part.default", want: always + "externalId part.always"},
	}
	s := returned(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := s.Projection([]string{test.attributes}, strings.Split(test.excluded, ","))
			if err != nil {
				t.Fatal(err)
			}
			doc := returnedDocument()
			got := leaves("", object(s.Project(doc, p)))
			slices.Sort(got)
			want := strings.Fields(test.want)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(returnedDocument(), doc); diff != "" {
				t.Errorf("the document has changed:\n%s", diff)
			}
		})
	}
}

func TestProjectPassword(t *testing.T) {
	s := schema.User()
	for _, attributes := range [][]string{nil, {"password"}, {"userName", "PASSWORD"}, {userSchema + ":password"}, {userSchema}} {
		p, err := s.Projection(attributes, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := s.Project(scim.Document{"userName": "a", "password": "hunter2"}, p)
		if _, ok := got["password"]; ok {
			t.Errorf("attributes=%q shows the password", attributes)
		}
	}
}

func TestProjectMembersAway(t *testing.T) {
	s := schema.Group()
	p, err := s.Projection(nil, []string{"members"})
	if err != nil {
		t.Fatal(err)
	}
	got := s.Project(scim.Document{"id": "1", "displayName": "g", "members": []any{object{"value": "u"}}}, p)
	names := slices.Sorted(maps.Keys(got))
	if diff := cmp.Diff([]string{"displayName", "id"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestProjectionRefuses(t *testing.T) {
	for _, name := range []string{`emails[type eq "work"]`, "user name", `a"b`, strings.Repeat(":", 100_000)} {
		_, err := schema.User().Projection(nil, []string{name})
		if !errors.Is(err, scim.ErrInvalidValue) || !strings.Contains(err.Error(), "excludedAttributes") {
			t.Errorf("Projection(%q) = %v", name, err)
		}
	}
}
