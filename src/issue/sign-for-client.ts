import type { Minted } from '../mint/issuer.ts';
import { judgeRequest } from '../mint/judge-request.ts';
import type { MintRequest } from '../mint/policy.ts';
import { PolicyRefusal, wholeReason } from '../mint/policy-refusal.ts';
import type { Session } from '../store/database.ts';
import type { Client } from './client.ts';
import type { ClientRequest } from './client-request.ts';
import type { ServerDesk } from './server-desk.ts';
import { type Refusal, refusal } from './token-grant.ts';

export type Signed =
  | { readonly kind: 'signed'; readonly minted: Minted }
  | Refusal
  | { readonly kind: 'client-changed' };

/** What a grant wants signed; who asks, and from where, is filled in. */
export type Wanted = Omit<MintRequest, 'groups' | 'clientId' | 'by' | 'deliveredTo' | 'lifetime'> &
  Partial<Pick<MintRequest, 'groups' | 'lifetime'>>;

/** Thrown inside the transaction to undo it; never leaves this file. */
class Undone extends Error {
  readonly answer: { readonly kind: string };
  constructor(answer: Undone['answer']) {
    super();
    this.answer = answer;
  }
}

/**
 * Signs for a client, within its own bounds and then within those of issuer.yaml. In the transaction that writes the audit line the client is
 * looked at once more, and `within` makes the grant's own checks and changes, before the log is written to: what it answers undoes
 * everything. So nothing is signed after the commit of what forbids it (scenario 42).
 */
export async function signForClient<Objection extends { readonly kind: string } = Refusal>(
  desk: ServerDesk,
  { known, address, requestId }: ClientRequest,
  wanted: Wanted,
  within?: (session: Session) => Promise<Objection | undefined>,
): Promise<Signed | Objection> {
  const { issuer, world } = desk;
  const { client, bounds } = known;
  const lifetime = shorter(wanted.lifetime, client.lifetime);
  const request: MintRequest = {
    groups: [],
    ...wanted,
    ...(lifetime === undefined ? {} : { lifetime }),
    clientId: client.id,
    by: `client ${client.id}`,
    deliveredTo: [address],
    requestId,
  };
  const own = judgeRequest(bounds, request, issuer.settings.url, issuer.settings.profile, world.clock.now());
  if (own.kind === 'refused') {
    const why = wholeReason(own).replace('the policy', 'the registration of this client');
    return about(request, refusal(own.error, why));
  }
  const policy = await issuer.judge(request);
  // What others may is no business of a client, and is told in the log alone.
  if (policy.kind === 'refused') {
    return about(request, { ...refusal(policy.error, policy.why), forLog: wholeReason(policy) });
  }
  if (within === undefined) return await desk.together.sign(client, request);
  return await signWithin(desk, client, request, within);
}

async function signWithin<Objection extends { readonly kind: string }>(
  desk: ServerDesk,
  client: Client,
  request: MintRequest,
  within: (session: Session) => Promise<Objection | undefined>,
): Promise<Signed | Objection> {
  const { issuer, clients } = desk;
  try {
    const minted = await issuer.database.write(async (session) => {
      if (!(await clients.holds(session, client))) throw new Undone({ kind: 'client-changed' });
      const no = await within(session);
      if (no !== undefined) throw new Undone(no);
      return await issuer.mintIn(session, request);
    });
    return { kind: 'signed', minted };
  } catch (thrown) {
    if (thrown instanceof Undone) {
      const answer = thrown.answer as Refusal | Objection;
      return answer.kind === 'refused' ? about(request, answer as Refusal) : answer;
    }
    // The policy was changed between the two looks at it, or the token became too long; the issuer has noted it.
    if (thrown instanceof PolicyRefusal) return refusal('access_denied', thrown.refused.why);
    throw thrown;
  }
}

const shorter = <T extends number>(one: T | undefined, other: T | undefined): T | undefined =>
  one === undefined || (other !== undefined && other < one) ? other : one;

/** With what was asked for, for whoever notes the refusal. */
const about = ({ subject, audiences, scopes }: MintRequest, refused: Refusal): Refusal => ({
  ...refused,
  asked: { subject, audiences, scopes },
});
