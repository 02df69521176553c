import type { SigningKeyAccount } from '../config/config.ts';
import { asFault, Fault } from '../fault/fault.ts';
import type { Minted } from '../mint/issuer.ts';
import type { IssueProfile, MintRequest } from '../mint/policy.ts';
import { isForEveryone } from '../token/audience.ts';
import { parseScope } from '../token/capability.ts';
import { asksDefaultGroups } from '../token/groups.ts';
import type { Epoch } from '../token/time.ts';
import type { Grant, GrantContext, NoAnswer, RawAnswer, TokenRequest } from './grant.ts';
import { judgeTokenAnswer } from './judge.ts';
import { salvageNothing } from './salvage.ts';

/**
 * The account holds the issuer's own keys: it signs for itself, under the issuer's policy and with a line in its audit log, and
 * asks nobody.
 */
export const signingKey: Grant<SigningKeyAccount> = {
  name: 'signing_key',
  asks: 'nobody',
  spends: 'nothing',
  issuerKey: ({ keys }) => keys,
  send,
  salvage: salvageNothing,
  judge: (raw, { account }) => judgeTokenAnswer(raw, { account: account.name, credential: undefined }),
};

async function send(context: GrantContext<SigningKeyAccount>, request: TokenRequest): Promise<RawAnswer | NoAnswer> {
  const { account, world, ownIssuers } = context;
  const sentAt = world.clock.now();
  try {
    if (ownIssuers === undefined) throw new Fault('bug', `account ${account.name} signs itself, and cannot here`);
    const issuer = await ownIssuers.at(account.keys);
    const { url, profile } = issuer.settings;
    if (account.issuer.kind === 'discovered' && account.issuer.issuer !== url) throw otherIssuer(account, url);
    if (account.profile !== undefined && account.profile !== profile) throw otherProfile(account, profile);
    return answerOf(await issuer.mint(mintRequest(account, request)), sentAt, world.clock.now());
  } catch (thrown) {
    return { kind: 'none', sent: 'no', fault: asFault(thrown, `signing with the keys of account ${account.name}`) };
  }
}

function mintRequest(account: SigningKeyAccount, request: TokenRequest): MintRequest {
  if (request.subject === undefined) {
    throw new Fault(
      'request-refused',
      `a token of account ${account.name} needs a subject, and the configuration names none`,
      {
        hint: 'add `subject:` to the token',
      },
    );
  }
  const scopes = request.scope.kind === 'scopes' ? request.scope.scopes : [];
  if (asksDefaultGroups(scopes)) throw noDefaultGroups(account);
  const words = scopes.map(parseScope);
  const { audiences } = request.audience;
  return {
    subject: request.subject,
    audiences,
    // Written out in the configuration it is an explicit wish.
    everyone: audiences.some(isForEveryone),
    scopes: words.filter(({ kind }) => kind !== 'groups').map(({ text }) => text),
    groups: words.flatMap((word) => (word.kind === 'groups' && word.group !== undefined ? [word.group] : [])),
    claims: {},
    by: request.purpose === undefined ? `account ${account.name}` : `renew ${request.purpose.wish}`,
    deliveredTo: request.purpose?.targets ?? [],
    ...(request.lifetime === undefined ? {} : { lifetime: request.lifetime }),
  };
}

/** As a token endpoint would have said it (RFC 6749 section 5.1). */
function answerOf(minted: Minted, sentAt: Epoch, receivedAt: Epoch): RawAnswer {
  const body = {
    access_token: minted.token.reveal(),
    token_type: 'Bearer',
    expires_in: Math.floor((minted.expiresAt - sentAt) / 1000),
    scope: minted.scopes.join(' '),
  };
  const { remarks } = minted;
  return { kind: 'raw', status: 200, headers: {}, body: JSON.stringify(body), sentAt, receivedAt, remarks };
}

const noDefaultGroups = ({ name }: SigningKeyAccount): Fault =>
  new Fault(
    'request-refused',
    `the default groups ("wlcg.groups") were asked for, and account ${name} signs itself and has none`,
    {
      hint: 'name the groups, as in `wlcg.groups:/vo`',
    },
  );

const otherIssuer = ({ name, keys }: SigningKeyAccount, url: string): Fault =>
  new Fault('issuer-mismatch', `account ${name} is for another issuer than the keys in ${keys}, which are of ${url}`, {
    hint: `write \`issuer: ${url}\`, with or without the last slash as here, or take the line out`,
  });

const otherProfile = ({ name, keys }: SigningKeyAccount, profile: IssueProfile): Fault =>
  new Fault(
    'request-refused',
    `account ${name} wants another profile than ${keys}/issuer.yaml names, which is ${profile}`,
    {
      hint: `write \`profile: ${profile}\` in the account, or change it in issuer.yaml`,
    },
  );
