package discover

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/profiles"
)

// largePage is the page size that is asked for to see how many resources a page holds at most.
const largePage = 1000

// reads tries all that can be tried by reading.
func (p *probe) reads(ctx context.Context) error {
	for _, s := range p.types {
		p.step("reading %s", s.Endpoint)
		listed, err := p.readLists(ctx, s)
		if err != nil {
			return err
		}
		p.describe(s)
		if !listed {
			continue
		}
		for _, try := range []func(context.Context, *subject) error{
			p.unknownID, p.tryFilters, p.tryCase, p.tryLogic, p.trySort, p.tryProjection, p.tryCursor,
		} {
			if err := try(ctx, s); err != nil {
				return err
			}
		}
		p.checkVersions(s)
	}
	return p.nothingAnswered()
}

// nothingAnswered is the error for a URL at which there is no SCIM service.
func (p *probe) nothingAnswered() error {
	for _, s := range p.types {
		if s.Offers(profiles.List) {
			return nil
		}
	}
	if p.config != nil {
		return nil
	}
	return fmt.Errorf("nothing here answers as a SCIM service does; check the base URL, which is all before /Users")
}

// readLists reads a first page and a large one.
func (p *probe) readLists(ctx context.Context, s *subject) (bool, error) {
	a, err := p.get(ctx, s.Endpoint, nil)
	if err != nil {
		return false, err
	}
	first, ok := a.list()
	if !ok {
		s.drop(profiles.List)
		p.find("%s cannot be listed: it answers with %d.", s.Endpoint, a.status)
		return false, nil
	}
	p.observed(s, profiles.List, "GET "+s.Endpoint)
	p.contentType(a)
	if a, err = p.get(ctx, s.Endpoint, url.Values{"startIndex": {"1"}, "count": {strconv.Itoa(largePage)}}); err != nil {
		return false, err
	}
	large, ok := a.list()
	if !ok {
		p.refused(a, fmt.Sprintf("a page of %d is asked for", largePage))
		large = first
	}
	s.sample = large.Resources
	s.total = max(total(first), len(large.Resources))
	p.pageSizes(s, first, large)
	return true, nil
}

func total(l list) int {
	if l.TotalResults == nil {
		return len(l.Resources)
	}
	return *l.TotalResults
}

func (p *probe) pageSizes(s *subject, first, large list) {
	paging := &p.profile.Paging
	if n := len(first.Resources); n > 0 && n < s.total && paging.DefaultCount == 0 {
		paging.DefaultCount = n
		p.fact("/paging/defaultCount", profiles.Observed, "GET "+s.Endpoint, "")
	}
	if n := len(large.Resources); n > 0 && n < s.total && n < largePage {
		if paging.MaxCount != 0 && paging.MaxCount != n {
			p.find("It states %d resources as the most that a page holds, and gives %d.", paging.MaxCount, n)
		}
		paging.MaxCount = n
		p.fact("/paging/maxCount", profiles.Observed, fmt.Sprintf("GET %s?count=%d", s.Endpoint, largePage), "")
	}
	for _, l := range []list{first, large} {
		if (l.TotalResults == nil || *l.TotalResults < len(l.Resources)) && !paging.TotalsUnreliable {
			paging.TotalsUnreliable = true
			p.fact("/paging/totalsUnreliable", profiles.Observed, "GET "+s.Endpoint, "")
			p.find("In lists of %s totalResults is missing, or less than what came.", s.Endpoint)
		}
		if l.ItemsPerPage != nil && *l.ItemsPerPage != len(l.Resources) {
			p.find("In lists of %s itemsPerPage is not the number of resources that came (RFC 7644 section 3.4.2.4).", s.Endpoint)
		}
	}
}

func (p *probe) contentType(a answer) {
	kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), scim.ContentType) && p.profile.MediaType == "" {
		p.find("Answers are sent as %q instead of %s (RFC 7644 section 8.1).", kind, scim.ContentType)
	}
}

// observed notes that an operation is there.
func (p *probe) observed(s *subject, o profiles.Operation, source string) {
	if !s.Offers(o) {
		s.Operations = append(s.Operations, o)
	}
	p.fact(resourcePath(s.Name)+"/operations/"+string(o), profiles.Observed, source, "")
}

// describe puts the attributes into the profile, as the schemas have them.
func (p *probe) describe(s *subject) {
	at := resourcePath(s.Name)
	for _, d := range s.defined {
		s.Attributes = append(s.Attributes, d.Attribute)
	}
	if len(s.defined) > 0 {
		basis, source, note := profiles.Documented, schemasSource, ""
		if !s.stated {
			basis, source, note = profiles.Inferred, rfcSchemas, "The service has no schema: some of these it may not keep."
		}
		p.fact(at+"/attributes", basis, source, note)
	}
	s.Deprovision = profiles.DeleteObject
	if _, ok := s.Attribute("active"); ok {
		s.Deprovision = profiles.Deactivate
	}
	p.fact(at+"/deprovision", profiles.Inferred, "RFC 7644", "Writing was not tried.")
	if a, ok := s.Attribute("members"); ok && a.MultiValued {
		s.MembersOnCreate, s.NestedGroups = true, true
		p.fact(at+"/membersOnCreate", profiles.Inferred, "RFC 7643 section 4.2", "Writing was not tried.")
		p.fact(at+"/nestedGroups", profiles.Inferred, "RFC 7643 section 4.2", "")
	}
}

// unknownID asks for a resource that does not exist.
func (p *probe) unknownID(ctx context.Context, s *subject) error {
	a, err := p.get(ctx, s.Endpoint+"/scimbridge-probe-"+p.options.Suffix, nil)
	if err != nil {
		return err
	}
	what := "GET " + s.Endpoint + " of an id that does not exist, answered with " + strconv.Itoa(a.status)
	switch a.status {
	case http.StatusNotFound:
		p.observed(s, profiles.Read, what)
	case http.StatusNotImplemented, http.StatusMethodNotAllowed:
		s.drop(profiles.Read)
		p.find("%s cannot be read one by one.", s.Endpoint)
		return nil
	default:
		p.observed(s, profiles.Read, what)
		p.find("An id that does not exist is answered with %d instead of 404 in %s.", a.status, s.Endpoint)
	}
	p.refused(a, "a resource of "+s.Endpoint+" does not exist")
	return nil
}

// trySort compares the two orders of a list by its key.
func (p *probe) trySort(ctx context.Context, s *subject) error {
	key := s.key()
	if key == nil || len(s.sample) < 2 {
		return nil
	}
	var firsts [2]string
	for i, order := range []string{"ascending", "descending"} {
		a, err := p.get(ctx, s.Endpoint, url.Values{"count": {"1"}, "sortBy": {key.Path}, "sortOrder": {order}})
		if err != nil {
			return err
		}
		if l, ok := a.list(); ok && len(l.Resources) > 0 {
			firsts[i], _ = l.Resources[0][key.Path].(string)
		}
	}
	sorts := firsts[0] != "" && strings.ToLower(firsts[0]) < strings.ToLower(firsts[1])
	if p.config != nil && sorts != p.config.Sort.Supported {
		p.find("It states sorting as supported: %t. Sorting %s by %s works: %t.", p.config.Sort.Supported, s.Endpoint, key.Path, sorts)
	}
	p.profile.Paging.SortBy = sorts
	delete(p.profile.Facts, "/paging/sortBy")
	if sorts {
		p.fact("/paging/sortBy", profiles.Observed, "GET "+s.Endpoint+"?sortBy="+key.Path, "")
	}
	return nil
}

// tryProjection asks for one attribute only.
func (p *probe) tryProjection(ctx context.Context, s *subject) error {
	key := s.key()
	if key == nil || len(s.sample) == 0 || p.profile.Paging.Projection {
		return nil
	}
	a, err := p.get(ctx, s.Endpoint, url.Values{"count": {"1"}, "attributes": {key.Path}})
	if err != nil {
		return err
	}
	l, ok := a.list()
	if !ok || len(l.Resources) == 0 {
		p.find("A list of %s with the parameter attributes is answered with %d.", s.Endpoint, a.status)
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(l.Resources[0])) {
		if !strings.EqualFold(name, key.Path) && name != "schemas" && name != "id" && name != "meta" {
			p.find("The parameter attributes is ignored: %s was asked for, and %s came as well (RFC 7644 section 3.9).", key.Path, name)
			return nil
		}
	}
	p.profile.Paging.Projection = true
	p.fact("/paging/projection", profiles.Observed, "GET "+s.Endpoint+"?attributes="+key.Path, "")
	return nil
}

// tryCursor asks for a page by cursor (RFC 9865).
func (p *probe) tryCursor(ctx context.Context, s *subject) error {
	if s.total < 2 {
		return nil
	}
	a, err := p.get(ctx, s.Endpoint, url.Values{"count": {"1"}, "cursor": {""}})
	if err != nil {
		return err
	}
	l, _ := a.list()
	has := l.NextCursor != ""
	if p.profile.Paging.Cursor && !has {
		p.find("It states that lists can be read by cursor, and gives none for %s.", s.Endpoint)
	}
	if has != p.profile.Paging.Cursor {
		delete(p.profile.Facts, "/paging/cursor")
	}
	p.profile.Paging.Cursor = has
	if has {
		p.fact("/paging/cursor", profiles.Observed, "GET "+s.Endpoint+"?cursor", "")
	}
	return nil
}

// checkVersions compares what is stated about versions with the resources.
func (p *probe) checkVersions(s *subject) {
	if len(s.sample) == 0 {
		return
	}
	meta, _ := s.sample[0]["meta"].(map[string]any)
	version, _ := meta["version"].(string)
	switch {
	case p.profile.ETag && version == "":
		p.profile.ETag = false
		delete(p.profile.Facts, "/etag")
		p.find("It states that resources have versions, and those of %s have none.", s.Endpoint)
	case p.profile.ETag:
		p.fact("/etag", profiles.Observed, "meta.version in "+s.Endpoint, "That If-Match is obeyed is stated in "+configSource+".")
	case version != "":
		p.find("Resources of %s have versions, and it states that there are none.", s.Endpoint)
	}
}
