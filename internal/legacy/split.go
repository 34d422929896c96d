package legacy

// This file cuts a JSON object into its members without reading them, so that what is wrong inside one record stays
// there. It follows strings and brackets only; what a member's bytes mean is checked when the record is read.

import (
	"errors"
	"fmt"
)

// errTooDeep says that a value nests deeper than maxDepth.
var errTooDeep = fmt.Errorf("nested deeper than %d levels", maxDepth)

// member is a name and a value of an object as they stand in the file. deep is true where the value nests too deeply
// to be read.
type member struct {
	name, value []byte
	deep        bool
}

// scanner walks over JSON text.
type scanner struct {
	text  []byte
	at    int
	stack []byte // closing brackets that are due
}

// splitObject calls each for every member of the object in raw, in order. It returns the error of each, or one of its
// own where raw is not an object whose strings and brackets close.
func splitObject(raw []byte, each func(member) error) error {
	s := &scanner{text: raw}
	if s.next() != '{' {
		return errors.New("not a JSON object")
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

// value passes over one value and tells whether it nests deeper than maxDepth.
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

// brackets passes over an object or array, up to the bracket that closes it.
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
			s.stack = append(s.stack, c+2) // '}' and ']' stand two after their opening brackets
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

// str passes over a string, the scanner being at its opening quote.
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

// next passes over white space and returns the byte after it, 0 at the end.
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

// end returns an error where anything but white space follows.
func (s *scanner) end() error {
	if s.next(); s.at < len(s.text) {
		return s.broken("the end of the file")
	}
	return nil
}

func (s *scanner) broken(want string) error {
	return fmt.Errorf("broken JSON at byte %d: want %s", s.at, want)
}

func endsLiteral(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', ':', '"', '{', '}', '[', ']':
		return true
	}
	return false
}
