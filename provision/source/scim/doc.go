// Package scim reads people and groups from another SCIM service (RFC 7644), so that one application can be kept in step with another.
//
//	c, err := client.New("https://hr.example/scim/v2", client.WithBearerToken(token))
//	source, err := scim.New(c, scim.Options{})
//
// An entry has the id that the service gave the resource, and its attributes under their SCIM names: a mapping reads userName,
// name.givenName or urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department. The members of a group are ids, as a job
// wants them. Left out are schemas and meta, and what [Type.Exclude] names. Whether somebody is enabled is in active: tell the job with
// Policy.Enabled.
//
// # What is refused
//
// Somebody left out of a list by mistake looks like somebody who left. Therefore a list counts only when it was read to its end:
//
//   - Any page that cannot be read, after what the client tries, fails the whole read.
//   - Pages by index overlap by one resource, so that a list which moves while it is read is noticed, and read on from where it moved to.
//   - At the end there must have been as many resources as the service said there are, at any time during the read. Fewer, and the
//     list is read again from its start, and after [Passes] times the error is [ErrIncomplete]. [Options.Tolerance] and
//     [Options.TotalsUnreliable] are for services where that cannot be asked.
//   - A group whose members may not have been shown in full: see [Members].
//
// A service that has cursors (RFC 9865) is read by cursor.
//
// # Changes
//
// SCIM has no feed of changes. Where the service can filter by meta.lastModified ([Options.Changes], or its profile says so), a job is
// given what was modified since the watermark, which reaches back by [Options.Overlap] for clocks that differ. Deletions do not show in such
// a list. They are noticed by the number of resources, which is a part of the watermark: when it is not what it should be after the
// creations seen, everything is read. As one deletion can hide behind one creation that was missed, everything is also read once in
// each [Options.FullEvery]. Where totals cannot be trusted, this is when deletions are found.
//
// Without such a filter everything is read in each cycle.
package scim
