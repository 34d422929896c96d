// The details of one model: files, licence, prompts, pictures, and the commands that give the same.

import { h, text, link, webURL, bytes, count, label, words, copyButton } from './dom.js';
import { fetchJSON } from './data.js';

const services = {
  image_generation: 'ImageGeneration', text_generation: 'TextGeneration', controlnet: 'ControlNet',
  controlnet_annotator: 'ControlNetAnnotator', clip: 'CLIP', blip: 'BLIP', esrgan: 'ESRGAN', gfpgan: 'GFPGAN', codeformer: 'CodeFormer',
  safety_checker: 'SafetyChecker', video_generation: 'VideoGeneration', audio_generation: 'AudioGeneration',
  miscellaneous: 'Miscellaneous', lora: 'LoRA', ti: 'TextualInversion',
};

/** shellQuote returns a text as one word of a shell. */
function shellQuote(value) {
  return /^[\w./:@%+=,-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

function modelPath(model) {
  return `/api/model_references/v2/${model.category}/model/${encodeURIComponent(model.key)}`;
}

function section(title, ...children) {
  return h('section', { class: 'part' }, h('h3', null, title), children);
}

/** facts returns a list of names and values. Empty values are left out. */
function facts(rows) {
  const filled = rows.filter(([, value]) => value !== null && value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0));
  if (filled.length === 0) return null;
  return h('dl', { class: 'facts' }, filled.map(([name, value]) => h('div', null, h('dt', null, name), h('dd', null, value))));
}

const chips = (values) => (values.length ? h('ul', { class: 'tag-list' }, values.map((v) => h('li', null, text(v)))) : null);

const date = (seconds) => (Number.isFinite(seconds) ? new Date(seconds * 1000).toISOString().slice(0, 10) : null);

/** host returns the host of an address, for people. */
function host(address) {
  return webURL(address)?.host ?? '';
}

function fileItem(file) {
  const sum = typeof file.sha256sum === 'string' && /^[0-9a-f]{64}$/i.test(file.sha256sum) ? file.sha256sum.toLowerCase() : null;
  const address = typeof file.file_url === 'string' ? file.file_url : '';
  const size = Number(file.size_bytes) || null;
  return h('li', { class: 'file' },
    h('div', { class: 'file-head' }, text(file.file_name || 'unnamed file', { class: 'file-name' }), h('span', { class: 'muted' }, size ? bytes(size) : '')),
    h('div', { class: 'line' }, h('span', { class: 'key' }, 'URL'), h('span', { class: 'value' }, link(address, host(address) ? undefined : address)), copyButton(address, 'the URL')),
    h('div', { class: 'line' }, h('span', { class: 'key' }, 'SHA-256'), sum ? h('code', { class: 'value' }, sum) : h('span', { class: 'value muted' }, 'not recorded'),
      sum && copyButton(sum, 'the checksum')),
    h('p', { class: 'badges' }, file.file_purpose && h('span', { class: 'badge' }, text(words(file.file_purpose))),
      file.known_slow_download === true && h('span', { class: 'badge warn' }, 'slow host')));
}

function licencePart(model) {
  const l = model.licensing;
  if (!l) return null;
  const evidence = Array.isArray(l.evidence) ? l.evidence.filter((e) => e && typeof e.source === 'string') : [];
  const overrides = l.files && typeof l.files === 'object' ? Object.entries(l.files) : [];
  return section('Licence',
    facts([
      ['Licence', l.license_expression && text(label(l.license_expression))],
      ['Commercial use', l.commercial_use && text(label(l.commercial_use))],
      ['Redistribution', l.redistribution && text(label(l.redistribution))],
      ['Obligations', Array.isArray(l.obligations) && l.obligations.length ? chips(l.obligations.map(words)) : null],
      ['Attribution', l.attribution && [text(l.attribution), ' ', copyButton(String(l.attribution), 'the attribution')]],
      ['Reviewed', l.reviewed_by && [text(l.reviewed_by), l.reviewed_at ? `, ${l.reviewed_at}` : '']],
    ]),
    l.notes && h('p', { class: 'muted' }, text(l.notes)),
    overrides.length > 0 && facts(overrides.map(([name, o]) => [text(name), o && text(label(o.license_expression ?? ''))])),
    evidence.length > 0 && h('ul', { class: 'plain' }, evidence.map((e) => h('li', null, link(e.source), e.description ? [' — ', text(e.description)] : ''))));
}

/** settingsPart shows the settings that a record recommends or requires. */
function settingsPart(model) {
  const settings = model.raw.requirements ?? model.raw.settings;
  if (!settings || typeof settings !== 'object' || Object.keys(settings).length === 0) return null;
  return section(model.raw.requirements ? 'Requirements' : 'Settings',
    facts(Object.entries(settings).map(([name, value]) => [text(words(name)), text(typeof value === 'object' ? JSON.stringify(value) : String(value))])));
}

/** picturesPart names the hosts of the pictures, and loads them when a person clicks the button. */
function picturesPart(model) {
  const urls = model.showcases.map(webURL).filter((url) => url?.protocol === 'https:');
  if (urls.length === 0) return null;
  const hosts = [...new Set(urls.map((url) => url.host))].join(', ');
  const gallery = h('div', { class: 'gallery' });
  const button = h('button', { type: 'button', class: 'button', on: { click: () => {
    gallery.replaceChildren(...urls.map((url, i) => h('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer nofollow' },
      h('img', { src: url.href, alt: `Example ${i + 1} of ${model.name}`, loading: 'lazy', referrerpolicy: 'no-referrer',
        on: { error: (e) => e.target.replaceWith(h('span', { class: 'muted' }, 'This picture could not be loaded.')) } }))));
    button.hidden = true;
    note.hidden = true;
  } } }, urls.length === 1 ? 'Load the picture' : `Load ${urls.length} pictures`);
  const note = h('span', { class: 'muted' }, ' from ', text(hosts));
  return section('Pictures', h('p', null, button, note), gallery);
}

/** promptsPart shows how to prompt a text model. The profile is loaded when a person clicks the button. */
function promptsPart(model) {
  const guidance = model.raw.guidance;
  const format = typeof model.raw.instruct_format === 'string' && model.raw.instruct_format.trim() ? model.raw.instruct_format.trim() : null;
  if (!format && guidance?.status !== 'published') return null;
  const body = h('div', null, facts([['Prompt format', format && text(format)]]));
  if (guidance?.status === 'published') {
    const button = h('button', { type: 'button', class: 'button', on: { click: async () => {
      button.disabled = true;
      try {
        const resolved = await fetchJSON(`/api/model_references/v2/text_generation/guidance/model?name=${encodeURIComponent(model.key)}`);
        button.replaceWith(profile(resolved.primary_profile), ...(resolved.supplemental_profiles || []).map(profile));
      } catch (error) {
        button.disabled = false;
        button.after(h('p', { class: 'muted' }, `The guidance could not be loaded: ${error.message}`));
      }
    } } }, 'Load the guidance');
    body.append(button);
  }
  return section('Prompts', body);
}

function profile(p) {
  if (!p) return h('p', { class: 'muted' }, 'There is no profile.');
  const lines = [...(p.user?.tips || []), ...(p.user?.caveats || [])].filter((line) => typeof line === 'string');
  return h('div', { class: 'profile' }, h('h4', null, text(p.display_name || p.profile_id)), p.summary && h('p', null, text(p.summary)),
    lines.length > 0 && h('ul', { class: 'plain' }, lines.map((line) => h('li', null, text(line)))),
    facts([['Stop sequences', Array.isArray(p.stop_sequences) && p.stop_sequences.length ? h('code', null, p.stop_sequences.join('  ')) : null]]),
    (p.templates || []).map((t) => h('div', { class: 'line code' }, h('pre', null, t.template ?? ''), copyButton(t.template ?? '', 'the template'))));
}

function commandsPart(model) {
  const address = location.origin + modelPath(model);
  const rows = [
    ['Shell', `modelref get ${model.category} ${shellQuote(model.key)}`, 'the command'],
    ['Go', `record, err := client.${services[model.category] ?? 'ImageGeneration'}.Get(ctx, ${JSON.stringify(model.key)})`, 'the Go line'],
    ['curl', `curl ${shellQuote(address)}`, 'the curl command'],
  ];
  return section('The same elsewhere', rows.map(([name, line, what]) =>
    h('div', { class: 'line code' }, h('span', { class: 'key' }, name), h('code', { class: 'value' }, line), copyButton(line, what))));
}

/** show fills the dialog with a model. */
export function show(dialog, model, close) {
  const raw = model.raw;
  const series = raw.finetune_series;
  dialog.replaceChildren(
    h('div', { class: 'detail-head' },
      h('div', null,
        h('p', { class: 'eyebrow' }, label(model.category), model.nsfw && h('span', { class: 'badge nsfw' }, 'NSFW')),
        h('h2', { id: 'detail-title', tabindex: '-1' }, text(model.name), ' ', copyButton(model.key, 'the name'))),
      h('button', { type: 'button', class: 'button quiet close', 'aria-label': 'Close', on: { click: close } }, '✕')),
    h('div', { class: 'detail-body', tabindex: '0', role: 'region', 'aria-label': 'Details' },
      model.description && h('p', { class: 'lead' }, text(model.description)),
      facts([
        ['Baseline', model.baseline && text(label(model.baseline))],
        ['Style', model.style && text(words(model.style))],
        ['Parameters', model.params ? h('span', { title: model.params.toLocaleString('en') }, count(model.params)) : null],
        ['Size on disk', model.size !== null ? h('span', { title: `${model.size.toLocaleString('en')} bytes` }, bytes(model.size)) : null],
        ['Version', typeof raw.version === 'string' && raw.version ? text(raw.version) : null],
        ['Series', typeof series?.name === 'string' ? text([series.name, series.version].filter(Boolean).join(' ')) : null],
        ['Inpainting', model.inpainting ? 'yes' : null],
        ['Homepage', raw.homepage || raw.url ? link(raw.homepage || raw.url, host(raw.homepage || raw.url)) : null],
        ['Updated', date(raw.metadata?.updated_at)],
        ['Key', model.key !== model.name ? text(model.key) : null],
      ]),
      model.tags.length > 0 && section('Tags', chips(model.tags)),
      model.trigger.length > 0 && section('Trigger words', h('ul', { class: 'tag-list' }, model.trigger.map((word) =>
        h('li', null, text(word), ' ', copyButton(word, `the trigger word ${word}`, '⧉'))))),
      model.files.length > 0 && section(model.files.length === 1 ? 'File' : `${model.files.length} files`, h('ul', { class: 'files' }, model.files.map(fileItem))),
      licencePart(model), promptsPart(model), settingsPart(model), picturesPart(model), commandsPart(model),
      h('details', { class: 'part' }, h('summary', null, 'JSON of the record'),
        h('p', null, copyButton(JSON.stringify(raw, null, 2), 'the JSON', 'Copy JSON'), ' ', h('a', { href: modelPath(model) }, 'Open')),
        h('pre', { tabindex: '0' }, JSON.stringify(raw, null, 2)))));
  dialog.querySelector('.detail-body').scrollTop = 0;
}
