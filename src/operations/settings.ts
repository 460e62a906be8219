import * as z from 'zod';
import { endpoints } from '../graph/endpoints/index.ts';
import { read } from './operation.ts';

export const getAutoAuditingConfiguration = read({
  name: 'get_auto_auditing_configuration',
  title: 'Get auto-auditing configuration',
  description: 'Whether Defender for Identity sets the Windows audit policy of v3.x sensors by itself in this tenant.',
  input: z.strictObject({}),
  output: z.looseObject({ isAutomatic: z.boolean().optional(), meaning: z.string() }),
  uses: [endpoints.getAutoAuditingConfiguration],
  async run(_input, graph) {
    const { isAutomatic } = await graph.get(endpoints.getAutoAuditingConfiguration);
    const meaning =
      isAutomatic === undefined
        ? 'Microsoft Graph did not say.'
        : isAutomatic
          ? 'Defender for Identity applies the needed Windows audit policy on v3.x sensors itself.'
          : 'Administrators configure the needed Windows audit policy for v3.x sensors themselves.';
    return { isAutomatic, meaning };
  },
});
