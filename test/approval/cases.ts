import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FormAnswer, Person } from '../harness/clients.ts';
import type { ControlledServer, SeenRequest } from '../harness/controlled.ts';

/** A gated call on the seeded fleet: what it names, what a person types to approve it, what it sends then. */
export interface Case {
  readonly args: Readonly<Record<string, unknown>>;
  /** Without it the form has a choice. */
  readonly typed?: string;
  readonly sends: readonly string[];
}

type SeededCollection = 'sensors' | 'candidates' | 'healthIssues';
/** The id of the first sensor, candidate or issue with such a name in the seeded fleet. */
export type Find = (of: SeededCollection, name: string) => string;
type Named = Readonly<Record<'id' | 'displayName' | 'domainName' | 'computerDnsName', string>>;

export async function finder(server: ControlledServer): Promise<Find> {
  const [sensors, candidates, healthIssues] = await Promise.all(
    (['sensors', 'candidates', 'healthIssues'] as const).map((what) => server.tell({ do: 'read', what })),
  );
  const fleet = { sensors, candidates, healthIssues } as Record<SeededCollection, readonly Named[]>;
  return (of, name) => {
    const found = fleet[of].find(({ displayName, domainName, computerDnsName }) =>
      [`${displayName}.${domainName}`, displayName, computerDnsName].includes(name),
    );
    if (found === undefined) throw new Error(`no ${name} among the ${of}`);
    return found.id;
  };
}

export const gatedTools = [
  'update_sensor',
  'delete_sensor',
  'delete_stale_sensors',
  'get_deployment_access_key',
  'regenerate_deployment_access_key',
  'activate_sensor_candidates',
  'update_activation_configuration',
  'update_health_issue',
  'update_auto_auditing_configuration',
  'migrate_sensors',
] as const;

/** Every gated tool once. */
export const casesOf = (find: Find): Readonly<Record<(typeof gatedTools)[number], Case>> => ({
  update_sensor: {
    args: { id: find('sensors', 'PM01.contoso.com'), domainControllerDnsNames: ['dc17.contoso.com'] },
    sends: ['PATCH sensors/{id}'],
  },
  delete_sensor: {
    args: { id: find('sensors', 'DC07.contoso.com') },
    typed: 'DC07.contoso.com',
    sends: ['DELETE sensors/{id}'],
  },
  delete_stale_sensors: {
    args: { ids: [find('sensors', 'DC12.contoso.com'), find('sensors', 'SIN-DC03.apac.contoso.com')] },
    typed: 'delete 2 Contoso',
    sends: ['DELETE sensors/{id}', 'DELETE sensors/{id}'],
  },
  get_deployment_access_key: {
    args: {},
    typed: 'Contoso',
    sends: ['GET sensors/getDeploymentAccessKey'],
  },
  regenerate_deployment_access_key: {
    args: {},
    typed: 'Contoso',
    sends: ['GET sensors/getDeploymentAccessKey', 'POST sensors/regenerateDeploymentAccessKey'],
  },
  activate_sensor_candidates: {
    args: { ids: [find('candidates', 'dc24.contoso.com'), find('candidates', 'dc25.contoso.com')] },
    sends: ['POST sensorCandidates/activate'],
  },
  update_activation_configuration: {
    args: { activationMode: 'automated' },
    typed: 'Contoso',
    sends: ['POST sensorCandidateActivationConfigurations'],
  },
  update_health_issue: {
    args: { ids: [find('healthIssues', 'NTLM Auditing is not enabled')], status: 'suppressed' },
    sends: ['PATCH healthIssues/{id}'],
  },
  update_auto_auditing_configuration: {
    args: { isAutomatic: false },
    typed: 'Contoso',
    sends: ['PATCH settings/autoAuditingConfiguration'],
  },
  migrate_sensors: {
    args: { ids: [find('sensors', 'DC02.contoso.com')] },
    typed: 'DC02.contoso.com',
    sends: ['POST sensorMigration/migrate'],
  },
});

/** A request as the cases name it. */
export const named = ({ method, path }: SeenRequest) =>
  `${method} ${path.replace('/security/identities/', '').replace(/[0-9a-f-]{36}/g, '{id}')}`;

export const accepted = (content: Record<string, string>): FormAnswer => ({ action: 'accept', content });

/** Approves as a person does who types what the case says, or takes the choice that approves. */
export const approving =
  (typed: string | undefined): Person =>
  ({ requestedSchema: { properties } }) =>
    accepted(typed === undefined ? { decision: properties.decision?.oneOf?.[1]?.const ?? '' } : { typed });

/** The records of a server's audit log. */
export const recordsOf = ({ auditLog }: ControlledServer): Record<string, unknown>[] =>
  readdirSync(auditLog).flatMap((file) =>
    readFileSync(join(auditLog, file), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  );
