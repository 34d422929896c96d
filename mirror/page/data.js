// The records: how they are loaded, what the page shows of them, and how they are found and filtered.

const API = '/api/model_references/v2/';

/** fetchJSON returns the JSON at a path of the mirror. */
export async function fetchJSON(path) {
  const response = await fetch(path, { headers: { Accept: 'application/json' } });
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return response.json();
}

const loaded = new Map();

/** loadCategory returns the records of a category, loaded once per visit. */
export async function loadCategory(category) {
  if (!loaded.has(category)) {
    loaded.set(category, fetchJSON(API + category).then((doc) =>
      Object.entries(doc).filter(([, raw]) => raw && typeof raw === 'object').map(([key, raw]) => newModel(category, key, raw))));
    loaded.get(category).catch(() => loaded.delete(category));
  }
  return loaded.get(category);
}

const list = (value) => (Array.isArray(value) ? value.filter((v) => typeof v === 'string' && v.trim() !== '').map((v) => v.trim()) : []);
const string = (value) => (typeof value === 'string' && value.trim() !== '' ? value.trim() : null);
const number = (value) => (Number.isFinite(Number(value)) && value !== null && value !== '' && Number(value) >= 0 ? Number(value) : null);

/** newModel returns what the page shows of a record. Everything may be missing. */
function newModel(category, key, raw) {
  const files = Array.isArray(raw.config?.download) ? raw.config.download.filter((f) => f && typeof f === 'object') : [];
  const sizes = files.map((f) => number(f.size_bytes));
  const licensing = raw.licensing && typeof raw.licensing === 'object' ? raw.licensing : null;
  const model = {
    category, key, raw, files, licensing,
    name: string(raw.name) ?? key,
    description: string(raw.description),
    baseline: string(raw.baseline),
    style: string(raw.style) ?? string(raw.controlnet_style),
    nsfw: raw.nsfw === true,
    inpainting: raw.inpainting === true,
    tags: list(raw.tags),
    trigger: list(raw.trigger),
    showcases: list(raw.showcases),
    size: number(raw.size_on_disk_bytes) ?? (sizes.length && sizes.every((s) => s !== null) ? sizes.reduce((a, b) => a + b, 0) : null),
    params: number(raw.parameters) ?? number(raw.parameters_count),
    licence: licensing ? string(licensing.license_expression) : null,
    commercial: licensing ? string(licensing.commercial_use) : null,
  };
  model.folded = fold(key);
  model.words = model.folded.split(' ').filter(Boolean);
  model.squashed = model.folded.replaceAll(' ', '');
  model.more = fold([model.description, model.style, ...model.tags, ...model.trigger].filter(Boolean).join(' '));
  return model;
}

/** fold makes names that people take for the same equal: letter case, accents and punctuation do not count. */
export function fold(value) {
  return value.normalize('NFKD').toLowerCase().replace(/\p{M}/gu, '').replace(/[^\p{L}\p{N}]+/gu, ' ')
    .replace(/(\p{L})(\p{N})/gu, '$1 $2').replace(/(\p{N})(\p{L})/gu, '$1 $2').trim();
}

/** distance returns the number of typing errors between two words, or max + 1 if there are more than max. */
function distance(a, b, max) {
  if (Math.abs(a.length - b.length) > max) return max + 1;
  let before = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    if (Math.min(...next) > max) return max + 1;
    before = row;
    row = next;
  }
  return row[b.length];
}

/** wordCost returns how badly a word of the search fits a model: 0 is best, Infinity is no match. */
function wordCost(word, model) {
  let best = Infinity;
  for (const candidate of model.words) {
    if (candidate === word) return 0;
    if (candidate.startsWith(word)) best = Math.min(best, 1);
    else if (word.length > 2 && candidate.includes(word)) best = Math.min(best, 2);
  }
  if (best < Infinity) return best;
  if (word.length > 2 && model.squashed.includes(word)) return 3;
  if (word.length > 2 && (' ' + model.more).includes(' ' + word)) return 6;
  const allowed = word.length > 7 ? 2 : word.length > 3 ? 1 : 0;
  if (allowed) {
    for (const candidate of model.words) {
      if (/^\p{N}/u.test(candidate)) continue;
      const cut = candidate.length > word.length + allowed ? candidate.slice(0, word.length) : candidate;
      const errors = distance(word, cut, allowed);
      if (errors <= allowed) best = Math.min(best, 3 + errors);
    }
  }
  return best;
}

/** searchCost returns how badly a search fits a model, or Infinity if it does not. */
export function searchCost(query, model) {
  const folded = fold(query);
  if (!folded) return 0;
  if (model.folded === folded) return -2;
  const squashed = folded.replaceAll(' ', '');
  if (squashed.length > 2 && model.squashed.startsWith(squashed)) return -1;
  if (squashed.length > 3 && model.squashed.includes(squashed)) return 0;
  let total = 0;
  for (const word of folded.split(' ')) {
    const cost = wordCost(word, model);
    if (cost === Infinity) return Infinity;
    total += cost;
  }
  return total + 1;
}

const GB = 1e9;
const range = (id, name, from, to) => ({ id, name, has: (n) => n !== null && n >= from && n < to });

export const sizeRanges = [
  range('0-1', 'under 1 GB', 0, GB), range('1-3', '1 to 3 GB', GB, 3 * GB), range('3-6', '3 to 6 GB', 3 * GB, 6 * GB),
  range('6-10', '6 to 10 GB', 6 * GB, 10 * GB), range('10-20', '10 to 20 GB', 10 * GB, 20 * GB), range('20-', 'over 20 GB', 20 * GB, Infinity),
];

export const paramRanges = [
  range('0-3', 'under 3B', 0, 3e9), range('3-6', '3B to 6B', 3e9, 6e9), range('6-9', '6B to 9B', 6e9, 9e9), range('9-13', '9B to 13B', 9e9, 13e9),
  range('13-20', '13B to 20B', 13e9, 20e9), range('20-35', '20B to 35B', 20e9, 35e9), range('35-70', '35B to 70B', 35e9, 70e9),
  range('70-', '70B and more', 70e9, Infinity),
];

const inRange = (ranges, n) => ranges.filter((r) => r.has(n)).map((r) => r.id);

/** facets are the filters of the page: each gives the values of a model. Several values of one facet mean "any of". */
export const facets = [
  { id: 'category', title: 'Category', values: (m) => [m.category], only: 'all' },
  { id: 'baseline', title: 'Baseline', values: (m) => (m.baseline ? [m.baseline] : []) },
  { id: 'params', title: 'Parameters', values: (m) => inRange(paramRanges, m.params || null), ranges: paramRanges },
  { id: 'size', title: 'Size on disk', values: (m) => inRange(sizeRanges, m.size), ranges: sizeRanges },
  { id: 'style', title: 'Style', values: (m) => (m.style ? [m.style] : []) },
  { id: 'licence', title: 'Licence', values: (m) => (m.licence ? [m.licence] : []) },
  { id: 'commercial', title: 'Commercial use', values: (m) => (m.commercial ? [m.commercial] : []) },
  { id: 'tag', title: 'Tags', values: (m) => m.tags },
  { id: 'kind', title: 'Kind', values: (m) => [m.inpainting && 'inpainting', m.showcases.length > 0 && 'has pictures',
    m.trigger.length > 0 && 'has trigger words'].filter(Boolean) },
];

/** rangeName returns the name of a value of a facet. */
export function valueName(facet, value, labelOf) {
  return facet.ranges?.find((r) => r.id === value)?.name ?? labelOf(value);
}

/** matches reports whether a model passes the chosen values of all facets, except one. */
function matches(model, chosen, except) {
  for (const facet of facets) {
    const wanted = chosen[facet.id];
    if (facet.id === except || !wanted || wanted.length === 0) continue;
    if (!facet.values(model).some((v) => wanted.includes(v))) return false;
  }
  return true;
}

/**
 * view returns the models of a state in their order, the values of each facet with counts, how many models are hidden, and a
 * function that returns the models that pass all facets but one.
 */
export function view(models, state) {
  const scored = [];
  let hidden = 0;
  for (const model of models) {
    const cost = searchCost(state.q, model);
    if (cost === Infinity) continue;
    if (model.nsfw && !state.nsfw) {
      if (matches(model, state.chosen)) hidden++;
      continue;
    }
    scored.push([cost, model]);
  }
  const counts = {};
  for (const facet of facets) {
    const values = new Map();
    for (const [, model] of scored) {
      if (!matches(model, state.chosen, facet.id)) continue;
      for (const value of new Set(facet.values(model))) values.set(value, (values.get(value) || 0) + 1);
    }
    counts[facet.id] = values;
  }
  const shown = scored.filter(([, model]) => matches(model, state.chosen));
  sortModels(shown, state);
  const others = (facet) => scored.filter(([, model]) => matches(model, state.chosen, facet)).map(([, model]) => model);
  return { models: shown.map(([, model]) => model), counts, hidden, others };
}

export const sortValues = {
  name: (m) => m.folded, baseline: (m) => m.baseline, style: (m) => m.style, size: (m) => m.size, params: (m) => m.params || null,
  licence: (m) => m.licence, category: (m) => m.category,
};

function sortModels(scored, state) {
  const value = sortValues[state.sort];
  const direction = state.desc ? -1 : 1;
  scored.sort(([costA, a], [costB, b]) => {
    if (!value) return costA - costB || (state.q ? a.name.length - b.name.length : 0);
    const [x, y] = [value(a), value(b)];
    if (x === y) return 0;
    if (x === null) return 1;
    if (y === null) return -1;
    return (x < y ? -1 : 1) * direction;
  });
}

/** csv returns the models as comma-separated values. Cells that a spreadsheet would take for a formula are quoted. */
export function csv(models) {
  const columns = [
    ['category', (m) => m.category], ['name', (m) => m.key], ['baseline', (m) => m.baseline], ['style', (m) => m.style],
    ['nsfw', (m) => m.nsfw], ['size_bytes', (m) => m.size], ['parameters', (m) => m.params], ['licence', (m) => m.licence],
    ['tags', (m) => m.tags.join(' ')], ['first_file_url', (m) => m.files[0]?.file_url], ['description', (m) => m.description],
  ];
  const cell = (value) => {
    let t = value === null || value === undefined ? '' : String(value);
    if (/^[=+\-@\t\r]/.test(t)) t = `'${t}`;
    return /[",\n\r]/.test(t) ? `"${t.replaceAll('"', '""')}"` : t;
  };
  return [columns.map(([name]) => name), ...models.map((m) => columns.map(([, get]) => get(m)))].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}
