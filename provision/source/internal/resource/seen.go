package resource

import "crypto/sha256"

// Seen remembers ids in little memory, whatever their length, each with a small number.
type Seen struct{ marks map[[16]byte]uint8 }

// Mark gives an id a number and returns the one that it had, 0 when it is new.
func (s *Seen) Mark(id string, mark uint8) (before uint8) {
	sum := sha256.Sum256([]byte(id))
	key := [16]byte(sum[:])
	if s.marks == nil {
		s.marks = map[[16]byte]uint8{}
	}
	before = s.marks[key]
	s.marks[key] = mark
	return before
}
