import { expect, test } from 'vitest';
import { operationFacts } from '../facts/facts.ts';
import { ask, contoso, fillInId } from './asking.ts';

const roots = {
  global: 'https://graph.microsoft.com',
  usgov: 'https://graph.microsoft.us',
  usgovdod: 'https://dod-graph.microsoft.us',
  china: 'https://microsoftgraph.chinacloudapi.cn',
} as const;
/** Where a collection is there without its function, the name of the function reads as an id; or only the method is not there. */
const inUsGovBeta: Readonly<Record<string, string>> = {
  'POST /security/identities/sensors/regenerateDeploymentAccessKey':
    '405 The method POST is not allowed on this resource.',
  'GET /security/identities/sensors/getDeploymentPackageUri': "404 Sensor '…' was not found.",
  'PATCH /security/identities/healthIssues/{}': '405 The method PATCH is not allowed on this resource.',
};
const absent = "400 Resource not found for the segment '…'.";
const places = (['global', 'usgov', 'usgovdod', 'china'] as const).flatMap((cloud) =>
  (['v1.0', 'beta'] as const).map((version) => ({ cloud, version })),
);

test.each(places)(
  '$version of $cloud answers the routes that it has, and has no segment for the others',
  async (place) => {
    const { cloud, version } = place;
    for (const { routes, availability, body } of Object.values(operationFacts)) {
      for (const route of routes) {
        const tenant = contoso({ cloud });
        const [method, path] = fillInId(route, tenant).split(' ');
        const url = `${method} ${roots[cloud]}/${version}${path}`;
        const { status, text } = await ask(tenant, url, { body });
        const answered = status < 300 ? 'data' : `${status} ${JSON.parse(text).error.message.replace(/'.*'/, "'…'")}`;
        const there = availability[version]?.includes(cloud);
        expect([url, answered]).toEqual([url, there ? 'data' : (cloud !== 'china' && inUsGovBeta[route]) || absent]);
      }
    }
  },
);

test.each(Object.entries(roots))('a page of %s names its own Graph', async (cloud, root) => {
  const tenant = contoso({ cloud: cloud as keyof typeof roots, pageSize: 10 });
  const { text } = await ask(tenant, `GET ${root}/v1.0/security/identities/sensors`);
  expect(text.includes(`"@odata.context":"${root}/v1.0/$metadata#security/identities/sensors"`)).toBe(
    cloud !== 'china',
  );
});

test('v1.0 of US Government shows no serviceStatus, its beta does', async () => {
  const shows = async (version: string) => {
    const url = `GET ${roots.usgov}/${version}/security/identities/sensors`;
    return (await ask(contoso({ cloud: 'usgov' }), url)).text.includes('"serviceStatus"');
  };
  expect([await shows('v1.0'), await shows('beta')]).toEqual([false, true]);
});
