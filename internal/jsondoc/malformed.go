package jsondoc

// This file skips values that are not valid JSON, so that a malformed record does not affect the other records.

import "strings"

// SkipBOM consumes a byte order mark at the start of the document.
func (s *Scanner) SkipBOM() {
	if s.pos == 0 && strings.HasPrefix(s.doc, "\ufeff") {
		s.pos = len("\ufeff")
	}
}

// SkipMalformed consumes a value that need not be valid JSON, such as a value with NaN. It follows only strings and
// brackets. It returns a [SyntaxError] if a string or a bracket is not closed, or if a closing bracket does not match.
func (s *Scanner) SkipMalformed() error {
	switch s.Next() {
	case '"':
		return s.skipMalformedStr()
	case '{', '[':
		return s.skipMalformedBrackets()
	}
	start := s.pos
	for s.pos < len(s.doc) && !endsLiteral(s.doc[s.pos]) {
		s.pos++
	}
	if s.pos == start {
		return s.unexpected("expected a value")
	}
	return nil
}

func (s *Scanner) skipMalformedBrackets() error {
	var buffer [64]byte // large enough for nearly all values
	open := buffer[:0]
	for s.pos < len(s.doc) {
		switch c := s.doc[s.pos]; c {
		case '"':
			if err := s.skipMalformedStr(); err != nil {
				return err
			}
			continue
		case '{', '[':
			if len(open) == maxNesting {
				return s.Syntax("nested too deeply")
			}
			open = append(open, c)
		case '}', ']':
			last := len(open) - 1
			if open[last]+2 != c { // ']' is '[' + 2, '}' is '{' + 2
				return s.unexpected("expected '" + string(rune(open[last]+2)) + "'")
			}
			open = open[:last]
			if last == 0 {
				s.pos++
				return nil
			}
		}
		s.pos++
	}
	return s.unexpected("expected a closing bracket")
}

// skipMalformedStr consumes a string with any content, up to a quote that is not escaped.
func (s *Scanner) skipMalformedStr() error {
	for i := s.pos + 1; i < len(s.doc); i++ {
		switch s.doc[i] {
		case '\\':
			i++
		case '"':
			s.pos = i + 1
			return nil
		}
	}
	s.pos = len(s.doc)
	return s.Syntax("string is not closed")
}

func endsLiteral(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', ':', '"', '{', '}', '[', ']':
		return true
	}
	return false
}
