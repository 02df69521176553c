import type { IdtokenAccount } from '../config/config.ts';
import { asFault, Fault } from '../fault/fault.ts';
import { type MintedIdtoken, mintIdtoken, usualIdtokenLife } from '../mint/idtoken.ts';
import { type PoolKeyPlace, readPoolKey } from '../mint/idtoken-key.ts';
import type { Epoch } from '../token/time.ts';
import type { Grant, GrantContext, NoAnswer, RawAnswer, TokenRequest } from './grant.ts';
import { judgeTokenAnswer } from './judge.ts';
import { salvageNothing } from './salvage.ts';

/**
 * The account holds a signing key of an HTCondor pool and makes IDTOKENS with it, such as those that pilots call back with. It asks
 * nobody; the key is read for each token, so that a new one holds at once.
 */
export const idtoken: Grant<IdtokenAccount> = {
  name: 'idtoken',
  asks: 'nobody',
  spends: 'nothing',
  issuerKey: ({ trustDomain }) => `idtoken:${trustDomain}`,
  send,
  salvage: salvageNothing,
  judge: (raw, { account }) => judgeTokenAnswer(raw, { account: account.name, credential: undefined }),
};

async function send(context: GrantContext<IdtokenAccount>, request: TokenRequest): Promise<RawAnswer | NoAnswer> {
  const { world, account } = context;
  const sentAt = world.clock.now();
  try {
    const key = await readPoolKey(world, keyPlace(account));
    const { subject: identity, lifetime = usualIdtokenLife } = request;
    if (identity === undefined) throw withoutIdentity(account);
    const scopes = request.scope.kind === 'scopes' ? request.scope.scopes : [];
    const wanted = { trustDomain: account.trustDomain, identity, scopes, lifetime };
    const minted = mintIdtoken(key, wanted, { now: sentAt, random: world.random });
    return answerOf(minted, sentAt, world.clock.now());
  } catch (thrown) {
    return { kind: 'none', sent: 'no', fault: asFault(thrown, `making an IDTOKEN for account ${account.name}`) };
  }
}

const keyPlace = ({ key, keyId }: IdtokenAccount): PoolKeyPlace => ({ ...key, id: keyId });

const withoutIdentity = ({ name }: IdtokenAccount): Fault =>
  new Fault('request-refused', `a token of account ${name} needs an identity, and the configuration names none`, {
    hint: 'add `subject: user@domain` to the token',
  });

/** As a token endpoint would have said it (RFC 6749 section 5.1). */
function answerOf(minted: MintedIdtoken, sentAt: Epoch, receivedAt: Epoch): RawAnswer {
  const body = {
    access_token: minted.token.reveal(),
    token_type: 'Bearer',
    ...(minted.expiresAt === undefined ? {} : { expires_in: Math.floor((minted.expiresAt - sentAt) / 1000) }),
    scope: minted.scopes.join(' '),
  };
  const headers = { 'content-type': 'application/json' };
  return { kind: 'raw', status: 200, headers, body: JSON.stringify(body), sentAt, receivedAt };
}
