package legacy

// This file cuts a JSON object into its members without parsing them, so that an error inside one record does not
// affect other records. It follows only strings and brackets. The bytes of a member are checked when the record is
// read.

import (
	"errors"
	"fmt"
)

// errTooDeep is the error for a value that is nested deeper than maxDepth.
var errTooDeep = fmt.Errorf("value must not be nested deeper than %d levels", maxDepth)

// member is a raw name and value of an object. deep is true if the value is nested too deeply to be read.
type member struct {
	name, value []byte
	deep        bool
}

// scanner moves over JSON text.
type scanner struct {
	text  []byte
	at    int
	stack []byte // the expected closing brackets
}

// splitObject calls each for every member of the object in raw, in order. It returns the error of each. It also returns
// an error if raw is not an object, or if a string or bracket is not closed.
func splitObject(raw []byte, each func(member) error) error {
	s := &scanner{text: raw}
	if s.next() != '{' {
		return errors.New("must be a JSON object")
	}
	s.at++
	if s.next() == '}' {
		s.at++
		return s.end()
	}
	for {
		m, err := s.member()
		if err != nil {
			return err
		}
		if err := each(m); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.at++
		case '}':
			s.at++
			return s.end()
		default:
			return s.broken("a comma or the end of the object")
		}
	}
}

// member reads a name, a colon and a value.
func (s *scanner) member() (m member, err error) {
	if s.next() != '"' {
		return m, s.broken("a name")
	}
	start := s.at
	if err = s.str(); err != nil {
		return m, err
	}
	m.name = s.text[start:s.at]
	if s.next() != ':' {
		return m, s.broken("a colon")
	}
	s.at++
	s.next()
	start = s.at
	m.deep, err = s.value()
	m.value = s.text[start:s.at]
	return m, err
}

// value skips one value and reports whether it is nested deeper than maxDepth.
func (s *scanner) value() (deep bool, err error) {
	switch s.next() {
	case '"':
		return false, s.str()
	case '{', '[':
		return s.brackets()
	}
	start := s.at
	for s.at < len(s.text) && !endsLiteral(s.text[s.at]) {
		s.at++
	}
	if s.at == start {
		return false, s.broken("a value")
	}
	return false, nil
}

// brackets skips an object or array, including the closing bracket.
func (s *scanner) brackets() (deep bool, err error) {
	s.stack = s.stack[:0]
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case '"':
			if err := s.str(); err != nil {
				return deep, err
			}
			continue
		case '{', '[':
			s.stack = append(s.stack, c+2) // the codes of '}' and ']' are those of '{' and '[' plus 2
			deep = deep || len(s.stack) > maxDepth
		case '}', ']':
			last := len(s.stack) - 1
			if s.stack[last] != c {
				return deep, s.broken(fmt.Sprintf("%q", s.stack[last]))
			}
			s.stack = s.stack[:last]
			if last == 0 {
				s.at++
				return deep, nil
			}
		}
		s.at++
	}
	return deep, s.broken("a closing bracket")
}

// str skips a string. The scanner must be at the opening quote.
func (s *scanner) str() error {
	for i := s.at + 1; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '"':
			s.at = i + 1
			return nil
		}
	}
	s.at = len(s.text)
	return s.broken("a closing quote")
}

// next skips white space and returns the byte after it, or 0 at the end of the text.
func (s *scanner) next() byte {
	for ; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
		default:
			return s.text[s.at]
		}
	}
	return 0
}

// end returns an error if the rest of the text is not white space.
func (s *scanner) end() error {
	if s.next(); s.at < len(s.text) {
		return s.broken("the end of the file")
	}
	return nil
}

func (s *scanner) broken(want string) error {
	return fmt.Errorf("invalid JSON at byte %d: must have %s here", s.at, want)
}

func endsLiteral(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', ':', '"', '{', '}', '[', ']':
		return true
	}
	return false
}
