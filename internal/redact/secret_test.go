package redact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestASecretIsHiddenInEveryForm(t *testing.T) {
	t.Parallel()
	for key, forms := range map[string][]string{
		"s3cr3t-key": {
			"s3cr3t-key", "S3CR3T-KEY", `\u00733cr3t-key`, `\\u00733cr3t\u002Dkey`, "%733cr3t%2dkey", "%25733cr3t-key", "s3cr3t&#45;key", "&#x73;3cr3t&#x2D;key",
			"s3cr3t&amp;#45;key", `\x733cr3t-key`,
		},
		`a"b\c/d`:    {`a"b\c/d`, `a\"b\\c\/d`, `a\\\"b\\\\c/d`, "a%22b%5Cc%2fd", "a&quot;b\\c/d", "a&#34;b&#92;c&#x2f;d", `a\u0022b\u005cc\u002fd`},
		"a&b<c>'d":   {"a&amp;b&lt;c&gt;&#39;d", "a&b&lt;c>'d", "a&ampb&ltc&gt'd", `a\u0026b\u003cc\u003e'd`, "a%26b%3Cc%3E%27d", "a&amp;amp;b&lt;c&gt;&apos;d"},
		"two words.": {"two words.", "two+words.", "two%20words.", "two%20words%2E"},
		"ключ-🗝":     {"ключ-🗝", url.QueryEscape("ключ-🗝"), `\u043a\u043b\u044e\u0447-\ud83d\udddd`, "&#1082;&#1083;&#1102;&#1095;-&#128477;", `ключ-\U0001f5dd`},
	} {
		secret := NewSecret(key)
		assert.Equal(t, key, secret.Reveal())
		for _, form := range forms {
			assert.Equal(t, "<… and …>", secret.Hide("<"+form+" and "+form+">"), "%s as %s", key, form)
		}
	}
	assert.Equal(t, "secret", NewSecret("").Hide("secret"))
	assert.Empty(t, NewSecret("").Reveal())
	assert.Equal(t, "s3cr3t", NewSecret("s.cr.t").Hide("s3cr3t"), "a key is no expression")
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", NewSecret("s3cr3t"), NewSecret("s3cr3t"), NewSecret("s3cr3t")), "s3cr3t")
}

func TestURLsInATextAreRedacted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`Get "https://u:p@h/a?key=s&x#f": EOF`:     `Get "https://h/a?key=…&x=…": EOF`,
		"see https://h/a?b=c, then <http://u@h/>.": "see https://h/a?b=…, then <http://h/>.",
		"https://h/ü and https://h/a%2Fb":          "https://h/ü and https://h/a%2Fb",
		"https://h:s3cr3t/x is wrong":              "https://… is wrong",
		"no URL: a://":                             "no URL: a://",
		"proxy (https://u:p@h/)":                   "proxy (https://h/)",
	} {
		got := URLs(text)
		assert.Equal(t, want, got)
		assert.Equal(t, got, URLs(got), "what is clean stays so")
	}
}

func TestTextHasNoPartOfTheURL(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"https://user:s3cr3t", "https://user:s3cr3t@bad host/", "https://h/%s3cr3t", "https://[s3cr3t", ":s3cr3t", "https://h/\x7fs3cr3t",
		`https://h:"s3cr3t": x`,
	} {
		_, err := url.Parse(bad)
		require.Error(t, err, bad)
		assert.NotContains(t, Text(err.Error()), "s3c", bad)
		assert.NotEmpty(t, Text(err.Error()))
	}
}

type stampedError struct{ where string }

func (e *stampedError) Error() string { return "at " + e.where }

func TestErrorsLoseTheirSecretsAndKeepTheirTypes(t *testing.T) {
	t.Parallel()
	secret := NewSecret("s3cr3t")
	refused := errors.New("refused for s3cr3t")
	inner := &stampedError{"here"}
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"one":             {refused, "refused for …"},
		"wrapped":         {fmt.Errorf("x: %w", refused), "x: refused for …"},
		"wrapped, hidden": {fmt.Errorf("x%.0w", refused), "x"},
		"joined":          {errors.Join(inner, refused), "at here\nrefused for …"},
		"url.Error":       {&url.Error{Op: "Get", URL: "https://u:p@h/s3cr3t?k=v", Err: refused}, `Get "https://h/…?k=…": refused for …`},
		"nested":          {&url.Error{Op: "Get", URL: "https://h/", Err: &url.Error{Op: "Get", URL: "https://h/?k=v", Err: io.EOF}}, `Get "https://h/": Get "https://h/?k=…": EOF`},
		"bad URL":         {&url.Error{Op: "parse", URL: "https://h:s3cr3t", Err: io.EOF}, `parse "the URL": EOF`},
	} {
		got := secret.Err(test.err)
		require.EqualError(t, got, test.want, name)
		if _, ok := test.err.(*url.Error); !ok { //nolint:errorlint // those at the top are replaced
			assert.ErrorIs(t, got, test.err, name)
		}
		assert.Equal(t, got, secret.Err(got), "%s: once is enough", name)
		for left := []error{got}; len(left) > 0; left = left[1:] {
			assert.NotContains(t, fmt.Sprintf("%v %+v %#v", left[0], left[0], left[0]), "s3cr3t", name)
			switch e := left[0].(type) { //nolint:errorlint // it goes through the tree itself
			case interface{ Unwrap() error }:
				left = append(left, e.Unwrap())
			case interface{ Unwrap() []error }:
				left = append(left, e.Unwrap()...)
			}
		}
	}
	var kept *stampedError
	require.ErrorAs(t, secret.Err(errors.Join(inner, refused)), &kept)
	assert.Same(t, inner, kept)
	clean := fmt.Errorf("x: %w", inner)
	assert.Same(t, clean, secret.Err(clean), "an error without secrets is not replaced")
	require.NoError(t, secret.Err(nil))
}

func TestTheErrorOfATimeout(t *testing.T) {
	t.Parallel()
	got := Err(&url.Error{Op: "Get", URL: "https://h/", Err: context.DeadlineExceeded})
	require.EqualError(t, got, `Get "https://h/": no response in time`)
	require.ErrorIs(t, got, context.DeadlineExceeded)
	var failed *url.Error
	require.ErrorAs(t, got, &failed)
	assert.True(t, failed.Timeout())
	assert.Equal(t, got, Err(got))
}

func FuzzHide(f *testing.F) {
	f.Add("s3cr3t", "s3cr3t")
	f.Add("a\"b&c", "x&quot;")
	f.Fuzz(func(t *testing.T, key, text string) {
		// A key is text of some length, and the Client limits it. Single bytes of a character can be put together again by what is
		// around them.
		if len(key) < 4 || len(key) > 1024 || !utf8.ValidString(key) || !utf8.ValidString(text) {
			return
		}
		require.NotContains(t, NewSecret(key).Hide(text+key+text), key)
	})
}
