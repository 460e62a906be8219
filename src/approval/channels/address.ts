import type { QuestionNames } from '../inbox.ts';

/** Below it is everything that belongs to the page behind a sign-in. */
export const approvalPath = '/approve';

/** Where a person signs in to see a question: it gives nothing away, and may stand in the chat. */
export const formatApprovalAddress = (origin: string, { id }: Pick<QuestionNames, 'id'>) =>
  `${origin}${approvalPath}/${id}`;
