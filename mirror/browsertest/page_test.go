package browsertest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// manyModels is the number of text models: more than a page of the table has.
const manyModels = 1500

// textModels returns a document with many text models.
func textModels() string {
	var out strings.Builder
	sizes := []int{3, 7, 8, 12, 24, 70}
	out.WriteByte('{')
	for i := range manyModels {
		organization := []string{"riverlabs/River", "stonelabs/Stone", "cloudlabs/Cloud", "maplelabs/Maple"}[i%4]
		name := fmt.Sprintf("%s-%04d-%dB", organization, i, sizes[i%len(sizes)])
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, `%q:{"name":%q,"parameters":%d,"nsfw":%t,"style":%q,"tags":[]}`, name, name,
			int64(sizes[i%len(sizes)])*1_000_000_000, i%50 == 0, []string{"chat", "coder", "roleplay"}[i%3])
	}
	out.WriteByte('}')
	return out.String()
}

// rows returns the names of the models that the table shows.
func (b *tab) rows() []string {
	b.t.Helper()
	return eval[[]string](b, `[...document.querySelectorAll('tbody a.model')].map((a) => a.textContent)`)
}

// click clicks the element that a selector finds first.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.run(chromedp.WaitReady(selector))
	eval[bool](b, fmt.Sprintf(`(document.querySelector(%q).click(), true)`, selector))
}

// typeQuery types a search in place of the one that is there.
func (b *tab) typeQuery(text string) {
	b.t.Helper()
	eval[bool](b, `(document.querySelector('#q').select(), true)`)
	b.run(chromedp.SendKeys("#q", text))
}

func TestSearchFindsSloppyNames(t *testing.T) {
	s := newSite(t)
	b := open(t, s.url, "/?nsfw=1", desktop, false)
	for typed, want := range map[string]string{
		"juniperxl": "Juniper XL", "JUNIPER-xl": "Juniper XL", "xl junip": "Juniper XL", "glaceir": "Glacier", "praiirie": "Prairie XL", "tundar": "Tundra XL",
	} {
		b.typeQuery(typed)
		b.until(fmt.Sprintf(`new URLSearchParams(location.search).get('q') === %q`, typed))
		rows := b.rows()
		require.NotEmpty(t, rows, typed)
		assert.Equal(t, want, rows[0], typed)
	}
	b.typeQuery("zzzzqq")
	b.until(`document.querySelector('#empty').checkVisibility()`)
	b.clean()
}

func TestFiltersAreInTheURL(t *testing.T) {
	s := newSite(t)
	b := open(t, s.url, "/", desktop, false)
	all := len(b.rows())
	b.click(`#f-baseline-flux_1`)
	b.until(`location.search.includes('baseline=flux_1')`)
	flux := b.rows()
	assert.Less(t, len(flux), all)
	b.click(`#f-licence-NOASSERTION`)
	b.until(`location.search.includes('licence=NOASSERTION')`)
	both := b.rows()
	assert.Less(t, len(both), len(flux))
	address := eval[string](b, `location.pathname + location.search`)

	again := open(t, s.url, address, desktop, false)
	assert.Equal(t, both, again.rows(), "the link does not show the same models")
	assert.Contains(t, eval[string](again, `document.querySelector('#chips').textContent`), "Flux.1")

	b.run(chromedp.NavigateBack())
	b.until(`!location.search.includes('licence')`)
	b.until(fmt.Sprintf(`document.querySelectorAll('tbody a.model').length === %d`, len(flux)))
	count := eval[string](b, `document.querySelector('#f-baseline-stable_diffusion_xl').closest('label').querySelector('.count').textContent`)
	assert.NotEqual(t, "0", count, "the other values of a filtered facet have no counts")
	b.clean()
	again.clean()
}

func TestNSFWIsHiddenUntilAskedFor(t *testing.T) {
	s := newSite(t)
	b := open(t, s.url, "/", desktop, false)
	assert.NotContains(t, b.rows(), "Ember")
	assert.Contains(t, eval[string](b, `document.querySelector('#summary').textContent`), "4 NSFW hidden")
	b.click("#nsfw")
	b.until(`location.search.includes('nsfw=1')`)
	assert.Contains(t, b.rows(), "Ember")
	b.clean()
}

func TestSort(t *testing.T) {
	s := newSite(t)
	b := open(t, s.url, "/", desktop, false)
	sizes := `[...document.querySelectorAll('tbody td[data-title="Size"]')].map((c) => c.textContent).filter((t) => t)`
	b.click("#sort-size")
	b.until(`document.querySelector('th[aria-sort="descending"]')`)
	down := eval[[]string](b, sizes)
	b.click("#sort-size")
	b.until(`document.querySelector('th[aria-sort="ascending"]')`)
	up := eval[[]string](b, sizes)
	require.NotEmpty(t, down)
	assert.Equal(t, "17 GB", down[0])
	assert.Equal(t, "2.1 GB", up[0])
	assert.Equal(t, "sort-size", eval[string](b, `document.activeElement.id`), "the focus was lost")
	b.click("#sort-size")
	b.until(`!document.querySelector('th[aria-sort]')`)
	b.clean()
}

func TestManyRows(t *testing.T) {
	s := newSite(t)
	s.service.SetDocument(modelref.CategoryTextGeneration, textModels())
	b := open(t, s.url, "/?category=text_generation&nsfw=1", desktop, false)
	assert.Contains(t, eval[string](b, `document.querySelector('#summary').textContent`), "1,500 models")
	assert.LessOrEqual(t, len(b.rows()), 300, "all rows are in the table at once")
	took := eval[float64](b, `(() => { const from = performance.now(); document.querySelector('#sort-params').click();
		document.querySelector('table').offsetHeight; return performance.now() - from; })()`)
	assert.Less(t, took, 500.0, "sorting takes too long, in ms")
	t.Logf("sorting %d rows took %.1f ms", manyModels, took)
	before := len(b.rows())
	eval[bool](b, `(scrollTo(0, document.documentElement.scrollHeight), true)`)
	b.until(fmt.Sprintf(`document.querySelectorAll('tbody tr').length > %d`, before))
	b.clean()
}

func TestDetails(t *testing.T) {
	s := newSite(t)
	b := open(t, s.url, "/", desktop, false)
	b.run(chromedp.Click(`tbody a.model`), chromedp.WaitVisible("dialog[open]"))
	content := eval[string](b, `document.querySelector('dialog').textContent`)
	for _, want := range []string{"Aurora", "aurora.safetensors", "https://models.example.org/aurora.safetensors", strings.Repeat("10", 32),
		"Apache-2.0", "The authors of Aurora", "modelref get image_generation Aurora", `client.ImageGeneration.Get(ctx, "Aurora")`,
		"2.1 GB", "pictures.example.org"} {
		assert.Contains(t, content, want)
	}
	assert.Contains(t, eval[string](b, `location.search`), "model=Aurora")
	assert.Zero(t, eval[int](b, `document.querySelectorAll('dialog img').length`), "pictures are loaded before they are asked for")
	b.run(chromedp.KeyEvent(kb.Escape))
	b.until(`!document.querySelector('dialog').open`)
	require.Equal(t, "A", eval[string](b, `document.activeElement.tagName`), "the focus does not return")
	assert.Equal(t, "Aurora", eval[string](b, `document.activeElement.textContent`), "the focus does not return")
	b.clean()
}

func TestPicturesLoadOnAClick(t *testing.T) {
	s := newSite(t)
	b := open(t, s.url, "/?model=Aurora", desktop, false)
	b.run(chromedp.WaitVisible("dialog[open]"))
	b.clean()
	eval[bool](b, `([...document.querySelectorAll('dialog button')].find((b) => b.textContent.includes('Load 2 pictures')).click(), true)`)
	b.until(`document.querySelector('.gallery').children.length === 2`)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, address := range b.foreign {
		assert.True(t, strings.HasPrefix(address, "https://pictures.example.org/aurora/"), address)
	}
}

func TestCopy(t *testing.T) {
	s := newSite(t)
	b := open(t, s.url, "/?model=Aurora", desktop, false)
	b.run(chromedp.WaitVisible("dialog[open]"))
	eval[bool](b, `(window.copied = [], navigator.clipboard.writeText = async (text) => { window.copied.push(text); }, true)`)
	want := []string{
		"Aurora", "https://models.example.org/aurora.safetensors", strings.Repeat("10", 32), "The authors of Aurora",
		"modelref get image_generation Aurora", `record, err := client.ImageGeneration.Get(ctx, "Aurora")`,
		"curl " + s.url + "/api/model_references/v2/image_generation/model/Aurora",
	}
	eval[bool](b, `(document.querySelectorAll('dialog .copy').forEach((b) => b.click()), true)`)
	b.until(fmt.Sprintf(`window.copied.length >= %d`, len(want)))
	assert.Subset(t, eval[[]string](b, `window.copied`), want)
	assert.Contains(t, eval[string](b, `document.querySelector('#toast').textContent`), "Copied")
	b.clean()
}

func TestMarkupInRecordsStaysText(t *testing.T) {
	s := newSite(t)
	b := open(t, s.url, "/?nsfw=1", desktop, false)
	eval[bool](b, `(window.alert = () => { window.alerted = true; }, true)`)
	name := `<script>alert(1)</script> & "quoted" 'name'`
	assert.Contains(t, b.rows(), name)
	assert.Contains(t, b.rows(), "__proto__")
	eval[bool](b, `([...document.querySelectorAll('a.model')].find((a) => a.textContent.startsWith('<script>')).click(), true)`)
	b.run(chromedp.WaitVisible("dialog[open]"))
	eval[bool](b, `(document.querySelectorAll('dialog details').forEach((d) => { d.open = true; }), true)`)
	assert.Zero(t, eval[int](b, `document.querySelectorAll('main script, main img, main b, main i, main svg[onload], dialog script, dialog img, dialog b, dialog i').length`))
	assert.Zero(t, eval[int](b, `document.querySelectorAll('a[href^="javascript:" i]').length`), "a record made a link that runs a script")
	assert.False(t, eval[bool](b, `window.alerted === true`))
	assert.Contains(t, eval[string](b, `document.querySelector('dialog').textContent`), "<svg onload=alert(6)>")
	direction := eval[string](b, `getComputedStyle([...document.querySelectorAll('dialog .lead bdi')][0]).unicodeBidi`)
	assert.Equal(t, "isolate", direction)
	b.clean()
}

func TestStaleBanner(t *testing.T) {
	s := newSite(t, modelref.WithTTL(1_000_000), modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1}))
	b := open(t, s.url, "/", desktop, false)
	assert.False(t, eval[bool](b, `document.querySelector('#banner').checkVisibility()`))
	s.service.Break(modelreftest.Primary, modelreftest.Status(503))
	b = open(t, s.url, "/", desktop, false)
	b.until(`document.querySelector('#banner').checkVisibility()`)
	banner := eval[string](b, `document.querySelector('#banner').textContent`)
	assert.Contains(t, banner, "out of date")
	assert.Contains(t, banner, "503")
	assert.NotEmpty(t, b.rows(), "the last good copy is not shown")
	b.screenshot("stale")
	b.clean()
}

func TestPhone(t *testing.T) {
	s := newSite(t)
	b := open(t, s.url, "/", phone, true)
	overflow := `document.documentElement.scrollWidth - document.documentElement.clientWidth`
	assert.Zero(t, eval[int](b, overflow), "the page is wider than the phone")
	assert.False(t, eval[bool](b, `document.querySelector('#filters-body').checkVisibility()`))
	b.click("#filters-toggle")
	b.until(`document.querySelector('#filters-body').checkVisibility()`)
	b.screenshot("phone-filters")
	b.click("tbody a.model")
	b.run(chromedp.WaitVisible("dialog[open]"))
	assert.Zero(t, eval[int](b, overflow))
	assert.Equal(t, 380.0, eval[float64](b, `document.querySelector('dialog').getBoundingClientRect().width`))
	b.clean()
}

func TestDark(t *testing.T) {
	s := newSite(t)
	brightness := `getComputedStyle(document.body).backgroundColor.match(/\d+/g).slice(0, 3).reduce((sum, n) => sum + Number(n), 0)`
	light, dark := open(t, s.url, "/", desktop, false), open(t, s.url, "/", desktop, true)
	assert.Greater(t, eval[int](light, brightness), 600)
	assert.Less(t, eval[int](dark, brightness), 150)
	light.screenshot("light")
	dark.screenshot("dark")
	dark.click("#theme")
	dark.until(`document.documentElement.dataset.theme === 'light'`)
	assert.Greater(t, eval[int](dark, brightness), 600, "the button does not change the colours")
	dark.clean()
}

func TestKeyboard(t *testing.T) {
	s := newSite(t)
	b := open(t, s.url, "/", desktop, false)
	b.run(chromedp.KeyEvent("/"))
	b.until(`document.activeElement.id === 'q'`)
	reached := map[string]bool{}
	for range 60 {
		b.run(chromedp.KeyEvent(kb.Tab))
		focused := eval[string](b, `document.activeElement.id || document.activeElement.className?.baseVal || document.activeElement.className || document.activeElement.tagName`)
		reached[focused] = true
		if focused == "model" {
			break
		}
	}
	for _, want := range []string{"copy-link", "save-csv", "save-json", "api-link", "sort-name", "sort-size", "model", "hit"} {
		assert.True(t, reached[want], "%s is not reached with the Tab key: %v", want, reached)
	}
	b.run(chromedp.KeyEvent(kb.Enter))
	b.run(chromedp.WaitVisible("dialog[open]"))
	b.run(chromedp.KeyEvent(kb.Escape))
	b.until(`!document.querySelector('dialog').open`)
	assert.Equal(t, "model", eval[string](b, `document.activeElement.className`))
	b.clean()
}

func TestSavedFiles(t *testing.T) {
	s := newSite(t)
	b := open(t, s.url, "/?baseline=flux_1", desktop, false)
	eval[bool](b, `(window.saved = [], URL.createObjectURL = (blob) => { blob.text().then((t) => window.saved.push(t)); return '#'; }, true)`)
	b.click("#save-csv")
	b.until(`window.saved.length === 1`)
	b.click("#save-json")
	b.until(`window.saved.length === 2`)
	saved := eval[[]string](b, `window.saved`)
	lines := strings.Split(strings.TrimSpace(saved[0]), "\r\n")
	assert.Len(t, lines, 1+len(b.rows()))
	assert.True(t, strings.HasPrefix(lines[0], "category,name,baseline"))
	var records map[string]map[string]any
	require.NoError(t, json.Unmarshal([]byte(saved[1]), &records))
	assert.Len(t, records, len(b.rows()))
	b.clean()
}

func TestPageWithoutData(t *testing.T) {
	s := newSite(t, modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1}))
	s.service.Break(modelreftest.Primary, modelreftest.Status(503))
	b := open(t, s.url, "/", desktop, false)
	assert.Contains(t, eval[string](b, `document.querySelector('#empty').textContent`), "could not be loaded")
	assert.Contains(t, eval[string](b, `document.querySelector('#banner').textContent`), "No data")
	b.screenshot("no-data")
}

// TestPicture makes the picture of docs/mirror.md: MODELREF_SCREENSHOTS=../../docs go test -run TestPicture.
func TestPicture(t *testing.T) {
	s := newSite(t)
	var records map[string]json.RawMessage
	document, err := os.ReadFile("documents/image_generation.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(document, &records))
	maps.DeleteFunc(records, func(name string, _ json.RawMessage) bool { return strings.ContainsAny(name, "<_") })
	plain, err := json.Marshal(records)
	require.NoError(t, err)
	s.service.SetDocument(modelref.CategoryImageGeneration, string(plain))
	s.service.SetDocument(modelref.CategoryTextGeneration, textModels())
	b := open(t, s.url, "/", desktop, false)
	assert.NotEmpty(t, b.rows())
	b.screenshot("mirror")
	b.clean()
}
