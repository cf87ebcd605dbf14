package scim_test

import (
	stdjson "encoding/json"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
)

// TestListsAreReadAlikeByBothJSONPackages holds the one-pass reading of lists to what reading each resource by itself gives.
func TestListsAreReadAlikeByBothJSONPackages(t *testing.T) {
	const users = `{"Resources":[{"ID":"1","USERNAME":"a","active":false,"shoeSize":9007199254740993,` +
		`"emails":[{"value":"x","verified":true}],"urn:example:badge:1.0:User":{"number":1}},{"id":"2","members":null}]}`
	const groups = `{"Resources":[{"id":"1","DisplayName":"G","members":[{"value":"u","ref":1}],"owner":{"value":2}},{"id":"2","members":null}]}`
	var slow, fast scim.ListResponse[scim.User]
	if err := stdjson.Unmarshal([]byte(users), &slow); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(users), &fast); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(slow, fast); diff != "" || fast.Resources[0].Extra["shoeSize"] != int64(9007199254740993) {
		t.Errorf("users (-one by one +in one pass):\n%s", diff)
	}
	var slowGroups, fastGroups scim.ListResponse[scim.Group]
	if err := stdjson.Unmarshal([]byte(groups), &slowGroups); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(groups), &fastGroups); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(slowGroups, fastGroups); diff != "" || len(fastGroups.Resources) != 2 || fastGroups.Resources[0].DisplayName != "G" {
		t.Errorf("groups (-one by one +in one pass):\n%s", diff)
	}
	for _, text := range []string{`{"Resources":[{"active":"yes"}]}`, `{"Resources":[{"id":"1","id":"2"}]}`} {
		if err := json.Unmarshal([]byte(text), &fast); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}
