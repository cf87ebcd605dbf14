package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/schema"
)

// Store keeps resources. Package memory is one, and package storetest is the suite that every store must pass.
//
// A store knows nothing of HTTP, PATCH, ETags or schemas: the [Server] builds these on the five methods. All methods may be
// called at the same time, and each takes effect as a whole or not at all. What one tenant has another does not see.
//
// Documents are shared: neither the store nor its caller changes one that it gave or was given, at any level. Who wants a
// change makes a copy.
//
// Methods return [ErrNotFound], [ErrVersion] and [*TakenError] as they say, as such or wrapped. A [*scim.Error] is shown to the
// client as it is, its RetryAfter as the header Retry-After; of any other error the client only learns that there was one. A store
// that cannot answer for now returns a *scim.Error with status 503, and with RetryAfter when it is not a second.
type Store interface {
	// Create adds a resource. It returns [ErrExists] when there is one with the key, and a [*TakenError] when another resource has
	// one of r.Unique.
	Create(ctx context.Context, r Resource) error
	// Get returns the resource, or ErrNotFound. Attributes in omit are not needed: the store may leave them out.
	Get(ctx context.Context, key Key, omit ...string) (Resource, error)
	// Query returns a page of the resources of one type.
	Query(ctx context.Context, q Query) (Page, error)
	// Update puts u.Resource in the place of the resource with its key. It returns ErrNotFound when there is none, ErrVersion when
	// u.IfVersion is not its version, and a *TakenError when another resource has one of the unique values.
	Update(ctx context.Context, u Update) error
	// Delete removes the resource. It returns ErrNotFound when there is none, and ErrVersion when ifVersion is neither
	// empty nor its version.
	Delete(ctx context.Context, key Key, ifVersion string) error
}

// Key names a resource among all that a store keeps.
type Key struct {
	// Tenant is [Identity.Tenant] of who asks; empty where there is only one.
	Tenant string
	// Type is the name of the resource type: User, Group.
	Type string
	ID   string
}

// Resource is a resource as a store keeps it.
type Resource struct {
	Key
	// Version changes with every change of the resource. It is given by the server and opaque to the store.
	Version string
	// Document is canonical (see package schema). It has id, schemas, and in meta resourceType, created and lastModified.
	Document scim.Document
	// Unique are the values that no other resource may have. They are there when the resource is written; a store need not return
	// them.
	Unique []Unique
	// Schema is that of the type. It is there when the resource is written, for stores which make indexes of its attributes; a store
	// need not return it.
	Schema *schema.Schema
	// Rendering comes with a Document that is written, for stores which keep documents in memory: they may return it with the
	// same document. It may always be nil.
	Rendering *Rendering
}

// Rendering is a place where the server keeps the JSON that it has made of a document, to save making it again.
type Rendering struct{ made atomic.Pointer[rendered] }

// Unique is a value that occurs at most once in a tenant.
type Unique struct {
	// Scope is the name of the resource type among whose resources the value occurs once; empty when it does among all.
	Scope string
	// Attribute is the path of the attribute.
	Attribute string
	// Value is the attribute's value, in one case when case does not count: values are equal when they are the same bytes.
	Value string
}

// Update is the new state of a resource.
type Update struct {
	Resource
	// IfVersion is the version that the new state was made from. It is never empty.
	IfVersion string
	// Keep are attributes that Document lacks because they were not loaded. Their values stay. Only attributes that the store left
	// out of what Get returned are in it.
	Keep []string
}

// Query asks for a page of the resources of one type.
type Query struct {
	Tenant, Type string
	// Schema is that of the type.
	Schema *schema.Schema
	// Filter is what the resources have to match. It has been checked against Schema, and may name attributes of extensions without
	// their URN: look them up with [schema.Schema.AttrLoose], or, when Strict is set, with [schema.Schema.Attr]. What is not found
	// there has no value.
	Filter filter.Filter
	// Strict says that a name without URN never is an extension's.
	Strict bool
	// Match is Filter compiled, for stores that evaluate it on documents; nil when there is no filter.
	Match *filter.Predicate
	// Order is how the resources are ordered. All orders are total: equal resources are in the order of their creation.
	Order Order
	// Offset is how many matching resources to pass over. It is 0 when After is set.
	Offset int
	// After is [Page.Next] of the page before, with an equal query; empty for the first page.
	After string
	// Limit is how many resources to return at most. It may be 0; [Page.Next] is not looked at then.
	Limit int
	// Total says that [Page.Total] is needed.
	Total bool
	// Omit are attributes that are not needed in the result: the store may leave them out.
	Omit []string
	// View, when it is not nil, returns a document as Filter and Order see it. It is there when they
	// look at attributes which the server adds to what is stored, such as the groups of a user; the store cannot translate the
	// query then. The resource given to it is complete. View may call the store, and must not be called while holding a lock.
	View func(ctx context.Context, r Resource) (scim.Document, error)
}

// Page is a part of the result of a [Query].
type Page struct {
	Resources []Resource
	// Total is how many resources match in all, when it was asked for.
	Total int
	// Next is where the next page begins, empty when there is none. Its content is the store's; clients can read it in cursors.
	// Whatever is created, changed or removed between two pages, resources that stay as they are occur exactly once in the pages.
	Next string
}

// MemberStore is a Store that keeps the members of groups apart from their documents, so that a group of any size is
// changed at the cost of the change. It is used when the store implements it.
//
// Members are the elements of the attribute [Members] that are objects with a string as their value, which a group has once: it
// cannot have both a user and a group with the same id. Create, Get, Query and Update treat
// the attribute like any other, except that Get and Query do leave it out when it is in omit.
type MemberStore interface {
	Store
	// UpdateMembers adds and removes members, and gives the resource the version and the time. When u.Document is not
	// nil it also takes the place of the document, members excepted, under the conditions of Update; else the document stays, and
	// u.IfVersion may be empty.
	//
	// Nothing is written, and the result has Changed false, when u.Document is nil and the members are as the change wants them already.
	UpdateMembers(ctx context.Context, u MemberUpdate) (MemberResult, error)
	// Memberships returns the groups that each of the ids is a member of, of all types. Ids without groups may be left out. The groups
	// of one id are in the order of their creation.
	Memberships(ctx context.Context, tenant string, ids []string) (map[string][]Membership, error)
}

// Members is the name of the attribute that a [MemberStore] keeps apart.
const Members = "members"

// MemberUpdate is a change of the members of a resource. Of Resource, Document and Unique may be missing, and Schema when
// the server does not know the type.
type MemberUpdate struct {
	Resource
	IfVersion string
	// Modified is the new meta.lastModified.
	Modified time.Time
	MemberChange
}

// MemberChange says how the members of a group change.
type MemberChange struct {
	// Reset removes all members that are not in Add.
	Reset bool
	// Add are the elements to add. One whose value is a member already changes nothing.
	Add []map[string]any
	// Remove are the values of the members to remove. Those that are none change nothing. No value is in Add and Remove.
	Remove []string
}

// IsZero reports whether c changes nothing.
func (c MemberChange) IsZero() bool { return !c.Reset && len(c.Add) == 0 && len(c.Remove) == 0 }

// MemberResult is what came of a [MemberUpdate].
type MemberResult struct {
	// Resource is the resource after the update, without members.
	Resource Resource
	Changed  bool
	// Added and Removed are the values of the members that were.
	Added, Removed []string
}

// Membership is a group that something is a member of.
type Membership struct {
	Key
	// Display is the group's displayName.
	Display string
	// MemberType is the type of the member, as the sub-attribute type of its element says it: User. Empty means that the element does not.
	// It keeps a user apart from a group with the same id, where a store has such.
	MemberType string

	indirect bool
}

// MemberCounter is a MemberStore that counts members without reading them. It is used when the store implements it.
type MemberCounter interface {
	MemberStore
	// CountMembers returns how many members a resource has, or most when it has more. It costs no more than counting to most. The error is
	// [ErrNotFound] when the resource does not exist.
	CountMembers(ctx context.Context, key Key, most int) (int, error)
}

// BatchStore is a Store that reads many resources at once. It is used when the store implements it.
type BatchStore interface {
	Store
	// GetMany returns those of the resources that exist, in any order. Attributes in omit are not needed.
	GetMany(ctx context.Context, keys []Key, omit ...string) ([]Resource, error)
}

// Errors of stores.
var (
	ErrNotFound = errors.New("resource does not exist")
	ErrExists   = errors.New("resource exists already")
	ErrVersion  = errors.New("resource was changed meanwhile")
)

// TakenError is returned by a store when a unique value is another resource's already.
type TakenError struct{ Unique Unique }

// Error names the attribute. The value is left out.
func (e *TakenError) Error() string {
	return fmt.Sprintf("%s is taken by another resource", e.Unique.Attribute)
}

// FormatTime returns a time as meta.created and meta.lastModified hold it: in UTC, to the millisecond.
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Modified returns the document with a new meta.lastModified. doc is not changed.
func Modified(doc scim.Document, t time.Time) scim.Document {
	doc = maps.Clone(doc)
	setModified(doc, t)
	return doc
}

// setModified is Modified for a document whose top level is the caller's own.
func setModified(doc scim.Document, t time.Time) {
	meta, _ := doc["meta"].(map[string]any)
	meta = maps.Clone(meta)
	if meta == nil {
		meta = make(map[string]any, 1)
	}
	meta["lastModified"] = FormatTime(t)
	doc["meta"] = meta
}

// MemberValue returns the value of an element of [Members], and whether a [MemberStore] keeps it apart.
func MemberValue(element any) (string, bool) {
	object, _ := element.(map[string]any)
	value, _ := object["value"].(string)
	return value, value != ""
}
