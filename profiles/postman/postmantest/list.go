package postmantest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
)

// list answers a query of users or groups (rules 33 to 37).
func (s *Simulator) list(w http.ResponseWriter, r *http.Request, collection string) {
	query := s.keptQuery(r)
	if e := s.page(query, r.URL.Query()); e != nil {
		s.writeError(w, e)
		return
	}
	if text := r.URL.Query().Get("filter"); text != "" {
		f, e := supportedFilter(collection, text)
		if e != nil {
			s.writeError(w, e)
			return
		}
		query.Set("filter", f.String())
	}
	r.URL.RawQuery = query.Encode()
	s.serve(w, r, nil)
}

// keptQuery returns the parameters that are passed on: Postman does not know attributes, excludedAttributes and sortBy, and ignores
// them (rule 36).
func (s *Simulator) keptQuery(r *http.Request) url.Values {
	query := url.Values{}
	if s.options.Switches.HonourExcludedMembers && r.URL.Query().Get("excludedAttributes") == "members" {
		query.Set("excludedAttributes", "members")
	}
	return query
}

// page checks startIndex and count (rule 33).
func (s *Simulator) page(query, given url.Values) *scim.Error {
	for _, name := range []string{"startIndex", "count"} {
		text := given.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if name == "startIndex" && err == nil && n < 1 && s.options.Switches.ClampStartIndex {
			n = 1
		}
		if err != nil || n < 0 || (name == "startIndex" && n < 1) {
			return syntax("", name+" isn't a number that is allowed.")
		}
		query.Set(name, strconv.Itoa(n))
	}
	return nil
}

// filterable are the attributes that filters are documented for, which must be written just so (rule 35).
var filterable = map[string]map[string]bool{
	"Users":  {"userName": true, "active": true},
	"Groups": {"displayName": true},
}

// supportedFilter reads a filter, and refuses all but eq on one of the documented attributes.
func supportedFilter(collection, text string) (filter.Filter, *scim.Error) {
	refusal := refuse(http.StatusBadRequest, "The filter isn't supported.")
	f, err := filter.Parse(text, filter.SingleQuotes(), filter.QuotedBooleans())
	if err != nil {
		return filter.Filter{}, refusal
	}
	compare, ok := f.Node().(*filter.Compare)
	if !ok || compare.Op != filter.OpEq || !filterable[collection][compare.Attr.String()] {
		return filter.Filter{}, refusal
	}
	if compare.Attr.String() != "active" {
		return f, nil
	}
	switch value := strings.Trim(compare.Value.String(), `"`); strings.ToLower(value) {
	case "true":
		return filter.Eq("active", true), nil
	case "false":
		return filter.Eq("active", false), nil
	}
	return filter.Filter{}, refusal
}

// finish changes an answer of package server where Postman's differs in ways that no hook reaches.
func (s *Simulator) finish(answer *httptest.ResponseRecorder, r *http.Request, body []byte) {
	sw := s.options.Switches
	switch {
	case answer.Code != http.StatusOK:
	case sw.RequestedItemsPerPage && r.Method == http.MethodGet && strings.Count(r.URL.Path, "/") == 3:
		rewrite(answer, func(doc scim.Document) {
			doc["itemsPerPage"] = int64(100)
			if n, err := strconv.ParseInt(r.URL.Query().Get("count"), 10, 64); err == nil {
				doc["itemsPerPage"] = n
			}
		})
	case sw.MembersNullAfterRename && r.Method == http.MethodPatch && strings.HasPrefix(r.URL.Path, BasePath+"/Groups/") && renameOnly(body):
		rewrite(answer, func(doc scim.Document) { doc["members"] = nil })
	}
}

// renameOnly reports whether a PATCH of a group leaves its members alone.
func renameOnly(body []byte) bool {
	var request scim.PatchRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return false
	}
	for _, o := range request.Operations {
		if strings.HasPrefix(strings.ToLower(o.Path), "members") {
			return false
		}
		if value, ok := o.Value.(map[string]any); ok && value["members"] != nil {
			return false
		}
	}
	return true
}

func rewrite(answer *httptest.ResponseRecorder, change func(scim.Document)) {
	doc, err := scim.DecodeDocument(answer.Body.Bytes())
	if err != nil {
		return
	}
	change(doc)
	data, err := doc.MarshalJSON()
	if err != nil {
		return
	}
	answer.Body.Reset()
	answer.Body.Write(data)
	answer.Header().Del("Content-Length")
}
