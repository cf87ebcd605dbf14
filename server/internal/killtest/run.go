package killtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// writers is how many clients write at the same time.
const writers = 4

// Run kills servers of the store at dsn, which is empty, as many times as there are rounds.
func Run(t *testing.T, dsn string, rounds int) {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(rounds), 1))
	list := make([]*writer, writers)
	for i := range list {
		list[i] = &writer{t: t, name: fmt.Sprintf("w%d", i), random: rand.New(rand.NewPCG(uint64(i), 2)), members: map[string]bool{}, users: map[string]*user{}}
	}
	answered, cut := 0, 0
	for round := 0; round <= rounds && !t.Failed(); round++ {
		p := start(t, dsn)
		for _, w := range list {
			w.check(p, round == rounds)
		}
		if round == rounds || t.Failed() {
			checkTotals(t, p, list)
			p.kill()
			break
		}
		acks, pending := play(p, list, 5+random.IntN(40))
		answered, cut = answered+acks, cut+pending
	}
	t.Logf("%d servers killed: %d changes were answered, %d were not", rounds, answered, cut)
	if !t.Failed() && (cut == 0 || answered < rounds) {
		t.Errorf("the servers were killed when nothing was going on")
	}
}

// play lets all write until there were so many answers, and kills the server then.
func play(p *process, list []*writer, most int) (answered, cut int) {
	var acks, pending atomic.Int64
	var wg sync.WaitGroup
	killed := make(chan struct{})
	var once sync.Once
	for _, w := range list {
		wg.Go(func() {
			for !w.t.Failed() {
				err := w.write(p)
				if errors.Is(err, errCut) {
					pending.Add(1)
					break
				}
				if err != nil {
					w.t.Error(err)
					break
				}
				if acks.Add(1) == int64(most) {
					once.Do(func() { close(killed) })
				}
			}
			if w.t.Failed() {
				once.Do(func() { close(killed) })
			}
		})
	}
	<-killed
	p.kill()
	wg.Wait()
	return int(acks.Load()), int(pending.Load())
}

// writer is a client, with what the server must have of it.
type writer struct {
	t      *testing.T
	name   string
	random *rand.Rand
	n      int
	users  map[string]*user // by id
	// group is the id of the writer's group, members and value are what it has.
	group, value string
	members      map[string]bool
	// touched are the users changed since the last check. pending is the change that was not answered; nil when there is none.
	touched []string
	pending *change
}

type user struct {
	name, value string
	deleted     bool
}

// change is what a request does.
type change struct {
	kind        kind
	id          string // of the user, when there is one already
	name, value string
}

type kind int

const (
	createGroup kind = iota
	createUser
	changeUser
	joinGroup
	deleteUser
)

// write sends one change. It is pending until the answer is there.
func (w *writer) write(p *process) error {
	w.n++
	c := change{name: fmt.Sprintf("%s-%d", w.name, w.n), value: fmt.Sprintf("value %d", w.n)}
	var some string
	for id, u := range w.users { // any of them
		if !u.deleted {
			some = id
			break
		}
	}
	switch roll := w.random.IntN(10); {
	case w.group == "":
		c.kind = createGroup
	case some == "" || roll < 4:
		c.kind = createUser
	case roll < 6:
		c.kind, c.id = changeUser, some
	case roll < 9:
		c.kind, c.id = joinGroup, some
	default:
		c.kind, c.id = deleteUser, some
	}
	w.pending = &c
	id, err := w.request(p, c)
	if err != nil {
		return err
	}
	w.pending = nil
	w.note(c, id)
	return nil
}

// request sends a change, and returns the id of what it has made.
func (w *writer) request(p *process, c change) (id string, err error) {
	type object = map[string]any
	method, path, want := http.MethodPatch, "/Users/"+c.id, http.StatusOK
	var body any
	switch c.kind {
	case createGroup:
		method, path, want = http.MethodPost, "/Groups", http.StatusCreated
		body = object{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": c.value, "externalId": w.name}
	case createUser:
		method, path, want = http.MethodPost, "/Users", http.StatusCreated
		body = object{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": c.name, "displayName": c.value, "title": c.value,
			"emails": []object{{"value": c.name + "@example.com"}},
		}
	case changeUser:
		body = patch(object{"op": "replace", "value": object{"displayName": c.value, "title": c.value}})
	case joinGroup:
		path, want = "/Groups/"+w.group, http.StatusNoContent
		body = patch(object{"op": "replace", "path": "displayName", "value": c.value},
			object{"op": "add", "path": "members", "value": []object{{"value": c.id}}})
	case deleteUser:
		method, want = http.MethodDelete, http.StatusNoContent
	}
	status, answer, err := p.send(method, path, body)
	if err == nil && status != want {
		err = fmt.Errorf("%s %s: status %d, want %d: %v", method, path, status, want, answer)
	}
	id, _ = answer["id"].(string)
	return id, err
}

func patch(operations ...map[string]any) map[string]any {
	return map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": operations}
}

// note remembers that a change was made.
func (w *writer) note(c change, id string) {
	switch c.kind {
	case createGroup:
		w.group, w.value = id, c.value
	case createUser:
		w.users[id] = &user{name: c.name, value: c.value}
		w.touched = append(w.touched, id)
	case changeUser:
		w.users[c.id].value = c.value
		w.touched = append(w.touched, c.id)
	case joinGroup:
		w.value, w.members[c.id] = c.value, true
	case deleteUser:
		w.users[c.id].deleted = true
		delete(w.members, c.id)
		w.touched = append(w.touched, c.id)
	}
}

// get returns a resource, nil when there is none.
func (w *writer) get(p *process, path string) map[string]any {
	w.t.Helper()
	status, answer, err := p.send(http.MethodGet, path, nil)
	if err != nil || status != http.StatusOK && status != http.StatusNotFound {
		w.t.Fatalf("GET %s: status %d, %v: %v", path, status, err, answer)
	}
	if status == http.StatusNotFound {
		return nil
	}
	return answer
}

// find returns the resources with a value.
func (w *writer) find(p *process, path, attribute, value string) []any {
	w.t.Helper()
	answer := w.get(p, path+"?filter="+url.QueryEscape(fmt.Sprintf("%s eq %q", attribute, value)))
	list, _ := answer["Resources"].([]any)
	return list
}

// check finds out what has become of the change that was not answered, and holds what the server has against what it has answered: of
// all users, or of those that were changed since the last check.
func (w *writer) check(p *process, all bool) {
	w.t.Helper()
	if c := w.pending; c != nil {
		w.settle(p, *c)
	}
	if all {
		w.touched = nil
		for id := range w.users {
			w.touched = append(w.touched, id)
		}
	}
	for _, id := range w.touched {
		w.checkUser(p, id)
	}
	w.touched, w.pending = nil, nil
	if w.group != "" {
		w.checkGroup(p)
	}
}

// settle finds out whether a change has been made, and that it was not made by half.
func (w *writer) settle(p *process, c change) {
	w.t.Helper()
	switch c.kind {
	case createGroup:
		if found := w.find(p, "/Groups", "externalId", w.name); len(found) > 0 {
			w.note(c, found[0].(map[string]any)["id"].(string))
		}
	case createUser:
		found := w.find(p, "/Users", "userName", c.name)
		if mails := w.find(p, "/Users", "emails.value", c.name+"@example.com"); len(mails) != len(found) {
			w.t.Errorf("a user whose creation was cut off is found %d times by its name, %d times by its address", len(found), len(mails))
		}
		if len(found) == 1 {
			w.note(c, found[0].(map[string]any)["id"].(string))
			return
		}
		// Nothing of it may be left, such as the name that no other may have.
		id, err := w.request(p, c)
		if err != nil {
			w.t.Errorf("create a user again whose creation was cut off: %v", err)
			return
		}
		w.note(c, id)
	case changeUser:
		if r := w.get(p, "/Users/"+c.id); r != nil && r["title"] == c.value {
			w.note(c, "") // checkUser looks at the rest
		}
		w.touched = append(w.touched, c.id)
	case joinGroup:
		if r := w.get(p, "/Groups/"+w.group); r != nil && r["displayName"] == c.value {
			w.note(c, "")
		}
	case deleteUser:
		// It may have left its groups already. The request can be sent again.
		if _, err := w.request(p, c); err != nil && w.get(p, "/Users/"+c.id) != nil {
			w.t.Errorf("delete a user again whose deletion was cut off: %v", err)
		}
		w.note(c, "")
	}
}

func (w *writer) checkUser(p *process, id string) {
	w.t.Helper()
	want := w.users[id]
	got := w.get(p, "/Users/"+id)
	found := w.find(p, "/Users", "userName", want.name)
	switch {
	case want.deleted:
		if got != nil || len(found) > 0 {
			w.t.Errorf("a user whose deletion was answered is there: %v, %v", got, found)
		}
	case got == nil || len(found) != 1:
		w.t.Errorf("user %s, whose creation was answered, is not there: %v, %v", want.name, got, found)
	case got["displayName"] != want.value || got["title"] != want.value:
		w.t.Errorf("user %s has displayName %v and title %v, want %q", want.name, got["displayName"], got["title"], want.value)
	}
}

func (w *writer) checkGroup(p *process) {
	w.t.Helper()
	got := w.get(p, "/Groups/"+w.group)
	if got == nil || got["displayName"] != w.value {
		w.t.Errorf("group of %s has displayName %v, want %q", w.name, got["displayName"], w.value)
	}
	members := make(map[string]bool)
	list, _ := got["members"].([]any)
	for _, e := range list {
		id, _ := e.(map[string]any)["value"].(string)
		members[id] = true
		if !w.members[id] {
			w.t.Errorf("group of %s has the member %s, whose joining it did not ask for", w.name, id)
		}
	}
	for id := range w.members {
		if !members[id] {
			w.t.Errorf("group of %s lacks the member %s, whose joining was answered", w.name, id)
		}
	}
}

// checkTotals checks that there are as many resources as there should be.
func checkTotals(t *testing.T, p *process, list []*writer) {
	t.Helper()
	users := 0
	for _, w := range list {
		for _, u := range w.users {
			if !u.deleted {
				users++
			}
		}
	}
	status, answer, err := p.send(http.MethodGet, "/Users?count=0", nil)
	if total, _ := answer["totalResults"].(float64); err != nil || status != http.StatusOK || int(total) != users {
		t.Errorf("status %d, %v: totalResults is %v, want %d", status, err, answer["totalResults"], users)
	}
}
