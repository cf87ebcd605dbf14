package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/scimbridge/scim/provision"
)

// report tells a person what happens.
type report struct {
	out      io.Writer
	quiet    bool
	terminal bool

	bar      *progressbar.ProgressBar
	phase    provision.Phase
	typ      string
	lastTold int

	// inStep is whether the last cycle left everything in step, and held how many deletions it left held back.
	inStep bool
	held   int
	// failed are the objects that failed in any cycle, with what became of them.
	failed map[string]outcome
}

// outcome is an object that failed once.
type outcome struct {
	provision.ObjectFailure
	still bool
}

func newReport(out io.Writer, quiet bool) *report {
	f, isFile := out.(*os.File)
	return &report{out: out, quiet: quiet, terminal: isFile && term.IsTerminal(int(f.Fd())), failed: map[string]outcome{}}
}

func (r *report) say(format string, args ...any) { fmt.Fprintf(r.out, format+"\n", args...) }

func (r *report) heading(text string) { r.say("\n%s\n%s", text, strings.Repeat("-", len(text))) }

// plan shows what will be done: counts, the reasons for what will not be done, and a few operations as examples.
func (r *report) plan(p *provision.Plan) {
	r.heading(fmt.Sprintf("Plan of the %s cycle", p.Kind))
	counts := p.Counts()
	waiting := 0
	for _, op := range p.Operations {
		if unresolved(op.Code) {
			waiting++
			if op.Action == provision.ActionSkip {
				counts[op.Type][op.Action]--
			}
		}
	}
	for _, typ := range []string{"User", "Group"} {
		if line := countLine(counts[typ]); line != "" {
			r.say("  %-6s %s", typ, line)
		}
	}
	r.say("  %d objects are in step; %d writes and %d reads, about %s at the service's rate",
		p.InStep, p.Requests.Writes, p.Requests.Reads, p.Duration.Round(time.Second))
	if p.Held != "" {
		r.say("  deletions are held: %s", p.Held)
	}
	r.reasons(p)
	if waiting > 0 {
		r.say("  %d objects refer to others that are not there; those references wait until they are", waiting)
	}
	r.examples(p)
}

func countLine(counts map[provision.Action]int) string {
	var parts []string
	for _, a := range []provision.Action{
		provision.ActionCreate, provision.ActionUpdate, provision.ActionDisable, provision.ActionDelete,
		provision.ActionStagedDelete, provision.ActionLink, provision.ActionSkip, provision.ActionFail,
	} {
		if n := counts[a]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, a))
		}
	}
	return strings.Join(parts, ", ")
}

// reasons says why objects are skipped or cannot be provisioned, alike ones together.
func (r *report) reasons(p *provision.Plan) {
	type reason struct {
		typ    string
		action provision.Action
		text   string
	}
	why := map[reason][]string{}
	for _, op := range p.Operations {
		if (op.Action == provision.ActionSkip || op.Action == provision.ActionFail) && !unresolved(op.Code) {
			key := reason{op.Type, op.Action, strings.TrimPrefix(string(op.Code)+": "+op.Reason, ": ")}
			why[key] = append(why[key], op.SourceID)
		}
	}
	keys := slices.SortedFunc(maps.Keys(why), func(a, b reason) int {
		return cmp.Or(cmp.Compare(a.typ, b.typ), cmp.Compare(a.action, b.action), cmp.Compare(a.text, b.text))
	})
	for _, k := range keys {
		r.say("  %s %d %s: %s (%s)", k.action, len(why[k]), k.typ, k.text, few(why[k], 4))
	}
}

func unresolved(c provision.Code) bool { return c == provision.UnableToResolveReferenceAttributeValue }

func few(ids []string, n int) string {
	if len(ids) <= n {
		return strings.Join(ids, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(ids[:n], ", "), len(ids)-n)
}

// examples shows the first operations that change something which was there before, or all of a short plan.
func (r *report) examples(p *provision.Plan) {
	const most = 12
	shown, left := 0, 0
	for _, op := range p.Operations {
		switch op.Action {
		case provision.ActionUpdate, provision.ActionDisable, provision.ActionDelete, provision.ActionLink:
		default:
			continue
		}
		if shown == most {
			left++
			continue
		}
		shown++
		r.say("    %-8s %s %s (%s)%s", op.Action, op.Type, op.SourceID, op.Display, changes(op))
	}
	if left > 0 {
		r.say("    and %d more; -plan shows all", left)
	}
}

func changes(op provision.Operation) string {
	var parts []string
	for _, c := range op.Changes {
		parts = append(parts, fmt.Sprintf("%s: %v -> %v", c.Attribute, shown(c.Old), shown(c.New)))
	}
	if op.AddMembers+op.RemoveMembers > 0 {
		parts = append(parts, fmt.Sprintf("members: +%d -%d", op.AddMembers, op.RemoveMembers))
	}
	if len(parts) == 0 {
		return ""
	}
	return "  " + strings.Join(parts, "; ")
}

func shown(v any) any {
	if v == nil {
		return "(none)"
	}
	return v
}

// progress draws a bar on a terminal, and elsewhere writes a line for each tenth.
func (r *report) progress(p provision.Progress) {
	if r.quiet {
		return
	}
	if p.Phase != r.phase || p.Type != r.typ {
		r.progressDone()
		r.phase, r.typ, r.lastTold = p.Phase, p.Type, -1
	}
	label := fmt.Sprintf("%-10s %-6s", p.Phase, p.Type)
	if r.terminal {
		r.draw(p, label)
		return
	}
	if p.Total <= 0 {
		return
	}
	if tenth := p.Done * 10 / p.Total; tenth > r.lastTold {
		r.lastTold = tenth
		r.say("  %s %5d of %d", label, p.Done, p.Total)
	}
}

func (r *report) draw(p provision.Progress, label string) {
	if r.bar == nil {
		r.bar = progressbar.NewOptions(p.Total,
			progressbar.OptionSetWriter(r.out), progressbar.OptionSetDescription("  "+label),
			progressbar.OptionShowCount(), progressbar.OptionSetWidth(40), progressbar.OptionThrottle(50*time.Millisecond),
			progressbar.OptionClearOnFinish(),
		)
	}
	_ = r.bar.Set(p.Done) // a terminal that cannot be written to shows nothing, which is what it can do
}

func (r *report) progressDone() {
	if r.bar != nil {
		_ = r.bar.Finish()
		r.bar = nil
	}
	r.phase = ""
}

// summary shows the table of a cycle, and remembers what failed.
func (r *report) summary(s *provision.Summary) {
	r.heading(fmt.Sprintf("The %s cycle", s.Kind))
	table := *s
	// Failures are told once, at the end, and warnings in short.
	table.Failures, table.FailureCount, table.Warnings, table.WarningCount = nil, 0, nil, 0
	_, _ = table.WriteTo(r.out)
	r.warnings(s)
	r.say("%d writes, %d reads, %d answers \"too many requests\"; %s by the service's clock", s.Requests.Writes, s.Requests.Reads,
		s.Requests.Throttled, s.Ended.Sub(s.Began).Round(time.Second))
	r.remember(s)
}

// warnings says which objects refer to others that are not there, the first few of them one by one.
func (r *report) warnings(s *provision.Summary) {
	const most = 5
	for i, w := range s.Warnings {
		if i == most {
			r.say("warning: %d more, see the provisioning log", s.WarningCount-most)
			return
		}
		r.say("warning: %s %s (%s): %s", w.Type, w.SourceID, w.Display, w.Failure.Error())
	}
}

func (r *report) remember(s *provision.Summary) {
	r.held = s.Held
	for key, o := range r.failed {
		o.still = false
		r.failed[key] = o
	}
	for _, f := range s.Failures {
		r.failed[f.Type+" "+f.SourceID] = outcome{ObjectFailure: f, still: true}
	}
}

// cycleEnded reports a cycle of a job that goes on.
func (r *report) cycleEnded(s *provision.Summary, err error) {
	r.progressDone()
	if s != nil {
		r.summary(s)
	}
	if err != nil {
		r.say("The cycle ended early: %v", err)
	}
	r.inStep = err == nil && s != nil && s.InStep()
}

// end lists the objects that failed in any cycle, and where everything is.
func (r *report) end(log, state string) {
	r.heading("Objects that failed")
	if len(r.failed) == 0 {
		r.say("  none")
	}
	still := 0
	for _, key := range slices.Sorted(maps.Keys(r.failed)) {
		o := r.failed[key]
		now := "in step now"
		if o.still {
			still++
			now = "not in step"
		}
		r.say("  %s (%s): %s", key, o.Display, o.Failure.Error())
		r.say("      what to do: %s", o.Remedy)
		r.say("      state: %s", now)
	}
	r.say("\nProvisioning log: %s\nState:            %s", log, state)
	if r.held > 0 {
		r.say("%d deletions or deactivations are held back: let them go ahead with -release-deletes, or mend the directory.", r.held)
	}
	if still == 0 && r.held == 0 {
		r.say("Every object in scope is in step.")
	}
	if still == 0 {
		return
	}
	if still == 1 {
		r.say("1 object is not in step.")
		return
	}
	r.say("%d objects are not in step.", still)
}
