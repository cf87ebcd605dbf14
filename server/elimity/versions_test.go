package elimity

import (
	"fmt"
	"testing"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
)

// However many resources are written, the memory that their versions take is bounded.
func TestVersionsAreForgotten(t *testing.T) {
	var v versions
	doc := scim.Document{"userName": "a"}
	for n := range maxVersions + 2 {
		v.set(server.Key{Type: "User", ID: fmt.Sprint(n)}, "given", doc)
	}
	if len(v.given) > maxVersions {
		t.Errorf("%d versions are kept", len(v.given))
	}
	if got := v.of(server.Key{Type: "User", ID: fmt.Sprint(maxVersions + 1)}, doc); got != "given" {
		t.Errorf("the last version is %q", got)
	}
}
