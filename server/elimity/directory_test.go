package elimity_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	scim "github.com/elimity-com/scim"
	liberrors "github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"

	ours "github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/elimity"
)

// directory is a resource handler as one writes it for elimity-com/scim.
type directory struct {
	mu   sync.Mutex
	ids  []string
	data map[string]scim.ResourceAttributes
	next int
	turn int
	// prefix begins the ids.
	prefix string

	unique string // the attribute of which a value occurs once
	// filters makes GetAll call PassesFilter, as the library's documentation shows it.
	filters bool
	// pageless makes GetAll return everything whatever was asked for, and clamp is how many it returns at most.
	pageless bool
	clamp    int
	// nameless leaves ids out of what is returned.
	nameless bool
	// timeless leaves times out of what is returned, and restless makes up a new one every time.
	timeless, restless bool
	// shuffled makes every call of GetAll have another order.
	shuffled bool
	// shape changes what is returned, and err makes every call fail.
	shape func(scim.ResourceAttributes) scim.ResourceAttributes
	err   func(method string) error
	// replace takes the place of Replace.
	replace func(id string, attributes scim.ResourceAttributes) (scim.Resource, error)

	calls    []string
	params   []scim.ListRequestParams
	patched  [][]scim.PatchOperation
	received []scim.ResourceAttributes
}

func newDirectory(prefix, unique string) *directory {
	return &directory{data: make(map[string]scim.ResourceAttributes), prefix: prefix, unique: unique}
}

func (d *directory) called(method string) error {
	d.calls = append(d.calls, method)
	if d.err != nil {
		return d.err(method)
	}
	return nil
}

func (d *directory) resource(id string) scim.Resource {
	attributes := maps.Clone(d.data[id])
	if d.shape != nil {
		attributes = d.shape(attributes)
	}
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := scim.Resource{ID: id, Attributes: attributes, Meta: scim.Meta{Created: &created, LastModified: &created, Version: "constant"}}
	if d.restless {
		d.turn++
		*r.Meta.LastModified = created.Add(time.Duration(d.turn) * time.Minute)
	}
	if d.nameless {
		r.ID = ""
	}
	if d.timeless {
		r.Meta = scim.Meta{}
	}
	if external, ok := attributes["externalId"].(string); ok {
		r.ExternalID = optional.NewString(external)
	}
	return r
}

func (d *directory) taken(id string, attributes scim.ResourceAttributes) bool {
	for other, a := range d.data {
		if d.unique != "" && other != id && strings.EqualFold(fmt.Sprint(a[d.unique]), fmt.Sprint(attributes[d.unique])) {
			return true
		}
	}
	return false
}

func (d *directory) Create(_ *http.Request, attributes scim.ResourceAttributes) (scim.Resource, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.received = append(d.received, attributes)
	if err := d.called("Create"); err != nil {
		return scim.Resource{}, err
	}
	if d.taken("", attributes) {
		return scim.Resource{}, liberrors.ScimErrorUniqueness
	}
	d.next++
	id := fmt.Sprintf("%s-%d", d.prefix, d.next)
	d.ids = append(d.ids, id)
	d.data[id] = attributes
	return d.resource(id), nil
}

func (d *directory) Get(_ *http.Request, id string) (scim.Resource, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.called("Get"); err != nil {
		return scim.Resource{}, err
	}
	if d.data[id] == nil {
		return scim.Resource{}, liberrors.ScimErrorResourceNotFound(id)
	}
	return d.resource(id), nil
}

func (d *directory) GetAll(_ *http.Request, params scim.ListRequestParams) (scim.Page, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.params = append(d.params, params)
	if err := d.called("GetAll"); err != nil {
		return scim.Page{}, err
	}
	var all []scim.Resource
	for _, id := range d.ids {
		r := d.resource(id)
		if d.filters && params.FilterValidator != nil && params.FilterValidator.PassesFilter(r.Attributes) != nil {
			continue
		}
		all = append(all, r)
	}
	if d.shuffled {
		d.turn++
		all = append(all[d.turn%max(1, len(all)):len(all):len(all)], all[:d.turn%max(1, len(all))]...)
	}
	page := scim.Page{TotalResults: len(all), Resources: all}
	if d.pageless {
		return page, nil
	}
	if d.clamp > 0 {
		params.Count = min(params.Count, d.clamp)
	}
	start := min(params.StartIndex-1, len(all))
	page.Resources = all[start:min(start+params.Count, len(all))]
	return page, nil
}

func (d *directory) Replace(_ *http.Request, id string, attributes scim.ResourceAttributes) (scim.Resource, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.received = append(d.received, attributes)
	if err := d.called("Replace"); err != nil {
		return scim.Resource{}, err
	}
	if d.replace != nil {
		return d.replace(id, attributes)
	}
	if d.data[id] == nil {
		return scim.Resource{}, liberrors.ScimErrorResourceNotFound(id)
	}
	if d.taken(id, attributes) {
		return scim.Resource{}, &liberrors.ScimErrorUniqueness
	}
	d.data[id] = attributes
	return d.resource(id), nil
}

func (d *directory) Delete(_ *http.Request, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.called("Delete"); err != nil {
		return err
	}
	if d.data[id] == nil {
		return liberrors.ScimErrorResourceNotFound(id)
	}
	delete(d.data, id)
	for i, other := range d.ids {
		if other == id {
			d.ids = append(d.ids[:i:i], d.ids[i+1:]...)
			break
		}
	}
	return nil
}

// Patch takes operations on whole attributes only.
func (d *directory) Patch(_ *http.Request, id string, operations []scim.PatchOperation) (scim.Resource, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.patched = append(d.patched, operations)
	if err := d.called("Patch"); err != nil {
		return scim.Resource{}, err
	}
	d.data[id] = maps.Clone(d.data[id])
	for _, op := range operations {
		if op.Op == scim.PatchOperationRemove {
			delete(d.data[id], op.Path.String())
			continue
		}
		d.data[id][op.Path.String()] = op.Value
	}
	return d.resource(id), nil
}

// app is an existing application: its resource types, with their handlers.
type app struct {
	t             *testing.T
	users, groups *directory
	handler       http.Handler
}

func (a *app) types() []scim.ResourceType {
	return []scim.ResourceType{
		{
			ID: optional.NewString("User"), Name: "User", Endpoint: "/Users", Description: optional.NewString("User Account"),
			Schema: schema.CoreUserSchema(), Handler: a.users,
			SchemaExtensions: []scim.SchemaExtension{{Schema: schema.ExtensionEnterpriseUser()}},
		},
		{ID: optional.NewString("Group"), Name: "Group", Endpoint: "/Groups", Schema: schema.CoreGroupSchema(), Handler: a.groups},
	}
}

func newApp(t *testing.T, change func(*app, *server.Options), options ...elimity.Options) *app {
	t.Helper()
	a := &app{t: t, users: newDirectory("id", "userName"), groups: newDirectory("group", "")}
	o := server.Options{Authenticator: server.Anonymous(), BaseURL: "https://example.com/scim/v2"}
	if change != nil {
		change(a, &o)
	}
	h, err := elimity.New(a.types(), o, options...)
	if err != nil {
		t.Fatal(err)
	}
	a.handler = h
	return a
}

// answer is what came back.
type answer struct {
	*httptest.ResponseRecorder
	t *testing.T
}

func (a *app) send(method, path, body string, header ...string) answer {
	a.t.Helper()
	r := httptest.NewRequestWithContext(a.t.Context(), method, strings.ReplaceAll(path, " ", "%20"), strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/scim+json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	return answer{w, a.t}
}

func (a answer) want(status int) answer {
	a.t.Helper()
	if a.Code != status {
		a.t.Fatalf("status %d, want %d: %s", a.Code, status, a.Body)
	}
	return a
}

func (a answer) wantBody(parts ...string) answer {
	a.t.Helper()
	for _, part := range parts {
		if !strings.Contains(a.Body.String(), part) {
			a.t.Errorf("no %s in %s", part, a.Body)
		}
	}
	return a
}

func (a answer) wantNo(parts ...string) answer {
	a.t.Helper()
	for _, part := range parts {
		if strings.Contains(a.Body.String(), part) {
			a.t.Errorf("%s is in %s", part, a.Body)
		}
	}
	return a
}

func (a answer) doc() ours.Document {
	a.t.Helper()
	doc, err := ours.DecodeDocument(a.Body.Bytes())
	if err != nil {
		a.t.Fatalf("%v: %s", err, a.Body)
	}
	return doc
}

// user creates a user and returns its path.
func (a *app) user(attributes string) string {
	a.t.Helper()
	doc := a.send("POST", "/Users", attributes).want(http.StatusCreated).doc()
	return "/Users/" + doc.ID()
}

func (a *app) find(filter string) answer {
	a.t.Helper()
	return a.send("GET", "/Users?filter="+strings.NewReplacer(" ", "%20", `"`, "%22", `\`, "%5C", "[", "%5B", "]", "%5D").Replace(filter), "")
}

// total checks how many resources a query has found.
func (a answer) total(n int) answer {
	a.t.Helper()
	return a.want(http.StatusOK).wantBody(fmt.Sprintf(`"totalResults":%d,"itemsPerPage":%d`, n, n))
}

func patchOf(operations ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + strings.Join(operations, ",") + `]}`
}
