// Package jsondoc decodes and encodes JSON documents of records, using tables of fields.
//
// A document is scanned as one string. Strings without escapes are substrings of the document and are not copied.
package jsondoc

// This file has the scanner: its errors, white space, brackets, and skipping over values.

import (
	"fmt"
	"strconv"
	"strings"
)

// maxNesting limits the depth of nested arrays and objects anywhere in a document.
const maxNesting = 10_000

// maxValueNesting limits the depth of a value that is decoded into maps and slices.
const maxValueNesting = 32

// SyntaxError reports that a document is not valid JSON. The document cannot be read after the offset.
type SyntaxError struct {
	Offset int
	Reason string
}

func (e *SyntaxError) Error() string {
	return "not valid JSON at byte " + strconv.Itoa(e.Offset) + ": " + e.Reason
}

// FieldError reports a valid JSON value that its field cannot hold. Only the record is rejected.
type FieldError struct {
	Path   string
	Reason string
}

func (e *FieldError) Error() string {
	if e.Path == "" {
		return e.Reason
	}
	return e.Path + ": " + e.Reason
}

// inField prepends the name of the enclosing field to the path of a [FieldError]. Other errors are returned unchanged.
func inField(err error, name string) error {
	inner, ok := err.(*FieldError) //nolint:errorlint // never wrapped: it is made and consumed in the decoder
	if !ok {
		return err
	}
	if inner.Path != "" && inner.Path[0] != '[' {
		name += "."
	}
	return &FieldError{Path: name + inner.Path, Reason: inner.Reason}
}

// Scanner reads JSON values from a document. Use [NewScanner] to create one.
type Scanner struct {
	doc string
	pos int
	// MaxContainers limits how many lists and objects Value creates. If it is 0, there is no limit.
	MaxContainers int
	// Arena is the memory for the lists of objects. It is set by the caller; see [Objects].
	Arena any

	containers int // lists and objects that Value has created
	texts      Arena[string]
}

// NewScanner returns a scanner at the beginning of the document.
func NewScanner(document string) Scanner { return Scanner{doc: document} }

// A Mark is a position of a scanner.
type Mark struct{ pos, containers int }

// Mark returns the current position.
func (s *Scanner) Mark() Mark { return Mark{s.pos, s.containers} }

// Reset returns the scanner to a position. The lists and objects created since then are no longer counted.
func (s *Scanner) Reset(m Mark) { s.pos, s.containers = m.pos, m.containers }

// Offset returns the number of bytes of the document that have been read.
func (s *Scanner) Offset() int { return s.pos }

// Since returns the text that has been read since the offset.
func (s *Scanner) Since(offset int) string { return s.doc[offset:s.pos] }

// End returns an error if the rest of the document is not white space.
func (s *Scanner) End(what string) error {
	if s.Next() != 0 || s.pos < len(s.doc) {
		return s.Syntax("unexpected data after the " + what)
	}
	return nil
}

// Syntax returns a [SyntaxError] at the current position.
func (s *Scanner) Syntax(reason string) error { return &SyntaxError{Offset: s.pos, Reason: reason} }

// Next skips white space and returns the byte that follows, or 0 at the end.
func (s *Scanner) Next() byte {
	if s.pos < len(s.doc) && s.doc[s.pos] > ' ' {
		return s.doc[s.pos]
	}
	return s.nextAfterSpace()
}

func (s *Scanner) nextAfterSpace() byte {
	for i := s.pos; i < len(s.doc); i++ {
		switch c := s.doc[i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			s.pos = i
			return c
		}
	}
	s.pos = len(s.doc)
	return 0
}

// expect consumes the byte c after white space.
func (s *Scanner) expect(c byte) error {
	if got := s.Next(); got != c {
		return s.unexpected("expected '" + string(rune(c)) + "'")
	}
	s.pos++
	return nil
}

func (s *Scanner) unexpected(want string) error {
	if s.pos >= len(s.doc) {
		return s.Syntax("the document ends early, " + want)
	}
	return s.Syntax(fmt.Sprintf("%s, got %q", want, s.doc[s.pos]))
}

// literal consumes word if the input continues with it.
func (s *Scanner) literal(word string) bool {
	if !strings.HasPrefix(s.doc[s.pos:], word) {
		return false
	}
	s.pos += len(word)
	return true
}

// Null consumes a null and reports whether there was one.
func (s *Scanner) Null() bool { return s.Next() == 'n' && s.literal("null") }

// Skip consumes a value of any type and returns its text. It returns an error if the value is not valid JSON.
func (s *Scanner) Skip() (string, error) {
	s.Next()
	start := s.pos
	var open []byte // the open brackets, innermost last
	for {
		c := s.Next()
		switch {
		case c == '"':
			if err := s.skipStr(); err != nil {
				return "", err
			}
		case c == '{' || c == '[':
			if len(open) == maxNesting {
				return "", s.Syntax("nested too deeply")
			}
			s.pos++
			if s.Next() != c+2 { // ']' is '[' + 2, '}' is '{' + 2
				open = append(open, c)
				if err := s.skipKey(c); err != nil {
					return "", err
				}
				continue
			}
			s.pos++
		case c == '-' || isDigit(c):
			if _, _, err := s.number(); err != nil {
				return "", err
			}
		case s.literal("true") || s.literal("false") || s.literal("null"):
		default:
			return "", s.unexpected("expected a value")
		}
		more, err := s.closeBrackets(&open)
		if err != nil {
			return "", err
		}
		if !more {
			return s.doc[start:s.pos], nil
		}
	}
}

// closeBrackets consumes the text after a value inside open brackets. It reports whether another value follows.
func (s *Scanner) closeBrackets(open *[]byte) (bool, error) {
	for len(*open) > 0 {
		inner := (*open)[len(*open)-1]
		switch s.Next() {
		case ',':
			s.pos++
			return true, s.skipKey(inner)
		case inner + 2:
			s.pos++
			*open = (*open)[:len(*open)-1]
		default:
			return false, s.unexpected("expected ',' or '" + string(rune(inner+2)) + "'")
		}
	}
	return false, nil
}

// skipKey consumes a key and its colon if the open bracket is that of an object.
func (s *Scanner) skipKey(open byte) error {
	if open != '{' {
		return nil
	}
	if s.Next() != '"' {
		return s.unexpected("expected a key")
	}
	if err := s.skipStr(); err != nil {
		return err
	}
	return s.expect(':')
}

// Fields calls each with the key of every field of the next object. each must consume the value.
func (s *Scanner) Fields(each func(key string) error) error {
	if s.Next() != '{' {
		return s.mismatch("an object")
	}
	s.pos++
	if s.Next() == '}' {
		s.pos++
		return nil
	}
	for {
		key, err := s.Str()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		if err := each(key); err != nil {
			return err
		}
		switch s.Next() {
		case ',':
			s.pos++
		case '}':
			s.pos++
			return nil
		default:
			return s.unexpected("expected ',' or '}'")
		}
	}
}

// emptyList consumes an empty list and reports whether there was one.
func (s *Scanner) emptyList() bool { return s.Next() == '[' && s.literal("[]") }

// Elements calls each for every element of the next array. each must consume the element.
func (s *Scanner) Elements(each func(i int) error) error {
	if s.Next() != '[' {
		return s.mismatch("a list")
	}
	s.pos++
	if s.Next() == ']' {
		s.pos++
		return nil
	}
	for i := 0; ; i++ {
		if err := each(i); err != nil {
			return err
		}
		switch s.Next() {
		case ',':
			s.pos++
		case ']':
			s.pos++
			return nil
		default:
			return s.unexpected("expected ',' or ']'")
		}
	}
}

// mismatch returns the error for a value whose JSON type does not match the field. If the value is not valid JSON, the
// error is a [SyntaxError].
func (s *Scanner) mismatch(want string) error {
	var kind string
	switch c := s.Next(); {
	case c == '"':
		kind = "a string"
	case c == '{':
		kind = "an object"
	case c == '[':
		kind = "a list"
	case c == '-' || isDigit(c):
		kind = "a number"
	case c == 't' || c == 'f':
		kind = "a boolean"
	case c == 'n':
		kind = "null"
	default:
		return s.unexpected("expected " + want)
	}
	return &FieldError{Reason: "must be " + want + ", got " + kind}
}
