package provision

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// CycleKind says how a cycle reads the source.
type CycleKind string

// Kinds of cycle.
const (
	// Initial: everything is read and mapped anew, objects without link are matched, and it is decided again about those who left.
	Initial CycleKind = "initial"
	// Incremental: what changed since the watermark is read.
	Incremental CycleKind = "incremental"
)

// Summary is the outcome of one cycle.
type Summary struct {
	CycleID string    `json:"cycleId"`
	Kind    CycleKind `json:"kind"`
	Began   time.Time `json:"timeBegan"`
	Ended   time.Time `json:"timeEnded"`
	// Types has the figures of each source object type, in the order of the mappings.
	Types []TypeSummary `json:"types"`
	// Failures are the objects that are not in step at the end of the cycle, at most [MaxListedFailures] of them;
	// FailureCount counts them all.
	Failures     []ObjectFailure `json:"failures,omitempty"`
	FailureCount int             `json:"failureCount,omitzero"`
	// Warnings are references that could not be resolved, listed and counted likewise. They do not make an object out of
	// step: a member that is not in the source file cannot be in the group.
	Warnings     []ObjectFailure `json:"warnings,omitempty"`
	WarningCount int             `json:"warningCount,omitzero"`
	// Held counts deletions and deactivations that are held back.
	Held int `json:"held,omitzero"`
	// SinkErrors counts how often a [LogSink] failed to take entries. The state has them.
	SinkErrors int `json:"sinkErrors,omitzero"`
	// Requests counts what was sent to the target in this cycle.
	Requests Requests `json:"requests"`
	// Altered are the attributes of the target that were found in this cycle, and not before, not to keep what is written to them.
	Altered []Altered `json:"altered,omitempty"`
	// Error is why the cycle ended early; empty when it did not.
	Error string `json:"error,omitzero"`

	referenceFailures int
}

// MaxListedFailures is how many failures, and how many warnings, a [Summary] lists. The rest is in the provisioning log.
const MaxListedFailures = 1000

// TypeSummary has the figures of one source object type.
type TypeSummary struct {
	Type string `json:"type"`
	// Read counts the objects that the source gave.
	Read int `json:"read"`
	// Actions counts the objects by what was done to them in this cycle. Each failed one is counted under [ActionFail].
	Actions map[Action]int `json:"actions,omitempty"`
	// InStep counts the objects for which there was nothing to do: as many writes were avoided.
	InStep int `json:"inStep"`
	// MembersAdded and MembersRemoved count membership changes.
	MembersAdded   int `json:"membersAdded,omitzero"`
	MembersRemoved int `json:"membersRemoved,omitzero"`
}

// ObjectFailure is an object that is not in step, with the reason.
type ObjectFailure struct {
	Type     string `json:"type"`
	SourceID string `json:"sourceId"`
	Display  string `json:"displayName,omitzero"`
	Failure
	// Due is when it is tried again; zero when only a change in the source helps.
	Due time.Time `json:"due,omitzero"`
}

// InStep reports whether at the end of the cycle every object in scope was as it should be: nothing failed, is held back or is
// waiting for a retry.
func (s *Summary) InStep() bool {
	return s.Error == "" && s.FailureCount == 0 && s.Held == 0
}

// Changed counts the objects that were created, updated, disabled or deleted.
func (s *Summary) Changed() int {
	n := 0
	for _, t := range s.Types {
		n += t.Actions[ActionCreate] + t.Actions[ActionUpdate] + t.Actions[ActionDisable] + t.Actions[ActionDelete]
	}
	return n
}

// Avoided counts the writes that were avoided: the objects for which there was nothing to send.
func (s *Summary) Avoided() int {
	n := 0
	for _, t := range s.Types {
		n += t.InStep
	}
	return n
}

// summaryActions are the columns of the table, in order.
var summaryActions = [...]Action{ActionCreate, ActionUpdate, ActionDisable, ActionDelete, ActionLink, ActionSkip, ActionFail}

// WriteTo prints a table with a line for each type, then the failures and warnings with what to do about them.
func (s *Summary) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "type\tread\t")
	for _, a := range summaryActions {
		fmt.Fprintf(table, "%s\t", a)
	}
	fmt.Fprint(table, "in step\tmembers +\tmembers -\t\n")
	for _, t := range s.Types {
		fmt.Fprintf(table, "%s\t%d\t", t.Type, t.Read)
		for _, a := range summaryActions {
			fmt.Fprintf(table, "%d\t", t.Actions[a])
		}
		fmt.Fprintf(table, "%d\t%d\t%d\t\n", t.InStep, t.MembersAdded, t.MembersRemoved)
	}
	_ = table.Flush()
	printFailures(&b, "failed", s.Failures, s.FailureCount)
	printFailures(&b, "warning", s.Warnings, s.WarningCount)
	for _, a := range s.Altered {
		fmt.Fprintf(&b, "not kept: %s\n    what to do: %s\n", a, remedies[AttributeNotKept])
	}
	if s.Held > 0 {
		fmt.Fprintf(&b, "%d deletions or deactivations are held until an administrator allows them\n", s.Held)
	}
	if s.Error != "" {
		fmt.Fprintf(&b, "the cycle ended early: %s\n", s.Error)
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

func printFailures(b *strings.Builder, word string, list []ObjectFailure, count int) {
	for _, f := range list {
		fmt.Fprintf(b, "%s: %s %s", word, f.Type, f.SourceID)
		if f.Display != "" {
			fmt.Fprintf(b, " (%s)", f.Display)
		}
		fmt.Fprintf(b, ": %s\n", f.Failure.Error())
		if f.Remedy != "" {
			fmt.Fprintf(b, "    what to do: %s\n", f.Remedy)
		}
	}
	if count > len(list) {
		fmt.Fprintf(b, "%s: %d more, see the provisioning log\n", word, count-len(list))
	}
}

// Phase is a part of a cycle.
type Phase string

// Phases of a cycle, in order.
const (
	// PhaseRead reads and maps the source.
	PhaseRead Phase = "read"
	// PhaseMatch looks for existing target objects.
	PhaseMatch Phase = "match"
	// PhaseExport creates, updates, disables and deletes objects.
	PhaseExport Phase = "export"
	// PhaseReferences sends memberships and other references.
	PhaseReferences Phase = "references"
)

// Progress is how far a cycle is.
type Progress struct {
	Phase Phase
	// Type is the source object type at hand.
	Type string
	// Done counts objects in this phase and type, Total how many there are; -1 when that is not known.
	Done, Total int
	// Estimated says that Total is how many there were at the last full read, as the source cannot count before it reads.
	Estimated bool
	// Requests counts what was sent to the target in this cycle so far.
	Requests Requests
	// Avoided counts the objects for which there was nothing to send: as many writes were avoided.
	Avoided int
}
