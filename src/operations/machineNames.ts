import { domainToUnicode } from 'node:url';

/** A machine as somebody calls it, in the spelling of `normalizeName`. */
export interface MachineName {
  readonly host: string;
  /** What follows the host; empty where only a host is named. */
  readonly domain: string;
  /** Whether the domain is that of the account in Active Directory: the machine's DNS suffix may be another one. */
  readonly isAccount: boolean;
}

/** One spelling of a DNS name: no letter case, no final dot, composed letters, no punycode. What is not DNS stays as it is. */
export const normalizeName = (text: string | undefined) =>
  (text ?? '')
    .trim()
    .replace(/\.+$/, '')
    .normalize('NFC')
    .toLowerCase()
    .replace(/(?<=^|\.)xn--[a-z0-9-]+/g, (label) => domainToUnicode(label) || label);

export const getHost = (fqdn: string) => normalizeName(fqdn).split('.')[0] ?? '';
export const getSuffix = (fqdn: string) => normalizeName(fqdn).split('.').slice(1).join('.');

/** A workgroup has a name without a dot, and is no domain. */
export const isDnsDomain = (domain: string | undefined) => normalizeName(domain).includes('.');

/** Quotes, blanks and marks that nobody sees, as they stand around a name that was copied. */
const around = /^[\s"'`\u00ab\u00bb\u2018-\u201e\u200b\ufeff]+|[\s"'`\u00ab\u00bb\u2018-\u201e\u200b\ufeff]+$/g;
/** `DC1.corp.example [PDC]  [DS] Site: Berlin`, as `nltest /dclist` prints it. */
const afterControllerOfList = /\s+(?:\[(?:PDC|DS)\]?|Site:).*$/is;
const relativeName = /^\s*(CN|DC|OU|O|L|ST|C)\s*=\s*((?:[^\\]|\\.)*)$/i;

/**
 * What a name means that was copied from a tool: a host or an FQDN, `DC1$`, `CORP\DC1$`, `DC1$@corp.example`, a
 * distinguished or canonical name, a line of `nltest /dclist`, in quotes or with final dots. Undefined where it is none.
 */
export function readMachineName(text: string): MachineName | undefined {
  const line = text.replace(around, '').replace(afterControllerOfList, '').replace(/^\\\\/, '');
  if (relativeName.test(line)) return readDistinguishedName(line);
  const canonical = /^([^/\s]+\.[^/\s]+)\/(?:[^/]+\/)*([^/]+)$/.exec(line);
  const principal = /^([^@\s]+)@([^@\s]+)$/.exec(line);
  const account = /^([^\\\s]+)\\([^\\\s]+)$/.exec(line);
  if (canonical !== null) return createAccount(canonical[2], canonical[1]);
  if (principal !== null) return createAccount(principal[1], principal[2]);
  if (account !== null) return createAccount(account[2], account[1]);
  return createName(line);
}

const isName = (name: string) => /^[^\s\\/@,;=:"'|<>*?]+$/.test(name) && !/^\d+(\.\d+){3}$/.test(name);

function createName(text: string): MachineName | undefined {
  const name = normalizeName(text.replace(/\$$/, ''));
  const [host = '', ...domain] = name.split('.');
  return isName(name) && host !== '' ? { host, domain: domain.join('.'), isAccount: false } : undefined;
}

/** A NetBIOS name of a domain decides nothing: only Active Directory knows which domain has it. */
function createAccount(name = '', domain = ''): MachineName | undefined {
  const machine = createName(name);
  if (machine === undefined || machine.domain !== '' || !isDnsDomain(domain)) return machine;
  return { ...machine, domain: normalizeName(domain), isAccount: true };
}

function readDistinguishedName(line: string): MachineName | undefined {
  const parts = line.split(/(?<!\\),/).map((part) => relativeName.exec(part));
  const listValues = (key: string) =>
    parts.flatMap((part) => (part?.[1]?.toUpperCase() === key ? [part[2]?.trim() ?? ''] : []));
  return createAccount(listValues('CN')[0], listValues('DC').join('.'));
}

/** Whether what somebody calls a machine can be the one with this FQDN or host name. */
export function isSameName(asked: MachineName, fqdn: string): boolean {
  const domain = getSuffix(fqdn);
  return asked.host === getHost(fqdn) && (asked.domain === '' || domain === '' || asked.domain === domain);
}

/** A domain as somebody writes it: `corp.example`, or `DC=corp,DC=example`. */
export function readDomainName(text: string): string {
  const parts = text.split(',').map((part) => /^\s*DC\s*=\s*(.+?)\s*$/i.exec(part)?.[1]);
  return normalizeName(parts.every((part) => part !== undefined) ? parts.join('.') : text.replace(around, ''));
}

/** Names of a pasted text, one each: commas part them, but not inside a distinguished name, nor blanks in a line of `nltest`. */
export const splitMachineNames = (text: string): string[] =>
  text
    .split(/[\r\n\t;]+/)
    .flatMap((line) => line.split(/(?<!\\),(?!\s*(?:DC|OU|O|L|ST|C)\s*=)(?!(?<!DC\s*=[^,]*,)\s*CN\s*=)/i))
    .filter((name) => name.trim() !== '');
