package idptest

import "context"

// Failures plays everything and returns, for each sequence that has failed or was skipped, what there is to say about it.
func Failures(ctx context.Context, target Target) (failed map[string][]string, skipped map[string]string, err error) {
	if target, err = target.withDefaults(); err != nil {
		return nil, nil, err
	}
	failed, skipped = make(map[string][]string), make(map[string]string)
	for _, s := range suites() {
		for _, c := range s.checks {
			o := s.play(ctx, target, c)
			name := s.name + "/" + c.name
			if o.failures != nil {
				failed[name] = o.failures
			}
			if o.skipped != "" {
				skipped[name] = o.skipped
			}
		}
	}
	return failed, skipped, nil
}

// Checks returns how many sequences a suite has.
func Checks(name string) int {
	for _, s := range suites() {
		if s.name == name {
			return len(s.checks)
		}
	}
	return 0
}
