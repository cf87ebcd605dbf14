package elimity_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	scim "github.com/elimity-com/scim"
	liberrors "github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"
	parser "github.com/scim2/filter-parser/v2"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/elimity"
)

// Each of these is a defect that was found in elimity-com/scim by running it. A handler written for it, which calls its PassesFilter, is
// served without.
func TestDefectsOfTheLibrary(t *testing.T) {
	filtering := func(a *app, _ *server.Options) { a.users.filters = true }

	t.Run("1 nested parentheses do not end the process", func(t *testing.T) {
		a := newApp(t, filtering)
		a.find(strings.Repeat("(", 100_000)).want(http.StatusBadRequest).wantBody("invalidFilter")
		filter := strings.Repeat("(", 100_000) + `userName eq \"a\"` + strings.Repeat(")", 100_000)
		a.send("POST", "/Users/.search", `{"filter":"`+filter+`"}`).want(http.StatusBadRequest).wantBody("invalidFilter")
	})
	t.Run("2 long filters are refused before they cost anything", func(t *testing.T) {
		a := newApp(t, filtering)
		terms := strings.Repeat(`userName eq \"a\" or `, 4000) + `userName eq \"a\"`
		a.send("POST", "/Users/.search", `{"filter":"`+terms+`"}`).want(http.StatusBadRequest)
		a.send("POST", "/Users/.search", `{"filter":"userName eq \"`+strings.Repeat("x", 100_000)+`\""}`).want(http.StatusBadRequest)
		if len(a.users.calls) > 0 {
			t.Errorf("the handler was called: %q", a.users.calls)
		}
	})
	t.Run("3 comparisons of complex attributes, Go slices and integers do not panic", func(t *testing.T) {
		a := newApp(t, filtering)
		a.users.shape = func(attributes scim.ResourceAttributes) scim.ResourceAttributes {
			attributes["emails"] = []map[string]interface{}{{"value": "bjensen@example.org", "type": "work"}}
			return attributes
		}
		a.user(`{"userName":"bjensen"}`)
		a.find(`emails co "example.org"`).total(1)
		a.find(`emails[type eq "work" and value co "@example.org"]`).total(1)
		a.find(`emails co "example.com"`).total(0)
		a.find(`emails.value eq "bjensen@example.org"`).total(1)
		testIntegers(t)
	})
	t.Run("4 an object for a multi-valued attribute becomes an array", func(t *testing.T) {
		a := newApp(t, filtering)
		a.user(`{"userName":"a","emails":{"value":"x@example.com"}}`)
		a.find(`emails.value eq "x@example.com"`).total(1).wantBody(`"emails":[{"value":"x@example.com"}]`)
		// One that was planted before the move.
		a.users.shape = func(attributes scim.ResourceAttributes) scim.ResourceAttributes {
			attributes["emails"] = map[string]interface{}{"value": "y@example.com"}
			return attributes
		}
		a.find(`emails.value eq "y@example.com"`).total(1).wantBody(`"emails":[{"value":"y@example.com"}]`)
	})
	t.Run("5 filters find what they should", func(t *testing.T) {
		a := newApp(t, filtering)
		a.user(`{"userName":"a","emails":[{"value":"x"}],"displayName":"a\"b","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D"}}`)
		a.find(`emails.value eq "x"`).total(1)
		a.find(`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department sw "R"`).total(1)
		a.find(`nickName ne "x"`).total(1)
		a.find(`displayName eq "a\"b"`).total(1)
		a.find(`displayName co "\u0022"`).total(1)
		a.find(`not (nickName pr)`).total(1)
	})
	t.Run("6 core and extension attributes, unknown ones, sub-attributes of a value path, nested parentheses", func(t *testing.T) {
		a := newApp(t, filtering)
		a.user(`{"userName":"a","emails":[{"value":"x","type":"work"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R"}}`)
		a.find(`userName eq "a" and urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "R"`).total(1)
		a.find(`bogus[nosuch eq "x"]`).want(http.StatusBadRequest).wantBody("invalidFilter")
		a.find(`emails[type eq "work"].value eq "x"`).total(1)
		a.find(`emails[(type eq "work") and ((value eq "x"))]`).total(1)
	})
	t.Run("7 .search takes the filters that GET takes", func(t *testing.T) {
		a := newApp(t, filtering)
		a.user(`{"userName":"a","externalId":"e"}`)
		for _, filter := range []string{`id eq \"id-1\"`, `externalId eq \"e\"`, `meta.created gt \"2020-01-01T00:00:00Z\"`, `meta.resourceType eq \"User\"`} {
			a.send("POST", "/Users/.search", `{"filter":"`+filter+`"}`).total(1)
		}
	})
	t.Run("8 itemsPerPage is what was returned", func(t *testing.T) {
		a := newApp(t, nil)
		a.user(`{"userName":"a"}`)
		a.send("GET", "/Users?count=50", "").total(1)
		a.send("GET", "/Users?count=0", "").want(http.StatusOK).wantBody(`"totalResults":1,"itemsPerPage":0`, `"Resources":[]`)
	})
	t.Run("9 PATCH knows readOnly, required, extensions and null", func(t *testing.T) {
		a := newApp(t, nil)
		path := a.user(`{"userName":"a","title":"T"}`)
		a.send("PATCH", path, patchOf(`{"op":"add","path":"groups","value":[{"value":"g"}]}`)).want(http.StatusBadRequest).wantBody("mutability")
		a.send("PATCH", path, patchOf(`{"op":"remove","path":"userName"}`)).want(http.StatusBadRequest)
		const urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
		a.send("PATCH", path, patchOf(`{"op":"add","value":{"`+urn+`":{"department":"R"}}}`)).want(http.StatusOK).wantBody(`"department":"R"`)
		a.send("PATCH", path, patchOf(`{"op":"remove","path":"`+urn+`"}`)).want(http.StatusOK).wantNo(urn)
		a.send("PATCH", path, patchOf(`{"op":"replace","path":"title","value":null}`)).want(http.StatusOK).wantNo(`"title"`)
		for _, attributes := range a.users.received {
			if attributes["groups"] != nil || attributes["id"] != nil || attributes["meta"] != nil || attributes["schemas"] != nil {
				t.Errorf("the handler got what is readOnly: %v", attributes)
			}
		}
	})
	t.Run("10 booleans as strings and the manager as a string", func(t *testing.T) {
		a := newApp(t, nil)
		path := a.user(`{"userName":"a","active":true}`)
		a.send("PATCH", path, patchOf(`{"op":"Replace","path":"active","value":"False"}`)).want(http.StatusOK).wantBody(`"active":false`)
		const manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"
		a.send("PATCH", path, patchOf(`{"op":"Add","path":"`+manager+`","value":"m"}`)).want(http.StatusOK).wantBody(`"value":"m"`)
		if got := a.users.data["id-1"]["active"]; got != false {
			t.Errorf("the handler has active %v", got)
		}
	})
	t.Run("11 passwords are never shown", func(t *testing.T) {
		a := newApp(t, nil)
		a.send("POST", "/Users", `{"userName":"a","password":"5ecret"}`).want(http.StatusCreated).wantNo("5ecret")
		if a.users.data["id-1"]["password"] != "5ecret" {
			t.Error("the handler did not get the password")
		}
		a.send("GET", "/Users/id-1?attributes=password", "").want(http.StatusOK).wantNo("5ecret")
		a.find(`password sw "5"`).want(http.StatusForbidden).wantBody("sensitive")
	})
	t.Run("12 errors of handlers", testErrors)
	t.Run("13 what handlers return is not changed", testNoRace)
	t.Run("14 methods, trailing data, escapes, schemas, locations and discovery", func(t *testing.T) {
		a := newApp(t, nil)
		a.user(`{"userName":"a"}`)
		if got := a.send("PUT", "/Users", `{}`).want(http.StatusMethodNotAllowed).Header().Get("Allow"); got == "" {
			t.Error("no Allow")
		}
		a.send("DELETE", "/ServiceProviderConfig", "").want(http.StatusMethodNotAllowed)
		a.send("POST", "/Users", `{"userName":"b"} {}`).want(http.StatusBadRequest)
		a.users.data["a%2Fb"] = scim.ResourceAttributes{"userName": "c"}
		a.send("GET", "/Users/a%252Fb", "").want(http.StatusOK).wantBody(`"id":"a%2Fb"`)
		a.send("GET", "/Users/id-1", "").want(http.StatusOK).
			wantBody(`"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]`, `"location":"https://example.com/scim/v2/Users/id-1"`)
		a.send("GET", "/Schemas?filter=id%20pr", "").want(http.StatusForbidden)
		a.send("GET", "/Groups", "").total(0).wantBody(`"Resources":[]`)
		a.send("GET", "/ServiceProviderConfig", "").want(http.StatusOK).
			wantBody(`"sort":{"supported":true}`, `"etag":{"supported":true}`, `"changePassword":{"supported":true}`, `"bulk":{"supported":false`)
	})
}

// testIntegers compares numbers that a handler has as what it got, and as what it read from elsewhere.
func testIntegers(t *testing.T) {
	t.Helper()
	number := func(name string, typ schema.AttributeDataType) schema.CoreAttribute {
		return schema.SimpleCoreAttribute(schema.SimpleNumberParams(schema.NumberParams{Name: name, Type: typ}))
	}
	for _, filters := range []elimity.Filters{elimity.FiltersSafe, elimity.FiltersWhole} {
		a := newApp(t, func(a *app, _ *server.Options) { a.users.filters = true })
		h, err := elimity.New([]scim.ResourceType{{
			Name: "User", Endpoint: "/Users", Handler: a.users,
			Schema: schema.Schema{ID: "urn:example:User", Name: optional.NewString("User"), Attributes: []schema.CoreAttribute{
				schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: "userName"})),
				number("age", schema.AttributeTypeInteger()), number("share", schema.AttributeTypeDecimal()),
			}},
		}}, server.Options{Authenticator: server.Anonymous()}, elimity.Options{Filters: filters})
		if err != nil {
			t.Fatal(err)
		}
		a.handler = h
		a.user(`{"userName":"a","age":42,"share":0.5}`)
		if age := a.users.received[0]["age"]; age != int64(42) {
			t.Errorf("the handler got the age %v of type %T", age, age)
		}
		a.users.ids, a.users.data["x"] = append(a.users.ids, "x"), scim.ResourceAttributes{"userName": "b", "age": int8(7), "share": float32(1)}
		a.find(`age eq 42`).total(1)
		a.find(`age gt 6 and userName sw "b"`).total(1)
		a.find(`age lt 42`).total(1)
		a.find(`age le 5 or share ge 0.75`).total(1)
	}
}

func testErrors(t *testing.T) {
	const secret = "postgres://root:hunter2@db"
	var nilError *liberrors.ScimError
	tests := []struct {
		name         string
		err          error
		status       int
		says, hides  string
		everyHandler bool
	}{
		{"by value", liberrors.ScimError{Status: 422, Detail: "no"}, 422, "no", "", true},
		{"by pointer", &liberrors.ScimError{Status: 409, ScimType: liberrors.ScimTypeUniqueness, Detail: "taken"}, 409, `"uniqueness"`, "", true},
		{"wrapped", fmt.Errorf("outer: %w", liberrors.ScimError{Status: 400, ScimType: liberrors.ScimTypeMutability}), 400, `"mutability"`, "outer", true},
		{"not found", liberrors.ScimErrorResourceNotFound("x"), 404, "detail", "", true},
		{"not allowed", liberrors.ScimError{Status: 405}, 405, "", "", false},
		{"too large", &liberrors.ScimError{Status: 413}, 413, "", "", true},
		{"too many requests", liberrors.ScimError{Status: 429}, 429, "", "", true},
		{"unavailable", liberrors.ScimError{Status: 503}, 503, "", "", true},
		{"changed meanwhile", liberrors.ScimError{Status: 412}, 412, "", "", true},
		{"any other", errors.New("dial " + secret), 500, "internal error", "hunter2", true},
		{"internal, with the text of another", liberrors.ScimError{Status: 500, Detail: secret}, 500, "internal error", "hunter2", true},
		{"a status that is none", liberrors.ScimError{Status: 200, Detail: secret}, 500, "internal error", "hunter2", true},
		{"a pointer that is nil", nilError, 500, "internal error", "", true},
	}
	requests := []struct{ handler, method, path, body string }{
		{"Create", "POST", "/Users", `{"userName":"b"}`},
		{"Get", "GET", "/Users/id-1", ""},
		{"GetAll", "GET", "/Users", ""},
		{"GetAll", "GET", "/Users?filter=userName%20eq%20%22a%22", ""},
		{"Replace", "PUT", "/Users/id-1", `{"userName":"b"}`},
		{"Replace", "PATCH", "/Users/id-1", patchOf(`{"op":"replace","path":"title","value":"x"}`)},
		{"Delete", "DELETE", "/Users/id-1", ""},
	}
	for _, tt := range tests {
		for _, r := range requests {
			if r.handler == "Replace" && !tt.everyHandler {
				continue // Patch is asked then
			}
			t.Run(tt.name+" from "+r.handler+" for "+r.method, func(t *testing.T) {
				a := newApp(t, nil)
				a.user(`{"userName":"a"}`)
				a.users.err = func(method string) error {
					if method == r.handler {
						return tt.err
					}
					return nil
				}
				got := a.send(r.method, r.path, r.body).want(tt.status).
					wantBody("urn:ietf:params:scim:api:messages:2.0:Error", fmt.Sprintf(`"status":"%d"`, tt.status), tt.says)
				if tt.hides != "" {
					got.wantNo(tt.hides)
				}
			})
		}
	}
}

// The handler returns one map, always: what is written into it by a response is a race with the next.
func testNoRace(t *testing.T) {
	shared := scim.ResourceAttributes{
		"userName": "a", "emails": []interface{}{map[string]interface{}{"value": "x"}}, "name": map[string]interface{}{"givenName": "A"},
	}
	a := newApp(t, func(a *app, _ *server.Options) {
		a.users.shape = func(scim.ResourceAttributes) scim.ResourceAttributes { return shared }
	})
	a.users.ids, a.users.data["1"] = []string{"1"}, shared
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			a.send("GET", "/Users/1", "")
			a.send("GET", "/Users?sortBy=userName", "")
			a.send("PATCH", "/Users/1", patchOf(`{"op":"add","path":"emails","value":[{"value":"y"}]}`))
		})
	}
	wait.Wait()
	if len(shared) != 3 || len(shared["emails"].([]interface{})) != 1 || len(shared["name"].(map[string]interface{})) != 1 {
		t.Errorf("the handler's map was changed: %v", shared)
	}
}

// No text of a filter reaches the library's parser: what GetAll gets is made of nodes, and by default of safe ones only.
func TestFilterValidator(t *testing.T) {
	tests := []struct {
		name, filter string
		safe, whole  string // "" for no validator
	}{
		{"string", `UserName eq "a"`, `userName eq "a"`, `userName eq "a"`},
		{"any of several strings", `userName eq "a" or displayName sw "b"`, `userName eq "a" or displayName sw "b"`, `userName eq "a" or displayName sw "b"`},
		{"and keeps what is safe", `userName eq "a" and active eq true`, `userName eq "a"`, `userName eq "a" and active eq true`},
		{"or is whole or nothing", `userName eq "a" or active eq true`, "", `userName eq "a" or active eq true`},
		{"ne", `userName ne "a"`, "", `userName ne "a"`},
		{"not", `not (userName eq "a")`, "", `not(userName eq "a")`},
		{"present", `title pr`, "", `title pr`},
		{"complex", `emails co "example.org"`, "", `emails co "example.org"`},
		{"sub-attribute", `name.FAMILYNAME eq "a"`, "", `name.familyName eq "a"`},
		{"value path", `emails[TYPE eq "work" and value co "x"]`, "", `emails[type eq "work" and value co "x"]`},
		{"external id", `externalId eq "a"`, "", `externalId eq "a"`},
		{"time", `meta.lastModified gt "2020-01-01T00:00:00Z"`, "", `meta.lastModified gt "2020-01-01T00:00:00Z"`},
		{
			"extension", `urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:department eq "R"`, "",
			`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "R"`,
		},
		{"reference", `profileUrl co "example"`, "", `profileUrl co "example"`},
		{"text that the library folds otherwise", `userName eq "ς"`, "", `userName eq "ς"`},
		{"order", `userName gt "a"`, "", `userName gt "a"`},
		{"groups of the user", `groups.value eq "g"`, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for how, want := range map[elimity.Filters]string{elimity.FiltersSafe: tt.safe, elimity.FiltersWhole: tt.whole, elimity.FiltersNone: ""} {
				a := newApp(t, nil, elimity.Options{Filters: how})
				a.user(`{"userName":"x"}`)
				a.find(tt.filter).want(http.StatusOK)
				var got string
				for _, p := range a.users.params {
					if p.FilterValidator != nil {
						got = text(p.FilterValidator.GetFilter())
					}
				}
				if got != want {
					t.Errorf("filters %d: the handler gets %q, want %q", how, got, want)
				}
			}
		})
	}
}

func text(e parser.Expression) string { return fmt.Sprint(e) }

// A handler whose own resources make PassesFilter panic is asked again without a filter.
func TestPanicOverAFilter(t *testing.T) {
	a := newApp(t, func(a *app, _ *server.Options) { a.users.filters = true })
	a.user(`{"userName":"a"}`)
	a.users.shape = func(attributes scim.ResourceAttributes) scim.ResourceAttributes {
		type name string
		attributes["userName"] = name("a")
		return attributes
	}
	a.find(`userName eq "a"`).total(1)
}

func TestPanicOfAHandler(t *testing.T) {
	a := newApp(t, nil)
	a.users.err = func(string) error { panic("nil map") }
	a.send("GET", "/Users/1", "").want(http.StatusInternalServerError).wantNo("nil map")
}

func TestGoTypesOfHandlers(t *testing.T) {
	type kind string
	when := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	active := true
	a := newApp(t, func(a *app, _ *server.Options) {
		a.users.shape = func(scim.ResourceAttributes) scim.ResourceAttributes {
			return scim.ResourceAttributes{
				"userName": "a", "ACTIVE": &active, "title": kind("T"), "nickName": (*string)(nil),
				"name":             map[string]string{"givenName": "A"},
				"emails":           []map[string]string{{"value": "x", "type": "work"}},
				"phoneNumbers":     []struct{ Value string }{{"1"}},
				"x509Certificates": []map[string]interface{}{{"value": []byte("cert")}},
				"profileUrl":       when,
				"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": "R",
			}
		}
	})
	a.users.data["1"] = scim.ResourceAttributes{}
	a.send("GET", "/Users/1", "").want(http.StatusOK).wantBody(
		`"active":true`, `"title":"T"`, `"givenName":"A"`, `"emails":[{"type":"work","value":"x"}]`, `"phoneNumbers":[{"value":"1"}]`,
		`"x509Certificates":[{"value":"Y2VydA=="}]`, `"department":"R"`, `"2026-11-23T12:00:00Z"`,
	).wantNo("nickName", "ACTIVE")
}

func TestNumbersOfHandlers(t *testing.T) {
	a := newApp(t, func(a *app, _ *server.Options) {
		a.users.shape = func(scim.ResourceAttributes) scim.ResourceAttributes {
			return scim.ResourceAttributes{
				"userName": "a", "a1": json.Number("7"), "a2": json.Number("7.5"), "a3": uint8(3), "a4": uint64(1 << 63), "a5": float32(1.5), "a6": 9,
				"a7": []interface{}{nil, [2]bool{true, false}}, "a8": map[int]string{1: "x"}, "a9": []string(nil),
			}
		}
	})
	a.users.data["1"] = scim.ResourceAttributes{}
	a.send("GET", "/Users/1", "").want(http.StatusOK).wantBody(
		`"a1":7,`, `"a2":7.5`, `"a3":3`, `"a4":9223372036854776000`, `"a5":1.5`, `"a6":9`, `[true,false]`, `"a8":{"1":"x"}`)
}

// What cannot be a JSON value is an error of the handler, not the end of the process.
func TestValuesThatAreNone(t *testing.T) {
	cycle := map[string]interface{}{}
	cycle["self"] = cycle
	for name, value := range map[string]interface{}{
		"one that holds itself": cycle, "a function": func() {}, "a number that is none": json.Number("x"), "in an array": []interface{}{make(chan int)},
	} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t, func(a *app, _ *server.Options) {
				a.users.shape = func(scim.ResourceAttributes) scim.ResourceAttributes {
					return scim.ResourceAttributes{"userName": "a", "x": value}
				}
			})
			a.users.ids, a.users.data["1"] = []string{"1"}, scim.ResourceAttributes{}
			a.send("GET", "/Users/1", "").want(http.StatusInternalServerError)
			a.send("GET", "/Users", "").want(http.StatusInternalServerError)
			a.find(`userName eq "a"`).want(http.StatusInternalServerError)
		})
	}
}
