import { approveCommand } from '../../command.ts';
import { approvalErrors } from '../errors.ts';
import type { ExternalChannels, QuestionNames } from '../inbox.ts';

/** Below it is everything that belongs to the page behind a sign-in. */
export const approvalPath = '/approve';

/** Where Entra sends a browser back to: a redirect URI of the app registration. */
export const callbackPath = `${approvalPath}/callback`;

/** Where a person signs in to see a question: it gives nothing away, and may stand in the chat. */
export const formatApprovalAddress = (origin: string, { id }: Pick<QuestionNames, 'id'>) =>
  `${origin}${approvalPath}/${id}`;

/** Without an Entra in front nobody can be asked over HTTP: nobody is at this machine, and a form proves nothing of a person. */
export const noChannels: ExternalChannels = {
  preferred: undefined,
  approveCommand,
  show: async () => approvalErrors.withoutEntra(),
  offerTerminal: async () => undefined,
  isOnScreen: () => false,
  isUnfetched: () => false,
  describePlace: () => 'nowhere',
};

/** The channels of a server under a public URL: the page behind a sign-in alone, whose address goes into the chat. */
export const createRemoteChannels = (origin: string): ExternalChannels => ({
  ...noChannels,
  preferred: 'signin',
  show: async () => undefined,
  describePlace: (question) =>
    `on the page ${formatApprovalAddress(origin, question)}, after a sign-in with Microsoft Entra`,
});
