import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import { approveCommand, hostName } from '../../command.ts';
import type { Secret } from '../../secrets/secret.ts';
import { escapeInvisible, formatCount } from '../../text.ts';
import type { RequestView } from '../inbox.ts';
import { describeQuestion, listUnnamedTargets } from '../questionText.ts';

const style = `
:root { color-scheme: light dark; --ground: #f6f7f9; --sheet: #fff; --ink: #16191d; --soft: #4a5260; --line: #c9ced6; --act: #0b57d0; --on-act: #fff; --bad: #a1160a; --bad-ground: #fdecea; --good: #0f5c2e; --note-ground: #fff6da; --note: #5c4300; }
@media (prefers-color-scheme: dark) { :root { --ground: #101216; --sheet: #191c22; --ink: #eceef2; --soft: #b4bcc8; --line: #3a414d; --act: #a8c7fa; --on-act: #062e6f; --bad: #ffb4a9; --bad-ground: #3b1512; --good: #9be0b0; --note-ground: #332a0c; --note: #ffe08a; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
.whole { display: inline-block; max-width: 100%; }
main { max-width: 44rem; margin: 0 auto; padding: clamp(1rem, 4vw, 2rem); background: var(--sheet); border: 1px solid var(--line); border-radius: .75rem; }
h1 { margin: 0 0 1.25rem; font-size: 1.5rem; line-height: 1.25; }
h1 small { display: block; color: var(--soft); font-size: .875rem; font-weight: 400; }
h2 { margin: 0 0 .75rem; font-size: 1.25rem; line-height: 1.3; }
h3 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
p { margin: .5rem 0; } ul, ol { margin: .5rem 0; padding-left: 1.25rem; } li { margin: .375rem 0; }
.simulated { display: inline-block; padding: 0 .5rem; border: 2px solid currentColor; border-radius: .375rem; font-size: .875rem; letter-spacing: .05em; }
.warning { color: var(--bad); } .reassurance { color: var(--good); } .facts, footer { color: var(--soft); }
.note { margin: 0 0 1rem; padding: .75rem 1rem; border-left: 4px solid currentColor; background: var(--note-ground); color: var(--note); white-space: pre-line; }
.error { margin: 1rem 0; padding: .75rem 1rem; background: var(--bad-ground); color: var(--bad); }
code { font: .875rem/1.5 ui-monospace, monospace; }
form { margin-top: 1.5rem; border-top: 1px solid var(--line); }
label { display: block; margin: 1.25rem 0; } label code { font-weight: 700; user-select: all; }
input[type=text] { display: block; width: 100%; min-height: 2.75rem; margin-top: .375rem; padding: .5rem .75rem; border: 1px solid var(--soft); border-radius: .5rem; background: transparent; color: inherit; font: 1rem ui-monospace, monospace; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; }
button, .button { flex: 1 1 9rem; min-height: 2.75rem; padding: .5rem 1rem; border: 2px solid var(--act); border-radius: .5rem; background: transparent; color: var(--act); font: 600 1rem system-ui, sans-serif; cursor: pointer; }
.button { display: inline-block; align-content: center; text-align: center; text-decoration: none; }
button[value=decline] { background: var(--act); color: var(--on-act); }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
`;

/** The one style sheet of the pages, as a source that a content security policy allows. */
export const styleSource = `'sha256-${createHash('sha256').update(style).digest('base64')}'`;

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

const createDocument = (title: string, body: Html, head: Html = html``) => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${head}<title>${title}</title>
<style>${raw(style)}</style>
</head>
<body><main>${body}</main></body>
</html>
`;

const kindLabels = { warning: 'Warning', reassurance: 'Safe', info: 'Note' } as const;

/** Text whose flags, ids and names stay in one line each where there is room: a browser breaks them at their hyphens. */
const keepWhole = (text: string): (string | Html)[] =>
  text
    .split(/([^\s/]*-[^\s/]*)/)
    .map((part, index) => (index % 2 === 0 ? part : html`<span class="whole">${part}</span>`));

const atTerminal = html`at a terminal on ${keepWhole(hostName)}: <code>${keepWhole(approveCommand)}</code>`;

/** A page that is shown after a sign-in: who signed in, where its forms go, and for how many minutes that counts. */
export interface SignedInView {
  /** As the tenant spells it: untrusted. */
  readonly name: string;
  readonly action: string;
  readonly minutesLeft: number;
}

const openForm = (secret: string, signedIn: SignedInView | undefined): Html =>
  html`<form method="post"${signedIn === undefined ? '' : html` action="${signedIn.action}"`}>
<input type="hidden" name="secret" value="${secret}">`;

const longestName = 256;
const formatSignedIn = (signedIn: SignedInView | undefined): Html | string =>
  signedIn === undefined
    ? ''
    : html`<p class="facts">Signed in as ${keepWhole(escapeInvisible(signedIn.name, longestName))}</p>`;

/** The question with its form. `secret` has to come back with the answer; `problem` says why the last one did not count. */
export function createQuestionPage(view: RequestView, secret: string, problem?: string, signedIn?: SignedInView): Html {
  const parts = describeQuestion(view.question);
  return createDocument(
    `Approve: ${parts.action} – ${parts.tenant}`,
    html`
${formatTenantHeading(view)}
${view.note.length === 0 ? '' : html`<p class="note" role="note">${keepWhole(view.note.join('\n'))}</p>`}
<section aria-labelledby="act">
<h2 id="act">${keepWhole(parts.action)}</h2>
${parts.consequences.length === 0 ? '' : html`<ul>${parts.consequences.map(({ kind, text }) => html`<li class="${kind}"><strong>${kindLabels[kind]}:</strong> ${keepWhole(text)}</li>`)}</ul>`}
${parts.targets.length === 0 ? '' : html`<h3>On</h3><ol>${parts.targets.map(({ name, facts }) => html`<li><strong>${keepWhole(name)}</strong>${facts.map((fact) => html`<br><span class="facts">${keepWhole(fact)}</span>`)}</li>`)}</ol>`}
${parts.changes.map((change) => html`<p>${keepWhole(change)}</p>`)}
<h3>Details</h3>
${parts.details.map((detail) => html`<p class="facts">${formatDetail(detail)}</p>`)}
<p class="facts">This question is open for ${formatCount(view.minutesLeft ?? 0, 'minute')}.${signedIn === undefined ? html` It can be answered here, or ${atTerminal}` : ''}</p>
${formatSignedIn(signedIn)}
</section>
${openForm(secret, signedIn)}
${problem === undefined ? '' : html`<p class="error" id="problem" role="alert">${problem}</p>`}
<label>To approve, type: <code>${keepWhole(parts.typed)}</code><input type="text" name="typed" autocomplete="off" autocapitalize="off" spellcheck="false"${problem === undefined ? '' : raw(' aria-describedby="problem"')}></label>
<button name="decision" value="neither" hidden tabindex="-1">Enter decides nothing</button>
<p class="buttons"><button name="decision" value="decline">Decline</button> <button name="decision" value="approve">Approve</button></p>
</form>`,
  );
}

const removeQuestionMark = (action: string) => action.replace(/\?$/, '');

/**
 * What became of a question; while that is open, a link looks again. With the `secret` it can be let be asked again, and
 * after a sign-in a key that was disclosed can be shown.
 */
export function createOutcomePage(view: RequestView, secret?: string, signedIn?: SignedInView): Html {
  const parts = describeQuestion(view.question);
  const act = removeQuestionMark(parts.action);
  const names = listUnnamedTargets(parts);
  const title = { waiting: 'Asked anew', approved: 'Approved', acting: 'Approved', ended: 'Answered' }[view.state];
  const sentence = {
    waiting: 'This was asked anew in another window.',
    approved: `Approved. It is done as soon as the assistant calls again, within ${formatCount(view.minutesLeft ?? 0, 'minute')}.`,
    acting: 'Approved. It is being done now.',
    ended: view.sentence,
  }[view.state];
  return createDocument(
    `${title}: ${act} – ${parts.tenant}`,
    html`${formatTenantHeading(view)}<h2>${keepWhole(act)}</h2>
${names.length === 0 ? '' : html`<ol>${names.map((name) => html`<li>${keepWhole(name)}</li>`)}</ol>`}
<p role="status">${keepWhole(sentence)}</p>
${view.secretFile === undefined ? '' : html`<p>The key is in this file: <code>${keepWhole(view.secretFile)}</code></p>`}
${view.auditRecord === undefined ? '' : html`<p class="facts">Audit record ${view.auditRecord}</p>`}
${signedIn !== undefined && secret !== undefined ? createSignedInForm(view, secret, signedIn) : view.canBeLifted ? createLiftForm(secret) : ''}
<footer>${formatSignedIn(signedIn)}${formatNext(view, signedIn)}</footer>`,
  );
}

function formatNext({ state, disclosedKey }: RequestView, signedIn: SignedInView | undefined): Html | string {
  if (state === 'ended') return disclosedKey === undefined ? html`<p>You can close this page.</p>` : '';
  return signedIn === undefined ? html`<p><a href="">Look again</a></p>` : '';
}

/** What can be done after a sign-in when the question was answered; empty where there is nothing. */
function createSignedInForm(view: RequestView, secret: string, signedIn: SignedInView): Html | string {
  const actions = [
    ...(view.state === 'ended' ? [] : [html`<button name="decision" value="look">Look again</button>`]),
    ...(view.canBeLifted ? [html`<button name="decision" value="lift">Let it be asked again</button>`] : []),
    ...(view.disclosedKey === undefined ? [] : [html`<button name="decision" value="show">Show the key</button>`]),
  ];
  if (actions.length === 0) return '';
  return html`${openForm(secret, signedIn)}
${view.canBeLifted ? html`<p>The assistant cannot ask for this again for some minutes.</p>` : ''}
${view.disclosedKey === undefined ? '' : html`<p>The key has the fingerprint <code>${view.disclosedKey}</code>. It is kept nowhere: it is read again when you press Show. You can do that for ${formatCount(signedIn.minutesLeft, 'more minute')}.</p>`}
<p class="buttons">${actions}</p></form>`;
}

/** The key itself, for whoever approved it. */
export function createKeyPage(view: RequestView, key: Secret, secret: string, signedIn: SignedInView): Html {
  const { fingerprint } = key;
  return createDocument(
    'Deployment access key',
    html`${formatTenantHeading(view)}<h2>Deployment access key</h2>
<p><code>${key.open()}</code></p>
<p>Its fingerprint is <code>${fingerprint}</code>.</p>
${fingerprint === view.disclosedKey ? '' : html`<p class="note" role="note">This is another key than the one that was approved: that had the fingerprint ${view.disclosedKey}, and was replaced since.</p>`}
<p>Copy it, and close this page. It is neither in a file nor in the history of this browser.</p>
${createBackForm(secret, signedIn)}
<footer>${formatSignedIn(signedIn)}</footer>`,
  );
}

/** Why something could not be done after a sign-in, with a way back. */
export const createProblemPage = (view: RequestView, sentence: string, secret: string, signedIn: SignedInView): Html =>
  createDocument(
    'Not done',
    html`${formatTenantHeading(view)}<h2>Not done</h2><p role="alert">${sentence}</p>
${createBackForm(secret, signedIn)}`,
  );

const createBackForm = (secret: string, signedIn: SignedInView): Html =>
  html`${openForm(secret, signedIn)}<p class="buttons"><button name="decision" value="look">Back</button></p></form>`;

/** The only page before a sign-in: it says nothing of the question. */
export const createSignInPage = (address: string): Html =>
  createDocument(
    'Approval',
    html`<h1>Approval</h1><p>An assistant asks for an approval. You see what it asks when you have signed in with Microsoft Entra.</p>
<p class="buttons"><a class="button" href="${address}">Sign in to see the question</a></p>`,
  );

/** Why a sign-in did not count, and where there is another one. */
export const createSignInProblemPage = (sentence: string, address: string): Html =>
  createDocument(
    'Not signed in',
    html`<h1>Not signed in</h1><p role="alert">${sentence} Nothing was changed.</p>
<p class="buttons"><a class="button" href="${address}">Sign in again</a></p>`,
  );

const createLiftForm = (secret: string | undefined): Html =>
  secret === undefined
    ? html`<p class="facts">You can still let it be asked again ${atTerminal}</p>`
    : html`<form method="post"><input type="hidden" name="secret" value="${secret}">
<p>The assistant cannot ask for this again for some minutes.</p>
<p class="buttons"><button>Let it be asked again</button></p></form>`;

/** A page of one sentence. */
export const createMessagePage = (title: string, sentence: string): Html =>
  createDocument(title, html`<h1>${title}</h1><p>${sentence}</p>`);

/** The file that a browser opens: it holds the address, which no process list or log of a host then shows. */
export const createRedirectFile = (address: string): Html =>
  createDocument(
    'Approval',
    html`<h1>Approval</h1><p><a href="${address}">Go to the question</a></p>`,
    html`<meta http-equiv="refresh" content="0;url=${address}">`,
  );

function formatTenantHeading({ question }: RequestView): Html {
  const { tenant, tenantId, simulated } = describeQuestion(question);
  return html`<h1><small>Tenant</small>${simulated ? html`<span class="simulated">SIMULATED</span> ` : ''}${keepWhole(tenant)}<small>${keepWhole(tenantId)}</small></h1>`;
}

function formatDetail(detail: string): Html {
  const [, label, code] = /^(Request|Or, where Graph lacks that|The same in PowerShell): (.*)$/s.exec(detail) ?? [];
  return code === undefined ? html`${keepWhole(detail)}` : html`${label}: <code>${keepWhole(code)}</code>`;
}
