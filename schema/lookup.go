package schema

// Lookup returns the attribute with a name, in any case: userName, name.familyName, either of them after
// the URN of the core schema and a colon, an attribute of an extension after the extension's URN, or the URN of an
// extension itself ([Attribute.IsExtension]). It takes constant time and does not allocate.
//
// The name is that of an attribute only: a path with a value filter is for package filter to parse.
func (s *Schema) Lookup(path string) (*Attribute, bool) { return s.paths.find(path) }

// LookupLoose is Lookup for names as clients in the wild send them: it also finds attributes of an extension without its
// URN, such as manager and manager.value, when no other attribute has the name.
func (s *Schema) LookupLoose(path string) (*Attribute, bool) {
	if a, ok := s.paths.find(path); ok {
		return a, true
	}
	return s.loose.find(path)
}
