package expr

// Option changes how an expression is compiled. Where Microsoft's pages contradict each other or say
// nothing, the default is the reading that fits the most of their examples, and an option gives the
// other one.
type Option func(*options)

type options struct {
	functions              []Function
	connect                bool
	strict                 bool
	trimSplit              bool
	keepApostrophes        bool
	coalesceNullOnly       bool
	joinEmpty              bool
	nullConditionsFail     bool
	ignoreCaseOfDuplicates bool
	utf16                  bool
	regexp                 func(pattern string) (Regexp, error)
	limits                 Limits
}

// WithFunctions adds functions of your own. A function whose name the language has already, or whose
// name or signature cannot work, makes Compile fail.
func WithFunctions(functions ...Function) Option {
	return func(o *options) { o.functions = append(o.functions, functions...) }
}

// WithConnectFunctions adds what Entra Connect and cloud sync have and the provisioning service does
// not, such as Trim and Right, and the DateAdd and DateDiff intervals q, y and w. [Signatures] lists
// them. An expression that uses them does not run in Entra.
//
// Select, Where and With, which bind variables, are left out, and so are CGuid, CRef, StringFromGuid and StringFromSid, whose types no
// directory that is read here has.
func WithConnectFunctions() Option { return func(o *options) { o.connect = true } }

// WithStrict refuses what Microsoft declares unsupported although it works here: IIF conditions that
// ask whether an attribute is empty, IsNull, IsNullOrEmpty and IsPresent as the source of Switch,
// and IgnoreFlowIfNullOrEmpty anywhere but where its result is the result of the expression. Use it
// for expressions that must behave the same in Entra.
func WithStrict() Option { return func(o *options) { o.strict = true } }

// WithTrimSplit makes Split remove the spaces around each item, as the output of one documented
// example suggests. By default items are what stands between the delimiters.
func WithTrimSplit() Option { return func(o *options) { o.trimSplit = true } }

// WithPCaseApostrophes makes an apostrophe part of a word for PCase when no separators are given:
// JOHN'S becomes John's. By default it separates words, as the documented list of separators says:
// John'S.
func WithPCaseApostrophes() Option { return func(o *options) { o.keepApostrophes = true } }

// WithCoalesceNullOnly makes Coalesce pass over null only, as its description says. By default it
// passes over "" too, as its example needs.
func WithCoalesceNullOnly() Option { return func(o *options) { o.coalesceNullOnly = true } }

// WithJoinEmpty makes Join put separators around null and "" too. By default it skips them.
func WithJoinEmpty() Option { return func(o *options) { o.joinEmpty = true } }

// WithNullConditionsFail makes the condition of IIF false whenever an attribute read in it is null
// or "", which is the documented limit of the service. By default null compares as "" and
// IsNullOrEmpty works.
func WithNullConditionsFail() Option { return func(o *options) { o.nullConditionsFail = true } }

// WithIgnoreCaseOfDuplicates makes RemoveDuplicates treat texts that differ in case only as
// duplicates; use it for target attributes that are not caseExact. By default they are different.
func WithIgnoreCaseOfDuplicates() Option { return func(o *options) { o.ignoreCaseOfDuplicates = true } }

// WithUTF16 makes Left, Len, Mid and InStr count as the service's runtime does, where a character
// outside the Basic Multilingual Plane (an emoji, a rare ideograph) counts as two. Such a character
// is still never cut in half: a half is left out. By default it counts as one.
func WithUTF16() Option { return func(o *options) { o.utf16 = true } }

// WithRegexp replaces the engine for the regular expressions of Replace, for patterns that need
// look-around or back-references. The engine gets the pattern as written, in .NET syntax. It is
// called for every pattern at compile time, and must itself bound the time a match may take.
func WithRegexp(compile func(pattern string) (Regexp, error)) Option {
	return func(o *options) { o.regexp = compile }
}

// Limits bounds what one evaluation may use, so that neither an expression nor the data can make it
// take unbounded time or memory. Zero fields take the defaults.
type Limits struct {
	// Result is how long, in bytes, any text made on the way may be. The default is 1 MiB.
	// A list made by Split may have a sixteenth as many items.
	Result int
	// Work is how much an evaluation may do: roughly the bytes read and written by all its
	// functions, with regular expressions counted by their size. The default, 64 Mi, is reached
	// after about a second; ordinary expressions use a few hundred.
	Work int64
}

const (
	defaultResult = 1 << 20
	defaultWork   = 64 << 20
)

// WithLimits sets the bounds of an evaluation.
func WithLimits(l Limits) Option { return func(o *options) { o.limits = l } }

func newOptions(opts []Option) *options {
	o := &options{}
	for _, opt := range opts {
		opt(o)
	}
	if o.limits.Result <= 0 {
		o.limits.Result = defaultResult
	}
	if o.limits.Work <= 0 {
		o.limits.Work = defaultWork
	}
	return o
}
