package sqlquery

// Args are the arguments of one statement, in the order of their placeholders. It is for use by one goroutine.
type Args struct {
	dialect Dialect
	values  []any
	known   map[string]string
}

// NewArgs returns no arguments.
func NewArgs(d Dialect) *Args { return &Args{dialect: d, known: make(map[string]string)} }

// Add adds an argument and returns the placeholder that stands for it. The placeholder may be used many times.
func (a *Args) Add(value any) string {
	text, isText := value.(string)
	if isText && a.known[text] != "" {
		return a.known[text]
	}
	a.values = append(a.values, value)
	p := a.dialect.placeholder(len(a.values))
	if isText {
		a.known[text] = p
	}
	return p
}

// Values returns the arguments.
func (a *Args) Values() []any { return a.values }
