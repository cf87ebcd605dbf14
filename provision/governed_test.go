package provision

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
)

// Several values of one type, such as a person's aliases, are all kept: each is an element of its own.
func TestGovernedKeepsSeveralValuesOfOneType(t *testing.T) {
	m := mapping.MustCompile(mapping.ObjectMapping{Source: "User", Target: "User", Attributes: []mapping.AttributeMapping{
		{Target: "userName", Source: "userPrincipalName", Matching: 1},
		{Target: `emails[type eq "other"].value`, Source: "proxyAddresses"},
	}})
	r, err := newRule(m, nil, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	want := func(aliases ...any) Want {
		t.Helper()
		result, err := m.Map(context.Background(), map[string]any{"userPrincipalName": "a", "proxyAddresses": aliases}, mapping.Env{})
		if err != nil {
			t.Fatal(err)
		}
		return wantOf(result)
	}
	for _, tt := range []struct {
		name      string
		sent, now Want
	}{
		{"one more", want("a@x"), want("a@x", "b@x")},
		{"one less", want("a@x", "b@x"), want("b@x")},
		{"the same", want("a@x", "b@x"), want("a@x", "b@x")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(scim.Document(tt.now.Create), r.governed(tt.sent.Create, tt.now)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
