package provision

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles"
)

// NewClientTarget returns the SCIM service of a client as a target. The client's profile describes it, its credentials, retries and
// pacing apply.
func NewClientTarget(c *client.Client) Target {
	p := c.Profile()
	if p == nil {
		p = profiles.Generic()
	}
	return &clientTarget{c: c, profile: p}
}

type clientTarget struct {
	c       *client.Client
	profile *profiles.Profile
	// obeyed has the attributes, by resource type, whose filters are known to be obeyed.
	obeyed sync.Map
}

func (t *clientTarget) Profile() *profiles.Profile { return t.profile }

// Requests returns what the client sent.
func (t *clientTarget) Requests() Requests {
	s := t.c.Stats()
	return Requests{Reads: s.Reads, Writes: s.Writes, Throttled: s.RateLimited, WaitedMilliseconds: s.Paced.Milliseconds()}
}

// probe is a user name that no service has. Asking for it is how Microsoft Entra tests a connection.
const probe = "scimbridge.connection.test@example.invalid"

func (t *clientTarget) TestConnection(ctx context.Context) error {
	_, err := t.c.Documents("User").First(ctx, filter.Eq("userName", probe))
	if errors.Is(err, scim.ErrNotFound) && !answeredNotFound(err) {
		return nil
	}
	return err
}

// answeredNotFound reports whether a service answered with 404, unlike a list without resources, which is what is hoped for.
func answeredNotFound(err error) bool {
	var e *scim.Error
	return errors.As(err, &e) && e.Attempts > 0
}

func (t *clientTarget) List(ctx context.Context, resourceType string) iter.Seq2[scim.Document, error] {
	q := client.Query{}
	if t.profile.Paging.Projection {
		q.ExcludedAttributes = []string{"members"}
	}
	return t.c.Documents(resourceType).List(ctx, q)
}

func (t *clientTarget) Find(ctx context.Context, resourceType string, f filter.Filter) ([]scim.Document, error) {
	p, err := f.Compile(nil)
	if err != nil {
		return nil, err
	}
	var found []scim.Document
	hidden := false
	for doc, err := range t.c.Documents(resourceType).List(ctx, client.Query{Filter: f}) {
		if err != nil {
			return nil, err
		}
		shown := shows(doc, f)
		if !p.Match(doc) && shown {
			return nil, errIgnoresFilter()
		}
		hidden = hidden || !shown
		if found = append(found, doc); len(found) > 1 {
			// Two are as bad as more.
			break
		}
	}
	if hidden {
		if err := t.checkObeys(ctx, resourceType, f); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func errIgnoresFilter() error {
	return &Failure{Code: ServiceIncompatible, Reason: "the target answered a filter with objects that do not match it"}
}

// checkObeys asks for a value that nobody has, where objects were found that do not show the attribute: a service that does not know the
// attribute may ignore the filter, and then whoever it has is found for everybody.
func (t *clientTarget) checkObeys(ctx context.Context, resourceType string, f filter.Filter) error {
	terms, ok := f.Equalities()
	if !ok || len(terms) != 1 {
		return nil
	}
	if _, text := terms[0].Value.Any().(string); !text {
		return nil
	}
	path := terms[0].Attr.String()
	if _, known := t.obeyed.Load(resourceType + " " + path); known {
		return nil
	}
	for _, err := range t.c.Documents(resourceType).List(ctx, client.Query{Filter: filter.Eq(path, probe)}) {
		if err != nil {
			return err
		}
		return errIgnoresFilter()
	}
	t.obeyed.Store(resourceType+" "+path, true)
	return nil
}

// shows reports whether a resource has all the attributes that a filter asks about.
func shows(doc scim.Document, f filter.Filter) bool {
	for _, a := range f.Attributes() {
		l, err := locate(a.String())
		if err != nil || len(l.values(doc)) == 0 {
			return false
		}
	}
	return true
}

func (t *clientTarget) Get(ctx context.Context, resourceType, id string) (scim.Document, error) {
	return t.c.Documents(resourceType).Get(ctx, id)
}

func (t *clientTarget) Create(ctx context.Context, resourceType string, resource scim.Document) (scim.Document, error) {
	return t.c.Documents(resourceType).Create(ctx, resource)
}

func (t *clientTarget) Update(ctx context.Context, resourceType, id string, before, after scim.Document) error {
	r := t.c.Documents(resourceType)
	old, now := before.Clone(), after.Clone()
	if old == nil {
		old = scim.Document{}
	}
	if now == nil {
		now = scim.Document{}
	}
	old["id"], now["id"] = id, id
	whole, err := t.replaces(ctx, r, resourceType, old, now)
	if err != nil {
		return err
	}
	if whole {
		// A PUT takes away what it does not have, so it must have what is not governed too.
		current, err := r.Get(ctx, id)
		if err != nil {
			return err
		}
		old, now = current, rebase(current, old, now)
	}
	if !switchesOff(before, after) {
		_, err = r.Update(ctx, old, now)
		return err
	}
	return t.switchOff(ctx, r, id, old, now)
}

// switchOff ends access, and looks whether that is what happens: of all changes it is the one that must not be believed to have been made. The
// client leaves out what the profile says that the service does not keep, and a service may answer with success and keep the account as it was.
func (t *clientTarget) switchOff(ctx context.Context, r *client.Resources[scim.Document], id string, old, now scim.Document) error {
	changes, err := r.PlanUpdate(ctx, old, now)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(changes, changesActive) {
		return &Failure{
			Code: NotImplemented, Attribute: "active", Reason: "the profile says that the target does not keep it, so that nobody can be disabled",
			Remedy: "correct the profile, or have the mapping end access in another way",
		}
	}
	got, err := r.Update(ctx, old, now)
	if err != nil || !isOn(got) {
		return err
	}
	// It may be how the account was before.
	if got, err = r.Get(ctx, id); err != nil || !isOn(got) {
		return err
	}
	return &Failure{
		Code: AttributeNotKept, Attribute: "active", Transient: true, Reason: "the target answered with success, and the account is enabled as before",
		Remedy: "end the access in the target by hand, and see why it does not do so when it is told to; it is tried again",
	}
}

func isOn(doc scim.Document) bool { return field(doc, "active") != nil && !isOff(doc) }

// changesActive reports whether a request says who is active.
func changesActive(c client.Change) bool {
	if field(c.Resource, "active") != nil {
		return true
	}
	return slices.ContainsFunc(c.Operations, func(op scim.PatchOperation) bool {
		value, _ := op.Value.(map[string]any)
		return strings.HasSuffix(strings.ToLower(op.Path), "active") || field(value, "active") != nil
	})
}

// replaces reports whether the change would be sent as a PUT that replaces the resource.
func (t *clientTarget) replaces(ctx context.Context, r *client.Resources[scim.Document], resourceType string, old, now scim.Document) (bool, error) {
	if known, ok := t.profile.Resource(resourceType); ok && known.Put == profiles.PutMerges {
		return false, nil
	}
	changes, err := r.PlanUpdate(ctx, old, now)
	if err != nil {
		return false, err
	}
	for _, c := range changes {
		if c.Method == "PUT" {
			return true, nil
		}
	}
	return false, nil
}

func (t *clientTarget) ChangeMembers(ctx context.Context, resourceType, id string, add, remove []string) error {
	return t.c.Documents(resourceType).ChangeMembers(ctx, id, add, remove)
}

func (t *clientTarget) Delete(ctx context.Context, resourceType, id string) error {
	return t.c.Documents(resourceType).Delete(ctx, id)
}
