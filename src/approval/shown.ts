import type { Target } from '../operations/operation.ts';
import { escapeInvisible } from '../text.ts';

/** Markup and links that a host would draw, spelled out; what is spelled out already stays. */
export const words = (text: string) =>
  text
    .replace(/[`*[\]<>#|~!]|\\(?!u\{)/g, (sign) => `\\u{${sign.charCodeAt(0).toString(16)}}`)
    .replace(/:\/\//g, ':\\u{2f}/')
    .replace(/\bwww\./gi, 'www\\u{2e}');

/** Text of a tenant, client or model for a person's eyes: cut, nothing hidden, no markup or link that a host would draw. */
export function quoted(text: string, most = 200): string {
  return `"${words(escapeInvisible(text, most)).replaceAll('"', "'")}"`;
}

/** A short fact, such as a status or a version: bare where nothing in it could be taken for our words. */
export const fact = (text: string) => (/^[\w.:-]{1,60}$/.test(text) ? text : quoted(text, 60));

const plainLabel = /^[A-Za-z0-9-]{1,63}$/;

/** A machine's name for a person's eyes; letters that are not ASCII are also spelled out, since some look alike. */
export function shownName(target: Target): string {
  if (isPlain(target)) return fullName(target);
  const spelled = fullName(target).replace(/[^\x20-\x7e]/gu, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`);
  const [name, inLetters] = [quoted(fullName(target)), quoted(spelled)];
  return inLetters === name ? name : `${name} (${inLetters})`;
}

export const fullName = ({ name, domain }: Target) => (domain === undefined ? name : `${name}.${domain}`);
export const isPlain = (target: Target) =>
  fullName(target).length <= 200 &&
  fullName(target)
    .split('.')
    .every((label) => plainLabel.test(label));
