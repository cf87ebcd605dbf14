package discover

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/patch"
	"github.com/scimbridge/scim/profiles"
)

// cleanupTime is how long removing the test objects may take when the probe was interrupted.
const cleanupTime = 2 * time.Minute

// testObject is something that the probe has created.
type testObject struct {
	*subject
	client *client.Resources[scim.Document]
	id     string
	name   string
	// shown is how the service shows it.
	shown scim.Document
}

// writes creates a user and a group, tries what can be done with them, and removes them.
func (p *probe) writes(ctx context.Context) (err error) {
	if !p.options.AllowWrites {
		return nil
	}
	var made []*testObject
	defer func() {
		// What was created is removed even when the probe is interrupted.
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
		defer cancel()
		for _, o := range slices.Backward(made) {
			if failure := p.remove(cleanup, o); failure != nil && err == nil {
				err = failure
			}
		}
	}()
	user, err := p.createUser(ctx, &made)
	if err != nil || user == nil {
		return err
	}
	for _, try := range []func(context.Context, *testObject, *[]*testObject) error{p.duplicateUser, p.patchUser, p.putUser} {
		if err := try(ctx, user, &made); err != nil {
			return err
		}
	}
	group, err := p.createGroup(ctx, user, &made)
	if err != nil || group == nil {
		return err
	}
	for _, try := range []func(context.Context, *testObject, *testObject) error{p.removeMember, p.addMember, p.renameGroup, p.putGroup} {
		if err := try(ctx, group, user); err != nil {
			return err
		}
	}
	return nil
}

func (p *probe) subject(name string) *subject {
	for _, s := range p.types {
		if strings.EqualFold(s.Name, name) {
			return s
		}
	}
	return nil
}

func (p *probe) resources(s *subject) *client.Resources[scim.Document] {
	return client.For[scim.Document](p.client, scim.ResourceType{Name: "probe", Endpoint: s.Endpoint, Schema: s.Schema}, nil)
}

// create makes a test object. It is nil when the service refuses.
func (p *probe) create(ctx context.Context, s *subject, name string, doc scim.Document, made *[]*testObject) (*testObject, answer, error) {
	o := &testObject{subject: s, client: p.resources(s), name: name}
	created, err := o.client.Create(ctx, doc)
	a, failure := p.settle(ctx, err)
	if err == nil {
		o.id = created.ID()
		*made = append(*made, o)
	}
	if err != nil && (errors.Is(err, client.ErrOutcomeUnknown) || ctx.Err() != nil) {
		p.report.Left = append(p.report.Left, fmt.Sprintf("%s %s may have been created: the answer was lost", s.Name, name))
	}
	if failure != nil || err != nil {
		return nil, a, failure
	}
	return o, a, p.show(ctx, o)
}

// show reads a test object.
func (p *probe) show(ctx context.Context, o *testObject) error {
	shown, err := o.client.Get(ctx, o.id)
	if _, failure := p.settle(ctx, err); failure != nil {
		return failure
	}
	o.shown = shown
	return nil
}

func (p *probe) testName() string { return "scimbridge-probe-" + p.options.Suffix }

// richUser has a value in most attributes that a user can have, minimalUser in those that services require.
func (p *probe) richUser() scim.Document {
	doc := p.minimalUser()
	for name, v := range map[string]any{
		"nickName": "Probe", "title": "Test user", "userType": "Test", "preferredLanguage": "en-US", "locale": "en-US",
		"timezone":     "Europe/Berlin",
		"phoneNumbers": []any{map[string]any{"type": "work", "value": "+1 555 0100"}},
		"addresses":    []any{map[string]any{"type": "work", "locality": "Testville", "country": "US"}},
	} {
		doc[name] = v
	}
	s := p.subject("User")
	for _, a := range s.Attributes {
		if strings.HasPrefix(strings.ToLower(a.Path), strings.ToLower(scim.EnterpriseUserSchema)+":") {
			doc["schemas"] = []any{scim.UserSchema, scim.EnterpriseUserSchema}
			doc[scim.EnterpriseUserSchema] = map[string]any{"employeeNumber": p.options.Suffix, "department": "Test"}
		}
	}
	return doc
}

func (p *probe) minimalUser() scim.Document {
	address := p.testName() + "@" + p.options.Domain
	return scim.Document{
		"schemas": []any{scim.UserSchema}, "userName": address, "active": true, "externalId": p.testName(),
		"displayName": p.testName(), "name": map[string]any{"givenName": "Scimbridge", "familyName": "Probe"},
		"emails": []any{map[string]any{"type": "work", "value": address, "primary": true}},
	}
}

func (p *probe) createUser(ctx context.Context, made *[]*testObject) (*testObject, error) {
	s := p.subject("User")
	if s == nil {
		p.find("There is no resource type User: nothing was written.")
		return nil, nil
	}
	p.step("creating the test user %s@%s", p.testName(), p.options.Domain)
	user, a, err := p.create(ctx, s, p.testName()+"@"+p.options.Domain, p.richUser(), made)
	if err == nil && user == nil && a.status == http.StatusBadRequest {
		p.find("A user with many attributes is refused with 400; one with few was tried instead.")
		user, a, err = p.create(ctx, s, p.testName()+"@"+p.options.Domain, p.minimalUser(), made)
	}
	if err != nil || user == nil {
		p.find("A test user could not be created: the service answers with %d.", a.status)
		return nil, err
	}
	p.observed(s, profiles.Create, "a test user was created")
	p.kept(user)
	return user, nil
}

// kept compares what was sent with what the service shows.
func (p *probe) kept(user *testObject) {
	var lost []string
	for name := range p.richUser() {
		if name != "schemas" && user.shown[name] == nil {
			lost = append(lost, name)
		}
	}
	slices.Sort(lost)
	if len(lost) > 0 && user.stated {
		p.find("These were sent with a new user and are not shown, though they may be kept: %s.", strings.Join(lost, ", "))
	}
	if user.stated || user.shown == nil {
		return
	}
	// Without a schema, what the service shows is all there is to go by.
	at := resourcePath(user.Name) + "/attributes"
	user.Attributes = slices.DeleteFunc(user.Attributes, func(a profiles.Attribute) bool {
		gone := !shows(user.shown, a.Path) && len(a.Filter) == 0
		if gone {
			for path := range p.profile.Facts {
				if strings.HasPrefix(path, attributePath(user.Name, a.Path)+"/") {
					delete(p.profile.Facts, path)
				}
			}
		}
		return gone
	})
	p.fact(at, profiles.Observed, "the test user as the service shows it", "Types and the like are those of RFC 7643 section 4.")
}

// shows reports whether a document has a value at a path.
func shows(doc scim.Document, path string) bool {
	var v any = map[string]any(doc)
	if i := strings.LastIndexByte(path, ':'); i >= 0 {
		v, path = doc[path[:i]], path[i+1:]
	}
	for _, step := range strings.Split(path, ".") {
		if elements, ok := v.([]any); ok && len(elements) > 0 {
			v = elements[0]
		}
		object, _ := v.(map[string]any)
		v = object[step]
	}
	return v != nil
}

// duplicateUser creates the user again, and once more in another case.
func (p *probe) duplicateUser(ctx context.Context, user *testObject, made *[]*testObject) error {
	p.step("creating the test user a second time")
	again := p.minimalUser()
	twin, a, err := p.create(ctx, user.subject, "a second "+user.name, again, made)
	if err != nil {
		return err
	}
	key, known := user.Attribute("userName")
	if twin != nil {
		p.find("Two users with the same userName can be created.")
		return nil
	}
	p.refused(a, "a user exists already")
	if a.status != http.StatusConflict {
		p.find("A user who exists already is refused with %d instead of 409 (RFC 7644 section 3.3).", a.status)
	}
	if !known {
		return nil
	}
	at := attributePath(user.Name, "userName")
	key.Unique = true
	p.fact(at+"/unique", profiles.Observed, "a create of a user who exists", "")
	again["userName"] = strings.ToUpper(user.name)
	twin, _, err = p.create(ctx, user.subject, strings.ToUpper(user.name), again, made)
	if err != nil {
		return err
	}
	if twin != nil {
		p.find("Two users whose userNames differ in case alone can be created.")
		key.CaseExact, key.FilterCaseExact = true, false
		p.fact(at+"/caseExact", profiles.Observed, "a create in another case", "")
	}
	return nil
}

// patch sends operations, and reports whether they had an effect that the test object then shows.
func (p *probe) patch(ctx context.Context, o *testObject, effect func(scim.Document) bool, operations ...scim.PatchOperation) (bool, answer, error) {
	_, err := o.client.Patch(ctx, o.id, operations)
	a, failure := p.settle(ctx, err)
	if failure != nil || err != nil {
		return false, a, failure
	}
	if err := p.show(ctx, o); err != nil {
		return false, a, err
	}
	return effect(o.shown), a, nil
}

func (p *probe) patchUser(ctx context.Context, user *testObject, _ *[]*testObject) error {
	p.step("changing the test user")
	given := func(d scim.Document) bool {
		name, _ := d["name"].(map[string]any)
		return name["givenName"] == "Changed"
	}
	works, a, err := p.patch(ctx, user, given, scim.PatchOperation{Op: scim.OpReplace, Path: "name.givenName", Value: "Changed"})
	if err != nil || works {
		p.patched(user)
		return err
	}
	works, _, err = p.patch(ctx, user, given, scim.PatchOperation{Op: scim.OpReplace, Value: map[string]any{"name": map[string]any{"givenName": "Changed"}}})
	if err != nil {
		return err
	}
	if works {
		user.Patch.Form = patch.FormPathless
		p.fact(resourcePath(user.Name)+"/patch/form", profiles.Observed, "a PATCH with a path, and one without", "")
		p.find("PATCH of a user works without a path only.")
		p.patched(user)
		return nil
	}
	p.notOffered(user, profiles.Update, a, "PATCH of a user")
	return nil
}

func (p *probe) patched(o *testObject) {
	p.observed(o.subject, profiles.Update, "a test object was changed by PATCH")
}

// notOffered takes an operation out of the profile because it was refused, or had no effect.
func (p *probe) notOffered(o *testObject, op profiles.Operation, a answer, what string) {
	o.drop(op)
	delete(p.profile.Facts, resourcePath(o.Name)+"/operations/"+string(op))
	if a.status >= 400 {
		p.refused(a, "the request is a "+what)
		p.find("%s is answered with %d.", what, a.status)
		return
	}
	p.find("%s is answered with %d and has no effect.", what, a.status)
}

// putUser replaces the user by one without a name, to see whether the name stays.
func (p *probe) putUser(ctx context.Context, user *testObject, _ *[]*testObject) error {
	p.step("replacing the test user")
	_, err := user.client.Replace(ctx, user.id, scim.Document{"schemas": []any{scim.UserSchema}, "id": user.id, "userName": user.name})
	a, failure := p.settle(ctx, err)
	if failure != nil {
		return failure
	}
	if err != nil && a.status == http.StatusBadRequest {
		p.observed(user.subject, profiles.Replace, "a PUT with little in it, answered with 400")
		return nil
	}
	if err != nil {
		p.notOffered(user, profiles.Replace, a, "PUT of a user")
		return nil
	}
	if err := p.show(ctx, user); err != nil {
		return err
	}
	p.observed(user.subject, profiles.Replace, "the test user was changed by PUT")
	if shows(user.shown, "name.familyName") {
		user.Put = profiles.PutMerges
		p.fact(resourcePath(user.Name)+"/put", profiles.Observed, "a PUT without name, after which the name was still there", "")
		p.find("PUT leaves attributes as they are that it does not have; RFC 7644 section 3.5.1 has them removed.")
	}
	return nil
}

func (p *probe) createGroup(ctx context.Context, user *testObject, made *[]*testObject) (*testObject, error) {
	s := p.subject("Group")
	if s == nil {
		return nil, nil
	}
	p.step("creating the test group %s", p.testName())
	doc := scim.Document{"schemas": []any{scim.GroupSchema}, "displayName": p.testName(), "members": []any{map[string]any{"value": user.id}}}
	group, a, err := p.create(ctx, s, p.testName(), doc, made)
	if err == nil && group == nil {
		p.find("A group with a member cannot be created: the service answers with %d.", a.status)
		delete(doc, "members")
		group, a, err = p.create(ctx, s, p.testName(), doc, made)
	}
	if err != nil || group == nil {
		p.find("A test group could not be created: the service answers with %d.", a.status)
		return nil, err
	}
	p.observed(s, profiles.Create, "a test group was created")
	at := resourcePath(s.Name) + "/membersOnCreate"
	s.MembersOnCreate = hasMember(group.shown, user.id)
	delete(p.profile.Facts, at)
	if s.MembersOnCreate {
		p.fact(at, profiles.Observed, "a test group was created with a member", "")
	}
	return group, p.duplicateGroup(ctx, group, made)
}

// duplicateGroup creates a group of the same name.
func (p *probe) duplicateGroup(ctx context.Context, group *testObject, made *[]*testObject) error {
	twin, a, err := p.create(ctx, group.subject, "a second "+group.name,
		scim.Document{"schemas": []any{scim.GroupSchema}, "displayName": group.name}, made)
	key, known := group.Attribute("displayName")
	if err != nil || twin != nil || !known {
		return err
	}
	p.refused(a, "a group exists already")
	key.Unique = true
	p.fact(attributePath(group.Name, "displayName")+"/unique", profiles.Observed, "a create of a group that exists", "")
	return nil
}

func hasMember(group scim.Document, id string) bool {
	members, _ := group["members"].([]any)
	return slices.ContainsFunc(members, func(m any) bool {
		member, _ := m.(map[string]any)
		return member["value"] == id
	})
}

// removeMember takes the user out of the group, in the ways that there are.
func (p *probe) removeMember(ctx context.Context, group, user *testObject) error {
	if !hasMember(group.shown, user.id) {
		return nil
	}
	p.step("changing the test group")
	gone := func(d scim.Document) bool { return !hasMember(d, user.id) }
	ways := []patch.MemberRemoval{patch.ValuePath, patch.ValueArray}
	var last answer
	for _, way := range ways {
		operations, err := patch.Dialect{MemberRemoval: way}.MemberOperations(nil, []string{user.id})
		if err != nil {
			return err
		}
		works, a, err := p.patch(ctx, group, gone, operations...)
		if err != nil {
			return err
		}
		if works {
			group.Patch.MemberRemoval = way
			if way != patch.ValuePath {
				p.fact(resourcePath(group.Name)+"/patch/memberRemoval", profiles.Observed, "a member was removed so, and could not be by value path", "")
				p.find("Members cannot be removed by value path (RFC 7644 section 3.5.2.2).")
			}
			p.patched(group)
			return nil
		}
		last = a
	}
	p.find("A member cannot be removed by PATCH: the service answers with %d.", last.status)
	group.Patch.MemberRemoval = patch.ReplaceAll
	p.fact(resourcePath(group.Name)+"/patch/memberRemoval", profiles.Inferred, "members could be removed neither by value path nor by value", "")
	return nil
}

func (p *probe) addMember(ctx context.Context, group, user *testObject) error {
	operations, err := patch.Dialect{}.MemberOperations([]string{user.id}, nil)
	if err != nil {
		return err
	}
	works, a, err := p.patch(ctx, group, func(d scim.Document) bool { return hasMember(d, user.id) }, operations...)
	if err != nil {
		return err
	}
	if !works {
		p.find("A member cannot be added by PATCH: the service answers with %d.", a.status)
	}
	return nil
}

func (p *probe) renameGroup(ctx context.Context, group, _ *testObject) error {
	name := group.name + "-renamed"
	renamed := func(d scim.Document) bool { return d["displayName"] == name }
	works, a, err := p.patch(ctx, group, renamed, scim.PatchOperation{Op: scim.OpReplace, Path: "displayName", Value: name})
	if err != nil || works {
		p.patched(group)
		return err
	}
	works, _, err = p.patch(ctx, group, renamed, scim.PatchOperation{Op: scim.OpReplace, Value: map[string]any{"displayName": name}})
	if err != nil {
		return err
	}
	if !works {
		p.find("A group cannot be renamed by PATCH: the service answers with %d.", a.status)
		return nil
	}
	group.Patch.Pathless = append(group.Patch.Pathless, "displayName")
	p.fact(resourcePath(group.Name)+"/patch/pathless", profiles.Observed, "a rename with a path, and one without", "")
	p.patched(group)
	return nil
}

func (p *probe) putGroup(ctx context.Context, group, _ *testObject) error {
	_, err := group.client.Replace(ctx, group.id, scim.Document{"schemas": []any{scim.GroupSchema}, "id": group.id, "displayName": group.name})
	a, failure := p.settle(ctx, err)
	switch {
	case failure != nil:
		return failure
	case err != nil:
		p.notOffered(group, profiles.Replace, a, "PUT of a group")
	default:
		p.observed(group.subject, profiles.Replace, "the test group was changed by PUT")
	}
	return nil
}

// remove deletes a test object, or deactivates it where it cannot be deleted.
func (p *probe) remove(ctx context.Context, o *testObject) error {
	p.step("removing %s", o.name)
	deactivates, err := p.deactivate(ctx, o)
	if err != nil {
		p.report.Left = append(p.report.Left, fmt.Sprintf("%s %s (id %s) could not be removed: %v", o.Name, o.name, o.id, err))
		return err
	}
	err = o.client.Delete(ctx, o.id)
	a, failure := p.settle(ctx, err)
	if failure != nil {
		p.report.Left = append(p.report.Left, fmt.Sprintf("%s %s (id %s) could not be removed: %v", o.Name, o.name, o.id, failure))
		return failure
	}
	at := resourcePath(o.Name)
	switch {
	case err == nil:
		p.observed(o.subject, profiles.Delete, "a test object was deleted")
	case deactivates:
		p.notOffered(o, profiles.Delete, a, "DELETE of a "+o.Name)
		p.report.Left = append(p.report.Left, fmt.Sprintf("%s %s (id %s) cannot be deleted and was deactivated", o.Name, o.name, o.id))
	default:
		p.notOffered(o, profiles.Delete, a, "DELETE of a "+o.Name)
		o.Deprovision = profiles.Keep
		delete(p.profile.Facts, at+"/deprovision")
		p.report.Left = append(p.report.Left, fmt.Sprintf("%s %s (id %s) can neither be deleted nor deactivated", o.Name, o.name, o.id))
	}
	if deactivates {
		o.Deprovision = profiles.Deactivate
		p.fact(at+"/deprovision", profiles.Observed, "the test user was deactivated", "")
	} else if o.Offers(profiles.Delete) {
		o.Deprovision = profiles.DeleteObject
		p.fact(at+"/deprovision", profiles.Observed, "a test object was deleted", "")
	}
	return nil
}

// deactivate sets active to false where the type has it. It reports whether that worked.
func (p *probe) deactivate(ctx context.Context, o *testObject) (bool, error) {
	if _, ok := o.Attribute("active"); !ok {
		return false, nil
	}
	inactive := func(d scim.Document) bool { return d["active"] == false }
	for _, operation := range []scim.PatchOperation{
		{Op: scim.OpReplace, Path: "active", Value: false},
		{Op: scim.OpReplace, Value: map[string]any{"active": false}},
	} {
		works, _, err := p.patch(ctx, o, inactive, operation)
		if err != nil {
			return false, err
		}
		if works {
			if operation.Path == "" && o.Patch.Form == patch.FormPath {
				o.Patch.Pathless = []string{"active"}
				p.fact(resourcePath(o.Name)+"/patch/pathless", profiles.Observed, "active could be set without a path only", "")
			}
			return true, nil
		}
	}
	replacement := p.minimalUser()
	replacement["id"], replacement["userName"], replacement["active"] = o.id, o.shown["userName"], false
	_, err := o.client.Replace(ctx, o.id, replacement)
	if _, failure := p.settle(ctx, err); failure != nil || err != nil {
		return false, failure
	}
	err = p.show(ctx, o)
	return err == nil && inactive(o.shown), err
}
