// The pictures of the whole: bars and a histogram, drawn as SVG from the models that are shown.

import { h, svg, bytes, label } from './dom.js';
import { sizeRanges, paramRanges, valueName, facets } from './data.js';

const facetOf = (id) => facets.find((f) => f.id === id);

/** tally sums a number over the models by a value. */
function tally(models, values, amount) {
  const sums = new Map();
  for (const model of models) {
    const n = amount(model);
    if (!n) continue;
    for (const value of new Set(values(model))) sums.set(value, (sums.get(value) || 0) + n);
  }
  return sums;
}

/** largest returns the largest values, and the rest as one row. */
function largest(sums, limit) {
  const rows = [...sums].sort((a, b) => b[1] - a[1]);
  if (rows.length <= limit) return rows;
  const rest = rows.slice(limit - 1);
  return [...rows.slice(0, limit - 1), [null, rest.reduce((sum, [, n]) => sum + n, 0), rest.length]];
}

/** room returns how many characters of a name fit beside a number in a card of the box. */
function room(box) {
  const column = parseFloat(getComputedStyle(box).gridTemplateColumns) || 280;
  return Math.max(Math.floor((column - 34 - 62) / 6.7), 12);
}

const shorten = (name, length) => (name.length > length ? name.slice(0, length - 1) + '…' : name);

/**
 * hit returns the area of a part of a picture. If act is given, it is a button with the name; what is drawn around it is for
 * the eye only.
 */
function hit(place, name, active, act) {
  if (!act) return svg('rect', { class: 'hit', ...place });
  return svg('rect', { class: active ? 'hit active' : 'hit', ...place, role: 'button', tabindex: '0', 'aria-pressed': String(active), 'aria-label': name,
    on: { click: act, keydown: (e) => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); act(); } } } },
  svg('title', null, name));
}

/** seen returns a text that only the eye needs. */
const seen = (props, content) => svg('text', { 'aria-hidden': 'true', ...props }, content);

const ROWS = 6; // of a picture of bars
const ROW = 34; // the height of a row

/** bars returns a picture of horizontal bars. A click on a bar filters by its value. */
function bars({ title, facet, sums, format, choose, chosen, length }) {
  const rows = largest(sums, ROWS);
  const top = Math.max(...rows.map(([, n]) => n), 1);
  const drawing = svg('svg', { width: '100%', height: rows.length * ROW, role: 'group', 'aria-label': title, class: 'chart' });
  rows.forEach(([value, n, others], i) => {
    const name = value === null ? `${others} others` : valueName(facet, value, label);
    const y = i * ROW;
    drawing.append(svg('g', { class: value === null ? 'bar rest' : 'bar' },
      hit({ x: 0, y, width: '100%', height: ROW - 2, rx: 5 }, `${name}: ${format(n)}`, chosen.includes(value), value !== null && (() => choose(facet.id, value))),
      seen({ class: 'name', x: 0, y: y + 15 }, shorten(name, length)),
      seen({ class: 'number', x: '100%', y: y + 15, 'text-anchor': 'end' }, format(n)),
      svg('rect', { class: 'track', x: 0, y: y + 21, width: '100%', height: 6, rx: 3 }),
      svg('rect', { class: `fill c${i % 7}`, x: 0, y: y + 21, width: `${Math.max(100 * n / top, 2)}%`, height: 6, rx: 3 })));
  });
  return card(title, drawing);
}

/** histogram returns a picture of columns, one for each range. */
function histogram({ title, facet, ranges, sums, choose, chosen }) {
  const height = ROWS * ROW;
  const base = height - 20;
  const top = Math.max(...ranges.map((r) => sums.get(r.id) || 0), 1);
  const step = 100 / ranges.length;
  const drawing = svg('svg', { width: '100%', height, role: 'group', 'aria-label': title, class: 'chart' });
  drawing.append(svg('line', { class: 'axis', x1: 0, x2: '100%', y1: base + 0.5, y2: base + 0.5 }));
  ranges.forEach((r, i) => {
    const n = sums.get(r.id) || 0;
    const tall = n ? Math.max((base - 24) * n / top, 3) : 0;
    const middle = `${(i + 0.5) * step}%`;
    const from = r.id.split('-')[0];
    drawing.append(svg('g', { class: n === 0 ? 'bar rest' : 'bar' },
      hit({ x: `${i * step + step * 0.04}%`, y: 0, width: `${step * 0.92}%`, height, rx: 5 }, `${r.name}: ${n}`, chosen.includes(r.id), n > 0 && (() => choose(facet.id, r.id))),
      svg('rect', { class: 'fill c0', x: `${i * step + step * 0.16}%`, y: base - tall, width: `${step * 0.68}%`, height: tall, rx: 3 }),
      seen({ class: 'number', x: middle, y: base - tall - 6, 'text-anchor': 'middle' }, n ? String(n) : ''),
      seen({ class: 'name small', x: middle, y: height - 4, 'text-anchor': 'middle' }, r.id.endsWith('-') ? `${from}+` : `${from}–`)));
  });
  return card(title, drawing);
}

function card(title, drawing) {
  return h('figure', { class: 'card' }, h('figcaption', null, title), drawing);
}

/**
 * draw fills the overview with the pictures that have something to show, and returns how many there are. Each is drawn from
 * the models that pass the filters of all other facets, so that a filtered picture still shows what else could be chosen.
 */
export function draw(box, others, state, choose) {
  const pictures = [];
  const picture = (make, title, id, amount, more) => {
    const facet = facetOf(id);
    const sums = tally(others(id), (m) => facet.values(m), amount);
    if (sums.size < 2) return;
    pictures.push(() => make({ title, facet, sums, choose, chosen: state.chosen[id] || [], length: room(box), ...more }));
  };
  const one = () => 1;
  const size = (m) => m.size;
  const number = { format: (n) => n.toLocaleString('en') };
  if (state.category === 'all') {
    picture(bars, 'Models by category', 'category', one, number);
    picture(bars, 'Bytes by category', 'category', size, { format: bytes });
  }
  picture(bars, 'Models by baseline', 'baseline', one, number);
  picture(bars, 'Bytes by baseline', 'baseline', size, { format: bytes });
  picture(histogram, 'Parameters, in billions', 'params', one, { ranges: paramRanges });
  picture(histogram, 'Size on disk, in GB', 'size', one, { ranges: sizeRanges });
  picture(bars, 'Models by style', 'style', one, number);
  picture(bars, 'Models by licence', 'licence', one, number);
  box.classList.toggle('five', pictures.length === 5); // before the pictures ask for their room
  box.replaceChildren(...pictures.map((make) => make()));
  return pictures.length;
}
