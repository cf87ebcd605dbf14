package provision

import (
	"context"
	"errors"
	"fmt"
)

// Connection is the link between an object of the source and one of the target, as Microsoft Graph's objectConnection.
type Connection struct {
	// Type is the source object type.
	Type         string `json:"objectTypeName"`
	SourceAnchor string `json:"sourceAnchor"`
	TargetAnchor string `json:"targetAnchor"`
	DisplayName  string `json:"displayName"`
	// Created says that the job made the target object itself.
	Created bool `json:"created"`
	// Disabled says that the target object was deprovisioned.
	Disabled bool `json:"disabled"`
}

// ErrNotPaused is returned when something can be done only while the job is paused or disabled.
var ErrNotPaused = errors.New("provision: the job must be paused first")

// Connections returns the links of the objects that people name so: by source or target id, display name, or a matching value such as the
// userName, in any case. It asks neither the source nor the target.
func (j *Job) Connections(ctx context.Context, name string) ([]Connection, error) {
	records, err := j.find(ctx, name)
	if err != nil {
		return nil, err
	}
	var list []Connection
	for i := range records {
		if rec := &records[i]; rec.TargetID != "" {
			list = append(list, Connection{
				Type: rec.Type, SourceAnchor: rec.SourceID, TargetAnchor: rec.TargetID, DisplayName: rec.Display,
				Created: rec.Flags.Has(Created), Disabled: rec.Flags.Has(Disabled),
			})
		}
	}
	return list, nil
}

// Disconnect breaks the link of one object, given by its id in the source. Neither the object nor the target's is changed; the next cycle
// matches the object anew, as the policy of adoption allows. Disconnecting what has no link does nothing. The job must be paused or
// disabled, or the error is [ErrNotPaused].
func (j *Job) Disconnect(ctx context.Context, objectType, id string) error {
	if j.rule(objectType) == nil {
		return fmt.Errorf("provision: no mapping for %s objects", objectType)
	}
	return j.edit(ctx, func(js *JobState, commit *Commit) error {
		if !js.Paused && !js.Disabled {
			return ErrNotPaused
		}
		heads, err := j.config.State.Heads(ctx, j.config.Name, objectType, []string{id})
		if err != nil || len(heads) == 0 || heads[0].TargetID == "" {
			return err
		}
		records, err := j.config.State.Records(ctx, j.config.Name, []int64{heads[0].Key})
		if err != nil || len(records) == 0 {
			return err
		}
		rec := &records[0]
		rec.unlink()
		if !rec.Flags.Has(Present) {
			commit.Forget = append(commit.Forget, rec.Key)
			return nil
		}
		// No digest is equal to this, so that it is mapped again when it is read again.
		rec.Digest = Digest{}
		if !rec.blocked() {
			rec.reset()
		}
		rec.Flags |= Dirty
		commit.Put = append(commit.Put, rec)
		return nil
	})
}
