package client

// CallOption changes one call.
type CallOption func(*call)

type call struct {
	attributes, excluded []string
	ifMatch, ifNoneMatch string
}

func callOptions(options []CallOption) call {
	var c call
	for _, o := range options {
		o(&c)
	}
	return c
}

// Attributes asks for these attributes only, besides those that are always returned (RFC 7644 section 3.9). It is for [Resources.Get].
func Attributes(paths ...string) CallOption {
	return func(c *call) { c.attributes = append(c.attributes, paths...) }
}

// ExcludedAttributes asks to leave attributes out, such as members of a large group. It is for [Resources.Get].
func ExcludedAttributes(paths ...string) CallOption {
	return func(c *call) { c.excluded = append(c.excluded, paths...) }
}

// IfMatch makes a change only while the resource has a version, as in its meta.version; otherwise the error is [scim.ErrPrecondition]
// (RFC 7644 section 3.14). It is for changes and deletions.
//
// When the first attempt of a change was made but its answer was lost, the second finds the version changed, and the error is
// the same: read the resource to see.
func IfMatch(version string) CallOption { return func(c *call) { c.ifMatch = version } }

// IfNoneMatch reads a resource only when its version is another; otherwise the error is [ErrNotModified]. It is for [Resources.Get].
func IfNoneMatch(version string) CallOption { return func(c *call) { c.ifNoneMatch = version } }
