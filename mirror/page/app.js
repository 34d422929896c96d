// The page: its state, which is the URL, and how it is shown.

import { h, text, bytes, count, age, label, words, toast, copy } from './dom.js';
import { loadCategory, fetchJSON, facets, valueName, view, csv, sortValues } from './data.js';
import { draw } from './charts.js';
import { show } from './detail.js';

const $ = (id) => document.getElementById(id);
const DEFAULT = 'image_generation';
const CHUNK = 100;

let status = null; // the last /status.json
let models = []; // the models of the category
let current = { models: [], counts: {}, hidden: 0, others: () => [] }; // what is shown
let shownRows = 0;
let state = readURL();

/** readURL returns the state that the URL says. */
function readURL() {
  const params = new URLSearchParams(location.search);
  const chosen = {};
  for (const facet of facets) chosen[facet.id] = params.getAll(facet.id === 'category' ? 'in' : facet.id);
  return {
    category: params.get('category') || DEFAULT, q: params.get('q') || '', chosen, nsfw: params.get('nsfw') === '1',
    sort: params.get('sort') || '', desc: params.get('desc') === '1', model: params.get('model'), of: params.get('of'),
  };
}

/** stateURL returns the address of a state. */
function stateURL(s) {
  const params = new URLSearchParams();
  if (s.category !== DEFAULT) params.set('category', s.category);
  if (s.q) params.set('q', s.q);
  for (const facet of facets) for (const value of s.chosen[facet.id] || []) params.append(facet.id === 'category' ? 'in' : facet.id, value);
  if (s.nsfw) params.set('nsfw', '1');
  if (s.sort) params.set('sort', s.sort);
  if (s.desc) params.set('desc', '1');
  if (s.model) params.set('model', s.model);
  if (s.model && s.of) params.set('of', s.of);
  const query = params.toString();
  return query ? `/?${query}` : '/';
}

/** go changes the state, writes it to the URL and shows it. */
function go(change, { push = false } = {}) {
  const before = state;
  state = { ...state, ...change };
  history[push ? 'pushState' : 'replaceState'](null, '', stateURL(state));
  apply(before);
}

async function apply(before) {
  const sameView = before && stateURL({ ...before, model: null }) === stateURL({ ...state, model: null });
  if (!sameView) {
    if (!before || before.category !== state.category) await open();
    render();
  }
  showDetail();
}

function choose(facet, value) {
  const values = state.chosen[facet] || [];
  const next = values.includes(value) ? values.filter((v) => v !== value) : [...values, value];
  go({ chosen: { ...state.chosen, [facet]: next } }, { push: true });
}

/** open loads the models of the category of the state. */
async function open() {
  const wanted = state.category;
  document.title = `${wanted === 'all' ? 'All models' : label(wanted)} · Model reference`;
  $('table').setAttribute('aria-busy', 'true');
  try {
    let list;
    if (wanted === 'all') {
      const parts = await Promise.allSettled(knownCategories().map(loadCategory));
      list = parts.flatMap((p) => (p.status === 'fulfilled' ? p.value : []));
      if (parts.every((p) => p.status === 'rejected')) throw parts[0].reason;
    } else {
      list = await loadCategory(wanted);
    }
    if (state.category !== wanted) return;
    models = list;
    $('empty').dataset.error = '';
  } catch (error) {
    if (state.category !== wanted) return;
    models = [];
    $('empty').dataset.error = `The models could not be loaded: ${error.message}`;
  }
  $('table').removeAttribute('aria-busy');
}

const knownCategories = () => (status ? status.categories.map((c) => c.category) : [DEFAULT, 'text_generation']);

/* ---- the parts of the page ---- */

function render() {
  current = view(models, state);
  if ($('q').value !== state.q) $('q').value = state.q;
  renderTabs();
  renderFilters();
  renderChips();
  renderSummary();
  renderTable();
  if ($('overview').open) renderCharts();
}

function renderCharts() {
  if (draw($('charts'), current.others, state, choose) === 0) $('charts').replaceChildren(h('p', { class: 'muted' }, 'There is nothing to draw for this category.'));
}

function renderTabs() {
  const categories = status ? status.categories : [];
  const total = categories.reduce((sum, c) => sum + c.records, 0);
  const filled = categories.filter((c) => c.records > 0).sort((a, b) => order(a) - order(b) || b.records - a.records);
  const tabs = [{ category: 'all', records: total }, ...filled];
  if (!tabs.some((t) => t.category === state.category)) tabs.push({ category: state.category, records: 0 });
  $('tabs').replaceChildren(...tabs.map((t) => {
    const target = { ...state, category: t.category, chosen: {}, sort: '', desc: false, model: null, of: null };
    return h('a', { href: stateURL(target), 'aria-current': t.category === state.category ? 'page' : null, class: t.stale ? 'stale' : null,
      on: { click: (e) => { if (!e.ctrlKey && !e.metaKey && !e.shiftKey) { e.preventDefault(); go({ ...target, chosen: {} }, { push: true }); } } } },
    t.category === 'all' ? 'All' : label(t.category), ' ', h('span', { class: 'count' }, t.records.toLocaleString('en')));
  }));
  const active = $('tabs').querySelector('[aria-current]');
  if (active && $('tabs').dataset.seen !== state.category) {
    $('tabs').dataset.seen = state.category;
    const [left, right] = [active.offsetLeft - 16, active.offsetLeft + active.offsetWidth + 16];
    const frame = $('tabs');
    if (left < frame.scrollLeft) frame.scrollLeft = left;
    else if (right > frame.scrollLeft + frame.clientWidth) frame.scrollLeft = right - frame.clientWidth;
  }
}

/** order puts the large categories of a worker first. */
const order = (c) => ({ image_generation: 0, text_generation: 1 }[c.category] ?? 2);

const expanded = new Set();

function renderFilters() {
  const body = $('filters-body');
  const focused = document.activeElement?.closest?.('#filters-body') ? document.activeElement.id : null;
  const parts = [];
  const hasNSFW = models.some((m) => m.nsfw);
  if (hasNSFW) {
    parts.push(h('label', { class: 'switch' },
      h('input', { type: 'checkbox', id: 'nsfw', role: 'switch', checked: state.nsfw, on: { change: (e) => go({ nsfw: e.target.checked }, { push: true }) } }),
      h('span', null, 'Show NSFW', !state.nsfw && current.hidden > 0 && h('span', { class: 'muted' }, ` (${current.hidden} hidden)`))));
  }
  for (const facet of facets) {
    if (facet.only && facet.only !== state.category) continue;
    const wanted = state.chosen[facet.id] || [];
    const values = new Map(current.counts[facet.id]);
    for (const value of wanted) if (!values.has(value)) values.set(value, 0);
    if (values.size < (wanted.length ? 1 : 2) && !(facet.id === 'kind' && values.size)) continue;
    parts.push(facetPart(facet, values, wanted));
  }
  if (parts.length === 0) parts.push(h('p', { class: 'muted' }, 'This category has nothing to filter by.'));
  body.replaceChildren(...parts);
  if (focused) $(focused)?.focus();
  const active = Object.values(state.chosen).reduce((n, v) => n + (v?.length || 0), 0);
  $('filters-toggle').textContent = active ? `Filters (${active})` : 'Filters';
}

function facetPart(facet, values, wanted) {
  let rows = [...values];
  if (facet.ranges) rows.sort((a, b) => rank(facet, a[0]) - rank(facet, b[0]));
  else rows.sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  const limit = expanded.has(facet.id) ? Infinity : 8;
  const rest = rows.length - limit;
  const shown = rows.filter(([value], i) => i < limit || wanted.includes(value));
  return h('fieldset', { class: 'facet' }, h('legend', null, facet.title),
    shown.map(([value, n]) => h('label', null,
      h('input', { type: 'checkbox', id: `f-${facet.id}-${value}`, checked: wanted.includes(value), on: { change: () => choose(facet.id, value) } }),
      h('span', { class: 'value' }, text(valueName(facet, value, label))), h('span', { class: 'count' }, n.toLocaleString('en')))),
    rest > 1 && h('button', { type: 'button', class: 'more', id: `more-${facet.id}`, on: { click: () => { expanded.add(facet.id); renderFilters(); } } }, `${rest} more`));
}

const rank = (facet, id) => facet.ranges.findIndex((r) => r.id === id);

function renderChips() {
  const chips = [];
  for (const facet of facets) {
    for (const value of state.chosen[facet.id] || []) {
      const name = valueName(facet, value, label);
      chips.push(h('button', { type: 'button', class: 'chip', 'aria-label': `Remove the filter ${facet.title}: ${name}`, on: { click: () => choose(facet.id, value) } },
        h('span', { class: 'muted' }, facet.title, ' '), text(name), h('span', { 'aria-hidden': 'true' }, ' ✕')));
    }
  }
  if (chips.length > 1) chips.push(h('button', { type: 'button', class: 'chip clear', on: { click: () => go({ chosen: {} }, { push: true }) } }, 'Clear all'));
  $('chips').replaceChildren(...chips);
  $('chips').hidden = chips.length === 0;
}

function renderSummary() {
  const shown = current.models.length;
  const visible = state.nsfw ? models.length : models.filter((m) => !m.nsfw).length;
  const size = current.models.reduce((sum, m) => sum + (m.size || 0), 0);
  const parts = [shown === visible ? `${shown.toLocaleString('en')} model${shown === 1 ? '' : 's'}` : `${shown.toLocaleString('en')} of ${visible.toLocaleString('en')} models`];
  if (size) parts.push(bytes(size));
  if (current.hidden) parts.push(`${current.hidden.toLocaleString('en')} NSFW hidden`);
  $('summary').textContent = parts.join(' · ');
  $('api-link').href = apiURL();
}

/** apiURL returns the request of the API that comes closest to what is shown. */
function apiURL() {
  const params = new URLSearchParams();
  if (state.q) params.set('name_contains', state.q);
  const content = models.some((m) => m.raw.nsfw !== undefined);
  if (!state.nsfw && content && state.category !== 'all') params.set('nsfw', 'false');
  if (state.category !== 'all' && (state.chosen.baseline || []).length === 1) params.set('baseline', state.chosen.baseline[0]);
  for (const tag of state.chosen.tag || []) params.append('tags_any', tag);
  params.set('limit', '500');
  return `/api/model_references/v2/${state.category === 'all' ? '' : state.category + '/'}search?${params}`;
}

/* ---- the table ---- */

const columns = [
  { id: 'name', title: 'Name', always: true, cell: nameCell },
  { id: 'category', title: 'Category', only: 'all', cell: (m) => label(m.category) },
  { id: 'baseline', title: 'Baseline', has: (m) => m.baseline, cell: (m) => m.baseline && text(label(m.baseline)) },
  { id: 'style', title: 'Style', has: (m) => m.style, cell: (m) => m.style && text(words(m.style)) },
  { id: 'params', title: 'Parameters', numeric: true, has: (m) => m.params, cell: (m) => count(m.params) },
  { id: 'size', title: 'Size', numeric: true, has: (m) => m.size, cell: (m) => bytes(m.size) },
  { id: 'licence', title: 'Licence', has: (m) => m.licence && m.licence !== 'NOASSERTION', cell: (m) => m.licence && text(label(m.licence)) },
];

function nameCell(model) {
  const target = { ...state, model: model.key, of: state.category === 'all' ? model.category : null };
  const tags = model.tags.slice(0, 3);
  return [
    h('a', { href: stateURL(target), class: 'model', on: { click: (e) => { if (!e.ctrlKey && !e.metaKey && !e.shiftKey) { e.preventDefault(); go({ model: target.model, of: target.of }, { push: true }); } } } }, text(model.name)),
    model.nsfw && h('span', { class: 'badge nsfw' }, 'NSFW'), model.inpainting && h('span', { class: 'badge' }, 'inpainting'),
    tags.length > 0 && h('span', { class: 'row-tags' }, tags.map((t) => h('span', { class: 'badge soft' }, text(t)))),
    model.description && h('span', { class: 'about' }, text(model.description)),
  ];
}

function visibleColumns() {
  return columns.filter((c) => c.always || c.only === state.category || (c.has && models.some(c.has)));
}

function renderTable() {
  const visible = visibleColumns();
  $('table').tHead.replaceChildren(h('tr', null, visible.map((c) => {
    const active = state.sort === c.id;
    return h('th', { scope: 'col', class: c.numeric ? 'numeric' : null, 'aria-sort': active ? (state.desc ? 'descending' : 'ascending') : null },
      h('button', { type: 'button', id: `sort-${c.id}`, on: { click: () => sortBy(c.id, c.numeric) } }, c.title, h('span', { class: 'arrow', 'aria-hidden': 'true' }, active ? (state.desc ? ' ↓' : ' ↑') : ' ↕')));
  })));
  $('table').tBodies[0].replaceChildren();
  shownRows = 0;
  moreRows();
  const none = current.models.length === 0;
  $('empty').hidden = !none;
  if (none) {
    $('empty').textContent = $('empty').dataset.error || (models.length === 0 ? 'This category has no models.' :
      current.hidden ? `Nothing is shown: ${current.hidden} models are hidden because they are NSFW.` : 'No model fits. Try fewer filters or another spelling.');
  }
  $('table').hidden = none;
}

/** sortBy sorts by a column: first in its natural direction, then in the other, then not at all. */
function sortBy(id, numeric) {
  const first = Boolean(numeric);
  let change = { sort: id, desc: first };
  if (state.sort === id) change = state.desc === first ? { sort: id, desc: !first } : { sort: '', desc: false };
  go(change, { push: true });
  $(`sort-${id}`)?.focus();
}

function moreRows() {
  const visible = visibleColumns();
  const next = current.models.slice(shownRows, shownRows + CHUNK);
  $('table').tBodies[0].append(...next.map((m) => h('tr', { class: m.nsfw ? 'is-nsfw' : null }, visible.map((c) =>
    (c.always ? h('th', { scope: 'row' }, c.cell(m)) : h('td', { class: c.numeric ? 'numeric' : null, data: { title: c.title } }, c.cell(m)))))));
  shownRows += next.length;
}

/* ---- the details, the status and the actions ---- */

let lastFocus = null;

async function showDetail() {
  const dialog = $('detail');
  if (!state.model) {
    if (dialog.open) dialog.close();
    return;
  }
  const category = state.category === 'all' ? state.of : state.category;
  let model;
  try {
    model = (await loadCategory(category)).find((m) => m.key === state.model);
  } catch { /* the table says why */ }
  if (!model) {
    toast('This model is not in the category');
    go({ model: null, of: null });
    return;
  }
  const fresh = !dialog.open;
  if (fresh) lastFocus = document.activeElement;
  show(dialog, model, closeDetail);
  if (fresh) dialog.showModal();
  $('detail-title').focus();
}

function closeDetail() {
  go({ model: null, of: null }, { push: true });
  if (lastFocus?.isConnected) lastFocus.focus();
}

function save(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const a = h('a', { href: address, download: name });
  a.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

async function refreshStatus() {
  try {
    status = await fetchJSON('/status.json');
  } catch (error) {
    $('source').textContent = `The status could not be loaded: ${error.message}`;
    return;
  }
  const relevant = status.categories.filter((c) => state.category === 'all' || c.category === state.category);
  const ages = relevant.map((c) => c.age_seconds).filter((a) => a !== null);
  const origins = [...new Set(relevant.filter((c) => c.loaded).map((c) => c.origin))];
  $('source').textContent = origins.length ? `From ${origins.map(originName).join(' and ')}, confirmed ${age(ages.length ? Math.max(...ages) : null)}` : 'Nothing has been loaded';
  $('version').textContent = `mirror (modelref ${status.version})`;
  const stale = relevant.filter((c) => c.stale || !c.loaded);
  const banner = $('banner');
  banner.hidden = stale.length === 0;
  if (stale.length) {
    const reason = status.primary.error || stale.find((c) => c.error)?.error;
    const oldest = Math.max(...stale.map((c) => c.age_seconds ?? 0));
    banner.replaceChildren(h('strong', null, stale.every((c) => !c.loaded) ? 'No data. ' : 'This data may be out of date. '),
      stale.length === 1 ? label(stale[0].category) : `${stale.length} categories`, stale.some((c) => c.loaded) ? ` last confirmed ${age(oldest)}` : ' could not be loaded',
      reason ? `: the PRIMARY is unavailable, ${reason}.` : '.');
  }
}

const originName = (o) => ({ primary: 'the PRIMARY', github: 'GitHub', disk: 'the cache directory', store: 'the store', bootstrap: 'the built-in copy' }[o] ?? o);

const themes = ['auto', 'light', 'dark'];

function setTheme(theme) {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const name = { auto: 'Auto', light: 'Light', dark: 'Dark' }[theme];
  $('theme').replaceChildren(h('span', { 'aria-hidden': 'true' }, { auto: '◐', light: '☀', dark: '☾' }[theme]),
    h('span', { class: 'theme-name' }, h('span', { class: 'hidden-label' }, 'Colours: '), name));
  try { localStorage.setItem('theme', theme); } catch { /* the choice lasts for this visit */ }
}

function storedTheme() {
  try { return themes.includes(localStorage.getItem('theme')) ? localStorage.getItem('theme') : 'auto'; } catch { return 'auto'; }
}

function listen() {
  let typing;
  $('q').addEventListener('input', (e) => { clearTimeout(typing); typing = setTimeout(() => go({ q: e.target.value }), 60); });
  $('overview').addEventListener('toggle', () => { if ($('overview').open) renderCharts(); });
  $('filters-toggle').addEventListener('click', () => {
    const open = $('filters').classList.toggle('open');
    $('filters-toggle').setAttribute('aria-expanded', String(open));
  });
  $('theme').addEventListener('click', () => setTheme(themes[(themes.indexOf(storedTheme()) + 1) % themes.length]));
  $('copy-link').addEventListener('click', () => copy(location.href, 'the link'));
  $('save-csv').addEventListener('click', () => save(`${state.category}.csv`, 'text/csv', csv(current.models)));
  $('save-json').addEventListener('click', () => save(`${state.category}.json`, 'application/json', JSON.stringify(Object.fromEntries(current.models.map((m) => [m.key, m.raw])), null, 2)));
  $('detail').addEventListener('cancel', (e) => { e.preventDefault(); closeDetail(); });
  $('detail').addEventListener('click', (e) => { if (e.target === $('detail')) closeDetail(); });
  document.addEventListener('keydown', (e) => {
    if (e.key === '/' && !$('detail').open && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? '')) { e.preventDefault(); $('q').focus(); $('q').select(); }
  });
  addEventListener('popstate', () => { const before = state; state = readURL(); apply(before); });
  new IntersectionObserver((entries) => { if (entries.some((e) => e.isIntersecting) && shownRows < current.models.length) moreRows(); }, { rootMargin: '600px' }).observe($('sentinel'));
}

async function start() {
  setTheme(storedTheme());
  $('overview').open = matchMedia('(min-width: 900px)').matches;
  if (state.sort && !sortValues[state.sort]) state.sort = '';
  listen();
  await refreshStatus();
  await apply(null);
  document.body.dataset.ready = 'true';
  setInterval(() => { if (!document.hidden) refreshStatus().then(renderTabs); }, 30_000);
}

start();
