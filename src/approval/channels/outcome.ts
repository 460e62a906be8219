import type { Clock } from '../../clock.ts';
import type { ApprovalInbox, RequestView } from '../inbox.ts';

interface OutcomeOptions {
  readonly inbox: Pick<ApprovalInbox, 'view'>;
  readonly clock: Pick<Clock, 'pause'>;
}

/** A call that waits acts at once, so its outcome is worth a moment: at most two seconds. */
export async function waitForOutcome(
  { inbox, clock }: OutcomeOptions,
  nonce: string,
): Promise<RequestView | undefined> {
  let view = await inbox.view(nonce);
  for (let round = 0; round < 20 && (view?.state === 'approved' || view?.state === 'acting'); round++) {
    await clock.pause(100);
    view = await inbox.view(nonce);
  }
  return view;
}
