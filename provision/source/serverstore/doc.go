// Package serverstore makes the resources of a SCIM service of ours a source, so that what an identity provider writes there is in
// another application seconds later.
//
//	feed := server.NewFeed(10_000, nil)
//	handler, err := server.New(store, server.Options{Authenticator: tokens, Hooks: server.Hooks{After: feed.Record}})
//
//	source, err := serverstore.New(store, serverstore.Options{Feed: feed})
//	job, err := provision.New(provision.Config{
//		Source: source, Trigger: source.Trigger(ctx, time.Second), Policy: serverstore.Policy(), …
//	})
//	err = job.Run(ctx)
//
// An entry has the id that the service gave the resource, and its attributes under their SCIM names, as a client sees them: what is
// never returned, such as the password, is not among them. The members of a group are ids, as a job wants them. Left out are schemas and
// meta, and the groups of users, which the groups have.
//
// # Nothing is lost
//
// The feed is memory, and only says where to look: what is sent on is read from the store. A watermark is good for the feed that it was
// taken from. After a restart, when the feed has forgotten what was not yet read, or once in each [Options.FullEvery], a job is told so, reads
// the whole store, and compares it with what it did before: what was accepted just before a crash is sent on by the first cycle after it,
// and what is as it was costs no request. Somebody deleted just before a crash is, in that cycle, somebody who is no longer there; give
// Policy.Vanished the value of Policy.Deleted to have both treated alike, as [Policy] does.
//
// Where several processes write to one store, each feed has the changes of its own process. Changes made by the others are found by
// reading everything: set FullEvery to the longest time that they may take.
package serverstore
