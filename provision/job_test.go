package provision_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/provision"
)

func TestPlanChangesNothingAndSaysEverything(t *testing.T) {
	w := newWorld(t)
	for i := range 20 {
		w.source.user(fmt.Sprint(100+i), fmt.Sprintf("u%d@example.com", i))
	}
	w.source.user("1", "ada@example.com")
	w.source.user("2", "ben@example.com")
	w.source.group("g1", "Staff", "1", "2")
	w.cycle()
	w.source.user("1", "ada@example.com", "accountEnabled", false)
	w.source.user("2", "ben@example.com", "surname", "Changed")
	w.source.user("3", "cal@example.com")
	w.source.user("4", "")
	w.source.group("g1", "Staff", "2", "3")
	before := w.app.picture()
	w.app.journal = nil
	plan, err := w.job().Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, w.app.picture()); diff != "" || len(w.app.writes()) != 0 {
		t.Errorf("the plan changed the target: %q\n%s", w.app.writes(), diff)
	}
	want := `update       Group g1 (Staff)
    members: 1 added, 1 removed
disable      User 1 (ada@example.com): disabled in the source
    active: true -> false
update       User 2 (ben@example.com)
    name.familyName: "Family2" -> "Changed"
create       User 3 (cal@example.com)
    active: (none) -> true
    name.familyName: (none) -> "Family3"
    name.givenName: (none) -> "Given3"
    userName: (none) -> "cal@example.com"
fail         User 4: ImportSkipped: the object has no value for a matching attribute
Group: 1 update
User: 1 create 1 disable 1 fail 1 update
20 in step; 4 writes and 1 reads, about 1s at the target's rate
`
	if diff := cmp.Diff(want, plan.String()); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	t.Run("it survives JSON", func(t *testing.T) {
		data, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		var read provision.Plan
		if err := json.Unmarshal(data, &read); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(plan, &read); diff != "" {
			t.Errorf("%s\n%s", diff, data)
		}
		if _, err := w.job().Apply(t.Context(), &read); err != nil {
			t.Errorf("apply what was read back: %v", err)
		}
		if got := len(w.app.writes()); got != 4 {
			t.Errorf("%d writes, the plan says 4: %q", got, w.app.writes())
		}
	})
	t.Run("it is not applied twice", func(t *testing.T) {
		w.app.journal = nil
		if _, err := w.job().Apply(t.Context(), plan); !errors.Is(err, provision.ErrPlanStale) || len(w.app.writes()) != 0 {
			t.Errorf("err = %v, writes %q", err, w.app.writes())
		}
	})
}

func TestPlanIsStaleWhenTheTargetHasChanged(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	plan, err := w.job().Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.app.put("User", scim.Document{"userName": "ada@example.com", "active": true, "name": map[string]any{"familyName": "Other"}})
	_, err = w.job().Apply(t.Context(), plan)
	if !errors.Is(err, provision.ErrPlanStale) || !strings.Contains(err.Error(), "create of User 1") || len(w.app.writes()) != 0 {
		t.Errorf("err = %v, writes %q", err, w.app.writes())
	}
}

func TestExplain(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	w.cycle()
	w.source.user("1", "ada@example.com", "surname", "Byron")
	w.source.user("2", "ben@example.com")
	w.app.journal = nil
	const origins = "    userName comes from userPrincipalName\n" +
		"    active comes from Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")\n" +
		"    name.givenName comes from givenName\n    name.familyName comes from surname\n    title comes from jobTitle\n"
	for id, want := range map[string]string{
		"1": "User 1: in scope\nlinked to u-1, which was created\n" + origins + "matched by userName = \"ada@example.com\"\n" +
			"    name.familyName: \"Family1\" -> \"Byron\"\nnext: update\n",
		"2": "User 2: in scope\n" + origins + "matched by userName = \"ben@example.com\"\n    active: (none) -> true\n    name.familyName: (none) -> \"Family2\"\n" +
			"    name.givenName: (none) -> \"Given2\"\n    userName: (none) -> \"ben@example.com\"\n" +
			"next: create: it is looked for in the target by its matching values, and created when it is not there; one that is there already is adopted\n",
	} {
		x, err := w.job().Explain(t.Context(), "User", id)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, x.String()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	if len(w.app.journal) != 0 {
		t.Errorf("Explain asked the target: %q", w.app.journal)
	}
	if _, err := w.job().Explain(t.Context(), "User", "nobody"); !errors.Is(err, provision.ErrNoSuchObject) {
		t.Errorf("err = %v", err)
	}
}

func TestProvisionOnDemand(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"1", "2", "3"} {
		w.source.user(id, "u"+id+"@example.com")
	}
	w.source.group("g1", "Staff", "1", "2", "3")
	got, err := w.job().ProvisionOnDemand(t.Context(), "Group", "g1", "1", "2")
	if err != nil {
		t.Fatal(err)
	}
	wantPicture(t, w, "group Staff [u1@example.com u2@example.com]",
		"user u1@example.com Given1 Family1 active=true", "user u2@example.com Given2 Family2 active=true")
	if !got.Explanation.InScope || len(got.Log) == 0 {
		t.Errorf("got %+v", got)
	}
	s, _ := w.cycle()
	if s.Kind != provision.Initial || len(w.app.objects["User"]) != 3 || !s.InStep() {
		t.Errorf("the cycle after it: %+v", s)
	}
}

func TestRunKeepsItsSchedule(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	ctx, cancel := context.WithCancel(t.Context())
	var at []time.Time
	w.config.Source = &tickSource{directory: w.source, tick: func() {
		at = append(at, w.clock.Now())
		if len(at) == 4 {
			cancel()
		}
	}}
	start := w.clock.Now()
	if err := w.job().Run(ctx); err != nil {
		t.Fatal(err)
	}
	for i, when := range at {
		if want := start.Add(time.Duration(i) * 40 * time.Minute); !when.Equal(want) {
			t.Errorf("cycle %d at %v, want %v", i, when, want)
		}
	}
}

var _ provision.ChangeSource = (*tickSource)(nil)

// tickSource tells when it is read.
type tickSource struct {
	*directory
	tick func()
}

func (s *tickSource) Lookup(ctx context.Context, typ string, ids []string) ([]provision.Entry, error) {
	return s.directory.Lookup(ctx, typ, ids)
}

func (s *tickSource) Watermark(context.Context) (string, error) {
	s.tick()
	return "mark", nil
}

func (s *tickSource) Changes(context.Context, string, string) iter.Seq2[provision.Entry, error] {
	return func(yield func(provision.Entry, error) bool) { yield(provision.Entry{}, provision.ErrWatermarkExpired) }
}

func TestQuarantineMakesCyclesRarerAndDisablesTheJob(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	w.app.fault = func(string) (error, bool) { return scim.NewError(401, "", "no"), false }
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	start := w.clock.Now()
	var gaps []time.Duration
	last := start
	w.config.Source = &tickSource{directory: w.source, tick: func() {
		if now := w.clock.Now(); now.After(last) {
			gaps = append(gaps, now.Sub(last))
			last = now
		}
	}}
	job := w.job()
	done := make(chan error, 1)
	runCtx, end := context.WithCancel(ctx)
	defer end()
	go func() { done <- job.Run(runCtx) }()
	for {
		st, err := job.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if st.Code == provision.StatusDisabled {
			end()
			break
		}
		if ctx.Err() != nil {
			t.Fatal("the job is not disabled")
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	want := []time.Duration{80 * time.Minute, 160 * time.Minute, 320 * time.Minute, 640 * time.Minute, 1280 * time.Minute, 24 * time.Hour, 24 * time.Hour}
	if diff := cmp.Diff(want, gaps[:min(len(gaps), len(want))]); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	if days := last.Sub(start).Hours() / 24; days < 28 || days > 31 {
		t.Errorf("the last attempt came after %.1f days", days)
	}
}

// TestThresholds has the rows of Microsoft's table.
func TestThresholds(t *testing.T) {
	for name, test := range map[string]struct {
		failed, references, succeeded int
		want                          provision.QuarantineReason
	}{
		"4,000 failures are too few to judge":       {4_000, 0, 0, ""},
		"45,000 failures":                           {45_000, 0, 1_000_000, provision.EncounteredBaseEscrowThreshold},
		"30,000 failed, 5,000 succeeded":            {30_000, 0, 5_000, provision.EncounteredEscrowProportionThreshold},
		"20,000 failed, 100,000 succeeded":          {20_000, 0, 100_000, ""},
		"40,000 failed, and 21,000 references":      {40_000, 21_000, 1_000_000, provision.EncounteredTotalEscrowThreshold},
		"references alone count for the total only": {4_999, 50_000, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (provision.Thresholds{}).Judge(test.failed, test.references, test.succeeded); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestManyFailuresPutTheJobIntoQuarantine(t *testing.T) {
	w := newWorld(t)
	w.config.Policy.Quarantine = provision.Thresholds{Minimum: 3}
	for i := range 6 {
		w.source.user(fmt.Sprint(i), fmt.Sprintf("u%d@example.com", i))
		w.app.reserved[fmt.Sprintf("u%d@example.com", i)] = i < 4
	}
	w.cycle()
	st, err := w.job().Status(t.Context())
	if err != nil || st.Quarantine == nil || st.Quarantine.Reason != provision.EncounteredEscrowProportionThreshold || st.Failed["User"] != 4 {
		t.Errorf("status = %+v, %v", st, err)
	}
}

func TestDeletionLimit(t *testing.T) {
	for name, test := range map[string]struct {
		limit             provision.DeletionLimit
		deletions, linked int
		want              bool
	}{
		"500 are allowed":                   {provision.DeletionLimit{}, 500, 100_000, false},
		"501 are not":                       {provision.DeletionLimit{}, 501, 100_000, true},
		"a fifth is allowed":                {provision.DeletionLimit{}, 20, 100, false},
		"more is not":                       {provision.DeletionLimit{}, 21, 100, true},
		"a small team can lose members":     {provision.DeletionLimit{}, 9, 9, false},
		"the count can be switched off":     {provision.DeletionLimit{Count: -1}, 10_000, 100_000, false},
		"the percent can be switched off":   {provision.DeletionLimit{Percent: -1}, 500, 500, false},
		"a count of ones own":               {provision.DeletionLimit{Count: 1}, 2, 1000, true},
		"nothing to delete exceeds nothing": {provision.DeletionLimit{Count: 1}, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			if why, got := test.limit.Exceeded(test.deletions, test.linked); got != test.want || got && why == "" {
				t.Errorf("Exceeded = %q, %v, want %v", why, got, test.want)
			}
		})
	}
}

func TestEscrowNext(t *testing.T) {
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	hours := func(n float64) time.Duration { return time.Duration(n * float64(time.Hour)) }
	for name, test := range map[string]struct {
		escrow    provision.Escrow
		after     time.Duration
		n         int
		transient bool
		want      time.Duration
		again     bool
	}{
		"first":                    {provision.Escrow{}, 0, 1, false, hours(6), true},
		"at six hours":             {provision.Escrow{}, hours(6), 2, false, hours(12), true},
		"late":                     {provision.Escrow{}, hours(13), 3, false, hours(24), true},
		"then daily":               {provision.Escrow{}, hours(24), 4, false, hours(48), true},
		"the last day":             {provision.Escrow{}, hours(27 * 24), 30, false, hours(28 * 24), true},
		"after 28 days":            {provision.Escrow{}, hours(28 * 24), 31, false, hours(29 * 24), false},
		"transient":                {provision.Escrow{}, 0, 1, true, 0, true},
		"transient for the third":  {provision.Escrow{}, hours(2), 3, true, hours(6), true},
		"a schedule of ones own":   {provision.Escrow{After: []time.Duration{hours(1)}, Every: hours(2)}, hours(1), 2, false, hours(3), true},
		"every two hours, no more": {provision.Escrow{Every: hours(2), For: hours(3)}, hours(2), 2, false, hours(4), false},
	} {
		t.Run(name, func(t *testing.T) {
			at, again := test.escrow.Next(first, first.Add(test.after), test.n, test.transient)
			if !at.Equal(first.Add(test.want)) || again != test.again {
				t.Errorf("Next = %v, %v, want %v, %v", at.Sub(first), again, test.want, test.again)
			}
		})
	}
}

func TestGivenUpAfterFourWeeks(t *testing.T) {
	w := newWorld(t)
	w.app.reserved["ada@example.com"] = true
	w.source.user("1", "ada@example.com")
	w.cycle()
	w.clock.advance(29 * 24 * time.Hour)
	w.cycle()
	w.clock.advance(29 * 24 * time.Hour)
	w.app.reserved = map[string]bool{}
	s, writes := w.cycle()
	if len(writes) != 0 || s.InStep() || !s.Failures[0].Due.IsZero() {
		t.Errorf("writes %q, failures %+v", writes, s.Failures)
	}
	if err := w.job().Restart(t.Context(), provision.ResetEscrows); err != nil {
		t.Fatal(err)
	}
	if s, _ := w.cycle(); !s.InStep() {
		t.Errorf("after forgetting escrows: %v", codes(s))
	}
}

func TestRestartFullMatchesEverythingAnew(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	w.source.user("2", "ben@example.com")
	w.source.user("3", "cal@example.com")
	w.source.group("g1", "Staff", "1", "2")
	w.cycle()
	before := w.app.picture()
	if err := w.job().Restart(t.Context(), provision.ResetFull); err != nil {
		t.Fatal(err)
	}
	s, writes := w.cycle()
	if diff := cmp.Diff(before, w.app.picture()); diff != "" || len(writes) != 0 || s.Kind != provision.Initial {
		t.Errorf("writes %q\n%s", writes, diff)
	}
}

func TestPauseAndStart(t *testing.T) {
	w := newWorld(t)
	w.source.user("1", "ada@example.com")
	job := w.job()
	if err := job.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st, _ := job.Status(t.Context()); st.Code != provision.StatusPaused {
		t.Errorf("status = %v", st.Code)
	}
	if err := job.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st, _ := job.Status(t.Context()); st.Code != provision.StatusNotRun {
		t.Errorf("status = %v", st.Code)
	}
}

func TestOneProcessAtATime(t *testing.T) {
	w := newWorld(t)
	release, err := w.state.Acquire(t.Context(), "job")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.job().RunCycle(t.Context()); !errors.Is(err, provision.ErrBusy) {
		t.Errorf("err = %v", err)
	}
	_ = release()
	w.cycle()
}

func TestDriftIsRepaired(t *testing.T) {
	w := newWorld(t)
	w.config.Policy.Drift = 24 * time.Hour
	w.source.user("1", "ada@example.com")
	w.source.user("2", "ben@example.com")
	w.source.user("3", "cal@example.com")
	w.source.user("4", "dee@example.com")
	w.source.group("g1", "Staff", "1", "2", "3")
	w.cycle()
	w.source.user("4", "dee@example.com", "accountEnabled", false)
	w.cycle()
	want := w.app.picture()
	w.app.objects["User"][idOf(w, "ada@example.com")]["name"] = map[string]any{"givenName": "X", "familyName": "Y"}
	w.app.objects["User"][idOf(w, "dee@example.com")]["active"] = true
	delete(w.app.objects["User"], idOf(w, "cal@example.com"))
	for _, g := range w.app.objects["Group"] {
		g["members"] = []any{map[string]any{"value": idOf(w, "ada@example.com")}, map[string]any{"value": idOf(w, "dee@example.com")}}
	}
	if _, writes := w.cycle(); len(writes) != 0 {
		t.Errorf("too early: %q", writes)
	}
	w.clock.advance(24 * time.Hour)
	w.cycle()
	if diff := cmp.Diff(want, w.app.picture()); diff != "" {
		t.Errorf("target (-want +got):\n%s", diff)
	}
	w.clock.advance(24 * time.Hour)
	if _, writes := w.cycle(); len(writes) != 0 {
		t.Errorf("nothing drifted, but %q", writes)
	}
}

func TestLogHasWhatGraphHas(t *testing.T) {
	w := newWorld(t)
	w.mappings[0].Attributes[3] = mapping.AttributeMapping{Target: "name.familyName", Expression: "Redact([surname])"}
	w.source.user("1", "ada@example.com", "surname", "Secret")
	var lines, logged bytes.Buffer
	w.config.Sinks = []provision.LogSink{provision.JSONLines(&lines), provision.SlogSink(slog.New(slog.NewTextHandler(&logged, nil)))}
	w.cycle()
	var e map[string]any
	if err := json.Unmarshal(bytes.TrimSpace(lines.Bytes()), &e); err != nil {
		t.Fatalf("%v in %s", err, lines.String())
	}
	for _, field := range []string{
		"id", "activityDateTime", "jobId", "cycleId", "changeId", "provisioningAction", "durationInMilliseconds", "initiatedBy",
		"sourceSystem", "targetSystem", "sourceIdentity", "targetIdentity", "provisioningStatusInfo", "provisioningSteps", "modifiedProperties",
	} {
		if _, ok := e[field]; !ok {
			t.Errorf("%s is missing", field)
		}
	}
	if e["provisioningAction"] != "create" || strings.Contains(lines.String()+logged.String(), "Secret") || !strings.Contains(lines.String(), "[Redact]") {
		t.Errorf("log: %s", lines.String())
	}
	if !strings.Contains(logged.String(), "msg=create") || strings.Contains(logged.String(), "Family") {
		t.Errorf("slog: %s", logged.String())
	}
}

func TestNewRefuses(t *testing.T) {
	w := newWorld(t)
	user, err := mapping.Compile(userMapping())
	if err != nil {
		t.Fatal(err)
	}
	noMatch := userMapping()
	noMatch.Attributes[0].Matching = 0
	unmatched, err := mapping.Compile(noMatch)
	if err != nil {
		t.Fatal(err)
	}
	good := provision.Config{Name: "n", Source: w.source, Target: w.app, State: w.state, Mappings: []*mapping.Mapping{user}}
	for name, spoil := range map[string]func(*provision.Config){
		"no name":                   func(c *provision.Config) { c.Name = "" },
		"no source":                 func(c *provision.Config) { c.Source = nil },
		"no mappings":               func(c *provision.Config) { c.Mappings = nil },
		"two mappings for one type": func(c *provision.Config) { c.Mappings = append(c.Mappings, user) },
		"nothing to match by":       func(c *provision.Config) { c.Mappings = []*mapping.Mapping{unmatched} },
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			spoil(&c)
			if _, err := provision.New(c); err == nil {
				t.Error("accepted")
			}
		})
	}
}
