import * as z from 'zod';
import { endpoints } from '../../graph/endpoints/index.ts';
import { toSafeText } from '../../text.ts';
import { read } from '../operation.ts';

const text = z.string().optional();

export const getDeploymentPackage = read({
  name: 'get_deployment_package',
  title: 'Get deployment package',
  description:
    'Version of the current installer of the v2.x sensor, and its download address on request. The v3.x sensor has no installer.',
  input: z.strictObject({ includeUrl: z.boolean().default(false) }),
  output: z.looseObject({ version: text, downloadUrl: text, note: z.string() }),
  uses: [endpoints.getDeploymentPackageUri],
  async run({ includeUrl }, graph) {
    const { version, downloadUrl } = await graph.get(endpoints.getDeploymentPackageUri);
    return {
      version: toSafeText(version, 40),
      ...(includeUrl && { downloadUrl: toSafeText(downloadUrl, 2000) }),
      note: 'This is the installer of the v2.x sensor; a v3.x sensor is activated with activate_sensor_candidates instead.',
    };
  },
});
