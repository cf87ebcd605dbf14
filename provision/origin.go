package provision

import (
	"context"
	"fmt"
	"strings"

	"github.com/scimbridge/scim/mapping"
)

// Origin says where the value of one target attribute comes from.
type Origin struct {
	// Attribute is the path of the target attribute.
	Attribute string       `json:"attribute"`
	Kind      mapping.Kind `json:"kind"`
	// From is the source attribute, the constant, or the expression.
	From string `json:"from,omitzero"`
	// Inputs are the source attributes read, with their values as text.
	Inputs map[string]string `json:"inputs,omitempty"`
	// Value is what the attribute gets, or the ids in the source that it refers to. It is left out, as the inputs are, where the mapping
	// redacts it.
	Value any `json:"value,omitempty"`
	// Outcome says what happens with the attribute, and why.
	Outcome string `json:"outcome,omitzero"`
	// Error says why there is no value.
	Error string `json:"error,omitzero"`
}

func (o Origin) print(b *strings.Builder) {
	from := o.From
	switch {
	case from == "":
		from = "nowhere"
	case o.Kind == mapping.Constant:
		from = "the constant " + from
	}
	fmt.Fprintf(b, "    %s comes from %s", o.Attribute, from)
	if o.Error != "" {
		fmt.Fprintf(b, ", which fails: %s", o.Error)
	}
	b.WriteByte('\n')
}

// origins fills in why an object is in scope or not, and where its values come from.
func (c *cycle) origins(ctx context.Context, r *rule, rec *Record, e Entry, x *Explanation) {
	source, _, _ := r.object(e, c.policy.enabledAttribute())
	told := r.m.Explain(ctx, source, c.env(r, rec))
	x.Conditions = told.Conditions
	for _, s := range told.Steps {
		o := Origin{Attribute: s.Target, Kind: s.Kind, From: s.From, Value: s.Value, Outcome: s.Outcome}
		hidden := isRedacted(s.Target, told.Result.Redacted)
		if hidden && s.Value != nil {
			o.Value = Redacted
		}
		for _, in := range s.Inputs {
			if hidden {
				break
			}
			if o.Inputs == nil {
				o.Inputs = map[string]string{}
			}
			o.Inputs[in.Name] = in.Value
		}
		if s.Err != nil {
			o.Error = s.Err.Error()
		}
		x.Values = append(x.Values, o)
	}
}
