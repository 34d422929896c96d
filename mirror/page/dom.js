// Building blocks of the page: elements from text, never from HTML, and short forms of numbers and times.

const SVG = 'http://www.w3.org/2000/svg';

/** fill sets the properties of an element and appends children. Text stays text. */
function fill(element, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'on') {
      for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    } else if (name === 'class') {
      element.setAttribute('class', value);
    } else if (name === 'data') {
      Object.assign(element.dataset, value);
    } else {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

/** text isolates a text from a record, so that its direction cannot change what stands around it. */
export function text(value, props) {
  return h('bdi', props, value);
}

/** webURL returns the address if it is one that a link may lead to, otherwise null. */
export function webURL(address) {
  try {
    const url = new URL(address);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : null;
  } catch {
    return null;
  }
}

/** link returns a link to an address from a record, or its text if it is not a web address. */
export function link(address, label) {
  const url = webURL(address);
  if (!url) return text(address);
  return h('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer nofollow' }, text(label || address));
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** bytes writes a size in units of 1000. */
export function bytes(n) {
  if (n === null || n === undefined) return '';
  let unit = 0;
  while (n >= 999.5 && unit < units.length - 1) { n /= 1000; unit++; }
  return `${n < 10 && unit > 0 ? n.toFixed(1) : Math.round(n)} ${units[unit]}`;
}

/** count writes a number of parameters as people do: 7B, 560M. */
export function count(n) {
  if (!n) return '';
  if (n >= 1e9) return `${+(n / 1e9).toFixed(n < 1e10 ? 1 : 0)}B`;
  if (n >= 1e6) return `${Math.round(n / 1e6)}M`;
  return n.toLocaleString('en');
}

/** age writes how long ago something was. */
export function age(seconds) {
  if (seconds === null || seconds === undefined) return 'at an unknown time';
  if (seconds < 5) return 'just now';
  for (const [size, unit] of [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']]) {
    const n = Math.floor(seconds / size);
    if (n >= 1) return `${n} ${unit}${n > 1 ? 's' : ''} ago`;
  }
  return 'just now';
}

/** words writes an identifier for people: stable_diffusion_xl becomes "stable diffusion xl". */
export function words(id) {
  return String(id).replaceAll('_', ' ');
}

const labels = {
  stable_diffusion_1: 'Stable Diffusion 1', stable_diffusion_2_512: 'Stable Diffusion 2 (512)',
  stable_diffusion_2_768: 'Stable Diffusion 2 (768)', stable_diffusion_xl: 'Stable Diffusion XL', stable_cascade: 'Stable Cascade',
  flux_1: 'Flux.1', flux_schnell: 'Flux Schnell', flux_dev: 'Flux Dev', qwen_image: 'Qwen Image', z_image_turbo: 'Z-Image Turbo',
  krea2_turbo: 'Krea 2 Turbo', anima: 'Anima', infer: 'Inferred',
  image_generation: 'Image', text_generation: 'Text', controlnet: 'ControlNet', controlnet_annotator: 'Annotators', clip: 'CLIP',
  blip: 'BLIP', esrgan: 'Upscalers', gfpgan: 'GFPGAN', codeformer: 'CodeFormer', safety_checker: 'Safety', miscellaneous: 'Other',
  video_generation: 'Video', audio_generation: 'Audio', lora: 'LoRA', ti: 'Inversions', NOASSERTION: 'Not reviewed',
  allowed_with_conditions: 'allowed with conditions',
};

/** label returns the name of a value for people. */
export function label(value) {
  return Object.hasOwn(labels, value) ? labels[value] : String(value);
}

let toastTimer;

/** toast shows a short message. */
export function toast(message) {
  const box = document.getElementById('toast');
  box.textContent = message;
  box.classList.add('shown');
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => box.classList.remove('shown'), 2200);
}

/** copy puts a text on the clipboard. Pages without TLS have no clipboard of their own, so there is a second way. */
export async function copy(value, what) {
  try {
    await navigator.clipboard.writeText(value);
  } catch {
    const area = h('textarea', { class: 'hidden-label', readonly: true, 'aria-hidden': 'true' });
    area.value = value;
    (document.querySelector('dialog[open]') || document.body).append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    if (!done) {
      toast('Copying is not possible in this browser');
      return;
    }
  }
  toast(`Copied ${what}`);
}

/** copyButton returns a button that copies a text. */
export function copyButton(value, what, caption = 'Copy') {
  return h('button', { type: 'button', class: 'copy', 'aria-label': `Copy ${what}`, title: `Copy ${what}`,
    on: { click: () => copy(value, what) } }, caption);
}
