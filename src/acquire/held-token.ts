import type { HeldTokenAccount } from '../config/config.ts';
import { readSecret } from '../config/secret-source.ts';
import { asFault, Fault } from '../fault/fault.ts';
import { between } from '../token/time.ts';
import type { Grant, GrantContext, NoAnswer, RawAnswer, TokenRequest } from './grant.ts';
import { judgeTokenAnswer } from './judge.ts';
import { salvageNothing } from './salvage.ts';

/**
 * Somebody else brings the access tokens (condor_store_cred puts them into a `.top` file): each is handed on as it is. There is nobody to ask
 * for another one, so that the end of a token that was not replaced in time is a condition.
 */
export const heldToken: Grant<HeldTokenAccount> = {
  name: 'held_token',
  asks: 'nobody',
  spends: 'nothing',
  issuerKey: ({ name }) => `held:${name}`,
  send,
  salvage: salvageNothing,
  judge: (raw, { account }) => judgeTokenAnswer(raw, { account: account.name, credential: undefined }),
};

async function send(context: GrantContext<HeldTokenAccount>, request: TokenRequest): Promise<RawAnswer | NoAnswer> {
  const { account, world } = context;
  const now = world.clock.now();
  try {
    const { expiresAt } = account;
    const left = expiresAt === undefined ? undefined : between(now, expiresAt);
    if (left !== undefined && left <= (request.atLeast ?? 0)) throw notReplaced(account);
    const token = await readSecret(world, account.token, 'access_token');
    const body = {
      access_token: token.reveal(),
      token_type: 'Bearer',
      ...(left === undefined ? {} : { expires_in: Math.floor(left / 1000) }),
    };
    return { kind: 'raw', status: 200, headers: {}, body: JSON.stringify(body), sentAt: now, receivedAt: now };
  } catch (thrown) {
    return { kind: 'none', sent: 'no', fault: asFault(thrown, `reading the token of ${account.name}`) };
  }
}

function notReplaced({ name, expiresAt }: HeldTokenAccount): Fault {
  const until = expiresAt === undefined ? '' : ` ends at ${new Date(expiresAt).toISOString()}, and`;
  return new Fault(
    'token-not-replaced',
    `the token that somebody else brings for ${name}${until} no newer one has come`,
    {
      hint: 'whoever pushes it (condor_store_cred, a tokeep target `htcondor:`) has to push the next one in time',
    },
  );
}
