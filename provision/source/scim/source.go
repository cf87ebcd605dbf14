package scim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	core "github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/source/internal/resource"
)

// Options say how a service is read. The zero value suits a service that follows RFC 7644.
type Options struct {
	// Types are the resources to read. Nil means User and Group.
	Types []Type
	// Changes says that the service filters by meta.lastModified, and that this changes whenever the resource does, members of groups
	// included. It need not be set where the client's profile says that the attribute can be filtered with gt or ge.
	Changes bool
	// Overlap is how far a read of changes reaches back behind the watermark: by how much the service's clock may differ from this
	// one's, and how long a change may take to show. 5 minutes when 0.
	Overlap time.Duration
	// FullEvery is how often everything is read although changes are known: 24 hours when 0, never when negative.
	FullEvery time.Duration
	// TotalsUnreliable says that totalResults cannot be trusted. It need not be set where the client's profile says so.
	TotalsUnreliable bool
	// Tolerance is how many resources may be deleted, unseen, while a list is read. When more are missing at its end the list is
	// incomplete. 0 is the safest; services so large that somebody always leaves during a read need more.
	Tolerance int
	// Now is the clock; nil is the machine's.
	Now func() time.Time
}

// Type is a type of resource to read.
type Type struct {
	// Name is the resource type, such as User or Group, and the object type of the entries. Others than these two must be in the client's
	// profile.
	Name string
	// Exclude are attributes that entries do not have, by their names. Nil means groups for users, as a change of a group is
	// otherwise a change of each of its members; an empty list means none.
	Exclude []string
	// Members says where the members of groups are found.
	Members Members
	// MaxShown is how many members the service shows of one group at most, for services that cut them off. A group that has so
	// many fails the read, as nobody knows who else is in it. 0 means that it shows all.
	MaxShown int
}

// Members says where the members of groups are found.
type Members string

// Places of members.
const (
	// MembersAuto takes them from lists. A group that has none there is read by its id, in case that the list leaves them out.
	MembersAuto Members = ""
	// MembersListed takes them from lists; a group without has none.
	MembersListed Members = "listed"
	// MembersRead reads each group by its id, for services whose lists show some of the members only. Lists are asked to leave
	// them out.
	MembersRead Members = "read"
)

// Source reads a SCIM service. It is a [provision.ChangeSource] and a [provision.CountSource].
//
// Like any source it is for one job at a time. It keeps in memory the members of groups that it had to read by their ids, with the
// versions of the groups, so that a group which has not changed is not read again where the service tells versions.
type Source struct {
	client  *client.Client
	options Options
	types   map[string]Type
	groups  map[string]knownGroup
}

var (
	_ provision.ChangeSource = (*Source)(nil)
	_ provision.CountSource  = (*Source)(nil)
)

// New returns a source that reads the service of a client. It sends nothing. It returns an error when the options contradict each other or
// what the client's profile says: a type that cannot be listed, members that are never shown, changes that cannot be asked for.
func New(c *client.Client, options Options) (*Source, error) {
	if options.Types == nil {
		options.Types = []Type{{Name: "User"}, {Name: "Group"}}
	}
	if options.Overlap == 0 {
		options.Overlap = 5 * time.Minute
	}
	if options.FullEvery == 0 {
		options.FullEvery = 24 * time.Hour
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	p := c.Profile()
	if p != nil && p.Paging.TotalsUnreliable {
		options.TotalsUnreliable = true
	}
	if options.Overlap < 0 || options.Tolerance < 0 {
		return nil, errors.New("scim source: Overlap and Tolerance must not be negative")
	}
	s := &Source{client: c, types: map[string]Type{}, groups: map[string]knownGroup{}}
	filterable := len(options.Types) > 0
	for _, t := range options.Types {
		if t.Exclude == nil && strings.EqualFold(t.Name, "User") {
			t.Exclude = []string{"groups"}
		}
		if err := t.check(p); err != nil {
			return nil, fmt.Errorf("scim source: %w", err)
		}
		if _, twice := s.types[t.Name]; twice {
			return nil, fmt.Errorf("scim source: the type %s is there twice", t.Name)
		}
		s.types[t.Name] = t
		known, can := modifiedFilter(p, t.Name)
		if options.Changes && known && !can {
			return nil, fmt.Errorf("scim source: changes of %s resources cannot be asked for: %s does not filter by meta.lastModified", t.Name, p.Name)
		}
		filterable = filterable && can
	}
	options.Changes = options.Changes || filterable
	s.options = options
	return s, nil
}

func (t *Type) check(p *profiles.Profile) error {
	if t.Name == "" {
		return errors.New("a type without name")
	}
	if !slices.Contains([]Members{MembersAuto, MembersListed, MembersRead}, t.Members) {
		return fmt.Errorf("type %s: members are %q, %q or %q", t.Name, MembersAuto, MembersListed, MembersRead)
	}
	r, ok := p.Resource(t.Name)
	if !ok {
		if p != nil && len(p.Resources) > 0 || !strings.EqualFold(t.Name, "User") && !strings.EqualFold(t.Name, "Group") {
			return fmt.Errorf("the client knows no resources of type %s", t.Name)
		}
		return nil
	}
	if !r.Offers(profiles.List) || !r.Offers(profiles.Read) {
		return fmt.Errorf("%s offers no list of %s resources, or does not show single ones", p.Name, t.Name)
	}
	if a, ok := r.Attribute(resource.Members); ok && strings.EqualFold(a.Mutability, "writeOnly") {
		return fmt.Errorf("%s never shows the members of a %s", p.Name, t.Name)
	}
	return nil
}

// modifiedFilter reports whether the profile says anything about filters by meta.lastModified, and whether they can be used.
func modifiedFilter(p *profiles.Profile, typ string) (known, can bool) {
	r, ok := p.Resource(typ)
	if !ok || len(r.Attributes) == 0 {
		return false, false
	}
	a, ok := r.Attribute("meta.lastModified")
	return true, ok && (slices.Contains(a.Filter, "gt") || slices.Contains(a.Filter, "ge"))
}

func (t *Type) hasMembers() bool { return strings.EqualFold(t.Name, "Group") }

// list returns the list of a type that a filter matches.
func (s *Source) list(ctx context.Context, t *Type, f filter.Filter) (*list, error) {
	can, err := s.client.Capabilities(ctx)
	if err != nil {
		return nil, err
	}
	q := client.Query{Filter: f, ExcludedAttributes: t.Exclude}
	if t.hasMembers() && t.Members == MembersRead {
		q.ExcludedAttributes = append(slices.Clone(t.Exclude), resource.Members)
	}
	return &list{
		resources: s.client.Documents(t.Name), query: q, cursor: can.Cursor,
		counted: !s.options.TotalsUnreliable, tolerance: s.options.Tolerance,
	}, nil
}

// Entries yields every resource of a type once. See the package for what makes it fail.
func (s *Source) Entries(ctx context.Context, objectType string) iter.Seq2[provision.Entry, error] {
	return func(yield func(provision.Entry, error) bool) {
		t, ok := s.types[objectType]
		if !ok {
			return
		}
		if err := s.entries(ctx, &t, filter.Filter{}, func(e provision.Entry, _ core.Document) bool { return yield(e, nil) }); err != nil {
			yield(provision.Entry{}, err)
		}
	}
}

// entries yields what a filter matches, each with the document that it comes from.
func (s *Source) entries(ctx context.Context, t *Type, f filter.Filter, yield func(provision.Entry, core.Document) bool) error {
	l, err := s.list(ctx, t, f)
	if err != nil {
		return err
	}
	var failure error
	var missing []core.Document
	stopped := false
	err = l.read(ctx, func(doc core.Document) bool {
		e, err := s.entry(ctx, t, doc, true)
		if errors.Is(err, core.ErrNotFound) {
			missing = append(missing, doc)
			return true
		}
		if err != nil {
			failure = err
			return false
		}
		stopped = !yield(e, doc)
		return !stopped
	})
	if failure != nil || err != nil || stopped {
		return cmp.Or(failure, err)
	}
	return s.missing(ctx, t, missing, yield)
}

// missing asks again for what the list has and a service did not find. What is not found twice was deleted since it was listed. A
// single answer is not believed: a copy of the service's data that lags behind does not have all that the list has.
func (s *Source) missing(ctx context.Context, t *Type, listed []core.Document, yield func(provision.Entry, core.Document) bool) error {
	for _, doc := range listed {
		e, err := s.entry(ctx, t, doc, true)
		if errors.Is(err, core.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if !yield(e, doc) {
			return nil
		}
	}
	return nil
}

// entry makes an entry of a resource. listed says that it comes from a list, which may lack members.
func (s *Source) entry(ctx context.Context, t *Type, doc core.Document, listed bool) (provision.Entry, error) {
	e := resource.Entry(doc, t.Exclude)
	if !t.hasMembers() {
		return e, nil
	}
	members, shown := e.Attributes[resource.Members].([]any)
	if listed && (t.Members == MembersRead || t.Members == MembersAuto && (!shown || len(members) == 0)) {
		var err error
		if members, err = s.members(ctx, t, doc); err != nil {
			return provision.Entry{}, err
		}
	}
	if members == nil {
		members = []any{}
	}
	if t.MaxShown > 0 && len(members) >= t.MaxShown {
		return provision.Entry{}, fmt.Errorf("%w: %s %s shows %d members, and the service shows no more of any", ErrIncomplete, t.Name, e.ID, len(members))
	}
	e.Attributes[resource.Members] = members
	return e, nil
}

// knownGroup is the version of a group that was read by its id, and its members then.
type knownGroup struct {
	version string
	members []any
}

// members reads the members of a listed group by its id, unless it is known to be as it was.
func (s *Source) members(ctx context.Context, t *Type, listed core.Document) ([]any, error) {
	can, err := s.client.Capabilities(ctx)
	if err != nil {
		return nil, err
	}
	id := listed.ID()
	known, ok := s.groups[id]
	ok = ok && can.ETag && known.version != ""
	if ok && version(listed) == known.version {
		return known.members, nil
	}
	options := []client.CallOption{client.ExcludedAttributes(t.Exclude...)}
	if ok {
		options = append(options, client.IfNoneMatch(known.version))
	}
	doc, err := s.client.Documents(t.Name).Get(ctx, id, options...)
	if ok && errors.Is(err, client.ErrNotModified) {
		return known.members, nil
	}
	if err != nil {
		return nil, err
	}
	members, _ := resource.Entry(doc, t.Exclude).Attributes[resource.Members].([]any)
	if can.ETag {
		s.groups[id] = knownGroup{version(doc), members}
	}
	return members, nil
}

func version(doc core.Document) string {
	meta, _ := doc["meta"].(map[string]any)
	v, _ := meta["version"].(string)
	return v
}

// Lookup reads resources by their ids, one request for each.
func (s *Source) Lookup(ctx context.Context, objectType string, ids []string) ([]provision.Entry, error) {
	t, ok := s.types[objectType]
	if !ok {
		return nil, nil
	}
	var found []provision.Entry
	for _, id := range ids {
		doc, err := s.client.Documents(t.Name).Get(ctx, id, client.ExcludedAttributes(t.Exclude...))
		if errors.Is(err, core.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if doc.ID() == "" {
			doc["id"] = id
		}
		e, err := s.entry(ctx, &t, doc, false)
		if err != nil {
			return nil, err
		}
		found = append(found, e)
	}
	return found, nil
}

// Count returns how many resources of a type there are, as the service says, and -1 where that cannot be trusted.
func (s *Source) Count(ctx context.Context, objectType string) (int, error) {
	t, ok := s.types[objectType]
	switch {
	case !ok:
		return 0, nil
	case s.options.TotalsUnreliable:
		return -1, nil
	}
	return s.client.Documents(t.Name).Count(ctx, filter.Filter{})
}
