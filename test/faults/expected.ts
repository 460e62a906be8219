import { isWrite } from '../../src/graph/client/errors.ts';
import { parseMethod } from '../../src/graph/endpoint.ts';
import type { EndpointName } from '../../src/tenants/simulated/handlers.ts';
import * as answers from './answers.ts';
import { type Expected, refused, simulated } from './answers.ts';
import type { Words } from './catalogue.ts';
import { type FaultCase, getEndpoint, isPaged, listRoutes } from './cells.ts';
import { endpointNames } from './subjects.ts';

const unknown =
  'It is unknown whether the request took effect. Read the current state before doing anything else; do not repeat the call blindly.';

/** What the answer is by the meaning of a fault, by what a request may be sent again, and by where in the call it is met. */
export function getExpectedAnswer(cell: FaultCase): Expected {
  const { fault, stage, endpoint, writing } = cell;
  const special = stage === 'read' ? undefined : writing?.faults.special?.[`${stage}: ${fault.name}`];
  if (special !== undefined) return special;
  const gets = parseMethod(getEndpoint(endpoint).route) === 'GET';
  const words = told(cell, gets);
  const isFine = words === undefined;
  if (stage === 'read') return isFine ? same(cell) : refusal(words, '');
  if (writing === undefined) throw new Error('a stage of a write without one');
  const { done, seen = done, lost = '', notDone, accepted = '' } = writing.faults;
  if (isFine) return answers.done(done);
  if (stage === 'after') {
    // A deleted object is answered with 404, whatever is wrong with the body of that.
    const isGone = isDeletion(writing.sends) && !isPaged(endpoint);
    const says = isGone && (fault.means === 'unreadable' || words.code === 'not_found' || fault.inBody === true);
    return says ? answers.done(done) : answers.accepted(accepted);
  }
  if (stage === 'send' && !gets && (fault.means === 'unreadable' || fault.inBody)) return answers.done(seen);
  if (stage === 'send' && !gets && fault.means === 'ambiguous') {
    if (fault.late) return answers.done(seen);
    if (notDone !== undefined) return refused(`not_done: ${words.message}`, notDone);
    return refused(`outcome_unknown: ${words.message} ${unknown}`, lost);
  }
  return refusal(words, 'Nothing was changed. ');
}

/** A fault may change what a read finds: a list of nothing is one, too. */
function same({ fault: { name }, reading }: FaultCase): Expected {
  const { changedBy = {} } = reading?.faults ?? {};
  const [, total] = Object.entries(changedBy).find(([fault]) => fault === name) ?? [];
  if (total === undefined) return { kind: 'same' };
  return { kind: 'other', ...(typeof total === 'number' && { text: `total ${total}` }) };
}

const isDeletion = (name: EndpointName) => parseMethod(getEndpoint(name).route) === 'DELETE';

function refusal({ code, message, next }: Words, unchanged: string): Expected {
  return { kind: code, text: `${code}: ${message} ${unchanged}${next === undefined ? '' : `${next} `}${simulated}` };
}

const mayNotHave = 'This tenant, or this version of Microsoft Graph, may not have it.';

/** The words of the refusal that a fault comes to; undefined where nothing comes of it. */
function told({ fault, endpoint }: FaultCase, gets: boolean): Words | undefined {
  const { route, resend, discloses } = getEndpoint(endpoint);
  const { name, means, ever, paged, words, wordsOfWrite = words } = fault;
  const routes = listRoutes(endpoint);
  const spelled = (of: Words): Words => {
    const message = of.message.replace('{route}', route);
    // What Graph says of an endpoint with a secret stays out.
    return {
      ...of,
      message: discloses ? message.replace(/(; Graph's words: ".*")? \(Graph (\d+) \w+\)/, ' (Graph $2)') : message,
    };
  };
  if (name === 'first route off' && routes.length > 1) return undefined;
  if (name.endsWith('off') || (name === '404 after a deletion' && routes.length > 1)) {
    // Graph takes the name of a function for an id.
    if (/\/getDeployment\w+$/.test(route)) {
      return spelled({
        code: 'not_found',
        message: 'Microsoft Graph finds nothing for {route} (Graph 404 NotFound).',
        next: mayNotHave,
      });
    }
    const answer = name.startsWith('404')
      ? '404 NotFound'
      : isOnAnother(endpoint)
        ? '405 MethodNotAllowed'
        : '400 BadRequest';
    return spelled({
      code: 'not_in_this_cloud',
      message: `Microsoft Graph in the global cloud does not have {route} in this version (Graph ${answer}).`,
    });
  }
  const passes =
    means === 'harmless' ||
    (paged === true && !(gets && isPaged(endpoint))) ||
    (means === 'not executed' && ever === undefined) ||
    (means === 'ambiguous' && ever === undefined && resend === 'always');
  const said = gets ? words : wordsOfWrite;
  if (passes || said === undefined) return undefined;
  const isAboutNoId = said.code === 'not_found' && !route.includes('{');
  return spelled(isAboutNoId ? { ...said, next: mayNotHave } : said);
}

/** Whether its path has another method too, so that a route which is off is a method that is not allowed. */
function isOnAnother(name: EndpointName): boolean {
  const path = listPaths(name).at(-1) ?? '';
  return endpointNames.some((other) => other !== name && listPaths(other).some((one) => toPattern(one).test(path)));
}
const listPaths = (name: EndpointName) => listRoutes(name).map((route) => route.slice(route.indexOf(' ') + 1));
const toPattern = (path: string) => new RegExp(`^${path.replace(/\{\w+\}/, '[^/]+')}$`);

/** How many requests are sent where the fault meets those that write or disclose. */
export function countExpectedSends({ fault, endpoint, writing }: FaultCase): number {
  if (writing === undefined) throw new Error('a read sends nothing');
  const { means, ever, atOnce, inBody, name } = fault;
  const { resend } = getEndpoint(endpoint);
  const routes = listRoutes(endpoint).length;
  const others = writing.effects - 1;
  if (others > 0 && /^(malformed JSON|HTML)/.test(name)) return 1;
  if (name === 'all routes off') return routes;
  if (name === 'first route off') return routes === 1 ? 1 : 2 + others;
  if (name === '404 after a deletion') return routes > 1 ? routes : 1 + (isDeletion(endpoint) ? others : 0);
  if (means === 'no token') return 0;
  // After an attempt that may have run a read comes first: what took effect is seen, and not sent again.
  if (fault.late && resend === 'always' && isWrite(getEndpoint(endpoint))) return 1 + others;
  const resends =
    means === 'not executed' ||
    (means === 'ambiguous' && resend === 'always' && !(inBody && isWrite(getEndpoint(endpoint))));
  if (ever && !(inBody && isWrite(getEndpoint(endpoint)))) return resends && !atOnce ? 5 : 1;
  if (name.startsWith('CAE')) return 2 + others;
  if (means === 'refused') return 1;
  return (resends ? 2 : 1) + (means === 'ambiguous' && !resends && !inBody ? 0 : others);
}
