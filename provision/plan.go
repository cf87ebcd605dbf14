package provision

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Action is what is done to an object.
type Action string

// Actions. Their names are those of Microsoft Graph's provisioningAction, save for link, skip and fail, which that knows as
// other.
const (
	ActionCreate Action = "create"
	ActionUpdate Action = "update"
	// ActionDisable ends access and keeps the object.
	ActionDisable Action = "disable"
	ActionDelete  Action = "delete"
	// ActionStagedDelete is a deletion or deactivation that is held back.
	ActionStagedDelete Action = "stageddelete"
	// ActionLink takes over a target object that needs no change.
	ActionLink Action = "link"
	// ActionSkip does nothing, for the reason given.
	ActionSkip Action = "skip"
	// ActionFail cannot be done, for the reason given.
	ActionFail Action = "fail"
)

// Operation is what a cycle does, or would do, to one object.
type Operation struct {
	// Type is the source object type.
	Type     string `json:"type"`
	SourceID string `json:"sourceId"`
	// TargetID is empty for an object still to be created.
	TargetID string `json:"targetId,omitzero"`
	Display  string `json:"displayName,omitzero"`
	Action   Action `json:"action"`
	// Code refines skip and fail.
	Code Code `json:"code,omitzero"`
	// Reason says why, for a person.
	Reason string `json:"reason,omitzero"`
	// Changes are the attributes with their old and new values, redacted where the mapping says so.
	Changes []Change `json:"changes,omitempty"`
	// AddMembers and RemoveMembers count membership changes.
	AddMembers    int `json:"addMembers,omitzero"`
	RemoveMembers int `json:"removeMembers,omitzero"`
	// Writes is how many requests that change the target it takes.
	Writes int `json:"writes,omitzero"`
}

// Change is an attribute with its old and new value.
type Change struct {
	Attribute string `json:"attribute"`
	Old       any    `json:"old"`
	New       any    `json:"new"`
}

// Plan is what a cycle would do. It is plain data: it can be printed, compared, saved as JSON and applied later with
// [Job.Apply], which does so only while the same plan would come out again.
type Plan struct {
	Job string `json:"job"`
	// Kind is initial or incremental.
	Kind    CycleKind `json:"kind"`
	Created time.Time `json:"created"`
	// Operations are ordered by type, then by source id. Objects that are in step are not among them.
	Operations []Operation `json:"operations"`
	// InStep counts the objects for which there is nothing to do.
	InStep int `json:"inStep"`
	// Requests is what the whole takes, and Duration how long that lasts at the target's rate limits.
	Requests Requests      `json:"requests"`
	Duration time.Duration `json:"-"`
	// Held says why deletions would be held back; empty when they would not.
	Held string `json:"held,omitzero"`
}

// PlanDifference is an operation in which two plans differ.
type PlanDifference struct {
	// Before is the operation in the first plan, After in the second; nil when it is not there.
	Before, After *Operation
}

// String returns one line.
func (d PlanDifference) String() string {
	switch {
	case d.Before == nil:
		return describe(*d.After) + " is new"
	case d.After == nil:
		return describe(*d.Before) + " is no longer due"
	}
	return describe(*d.Before) + " is now " + strings.TrimSpace(printOperation(*d.After))
}

// Compare returns the operations in which another plan differs from this one, in the order of types and source ids. Plans without
// differences do the same to the target; one may have been saved as JSON meanwhile.
func (p *Plan) Compare(other *Plan) []PlanDifference {
	var list []PlanDifference
	a, b := p.Operations, other.Operations
	for len(a)+len(b) > 0 {
		order := 0
		switch {
		case len(a) == 0:
			order = 1
		case len(b) == 0:
			order = -1
		default:
			order = cmp.Or(strings.Compare(a[0].Type, b[0].Type), strings.Compare(a[0].SourceID, b[0].SourceID))
		}
		var d PlanDifference
		if order <= 0 {
			d.Before, a = &a[0], a[1:]
		}
		if order >= 0 {
			d.After, b = &b[0], b[1:]
		}
		if order != 0 || printOperation(*d.Before) != printOperation(*d.After) {
			list = append(list, d)
		}
	}
	return list
}

type planAlias Plan

// MarshalJSON returns the plan as JSON.
func (p *Plan) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Alias    *planAlias `json:",inline"`
		Duration string     `json:"duration"`
	}{(*planAlias)(p), p.Duration.String()}, json.Deterministic(true), jsontext.Multiline(true))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (p *Plan) UnmarshalJSON(data []byte) error {
	wire := struct {
		Alias    *planAlias `json:",inline"`
		Duration string     `json:"duration"`
	}{Alias: (*planAlias)(p)}
	if err := json.Unmarshal(data, &wire); err != nil {
		return fmt.Errorf("provision: read plan: %w", err)
	}
	d, err := time.ParseDuration(wire.Duration)
	if err != nil {
		return fmt.Errorf("provision: read plan: %w", err)
	}
	p.Duration = d
	return nil
}

// Counts returns how many operations of each action there are for each object type.
func (p *Plan) Counts() map[string]map[Action]int {
	counts := map[string]map[Action]int{}
	for _, op := range p.Operations {
		if counts[op.Type] == nil {
			counts[op.Type] = map[Action]int{}
		}
		counts[op.Type][op.Action]++
	}
	return counts
}

// Empty reports whether the plan changes nothing in the target.
func (p *Plan) Empty() bool {
	return !slices.ContainsFunc(p.Operations, func(op Operation) bool { return op.Writes > 0 })
}

// order sorts the operations, so that equal plans are equal values.
func (p *Plan) order() {
	slices.SortFunc(p.Operations, func(a, b Operation) int {
		return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.SourceID, b.SourceID), strings.Compare(string(a.Action), string(b.Action)))
	})
}

// WriteTo prints the plan: one line for each operation with its changes below, then the totals.
func (p *Plan) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	for _, op := range p.Operations {
		op.print(&b)
	}
	p.printTotals(&b)
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

// String returns what WriteTo prints.
func (p *Plan) String() string {
	var b strings.Builder
	_, _ = p.WriteTo(&b)
	return b.String()
}

func (op Operation) print(b *strings.Builder) {
	fmt.Fprintf(b, "%-12s %s %s", op.Action, op.Type, op.SourceID)
	if op.Display != "" && op.Display != op.SourceID {
		fmt.Fprintf(b, " (%s)", op.Display)
	}
	if op.Code != "" {
		fmt.Fprintf(b, ": %s", op.Code)
	}
	if op.Reason != "" {
		fmt.Fprintf(b, ": %s", op.Reason)
	}
	b.WriteByte('\n')
	for _, c := range op.Changes {
		fmt.Fprintf(b, "    %s: %s -> %s\n", c.Attribute, printValue(c.Old), printValue(c.New))
	}
	if op.AddMembers+op.RemoveMembers > 0 {
		fmt.Fprintf(b, "    members: %d added, %d removed\n", op.AddMembers, op.RemoveMembers)
	}
}

func printValue(v any) string {
	if v == nil {
		return "(none)"
	}
	data, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

func (p *Plan) printTotals(b *strings.Builder) {
	counts := p.Counts()
	for _, typ := range sortedKeys(counts) {
		fmt.Fprintf(b, "%s:", typ)
		for _, a := range sortedKeys(counts[typ]) {
			fmt.Fprintf(b, " %d %s", counts[typ][a], a)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(b, "%d in step; %d writes and %d reads, about %s at the target's rate\n",
		p.InStep, p.Requests.Writes, p.Requests.Reads, p.Duration.Round(time.Second))
	if p.Held != "" {
		fmt.Fprintf(b, "deletions are held: %s\n", p.Held)
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
