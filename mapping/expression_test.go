package mapping_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/mapping/expr"
)

func TestExpressions(t *testing.T) {
	type am = mapping.AttributeMapping
	tests := []struct {
		name    string
		mapping am
		source  object
		want    scim.Document // of a create
	}{
		{"a text that is empty is a value", am{Target: "title", Expression: `Replace([x], "a", , , "", , )`}, object{"x": "a"}, scim.Document{"title": ""}},
		{"an empty text for a boolean is none", am{Target: "active", Expression: `Switch([x], "", "a", "True")`}, object{"x": "b"}, scim.Document{}},
		{"null takes the default", am{Target: "title", Expression: `Switch([x], , "a", "b")`, Default: "Staff"}, object{"x": "c"}, scim.Document{"title": "Staff"}},
		{"an ignored attribute takes no default", am{Target: "title", Expression: `IgnoreFlowIfNullOrEmpty([x])`, Default: "Staff"}, object{}, scim.Document{}},
		{"a date for a text prints as the language does", am{Target: "title", Expression: `CDate([x])`}, object{"x": "2020-03-16-07:00"}, scim.Document{"title": "3/16/2020 7:00:00 AM"}},
		{"a date for a dateTime", am{Target: "urn:x:y:hired", Type: mapping.TypeDateTime, Expression: `CDate([x])`}, object{"x": "2020-03-16-07:00"}, scim.Document{"urn:x:y": object{"hired": "2020-03-16T07:00:00Z"}}},
		{"a number for an integer", am{Target: "urn:x:y:n", Type: mapping.TypeInteger, Expression: `Len([x])`}, object{"x": "four"}, scim.Document{"urn:x:y": object{"n": int64(4)}}},
		{"a list for elements", am{Target: `emails[type eq "other"].value`, Expression: `Split([x], ";")`}, object{"x": "a@x;b@x"}, scim.Document{"emails": []any{object{"type": "other", "value": "a@x"}, object{"type": "other", "value": "b@x"}}}},
		{"a path into the source object", am{Target: "title", Expression: `Join(" ", [name.givenName], [urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department])`}, object{"name": object{"givenName": "Ada"}, enterprise: object{"department": "Ops"}}, scim.Document{"title": "Ada Ops"}},
		{"a boolean of the source decides a Switch", am{Target: "active", Expression: `Switch([IsSoftDeleted], , "False", "True", "True", "False")`}, object{"IsSoftDeleted": true}, scim.Document{"active": false}},
		{"the role of an assignment", am{Target: `roles[primary eq "True"].value`, Expression: `SingleAppRoleAssignment([appRoleAssignments])`}, object{"appRoleAssignments": []any{object{"value": "admin", "displayName": "Administrator"}}}, scim.Document{"roles": []any{object{"primary": true, "value": "admin"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := mapOne(t, users(tt.mapping), tt.source).Create
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEnv(t *testing.T) {
	m := mapping.MustCompile(users(
		mapping.AttributeMapping{Target: "title", Expression: `Now()`},
		mapping.AttributeMapping{Target: "externalId", Expression: `Guid()`, Apply: mapping.OnCreate},
		mapping.AttributeMapping{Target: "userName", Expression: `Join("@", [alias], DefaultDomain())`, Matching: 1},
		mapping.AttributeMapping{Target: "nickName", Expression: `SelectUniqueValue([alias], Append([alias], "2"), Append([alias], "3"))`, Apply: mapping.OnCreate},
	))
	var asked []string
	result, err := m.Map(context.Background(), object{"alias": "zoe"}, mapping.Env{
		Clock:         func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		Rand:          bytes.NewReader(nil),
		NewGUID:       func() string { return "00000000-0000-4000-8000-000000000001" },
		DefaultDomain: func(context.Context) (string, error) { return "meridian.example", nil },
		Taken: func(_ context.Context, target, value string) (bool, error) {
			asked = append(asked, target+" "+value)
			return value != "zoe3", nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := scim.Document{
		"title": "1/2/2026 3:04:05 AM", "externalId": "00000000-0000-4000-8000-000000000001",
		"userName": "zoe@meridian.example", "nickName": "zoe3",
	}
	if diff := cmp.Diff(want, result.Create); diff != "" {
		t.Errorf("create (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"nickName zoe", "nickName zoe2", "nickName zoe3"}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestSelectUniqueValue(t *testing.T) {
	unique := mapping.AttributeMapping{Target: "nickName", Expression: `SelectUniqueValue([a], [b])`}
	for name, change := range map[string]func(*mapping.AttributeMapping){
		"always":                    func(*mapping.AttributeMapping) {},
		"as a matching attribute":   func(a *mapping.AttributeMapping) { a.Apply, a.Matching = mapping.OnCreate, 1 },
		"where the target is empty": func(a *mapping.AttributeMapping) { a.Apply = mapping.WhenEmpty },
	} {
		t.Run("is refused "+name, func(t *testing.T) {
			a := unique
			change(&a)
			if _, err := mapping.Compile(users(a)); !errors.Is(err, mapping.ErrInvalid) {
				t.Errorf("got error %v, want ErrInvalid", err)
			}
		})
	}
	t.Run("says when all are taken", func(t *testing.T) {
		a := unique
		a.Apply = mapping.OnCreate
		_, err := mapping.MustCompile(users(a)).Map(context.Background(), object{"a": "x", "b": "y"}, mapping.Env{
			Taken: func(context.Context, string, string) (bool, error) { return true, nil },
		})
		if !errors.Is(err, expr.ErrAllTaken) {
			t.Errorf("got error %v, want ErrAllTaken", err)
		}
	})
}

func TestIgnoreObject(t *testing.T) {
	got := mapOne(t, users(
		mapping.AttributeMapping{Target: "userName", Source: "upn", Matching: 1},
		mapping.AttributeMapping{Target: "title", Expression: `IIF([kind] = "robot", IgnoreObjectFlow, [jobTitle])`},
	), object{"upn": "a", "kind": "robot"})
	if diff := cmp.Diff(mapping.Result{IgnoreObject: true}, got, ignoreUnexported); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatIsSaidOfAttributes(t *testing.T) {
	got := mapOne(t, users(
		mapping.AttributeMapping{Target: "roles", Expression: `AppRoleAssignmentsComplex([appRoleAssignments])`},
		mapping.AttributeMapping{Target: "emails", Source: "mails", Apply: mapping.AddValues},
		mapping.AttributeMapping{Target: "title", Source: "jobTitle", FlowAlways: true},
		mapping.AttributeMapping{Target: "nickName", Expression: `Redact([nick])`},
	), object{})
	if diff := cmp.Diff([]string{"roles", "emails"}, got.AddOnly); diff != "" {
		t.Errorf("add only (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"title"}, got.Always); diff != "" {
		t.Errorf("always (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"nickName"}, got.Redacted); diff != "" {
		t.Errorf("redacted (-want +got):\n%s", diff)
	}
}

func TestFunctionsOfYourOwn(t *testing.T) {
	m, err := mapping.Compile(
		users(mapping.AttributeMapping{Target: "title", Expression: `Shout([x])`}),
		mapping.WithExpressions(expr.WithFunctions(expr.Function{
			Signature: expr.Signature{Name: "Shout", Result: expr.KindString, Params: []expr.Param{{Name: "text", Kind: expr.KindString}}},
			Call: func(_ context.Context, args []expr.Value) (expr.Value, error) {
				return expr.String(args[0].String() + "!"), nil
			},
		})),
	)
	if err != nil {
		t.Fatal(err)
	}
	result, err := m.Map(context.Background(), object{"x": "hey"}, mapping.Env{})
	if err != nil || result.Create["title"] != "hey!" {
		t.Errorf("got %v, %v, want hey!", result.Create, err)
	}
}

func TestMapIsSafeForConcurrentUse(t *testing.T) {
	m := mapping.MustCompile(defaultUsers)
	want := mapOne(t, defaultUsers, person())
	done := make(chan string)
	for range 8 {
		go func() {
			for range 200 {
				got, err := m.Map(context.Background(), person(), mapping.Env{})
				if err != nil {
					done <- err.Error()
					return
				}
				if diff := cmp.Diff(want.Create, got.Create); diff != "" {
					done <- diff
					return
				}
			}
			done <- ""
		}()
	}
	for range 8 {
		if diff := <-done; diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
