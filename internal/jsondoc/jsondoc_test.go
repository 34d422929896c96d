package jsondoc

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestParseInteger(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "-5": -5, "+5": 5, "7e9": 7_000_000_000, "7E9": 7_000_000_000, "1_000": 1000, "1.5e3": 1500, "120e-1": 12,
		"9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64, "5.0": 5, "5.": 5,
		"9007199254740993e0": 9007199254740993, "0e5": 0, "-0e-1": 0, "-0e-2": 0, "0e99": 0, "0.00e1": 0, "1_0_0": 100,
		"-1.5E1": -15, "-10e-1": -1, "00012": 12,
	} {
		got, err := ParseInteger(text)
		assert.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", "e", "e5", "1e", "1.5", "12e-1", "5e-1", "-5e-3", "9223372036854775808", "1e19", "1e31", "0x10", "1 0", "NaN", "Inf",
		"1e9999999999999999999", ".", "-", "-e3", "+e3", "-.e3", ".5e1", "-.5e1", "_1", "1_", "1__0", "--1", "1.5_0e2", "1.2.3",
		"-9223372036854775809", "1e400", "١",
	} {
		got, err := ParseInteger(text)
		assert.Error(t, err, "%s is %d", text, got)
	}
}

func TestEncoderWritesAnyValue(t *testing.T) {
	t.Parallel()
	e := &encoder{}
	e.value([]any{1.0, 1e21, 3, []int32{4}, nil})
	assert.Equal(t, "[1.0,1e+21,3,[4],null]", string(e.buf))
}

func TestEqual(t *testing.T) {
	t.Parallel()
	for _, same := range [][2]string{
		{`1`, `1.0`}, {`1`, `1e0`}, {`100`, `1E+2`}, {`0.001`, `1e-3`}, {`-0`, `0.0`}, {`12.50`, `125e-1`}, {`"a"`, `"\u0061"`},
		{`[1, 2]`, `[1.0,2e0]`}, {`{"a":1,"b":[{}]}`, `{ "b" : [ { } ] , "a" : 1.0 }`}, {`{"a":1,"b":2,"c":3}`, `{"a":1,"c":3,"b":2}`},
		{`null`, ` null `}, {`true`, ` true`}, {`{}`, `{ }`}, {`[]`, `[ ]`}, {`1e99999999999`, `1e99999999999`},
	} {
		assert.True(t, Equal(same[0], same[1]), same)
		assert.True(t, Equal(same[1], same[0]), same)
	}
	for _, other := range [][2]string{
		{`9007199254740992`, `9007199254740993`}, {`0.1`, `0.10000000000000000001`}, {`1`, `10`}, {`1`, `-1`}, {`1`, `"1"`},
		{`"a"`, `"b"`}, {`[1,2]`, `[2,1]`}, {`[1]`, `[1,2]`}, {`[]`, `{}`}, {`null`, `false`}, {`true`, `false`}, {`1e400`, `1e401`},
		{`{"a":1}`, `{"a":2}`}, {`{"a":1}`, `{"b":1}`}, {`{"a":1}`, `{"a":1,"b":2}`}, {`{"a":1,"b":2}`, `{"b":2,"a":3}`},
		{`{"a":{"x":1,"y":2}}`, `{"a":{"y":2,"x":9007199254740993}}`},
	} {
		assert.False(t, Equal(other[0], other[1]), other)
		assert.False(t, Equal(other[1], other[0]), other)
	}
	assert.Equal(t, []string{"b", "c", "d"}, DifferingFields(`{"a":1,"b":1,"d":1}`, `{"b":2,"a":1.0,"c":0}`))
}

// Objects whose fields are in different orders must not need another pass for each level.
func TestEqualOfDeepObjectsEnds(t *testing.T) {
	t.Parallel()
	nested := func(first, second string) string {
		const depth = 5000
		return strings.Repeat(`{`+first+`:0,`+second+`:`, depth) + "0" + strings.Repeat("}", depth)
	}
	start := time.Now()
	assert.False(t, Equal(nested(`"a"`, `"b"`), nested(`"c"`, `"b"`)))
	a := strings.Repeat(`{"a":0,"b":1,"c":`, 5000) + "0" + strings.Repeat("}", 5000)
	b := strings.Repeat(`{"a":0,"c":`, 5000) + "0" + strings.Repeat(`,"b":1}`, 5000)
	assert.False(t, Equal(a, b), "too deep to compare in another order")
	assert.Less(t, time.Since(start), 10*time.Second)
}

func TestSkipMalformed(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		`NaN`, `-Infinity`, `{"a":NaN}`, `[1,,2]`, `{"a" 1 [}` + `]}`, `"\q"`, "\"\n\"", `{"a":"}"}`, `tru`, `01`, `{}`, `[[[]]]`,
	} {
		s := NewScanner(" " + value + ",x")
		err := s.SkipMalformed()
		if value == `{"a" 1 [}]}` {
			assert.Error(t, err)
			continue
		}
		assert.NoError(t, err, value)
		assert.Equal(t, byte(','), s.Next(), value)
	}
	for _, document := range []string{``, `"a`, `"a\"`, `{`, `[{]`, `,`, `}`, `:`, strings.Repeat("[", maxNesting+1)} {
		s := NewScanner(document)
		var syntax *SyntaxError
		assert.ErrorAs(t, s.SkipMalformed(), &syntax, "%.20s", document)
	}
}

func TestLenientValues(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		`5`: 5, `5.0`: 5, `"5"`: 5, `" 5 "`: 5, `"5.0"`: 5, `"-1_000"`: -1000, `true`: 1, `false`: 0, `"9223372036854775807"`: math.MaxInt64,
	} {
		s := NewScanner(text)
		got, err := s.LenientInteger()
		assert.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{`"5.5"`, `"5e3"`, `""`, `"x"`, `"0x1"`, `"1__0"`, `"9223372036854775808"`, `5.5`, `null`, `[]`, `{}`} {
		s := NewScanner(text)
		_, err := s.LenientInteger()
		assert.Error(t, err, text)
	}
	for text, want := range map[string]bool{
		`true`: true, `false`: false, `1`: true, `0`: false, `1.0`: true, `"true"`: true, `"False"`: false, `"1"`: true, `"yes"`: true, `"off"`: false,
	} {
		s := NewScanner(text)
		got, err := s.lenientBoolean()
		assert.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{`2`, `-1`, `0.5`, `""`, `"maybe"`, `" true"`, `null`, `[]`} {
		s := NewScanner(text)
		_, err := s.lenientBoolean()
		assert.Error(t, err, text)
	}
}
