package filter

// Option changes how [Parse] and [ParsePath] read a text.
type Option func(*options)

// The bounds that hold unless an option says otherwise.
const (
	// DefaultMaxLength is how long a text may be, in bytes. It is more than most servers take as a URL.
	DefaultMaxLength = 64 << 10
	// DefaultMaxDepth is how deeply parentheses and brackets may be nested.
	DefaultMaxDepth = 32
	// DefaultMaxTerms is how many comparisons a filter may have, pr included.
	DefaultMaxTerms = 1000
)

// depthCeiling is the largest depth that can be asked for. The parser recurses, and a stack that
// overflows takes the process with it.
const depthCeiling = 10_000

type options struct {
	maxLength, maxDepth, maxTerms int
	singleQuotes                  bool
	unquoted                      bool
	quotedBooleans                bool
}

// newOptions allocates only when there are options.
func newOptions(opts []Option) options {
	if len(opts) == 0 {
		return options{maxLength: DefaultMaxLength, maxDepth: DefaultMaxDepth, maxTerms: DefaultMaxTerms}
	}
	o := newOptions(nil)
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// MaxLength sets how long a text may be, in bytes; 0 or less means [DefaultMaxLength].
func MaxLength(bytes int) Option {
	return func(o *options) { o.maxLength = positive(bytes, DefaultMaxLength) }
}

// MaxDepth sets how deeply parentheses and brackets may be nested; 0 or less means [DefaultMaxDepth],
// and more than 10,000 means 10,000.
func MaxDepth(levels int) Option {
	return func(o *options) { o.maxDepth = min(positive(levels, DefaultMaxDepth), depthCeiling) }
}

// MaxTerms sets how many comparisons a filter may have; 0 or less means [DefaultMaxTerms].
func MaxTerms(terms int) Option {
	return func(o *options) { o.maxTerms = positive(terms, DefaultMaxTerms) }
}

func positive(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// SingleQuotes admits strings in single quotes, as in userName eq 'bjensen'. Inside, \' is a single
// quote and the escapes of JSON hold.
func SingleQuotes() Option { return func(o *options) { o.singleQuotes = true } }

// UnquotedStrings admits strings without quotes, as in meta.resourceType eq User, which the prose of
// RFC 7644 section 3.4.2 itself has. Such a string ends at white space, a parenthesis, a bracket or a
// quote. What reads as a number, true, false or null is that.
func UnquotedStrings() Option { return func(o *options) { o.unquoted = true } }

// QuotedBooleans admits "true" and "false", in any case, as the value of a boolean attribute, as in
// active eq "true". The string stays a string in the [Filter]; Check and Compile take it for a boolean
// where the attribute is one.
func QuotedBooleans() Option { return func(o *options) { o.quotedBooleans = true } }
