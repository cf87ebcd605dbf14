package schema_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// FuzzCanonical reads any document in every way. Whatever it is, the result is either a SCIM error that names an attribute and
// shows no password, or a document that is its own canonical form, equals the first reading of it, and survives JSON.
func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{
		fullUser,
		`{"userName":"a","active":"False","emails":"x","manager":"m1","` + enterprise + `":{"manager":[{"value":"m2"}]}}`,
		`{"USERNAME":"a","userName":"b"}`,
		`{"text":1,"flag":"true","count":"5","ratio":1e300,"at":"2020-02-30T24:00:00+14:00","data":"_-8=","link":"HTTP://Ü x%","part":"v","tags":[null,[],"x"]}`,
		`{"at":"0000-01-01T00:00:00+01:00","data":"aGl=","pin":["secret-pin",2]}`,
		`{"schemas":["urn:x"],"custom":{"a":[[{"b":null}],1.5,-0],"A":{}},"CUSTOM":0}`,
		`{"displayName":"g","members":[{"value":"u1","$ref":null},{"VALUE":"u1","value":"u2"}]}`,
		`{"manager":"","` + enterprise + `":{"manager":[{"":""}]}}`,
		`{"userName":"a","emails":[null,{"value":"x","primary":null},{},{"value":"y"}],"department":"d","` + enterprise + `":{"manager":{"value":"m","displayName":"M"}}}`,
	} {
		for options := uint8(0); options < 24; options += 5 {
			f.Add(options, seed)
		}
	}
	schemas := []*schema.Schema{schema.User(), schema.Group(), typed(f)}
	f.Fuzz(func(t *testing.T, options uint8, text string) {
		doc, err := scim.DecodeDocument([]byte(text))
		if err != nil {
			t.Skip()
		}
		opts := schema.Options{
			Mode: schema.Mode(options % 4), Unknown: schema.Unknown(options / 4 % 3), Tolerant: options/12%2 == 1,
		}
		before := doc.Clone()
		for _, s := range schemas {
			got, err := s.Canonical(doc, opts)
			if diff := cmp.Diff(before, doc); diff != "" {
				t.Fatalf("the document has changed:\n%s", diff)
			}
			again, errAgain := s.Canonical(doc, opts)
			if !reflect.DeepEqual(err, errAgain) {
				t.Fatalf("one document, two errors:\n%v\n%v", err, errAgain)
			}
			reused, errReused := s.Canonical(doc.Clone(), inPlace(opts))
			if !reflect.DeepEqual(err, errReused) {
				t.Fatalf("error %v, in place %v", err, errReused)
			}
			if err != nil {
				checkFuzzRefusal(t, err)
				continue
			}
			if diff := cmp.Diff(got, reused); diff != "" {
				t.Fatalf("another form in place:\n%s", diff)
			}
			if diff := cmp.Diff(got, again); diff != "" {
				t.Fatalf("one document, two forms:\n%s", diff)
			}
			checkStable(t, s, got, opts)
		}
	})
}

// inPlace returns the options with Reuse.
func inPlace(opts schema.Options) schema.Options {
	opts.Reuse = true
	return opts
}

func checkFuzzRefusal(t *testing.T, err error) {
	t.Helper()
	var refusal *scim.Error
	if !errors.As(err, &refusal) || refusal.Status != 400 || refusal.Type == "" {
		t.Fatalf("error = %v", err)
	}
	if refusal.Attribute == "" && !strings.Contains(refusal.Detail, ":") || len(refusal.Detail) > 2000 {
		t.Fatalf("detail = %q", refusal.Detail)
	}
}

// checkStable checks what must hold for every canonical document.
func checkStable(t *testing.T, s *schema.Schema, doc scim.Document, opts schema.Options) {
	t.Helper()
	again, err := s.Canonical(doc, opts)
	if err != nil {
		t.Fatalf("the canonical form is refused: %v", err)
	}
	if diff := cmp.Diff(doc, again); diff != "" {
		t.Fatalf("the canonical form has another one:\n%s", diff)
	}
	text, err := doc.MarshalJSON()
	if err != nil {
		t.Fatalf("the canonical form has no JSON: %v", err)
	}
	decoded, err := scim.DecodeDocument(text)
	if err != nil {
		t.Fatalf("the JSON of the canonical form: %v", err)
	}
	for a := range s.Attributes() {
		v, w := doc[a.Name], decoded[a.Name]
		if a.URN == "" && (!a.Equal(v, w) || a.Key(v) != a.Key(w)) {
			t.Fatalf("%s: %v and %v differ", a, v, w)
		}
	}
	if opts.Mode != schema.ModeReplace {
		return
	}
	replaced, err := s.Replace(doc, doc)
	if err != nil {
		t.Fatalf("replacing a document with itself: %v", err)
	}
	if diff := cmp.Diff(doc, replaced); diff != "" {
		t.Fatalf("replacing a document with itself changes it:\n%s", diff)
	}
	if err := s.CheckRequired(doc); err != nil {
		t.Fatal(err)
	}
}

// FuzzProjection takes any names: they are refused or select a part of what there is, never a secret.
func FuzzProjection(f *testing.F) {
	f.Add("userName,name.familyName", "emails.value")
	f.Add(enterprise+":manager.displayName,"+userSchema, "")
	f.Add("password,PASSWORD,"+userSchema+":password", "id,schemas")
	f.Add("", "a.b.c:d:e,...,:::")
	s := schema.User()
	doc, err := s.Canonical(decode(f, fullUser), schema.Options{Mode: schema.ModeAny})
	if err != nil {
		f.Fatal(err)
	}
	doc["custom"] = object{"a": "b"}
	f.Fuzz(func(t *testing.T, attributes, excluded string) {
		p, err := s.Projection([]string{attributes}, []string{excluded})
		if err != nil {
			checkFuzzRefusal(t, err)
			return
		}
		got := s.Project(doc, p)
		for _, always := range []string{"id", "schemas"} {
			if _, ok := got[always]; !ok {
				t.Errorf("%s is missing", always)
			}
		}
		if _, ok := got["password"]; ok {
			t.Error("the password is shown")
		}
		full := leaves("", object(doc))
		for _, leaf := range leaves("", object(got)) {
			if !slices.Contains(full, leaf) {
				t.Errorf("%s comes from nowhere", leaf)
			}
		}
	})
}
