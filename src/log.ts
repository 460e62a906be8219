/** Says something to the operator, on stderr whatever the log's level is. */
export function tellOperator(sentence: string): void {
  process.stderr.write(`mdi-sensors-mcp: ${sentence}\n`);
}

const levels = ['silent', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof levels)[number];
type LineLevel = Exclude<LogLevel, 'silent'>;
type LogFields = Readonly<Record<string, unknown>>;

/** Writes to stderr, never to stdout, which belongs to the protocol. Messages and fields carry no secret and no token. */
export type Log = Readonly<Record<LineLevel, (message: string, fields?: LogFields) => void>>;

/** A log of this level; the library behind it is loaded with the first line that is written. */
export function createLog(level: LogLevel, output: Output = process.stderr): Log {
  let sink: ReturnType<typeof openSink> | undefined;
  const log =
    (lineLevel: LineLevel): Log[LineLevel] =>
    (message, fields = {}) => {
      if (levels.indexOf(lineLevel) > levels.indexOf(level)) return;
      sink ??= openSink(level, output);
      sink.then((logger) => logger[lineLevel](describeErrors(fields), message)).catch(() => undefined);
    };
  return { error: log('error'), warn: log('warn'), info: log('info'), debug: log('debug'), trace: log('trace') };
}

/** Where the lines go: a stream, in colours where that is a terminal. */
interface Output {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

async function openSink(level: LogLevel, output: Output) {
  // The bundle gives a CommonJS package its default export only.
  const { pino } = (await import('pino')).default;
  if (output.isTTY !== true) return pino({ level }, { write: (line) => output.write(maskTokens(line)) });
  // Only its formatter: the stream of pino-pretty would write to stdout.
  const { prettyFactory } = (await import('pino-pretty')).default;
  const pretty = prettyFactory({ colorize: true });
  return pino({ level }, { write: (line) => output.write(pretty(maskTokens(line))) });
}

/** An error of a library can hold the request with its headers: only its words are written. */
const describeErrors = (fields: LogFields) =>
  Object.fromEntries(
    Object.entries(fields).map(([key, one]) => [key, one instanceof Error ? (one.stack ?? one.message) : one]),
  );

const maskTokens = (line: string) => line.replace(/eyJ[\w-]{10,}(\.[\w-]+)*/g, '[token]');
