import { describe, expect, test } from 'vitest';
import { all, ask, contoso, sensorAt } from './asking.ts';

const filtered = async (path: string, filter: string) =>
  (await all(contoso(), `${path}?$filter=${encodeURIComponent(filter)}`)).items;

describe('pages', () => {
  test('a collection comes in pages with opaque links at the same place', async () => {
    const tenant = contoso({ sensors: 250 });
    const first = (await ask(tenant, 'GET /sensors')).json;
    const link = new URL(first['@odata.nextLink']);
    expect([link.origin, link.pathname, [...link.searchParams.keys()]]).toEqual([
      'https://graph.microsoft.com',
      '/v1.0/security/identities/sensors',
      ['$skiptoken'],
    ]);
    expect(link.searchParams.get('$skiptoken')).toMatch(/^[\w-]{60,}$/);
    const { pages, items } = await all(tenant, '/sensors');
    expect(pages.map((page) => page.length)).toEqual([100, 100, 50]);
    expect(items.map(({ id }) => id)).toEqual(tenant.sensors.map(({ id }) => id));
  });

  test('a link that was tampered with or belongs elsewhere is refused', async () => {
    const tenant = contoso({ pageSize: 5 });
    const link: string = (await ask(tenant, 'GET /sensors')).json['@odata.nextLink'];
    for (const wrong of [link.replace('skiptoken=', 'skiptoken=A'), link.replace('/sensors?', '/healthIssues?')]) {
      expect((await ask(tenant, `GET ${wrong}`)).status).toBe(400);
    }
  });

  test('$top makes the page smaller, $skip leaves out, $count counts what the filter finds', async () => {
    const tenant = contoso();
    const { value, ...rest } = (
      await ask(tenant, "GET /sensors?$top=3&$skip=2&$count=true&$filter=domainName eq 'fabrikam.net'")
    ).json;
    expect(rest['@odata.count']).toBe(6);
    expect(value.map((sensor: { displayName: string }) => sensor.displayName)).toEqual([
      'FAB-DC03',
      'FAB-DC05',
      'FAB-ADCS01',
    ]);
    const next = (await ask(tenant, `GET ${rest['@odata.nextLink']}`)).json;
    expect(next['@odata.count']).toBe(6);
    expect(next.value.map((sensor: { displayName: string }) => sensor.displayName)).toEqual(['FAB-PM01']);
    expect(next).not.toHaveProperty('@odata.nextLink');
  });

  test('migrations come in pages as well', async () => {
    const { pages } = await all(contoso({ pageSize: 20 }), '/sensorMigration', { version: 'beta' });
    expect(pages.map((page) => page.length)).toEqual([20, 13]);
  });
});

describe('$filter', () => {
  test.each([
    ["deploymentStatus eq 'updating'", ['DC08']],
    ["DEPLOYMENTSTATUS EQ 'Updating'", ['DC08']],
    ["displayName eq 'DC01' and domainName ne 'contoso.com'", ['DC01']],
    ["displayName eq 'nobody''s'", []],
    ['openHealthIssuesCount eq 2', ['DC09']],
  ])('sensors where %s', async (filter, expected) => {
    expect((await filtered('/sensors', filter)).map(({ displayName }) => displayName)).toEqual(expected);
  });

  test.each([
    ["Status eq 'open'", 18],
    ["Status eq 'open' and healthIssueType eq 'global'", 2],
    ["Status eq 'open' and severity eq 'low'", 3],
    ["domainNames/any(s:endswith(s,'contoso.com'))", 17],
    ["sensorDNSNames/any(s:endswith(s,'apac.contoso.com')) and status eq 'open'", 1],
  ])('health issues where %s', async (filter, expected) => {
    expect(await filtered('/healthIssues', filter)).toHaveLength(expected);
  });

  test('candidates by the version of their client, and by nothing else', async () => {
    expect(await filtered('/sensorCandidates', "senseClientVersion eq '10.8560.25364.1036'")).toMatchObject([
      { computerDnsName: 'hkg-dc06.apac.contoso.com' },
    ]);
    const other = encodeURIComponent("domainName eq 'contoso.com'");
    expect((await ask(contoso(), `GET /sensorCandidates?$filter=${other}`)).status).toBe(400);
  });

  test.each([
    "displayName gt 'A'",
    'displayName',
    "nothing eq 'x'",
    "displayName eq 'a' or id eq 'b'",
    "displayName eq 'a' and ",
  ])('%s is refused', async (filter) => {
    const { status, json } = await ask(contoso(), `GET /sensors?$filter=${encodeURIComponent(filter)}`);
    expect([status, json.error.code]).toEqual([400, 'BadRequest']);
  });
});

describe('query options', () => {
  test('$select chooses properties where it is documented', async () => {
    const tenant = contoso();
    const { id } = sensorAt(tenant, 'DC07.contoso.com');
    const { '@odata.context': _, ...sensor } = (await ask(tenant, `GET /sensors/${id}?$select=displayName,version`))
      .json;
    expect(sensor).toEqual({ displayName: 'DC07', version: '2.248.18965.12207' });
    const [issue] = (await ask(tenant, 'GET /healthIssues?$select=id')).json.value;
    expect(Object.keys(issue)).toEqual(['id']);
  });

  test.each([
    'GET /sensors?$select=id',
    'GET /sensors?$orderby=displayName',
    'GET /sensors?$expand=healthIssues',
    'GET /sensors?$search=x',
    'GET /sensors?$top=many',
    'GET /sensorCandidates?$top=5',
    'GET /sensorCandidateActivationConfiguration?$select=id',
    'GET /sensors/getDeploymentAccessKey?$select=id',
    'GET /healthIssues?$orderby=severity',
  ])('%s is refused', async (call) => {
    expect((await ask(contoso(), call)).status).toBe(400);
  });

  test('beta does not document $select for the list of health issues, nor any option for migrations', async () => {
    for (const call of ['GET /healthIssues?$select=id', 'GET /sensorMigration?$top=5']) {
      expect((await ask(contoso(), call, { version: 'beta' })).status).toBe(400);
    }
  });
});
