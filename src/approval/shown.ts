import type { Target } from '../operations/operation.ts';
import { escapeInvisible } from '../text.ts';

/** Markup and links that a host would draw, spelled out; what is spelled out already stays. */
export const escapeMarkup = (text: string) =>
  text
    .replace(/[`*[\]<>#|~!]|\\(?!u\{)/g, (sign) => `\\u{${sign.charCodeAt(0).toString(16)}}`)
    .replace(/:\/\//g, ':\\u{2f}/')
    .replace(/\bwww\./gi, 'www\\u{2e}');

/** Text of a tenant, client or model for a person's eyes: cut, nothing hidden, no markup or link that a host would draw. */
export function quoteText(text: string, most = 200): string {
  return `"${escapeMarkup(escapeInvisible(text, most)).replaceAll('"', "'")}"`;
}

/** A short fact, such as a status or a version: bare where nothing in it could be taken for our words. */
export const quoteFact = (text: string) => (/^[\w.:-]{1,60}$/.test(text) ? text : quoteText(text, 60));

const plainLabel = /^[A-Za-z0-9-]{1,63}$/;

/** A machine's name for a person's eyes; letters that are not ASCII are also spelled out, since some look alike. */
export function formatName(target: Target): string {
  if (isPlain(target)) return joinName(target);
  const spelled = joinName(target).replace(/[^\x20-\x7e]/gu, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`);
  const [name, inLetters] = [quoteText(joinName(target)), quoteText(spelled)];
  return inLetters === name ? name : `${name} (${inLetters})`;
}

export const joinName = ({ name, domain }: Target) => (domain === undefined ? name : `${name}.${domain}`);
export const isPlain = (target: Target) =>
  joinName(target).length <= 200 &&
  joinName(target)
    .split('.')
    .every((label) => plainLabel.test(label));
