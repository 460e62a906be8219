import { describe, expect, test } from 'vitest';
import type * as z from 'zod';
import { ToolError } from '../../src/errors.ts';
import { listSensorCandidates } from '../../src/operations/candidates/read.ts';
import { compareInventory } from '../../src/operations/fleet/compareInventory.ts';
import { summarizeFleet } from '../../src/operations/fleet/summarize.ts';
import { listHealthIssues } from '../../src/operations/healthIssues.ts';
import { readDomainName, readMachineName, splitMachineNames } from '../../src/operations/machineNames.ts';
import { deleteSensor, deleteStaleSensors } from '../../src/operations/sensors/delete.ts';
import { getSensor, listSensors } from '../../src/operations/sensors/read.ts';
import { daysAgo, disconnected, listed, makeId, sensor } from './factories.ts';
import { openGraph, openReader } from './graph.ts';
import { makePlan } from './written.ts';

const names = (...domainControllerDnsNames: (string | null)[]) => ({ settings: { domainControllerDnsNames } });
const standalone = (more: object) => ({ sensorType: 'domainControllerStandalone', ...more });
const candidate = (number: number, computerDnsName: string, domainName: string | null, days = 1) => ({
  id: makeId(number),
  computerDnsName,
  domainName,
  lastSeenDateTime: daysAgo(days),
});
const issue = (number: number, ...sensorDNSNames: (string | null)[]) => ({
  id: makeId(number),
  displayName: 'Sensor stopped communicating',
  status: 'open',
  sensorDNSNames,
});

/** One machine of every kind, each beside a decoy that a looser rule would take for it. */
const fleet = {
  sensors: [
    listed(1, 'DC01'),
    listed(2, 'DC01', { domainName: 'emea.contoso.com' }),
    sensor(3, 'FIFTEEN-LETTERS', names('fifteen-letters.contoso.com')),
    sensor(4, 'BERLIN-DATACENT', names('berlin-datacenter-dc01.contoso.com')),
    sensor(5, 'BERLIN-DATACENT', names('berlin-datacenter-dc02.contoso.com')),
    sensor(6, 'MUNICH-DATACENT', names()),
    sensor(7, 'DC07', { domainName: 'ad.contoso.com', ...names('dc07.net.contoso.com') }),
    sensor(8, 'DC07', { domainName: 'net.contoso.com', ...names('dc07.lab.contoso.com') }),
    sensor(9, 'DC09', names('dc19.contoso.com', 'dc29.contoso.com')),
    sensor(10, 'MIRROR01', standalone({ domainName: 'WORKGROUP', ...names('dc1.plant-a.com') })),
    sensor(11, 'MIRROR01', standalone({ domainName: 'WORKGROUP', ...disconnected, ...names('dc1.plant-b.com', null) })),
    sensor(12, 'DC12', names(null)),
    listed(13, 'DC13', disconnected),
    listed(14, 'DC13'),
    sensor(15, 'ADFS15', { sensorType: 'adfsIntegrated', ...names('dc01.contoso.com', 'adfs15.emea.contoso.com') }),
    listed(16, 'Zürich'),
  ],
  sensorCandidates: [
    candidate(31, 'dc31.contoso.com', null),
    candidate(32, 'dc32.contoso.com', 'contoso.com', 20),
    candidate(33, 'DC32.contoso.com.', 'contoso.com', 1),
    candidate(34, 'dc34.contoso.com', 'contoso.com', 5),
    candidate(35, 'dc34.contoso.com', 'contoso.com', 1),
    candidate(36, 'dc36.net.contoso.com', 'ad.contoso.com'),
    candidate(37, 'munich-datacenter-dc02.emea.contoso.com', null),
  ],
  'sensors/getDeploymentPackageUri': {},
  healthIssues: [
    issue(51, 'dc07.net.contoso.com', null),
    issue(52, 'berlin-datacenter-dc02.contoso.com'),
    issue(53, 'dc01.contoso.com'),
  ],
};

const reader = () => openReader(fleet);
const numberOf = (id: unknown) => Number(String(id).slice(-12));

async function findSensor(name: string): Promise<number | string> {
  const found = await getSensor.run(getSensor.input.parse({ name }), reader()).catch((error: unknown) => error);
  return found instanceof ToolError ? found.code : numberOf(Object(found).id);
}

async function compare(name: string): Promise<unknown> {
  const found = await compareInventory.run(compareInventory.input.parse({ names: [name] }), reader());
  const groups = ['monitoredNotWorking', 'ambiguous', 'unknown', 'candidate', 'unreadable'];
  if (found.monitored === 1) return 'monitoredByMirrorWithoutEtw' in found ? 'mirrored' : 'monitored';
  const [group = ''] = groups.filter((kind) => Object(Object(found)[kind]).total === 1);
  const [line] = Object(Object(found)[group]).listed;
  return ['candidate', 'monitoredNotWorking'].includes(group) ? numberOf(line.id) : group;
}

async function list(name: string): Promise<number[]> {
  const { sensors } = await listSensors.run(listSensors.input.parse({ name }), reader());
  return sensors.map(({ id }) => numberOf(id)).sort((a, b) => a - b);
}

describe('which machine a name is', () => {
  test.each<[shape: string, name: string, sensor: number | string, inventory: unknown, listed: number[]]>([
    ['a host name of two domains', 'dc01', 'ambiguous', 'ambiguous', [1, 2, 4]],
    ['an FQDN', 'DC01.Contoso.com', 1, 'monitored', [1]],
    ['an FQDN with a final dot', 'dc01.emea.contoso.com.', 2, 'monitored', [2]],
    ['a name that exists in another domain', 'dc01.fabrikam.com', 'not_found', 'unknown', []],
    ['15 characters', 'fifteen-letters.contoso.com', 3, 'monitored', [3]],
    ['15 characters and more', 'fifteen-letters2.contoso.com', 'not_found', 'unknown', []],
    ['a long name', 'berlin-datacenter-dc01.contoso.com', 4, 'monitored', [4]],
    ['the host of a long name', 'berlin-datacenter-dc02', 5, 'monitored', [5]],
    ['a long name that begins alike', 'berlin-datacenter-dc03.contoso.com', 'not_found', 'unknown', []],
    ['the part of a long name that Graph shows', 'BERLIN-DATACENT', 'ambiguous', 'ambiguous', [4, 5]],
    ['a long name without a list that names it', 'munich-datacenter-dc01.contoso.com', 6, 'monitored', [6]],
    ['the name in DNS of a disjoint namespace', 'dc07.net.contoso.com', 7, 'monitored', [7]],
    ['the name in Active Directory of one', 'DC07.ad.contoso.com', 7, 'monitored', [7]],
    ['the name in DNS of its decoy', 'dc07.lab.contoso.com', 8, 'monitored', [8]],
    ['a name whose list names others', 'dc09.contoso.com', 9, 'monitored', [9]],
    ['what a list names that is not its own', 'dc19.contoso.com', 'not_found', 'unknown', []],
    ['two of one workgroup', 'MIRROR01', 'ambiguous', 'ambiguous', [10, 11]],
    ['a domain controller that is watched', 'dc1.plant-a.com', 'not_found', 'mirrored', []],
    ['one whose watcher is silent', 'dc1.plant-b.com', 'not_found', 11, []],
    ['a list of nothing', 'dc12.contoso.com', 12, 'monitored', [12]],
    ['two entries of one machine', 'dc13.contoso.com', 'ambiguous', 'monitored', [13, 14]],
    ['a controller that an AD FS sensor asks', 'adfs15.emea.contoso.com', 'not_found', 'unknown', []],
    ['a candidate without a domain', 'dc31.contoso.com', 'not_found', 31, []],
    ['a candidate that was set up again', 'dc32.contoso.com', 'not_found', 33, []],
    ['two candidates of one name', 'dc34.contoso.com', 'not_found', 'ambiguous', []],
    ['a candidate of a disjoint namespace', 'dc36.net.contoso.com', 'not_found', 36, []],
    ['an account', 'DC12$', 12, 'monitored', [12]],
    ['an account with a NetBIOS domain', 'CONTOSO\\DC01$', 'ambiguous', 'ambiguous', [1, 2]],
    ['an account with a domain', 'emea.contoso.com\\DC01$', 2, 'monitored', [2]],
    ['a principal', 'DC01$@EMEA.CONTOSO.COM', 2, 'monitored', [2]],
    ['a distinguished name', 'CN=DC07,OU=Domain Controllers,DC=ad,DC=contoso,DC=com', 7, 'monitored', [7]],
    ['a canonical name', 'net.contoso.com/Domain Controllers/DC07', 8, 'monitored', [8]],
    ['a line of nltest', '    DC12.contoso.com [PDC]  [DS] Site: Berlin', 12, 'monitored', [12]],
    ['quotes', '\u201cdc12.contoso.com\u201d', 12, 'monitored', [12]],
    ['letters with marks of their own', 'zu\u0308rich.contoso.com', 16, 'monitored', [16]],
    ['punycode', 'xn--zrich-kva.contoso.com', 16, 'monitored', [16]],
    ['what is no name', 'The command completed successfully', 'not_found', 'unreadable', []],
    ['an address', '10.0.0.1', 'not_found', 'unreadable', []],
  ])('%s: %s', async (_, name, inSensors, inInventory, inList) => {
    expect([await findSensor(name), await compare(name), await list(name)]).toEqual([inSensors, inInventory, inList]);
  });

  test('of an inventory that only a list of another name has is unknown, and says whose list that is', async () => {
    const { unknown } = await compareInventory.run(
      compareInventory.input.parse({ names: ['dc19.contoso.com', 'dc10.contoso.com'] }),
      reader(),
    );
    expect(unknown).toEqual({
      rows: 2,
      total: 2,
      listed: [{ name: 'dc19.contoso.com', inListOf: ['DC09.contoso.com'] }, 'dc10.contoso.com'],
    });
  });

  test.each<[name: string, message: string]>([
    [
      'dc01.fabrikam.com',
      `No sensor is called dc01.fabrikam.com. The name exists in another domain: DC01.contoso.com (${makeId(1)}), DC01.emea.contoso.com (${makeId(2)}).`,
    ],
    [
      'dc1.plant-a.com',
      `No sensor is called dc1.plant-a.com. A standalone sensor watches it by port mirroring: MIRROR01.WORKGROUP (${makeId(10)}).`,
    ],
    [
      'dc19.contoso.com',
      `No sensor is called dc19.contoso.com. It is in the list of a sensor that has another name: DC09.contoso.com (${makeId(9)}).`,
    ],
    ['no name', 'No sensor is called no name. This is not the name of a machine.'],
    ['berlin-datacenter-dc03.contoso.com', 'No sensor is called berlin-datacenter-dc03.contoso.com.'],
  ])('of %s is told what exists instead', async (name, message) => {
    await expect(getSensor.run(getSensor.input.parse({ name }), reader())).rejects.toMatchObject({ message });
  });

  test.each([
    [
      'munich-datacenter-dc01.contoso.com',
      'Microsoft Graph shows only the first 15 characters of the name, so this may be another machine whose name begins alike.',
    ],
    ['berlin-datacenter-dc01.contoso.com', undefined],
    ['MUNICH-DATACENT', undefined],
  ])('%s is said to be matched by its beginning, or not', async (name, nameNote) => {
    expect(Object(await getSensor.run(getSensor.input.parse({ name }), reader())).nameNote).toBe(nameNote);
  });

  test.each<[number, string[]]>([
    [7, [makeId(51)]],
    [8, []],
    [5, [makeId(52)]],
    [4, []],
    [1, [makeId(53)]],
    [15, []],
  ])('sensor %i has its own issues and no others', async (number, ids) => {
    const { issues } = await getSensor.run(getSensor.input.parse({ id: makeId(number) }), reader());
    expect(issues?.map(({ id }) => id)).toEqual(ids);
  });

  test.each<[string, number[]]>([
    ['dc07', [51]],
    ['DC07.net.contoso.com', [51]],
    ['dc07.lab.contoso.com', []],
    ['BERLIN-DATACENT', [52]],
    ['berlin-datacenter-dc01', []],
    ['CONTOSO\\DC01$', [53]],
    ['dc01.emea.contoso.com', []],
    ['DC07.ad.contoso.com', [51]],
    ['CN=DC07,OU=Domain Controllers,DC=ad,DC=contoso,DC=com', [51]],
    ['net.contoso.com/Domain Controllers/DC07', []],
    ['MUNICH-DATACENT', []],
    ['dc12.contoso.com', []],
    ['DC99', []],
  ])('issues of %s', async (name, numbers) => {
    const { issues } = await listHealthIssues.run(listHealthIssues.input.parse({ sensor: name }), reader());
    expect(issues.map(({ id }) => numberOf(id))).toEqual(numbers);
  });

  test('issues of a name where sensors may not be read are those of that name, which is said', async () => {
    const found = await listHealthIssues.run(
      listHealthIssues.input.parse({ sensor: 'dc07.net.contoso.com' }),
      openReader({ ...fleet, sensors: 403 }),
    );
    expect(found.issues.map(({ id }) => numberOf(id))).toEqual([51]);
    expect(found.missing).toEqual([
      "sensors: refused; by Microsoft's tables it needs SecurityIdentitiesSensors.Read.All, and a person a role",
    ]);
  });

  test.each<[z.input<typeof listSensorCandidates.input>, number[]]>([
    [{ domain: 'contoso.com' }, [31, 32, 33, 34, 35]],
    [{ domain: 'DC=ad,DC=contoso,DC=com' }, [36]],
    [{ domain: 'emea.contoso.com' }, [37]],
    [{ name: 'DC32$' }, [32, 33]],
    [{ name: 'munich-datacent' }, [37]],
  ])('candidates of %j', async (input, numbers) => {
    const { candidates } = await listSensorCandidates.run(listSensorCandidates.input.parse(input), reader());
    expect(candidates.map(({ id }) => numberOf(id)).sort()).toEqual(numbers);
  });

  test.each<[string, number[]]>([
    ['plant-a.com', [10]],
    ['plant-b.com', [11]],
    ['WORKGROUP', [10, 11]],
    ['ad.contoso.com', [7]],
  ])('sensors of the domain %s, also those that only watch it', async (domain, numbers) => {
    const { sensors } = await listSensors.run(listSensors.input.parse({ domain }), reader());
    expect(sensors.map(({ id }) => numberOf(id))).toEqual(numbers);
  });

  test('the summary counts what is watched where it is, a workgroup nowhere, and only certain duplicates', async () => {
    const found = JSON.parse(JSON.stringify(await summarizeFleet.run({}, reader())));
    const domains = new Map(found.domains.worstFirst.map((row: { domain: string }) => [row.domain, row]));
    expect([...domains.keys()].sort()).toEqual([
      'ad.contoso.com',
      'contoso.com',
      'emea.contoso.com',
      'net.contoso.com',
      'plant-a.com',
      'plant-b.com',
    ]);
    expect(domains.get('plant-a.com')).toEqual({
      domain: 'plant-a.com',
      dcCommunicating: 1,
      ofTheseMirrorsWithoutEtw: 1,
      dcsKnownAtLeast: 1,
      sensors: 1,
      notCommunicating: 0,
      candidates: 0,
    });
    expect(domains.get('contoso.com')).toMatchObject({ candidates: 3, dcCommunicating: 9, sensors: 11 });
    expect(found.duplicates).toEqual({ total: 1, names: ['DC13.contoso.com'] });
    expect(found.openIssues.namesThatFitNoSensor).toBe(0);
  });

  test('a question names the machine by its FQDN, and so it is typed', async () => {
    const { targets } = await makePlan(deleteSensor, { id: makeId(4) }, openGraph(fleet));
    expect(targets).toMatchObject([
      {
        name: 'BERLIN-DATACENT',
        domain: 'contoso.com',
        fqdn: 'berlin-datacenter-dc01.contoso.com',
        domainControllers: ['berlin-datacenter-dc01.contoso.com'],
      },
    ]);
  });

  test.each([
    [11, `"MIRROR01.WORKGROUP" (${makeId(11)}) is disconnected, not unreachable, and has no communicating duplicate`],
    [13, undefined],
  ])('sensor %i is stale, or why not', async (number, why) => {
    const plan = makePlan(deleteStaleSensors, { ids: [makeId(number)] }, openGraph(fleet));
    if (why === undefined) expect((await plan).targets).toHaveLength(1);
    else await expect(plan).rejects.toMatchObject({ code: 'not_writable', message: expect.stringContaining(why) });
  });
});

describe('what people paste', () => {
  test.each<[string, ReturnType<typeof readMachineName>]>([
    ['', undefined],
    ['.', undefined],
    ['dc 1', undefined],
    ['a=b', undefined],
    ['OU=Domain Controllers,DC=contoso,DC=com', undefined],
    ['\\\\DC1', { host: 'dc1', domain: '', isAccount: false }],
    ['CN=DC1', { host: 'dc1', domain: '', isAccount: false }],
    ['CN=DC1,CN=Computers,DC=a,DC=b', { host: 'dc1', domain: 'a.b', isAccount: true }],
    ['CORP\\dc1.corp.com', { host: 'dc1', domain: 'corp.com', isAccount: false }],
    ['dc1.corp.com [DS', { host: 'dc1', domain: 'corp.com', isAccount: false }],
    ['xn--a.com', { host: 'xn--a', domain: 'com', isAccount: false }],
  ])('%j is read as %j', (text, name) => {
    expect(readMachineName(text)).toEqual(name);
  });

  test.each([
    ['DC=corp,DC=example', 'corp.example'],
    ['dc=Corp , dc=Example', 'corp.example'],
    ['"Corp.Example."', 'corp.example'],
    ['CORP', 'corp'],
  ])('%j is the domain %s', (text, domain) => {
    expect(readDomainName(text)).toBe(domain);
  });

  test.each([
    ['dc1,dc2;dc3\r\ndc4\tdc5', ['dc1', 'dc2', 'dc3', 'dc4', 'dc5']],
    ['CN=A,OU=x\\, y,DC=a,DC=b', ['CN=A,OU=x\\, y,DC=a,DC=b']],
    ['CN=A,CN=Computers,DC=a,CN=B,DC=b', ['CN=A,CN=Computers,DC=a', 'CN=B,DC=b']],
    ['"CN=A,DC=a","CN=B,DC=b"', ['"CN=A,DC=a"', '"CN=B,DC=b"']],
    ['dc1 [PDC]  [DS] Site: X\ndc2 [DS] Site: X', ['dc1 [PDC]  [DS] Site: X', 'dc2 [DS] Site: X']],
    ['\n', []],
  ])('%j is parted', (text, parts) => {
    expect(splitMachineNames(text)).toEqual(parts);
  });
});
