package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/provision"
)

// provisionOnDemand brings one object into step and shows the steps. It reports whether the object is in step then.
func provisionOnDemand(ctx context.Context, b *bridge, who, members string, r *report) (inStep bool, err error) {
	object, err := b.find(ctx, who, "")
	if err != nil {
		return false, err
	}
	var ids []string
	for _, member := range strings.FieldsFunc(members, func(r rune) bool { return r == ',' }) {
		if object.Type == "User" {
			return false, fmt.Errorf("%s is a user, and has no members", who)
		}
		m, err := b.find(ctx, strings.TrimSpace(member), "User")
		if err != nil {
			return false, err
		}
		ids = append(ids, m.SourceID)
	}
	done, err := b.job.ProvisionOnDemand(ctx, object.Type, object.SourceID, ids...)
	r.progressDone()
	if err != nil {
		return false, err
	}
	after, err := b.job.Explain(ctx, object.Type, object.SourceID)
	if err != nil {
		return false, err
	}
	r.onDemand(object, done, after)
	return after.Failure == nil && !after.Held && after.Next == provision.ActionSkip, nil
}

// found is an object that was asked for.
type found struct{ Type, SourceID, Display string }

// find looks for an object in the directory: by its id, or by the values that it is matched by, or by its display name. It must be one.
func (b *bridge) find(ctx context.Context, who, onlyType string) (found, error) {
	var named []found
	for _, m := range b.mappings {
		typ := m.Definition().Source
		if onlyType != "" && typ != onlyType {
			continue
		}
		names := append(matchedBy(m), "displayName")
		for e, err := range b.source.Entries(ctx, typ) {
			if err != nil {
				return found{}, err
			}
			display, _ := e.Attributes["displayName"].(string)
			if e.ID == who {
				return found{typ, e.ID, display}, nil
			}
			has := func(name string) bool {
				text, ok := e.Attributes[name].(string)
				return ok && strings.EqualFold(text, who)
			}
			if slices.ContainsFunc(names, has) {
				named = append(named, found{typ, e.ID, display})
			}
		}
	}
	switch len(named) {
	case 0:
		return found{}, fmt.Errorf("nobody in the directory is %q", who)
	case 1:
		return named[0], nil
	}
	return found{}, fmt.Errorf("%q is %s %s and %s %s in the directory: say the id", who, named[0].Type, named[0].SourceID, named[1].Type, named[1].SourceID)
}

// matchedBy returns the source attributes by which a mapping recognises objects.
func matchedBy(m *mapping.Mapping) []string {
	var names []string
	for _, a := range m.Definition().Attributes {
		if a.Matching > 0 && a.Source != "" {
			names = append(names, a.Source)
		}
	}
	return names
}

// onDemand shows the four steps on the way of one object.
func (r *report) onDemand(object found, done *provision.OnDemand, after *provision.Explanation) {
	x := done.Explanation
	r.heading(fmt.Sprintf("On demand: %s %s (%s)", object.Type, object.SourceID, object.Display))
	enabled := "enabled"
	if !x.Enabled {
		enabled = "disabled in the directory"
	}
	r.say("  1. import   found, %s", enabled)
	if x.InScope {
		r.say("  2. scope    in scope")
	} else {
		r.say("  2. scope    out of scope: %s", x.Reason)
	}
	var by []string
	for _, m := range x.Matching {
		by = append(by, fmt.Sprintf("%s = %v", m.Attribute, m.Value))
	}
	link := "not linked"
	switch {
	case after.TargetID != "" && x.TargetID == after.TargetID:
		link = "linked to " + after.TargetID + " before"
	case after.TargetID != "":
		link = "now linked to " + after.TargetID
	}
	r.say("  3. match    %s", strings.TrimPrefix(strings.Join(by, ", ")+"; "+link, "; "))
	r.action(done.Log, after)
}

// action shows what was done to the object and to those that were chosen with it.
func (r *report) action(entries []provision.LogEntry, after *provision.Explanation) {
	if len(entries) == 0 {
		r.say("  4. action   none: %s", after.NextWhy)
	}
	for i := len(entries) - 1; i >= 0; i-- { // the newest is the first
		e := &entries[i]
		label := "  4. action  "
		if i < len(entries)-1 {
			label = "             "
		}
		r.say("%s %s", label, entryLine(e))
		for _, m := range e.Modified {
			r.say("               %s: %s -> %s", m.DisplayName, textOr(m.OldValue), textOr(m.NewValue))
		}
		if err := e.Status.Error; err != nil && err.RecommendedAction != "" {
			r.say("               what to do: %s", err.RecommendedAction)
		}
	}
}

func textOr(s *string) string {
	if s == nil {
		return "(none)"
	}
	return *s
}

// entryLine says in short what happened to an object.
func entryLine(e *provision.LogEntry) string {
	action := string(e.Action)
	if action == "other" && len(e.Steps) > 0 {
		action = e.Steps[len(e.Steps)-1].Type
	}
	if e.Status.Status == provision.StatusFailure {
		action = "fail"
	}
	line := fmt.Sprintf("%s %s %s", action, e.Source.IdentityType, e.Source.ID)
	if e.Source.DisplayName != "" && e.Source.DisplayName != e.Source.ID {
		line += " (" + e.Source.DisplayName + ")"
	}
	line += ": " + string(e.Status.Status)
	if err := e.Status.Error; err != nil {
		line += ": " + string(err.Code)
		if err.AdditionalDetails != "" {
			line += ": " + err.AdditionalDetails
		}
		line += ": " + err.Reason
	}
	return line
}
