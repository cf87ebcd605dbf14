package server_test

import (
	"fmt"
	"strings"
	"testing"

	elimity "github.com/elimity-com/scim/schema"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
)

const vaultURN = "urn:example:Vault"

// newVaults returns a service whose resources have what is never returned in every shape. There is one resource.
func newVaults(t *testing.T) *service {
	t.Helper()
	text := func(name string, p elimity.StringParams) elimity.SimpleParams {
		p.Name = name
		return elimity.SimpleStringParams(p)
	}
	parts := []elimity.SimpleParams{text("value", elimity.StringParams{}), text("hint", elimity.StringParams{})}
	vaults := server.ResourceType{
		Name: "Vault", Endpoint: "/Vaults",
		Schema: elimity.Schema{ID: vaultURN, Attributes: []elimity.CoreAttribute{
			elimity.SimpleCoreAttribute(text("label", elimity.StringParams{})),
			elimity.SimpleCoreAttribute(text("pin", elimity.StringParams{Returned: elimity.AttributeReturnedNever()})),
			elimity.SimpleCoreAttribute(text("word", elimity.StringParams{Mutability: elimity.AttributeMutabilityWriteOnly()})),
			elimity.SimpleCoreAttribute(text("codes", elimity.StringParams{MultiValued: true, Returned: elimity.AttributeReturnedNever()})),
			elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "safe", Mutability: elimity.AttributeMutabilityWriteOnly(), SubAttributes: parts}),
			elimity.ComplexCoreAttribute(elimity.ComplexParams{
				Name: "locks", MultiValued: true, Returned: elimity.AttributeReturnedNever(), SubAttributes: parts,
			}),
			elimity.ComplexCoreAttribute(elimity.ComplexParams{
				Name: "keys", MultiValued: true, SubAttributes: append(parts[:1:1], text("bits", elimity.StringParams{Mutability: elimity.AttributeMutabilityWriteOnly()})),
			}),
		}},
	}
	s := newService(t, func(o *server.Options) { o.ResourceTypes = []server.ResourceType{vaults, server.UserType()} })
	s.create("/Vaults", `{"label":"L","pin":"s3cret","word":"s3cret","codes":["s3cret","b"],"safe":{"value":"s3cret","hint":"s3cret"},
		"locks":[{"value":"s3cret","hint":"s3cret"}],"keys":[{"value":"k","bits":"s3cret"}]}`)
	return s
}

func TestWhatIsNeverReturnedCannotBeAskedFor(t *testing.T) { // RFC 7643 section 7, RFC 7644 section 7.5.2
	for _, name := range []string{"pin", "word", "codes", "safe", "safe.hint", "locks", "locks.hint", "keys.bits"} {
		for _, name := range []string{name, strings.ToUpper(name), vaultURN + ":" + name} {
			t.Run(name, func(t *testing.T) {
				s := newVaults(t)
				filters := []string{name + ` pr`, name + ` sw "s"`, `label eq "L" and not (` + name + ` ne "x")`}
				top, sub, isSub := strings.Cut(name, ".")
				if isSub && !strings.Contains(name, ":") {
					filters = append(filters, fmt.Sprintf(`%s[%s sw "s"]`, top, sub), fmt.Sprintf(`%s[value eq "k" or not (%s pr)]`, top, sub))
				} else if !isSub {
					filters = append(filters, name+`[value sw "s"]`, name+`[VALUE pr]`)
				}
				for _, f := range filters {
					s.get("/Vaults?filter="+escape(f)).wantError(403, scim.Sensitive)
					s.get("/?filter="+escape(f)).wantError(403, scim.Sensitive)
					s.send("POST", "/Vaults/.search", fmt.Sprintf(`{"filter":%q}`, f)).wantError(403, scim.Sensitive)
					s.send("POST", "/.search", fmt.Sprintf(`{"filter":%q}`, f)).wantError(403, scim.Sensitive)
				}
				s.get("/Vaults?sortBy="+name).wantError(403, scim.Sensitive)
				s.get("/?cursor&sortBy="+name).wantError(403, scim.Sensitive)
				for _, path := range []string{"/Vaults/1", "/Vaults", "/"} {
					if r := s.get(path + "?attributes=" + name).want(200); strings.Contains(r.Body, "s3cret") {
						t.Errorf("%s is answered with %s", r.what, r.Body)
					}
				}
			})
		}
	}
	s := newVaults(t)
	for _, path := range []string{"/Vaults/1", "/Vaults", "/", "/Vaults/1?attributes=" + vaultURN, "/Vaults/1?excludedAttributes=label"} {
		for range 2 { // what was read once is kept as JSON
			if r := s.get(path).want(200); strings.Contains(r.Body, "s3cret") {
				t.Errorf("%s is answered with %s", r.what, r.Body)
			}
		}
	}
	for _, path := range []string{`codes[value eq "s3cret"]`, `locks[value eq "s3cret"]`, `locks[hint pr].value`, `safe[hint pr].value`, `keys[bits eq "s3cret"].value`} {
		s.patch("/Vaults/1", fmt.Sprintf(`{"op":"replace","path":%q,"value":"x"}`, path)).wantError(403, scim.Sensitive)
	}
}

func TestAnswersDoNotTellWhatIsNeverReturned(t *testing.T) {
	// Whether the value is the right one or not, is there or not: the answer is the same, and so is what can be seen afterwards.
	for _, op := range []string{
		`{"op":"add","path":"codes","value":[%q]}`, `{"op":"remove","path":"codes","value":[%q]}`, `{"op":"replace","path":"codes","value":[%q]}`,
		`{"op":"replace","path":"pin","value":%q}`, `{"op":"remove","path":"pin","value":%q}`, `{"op":"add","value":{"word":%q}}`,
		`{"op":"replace","path":"safe.hint","value":%q}`, `{"op":"add","path":"locks","value":[{"value":%q}]}`,
		`{"op":"remove","path":"locks","value":[{"value":%q}]}`, `{"op":"remove","path":"keys","value":[{"bits":%q}]}`,
		`{"op":"add","path":"keys","value":[{"value":"k","bits":%q}]}`, `{"op":"replace","path":"keys[value eq \"k\"].bits","value":%q}`,
	} {
		t.Run(op, func(t *testing.T) {
			outcome := func(value string, remove bool) string {
				s := newVaults(t)
				if remove {
					s.patch("/Vaults/1", `{"op":"remove","path":"codes"}`, `{"op":"remove","path":"pin"}`, `{"op":"remove","path":"locks"}`, `{"op":"remove","path":"safe"}`).want(200)
				} else {
					s.patch("/Vaults/1", `{"op":"add","path":"word","value":"other"}`).want(200)
				}
				r := s.patch("/Vaults/1", fmt.Sprintf(op, value))
				return fmt.Sprint(r.Status, r.Header.Get("ETag"), r.Body, s.get("/Vaults/1").Body)
			}
			right := outcome("s3cret", false)
			if wrong := outcome("other", false); right != wrong {
				t.Errorf("the right value is answered with\n%s\nanother with\n%s", right, wrong)
			}
			if none := outcome("s3cret", true); right != none {
				t.Errorf("when it is there the answer is\n%s\nand when it is not\n%s", right, none)
			}
		})
	}
}

func TestVersionsDoNotTellWhatIsNeverReturned(t *testing.T) {
	for _, body := range []string{
		`{"userName":"a","password":%q}`, `{"userName":"a","schemas":["` + userURN + `"],"` + userURN + `:passWord":%q}`,
	} {
		outcome := func(value string) string {
			s := newService(t)
			s.create("/Users", `{"userName":"a","password":"s3cret"}`)
			first := s.send("PUT", "/Users/1", fmt.Sprintf(body, value)).want(200)
			second := s.send("PUT", "/Users/1", fmt.Sprintf(body, "s3cret"), "If-Match", first.Header.Get("ETag")).want(200)
			return first.Header.Get("ETag") + second.Header.Get("ETag") + first.Body + second.Body
		}
		if right, wrong := outcome("s3cret"), outcome("other"); right != wrong {
			t.Errorf("%s: the right value is answered with\n%s\nanother with\n%s", body, right, wrong)
		}
	}
	outcome := func(value string) string {
		s := newVaults(t)
		const body = `{"label":"L","keys":[{"value":"k"}],"pin":%q}`
		s.send("PUT", "/Vaults/1", fmt.Sprintf(body, "s3cret")).want(200)
		return s.send("PUT", "/Vaults/1", fmt.Sprintf(body, value)).want(200).Header.Get("ETag")
	}
	if right, wrong := outcome("s3cret"), outcome("other"); right != wrong {
		t.Errorf("the version is %s with the right value, and %s with another", right, wrong)
	}
}

func TestNamesThatAreNeverReturnedAreNotShownElsewhere(t *testing.T) {
	text := func(name string, r elimity.AttributeReturned) elimity.SimpleParams {
		return elimity.SimpleStringParams(elimity.StringParams{Name: name, Returned: r})
	}
	onBothStores(t, func(t *testing.T, open func(...func(*server.Options)) *service) {
		s := open(func(o *server.Options) {
			o.ResourceTypes = []server.ResourceType{server.UserType(), {Name: "Cell", Endpoint: "/Cells", Schema: elimity.Schema{
				ID: "urn:example:Cell", Attributes: []elimity.CoreAttribute{
					elimity.SimpleCoreAttribute(text("displayName", elimity.AttributeReturnedNever())),
					elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "members", MultiValued: true, SubAttributes: []elimity.SimpleParams{
						text("value", elimity.AttributeReturnedDefault()), text("display", elimity.AttributeReturnedDefault()),
						text("type", elimity.AttributeReturnedDefault()),
					}}),
				},
			}}}
		})
		user := s.create("/Users", `{"userName":"a","displayName":"A"}`)
		inner := s.create("/Cells", fmt.Sprintf(`{"displayName":"s3cret","members":[{"value":%q}]}`, user))
		outer := s.create("/Cells", fmt.Sprintf(`{"displayName":"s3cret","members":[{"value":%q},{"value":%q}]}`, inner, user))
		s.get("/Users/"+user).wantAt("groups/0/value", inner).wantAt("groups/0/display", nil)
		s.get("/Users?attributes=groups.display").want(200).wantAt("Resources/0/groups", nil)
		s.get("/Cells/"+outer).wantAt("members/0/value", inner).wantAt("members/0/display", nil).wantAt("members/1/display", "A")
		s.filter(`groups.display sw "s3"`).wantIDs()
		s.get("/Cells?filter=" + escape(`members.display sw "s3"`)).wantIDs()
		s.get("/Users?sortBy=groups.display").wantIDs(user)
	})
}
