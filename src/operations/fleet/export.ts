import * as z from 'zod';
import type { Reader } from '../../graph/client/reader.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import { escapeInvisible, escapeJson } from '../../text.ts';
import { readIntoFile } from '../operation.ts';

type ExportedRow = Readonly<Record<string, unknown>>;

/** What can be exported: how it is read, and the columns of its table, by Graph's names. */
const collections = {
  sensors: {
    readAll: (graph: Reader) => graph.getAll(endpoints.listSensors),
    columns: [
      ...['id', 'displayName', 'domainName', 'sensorType', 'version', 'deploymentStatus', 'serviceStatus'],
      ...['healthStatus', 'openHealthIssuesCount', 'migrationState', 'createdDateTime', 'settings.description'],
      ...['settings.domainControllerDnsNames', 'settings.isDelayedDeploymentEnabled', 'settings.networkAdapters'],
    ],
  },
  candidates: {
    readAll: (graph: Reader) => graph.getAll(endpoints.listSensorCandidates),
    columns: ['id', 'computerDnsName', 'domainName', 'sensorTypes', 'lastSeenDateTime', 'senseClientVersion'],
  },
  issues: {
    readAll: (graph: Reader) => graph.getAll(endpoints.listHealthIssues),
    columns: [
      ...['id', 'displayName', 'healthIssueType', 'issueTypeId', 'severity', 'status', 'createdDateTime'],
      ...['lastModifiedDateTime', 'description', 'domainNames', 'sensorDNSNames', 'recommendations'],
      ...['recommendedActionCommands', 'additionalInformation'],
    ],
  },
} as const;

const formats = {
  json: async (rows: readonly ExportedRow[]) => escapeJson(`${JSON.stringify(rows, null, 2)}\n`),
  csv: formatCsv,
} as const;

export const exportFleet = readIntoFile({
  name: 'export_fleet',
  title: 'Export fleet',
  description:
    'Writes every sensor, candidate or health issue, with all fields, into a new file on this machine, for Excel or a script; the tenant stays as it is. Returns name and folder of the file and how many rows it has, not the rows.',
  input: z.strictObject({
    what: z.enum(['sensors', 'candidates', 'issues']).describe('One a file'),
    format: z.enum(['csv', 'json']).default('csv').describe('json, else csv for Excel'),
  }),
  output: z.looseObject({ rows: z.number(), file: z.string(), folder: z.string() }),
  uses: [endpoints.listSensors],
  usesIfAllowed: [endpoints.listSensorCandidates, endpoints.listHealthIssues],
  async run({ what, format }, graph, saveFile) {
    const { readAll, columns } = collections[what];
    let rows: readonly ExportedRow[] = [];
    const saved = await saveFile(what, format, async () => {
      rows = await readAll(graph);
      return formats[format](rows, columns);
    });
    return { rows: rows.length, ...saved };
  },
});

async function formatCsv(rows: readonly ExportedRow[], columns: readonly string[]): Promise<string> {
  const { stringify } = await import('csv-stringify/sync');
  return stringify([...rows], {
    // Without it Excel takes UTF-8 for the code page of the machine.
    bom: true,
    header: true,
    columns: columns.map((key) => ({ key, header: key.replace(/^.*\./, '') })),
    cast: { string: toCell, boolean: String, object: (value) => toCell([value].flat().map(describeItem).join('; ')) },
    escape_formulas: true,
  });
}

/**
 * A text of the tenant on one line, with nothing hidden in it. The library escapes what begins as a formula; where `;` is the
 * separator of lists, Excel begins a cell after one as well.
 */
const toCell = (text: string) =>
  escapeInvisible(text, Number.POSITIVE_INFINITY).replace(/(?:^\s+|;\s*)(?=[=+\-@＝＋－＠])/g, "$&'");

const adapter = z.object({ id: z.string(), name: z.string(), isEnabled: z.boolean() }).partial();

/** A text of a list, or a network adapter. */
function describeItem(item: unknown): string {
  const { id = '', name = id, isEnabled } = adapter.safeParse(item).data ?? {};
  if (typeof item === 'string') return item;
  return isEnabled === false ? `${name} (not used)` : name;
}
