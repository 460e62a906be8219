import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import packageJson from '../package.json' with { type: 'json' };
import { getErrorCode } from './errors.ts';

// By OpenTelemetry's API alone: without an SDK, which the operator brings, nothing here does anything.
const tracer = trace.getTracer(packageJson.name, packageJson.version);

interface TracedStep {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  readonly parent?: Context;
}

/** Runs a step inside of a span. What fails is named by its code or class alone: a message may hold what is nobody's business. */
function traceStep<T>(
  { name, kind, attributes, parent = context.active() }: TracedStep,
  run: (span: Span) => Promise<T>,
) {
  return tracer.startActiveSpan(name, { kind, attributes }, parent, async (span) => {
    try {
      return await run(span);
    } catch (error) {
      markAsFailed(span, getErrorCode(error));
      throw error;
    } finally {
      span.end();
    }
  });
}

function markAsFailed(span: Span, type: string): void {
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** A call of a tool, as far as a span tells of it. */
export interface TracedCall {
  readonly tool: string;
  readonly transport: 'stdio' | 'http';
  /** Reads a field of W3C Trace Context where the call may carry one: in `_meta` of the message (SEP-414), then in the headers. */
  readonly readCarrier: (name: string) => unknown;
}

/** Runs the call of a tool in a span of https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/; `toErrorType` names what its result says of a failure. */
export function traceCall<T>(
  { tool, transport, readCarrier }: TracedCall,
  toErrorType: (result: T) => string | undefined,
  run: () => Promise<T>,
): Promise<T> {
  const attributes = {
    'mcp.method.name': 'tools/call',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': tool,
    'network.transport': transport === 'stdio' ? 'pipe' : 'tcp',
  };
  const step = { name: `tools/call ${tool}`, kind: SpanKind.SERVER, attributes, parent: readContext(readCarrier) };
  return traceStep(step, async (span) => {
    const result = await run();
    const errorType = toErrorType(result);
    if (errorType !== undefined) markAsFailed(span, errorType);
    return result;
  });
}

/** What a call is a part of, where its client says that; else what is around it here. */
function readContext(readCarrier: TracedCall['readCarrier']): Context {
  const texts = ['traceparent', 'tracestate', 'baggage'].flatMap((name) => {
    const value = readCarrier(name);
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return texts.length === 0 ? context.active() : propagation.extract(ROOT_CONTEXT, Object.fromEntries(texts));
}

/** Runs what a gated call waits for in a span; `describe` tells how it came out. */
export const traceApproval = <T>(tool: string, describe: (outcome: T) => string, run: () => Promise<T>): Promise<T> =>
  traceStep({ name: `approve ${tool}`, kind: SpanKind.INTERNAL, attributes: {} }, async (span) => {
    const outcome = await run();
    span.setAttribute('mdi.approval.outcome', describe(outcome));
    return outcome;
  });

/** An attempt at a request to Graph. */
export interface TracedRequest {
  readonly method: string;
  /** Its query is left out. */
  readonly url: string;
}

/** Sends a request in a span of https://opentelemetry.io/docs/specs/semconv/http/http-spans/, with its context in the headers. */
export function traceRequest<T extends { readonly status: number }>(
  { method, url }: TracedRequest,
  send: (headers: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  const { origin, hostname, port, pathname, protocol } = new URL(url);
  const attributes = {
    'http.request.method': method,
    'url.full': `${origin}${pathname}`,
    'server.address': hostname,
    'server.port': port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
  };
  return traceStep({ name: method, kind: SpanKind.CLIENT, attributes }, async (span) => {
    const headers = {};
    propagation.inject(context.active(), headers);
    const answer = await send(headers);
    span.setAttribute('http.response.status_code', answer.status);
    if (answer.status >= 400) markAsFailed(span, String(answer.status));
    return answer;
  });
}
