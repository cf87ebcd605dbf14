package server

import (
	"net/http"
	"strings"
)

// An entity-tag is the version in quotes (RFC 7643 section 3.1). Where the groups of a user are shown, or the names of a
// group's members, which change without the resource being written, a digest of them follows the version and this mark. What is shown then has a tag of its own, while a write
// is conditional on the version alone.
const derivedMark = "~"

// etag returns the entity-tag of a version. derived is a digest of what was added to the document, or empty.
func etag(version, derived string) string {
	if derived != "" {
		version += derivedMark + derived
	}
	return `"` + version + `"`
}

// condition is an If-Match or If-None-Match header, or the version of a bulk operation.
type condition struct {
	given bool
	any   bool // *
	tags  []string
}

func parseCondition(values ...string) condition {
	var c condition
	for _, list := range values {
		for tag := range strings.SplitSeq(list, ",") {
			tag = strings.TrimSpace(tag)
			switch {
			case tag == "":
				continue
			case tag == "*":
				c.any = true
			default:
				// Versions are strong; a client that calls one weak means the same.
				tag = strings.TrimPrefix(tag, "W/")
				c.tags = append(c.tags, strings.Trim(tag, `"`))
			}
			c.given = true
		}
	}
	return c
}

// matchesVersion reports whether one of the tags is of a version.
func (c condition) matchesVersion(version string) bool {
	if c.any {
		return true
	}
	for _, tag := range c.tags {
		if tag == version || strings.HasPrefix(tag, version+derivedMark) {
			return true
		}
	}
	return false
}

// matchesTag reports whether one of the tags is the entity-tag.
func (c condition) matchesTag(etag string) bool {
	if c.any {
		return true
	}
	for _, tag := range c.tags {
		if tag == strings.Trim(etag, `"`) {
			return true
		}
	}
	return false
}

// conditions are those of a request that changes a resource.
type conditions struct{ match, noneMatch condition }

func (c *call) conditions() conditions {
	if !c.s.has(FeatureETag) {
		return conditions{}
	}
	return conditions{
		match:     parseCondition(c.r.Header.Values("If-Match")...),
		noneMatch: parseCondition(c.r.Header.Values("If-None-Match")...),
	}
}

// check returns the error 412 when the conditions do not hold for a version.
func (c conditions) check(version string) error {
	if c.match.given && !c.match.matchesVersion(version) || c.noneMatch.given && c.noneMatch.matchesVersion(version) {
		return toSCIM(ErrVersion)
	}
	return nil
}

// notModified is the answer to a conditional GET of what the client has already.
func notModified(answer reply) reply {
	return reply{status: http.StatusNotModified, shown: answer.shown, etag: answer.etag}
}
