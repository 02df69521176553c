import type { TokenExchangeAccount } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import { askIssuer } from './ask.ts';
import type { Grant } from './grant.ts';
import { judgeTokenAnswer } from './judge.ts';
import { salvageNothing } from './salvage.ts';
import { issuerKeyOf } from './token-endpoint-of.ts';

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

/** RFC 8693: another wish's token for one with another audience or fewer scopes. The subject token is not used up. */
export const tokenExchange: Grant<TokenExchangeAccount> = {
  name: 'token_exchange',
  asks: 'issuer',
  spends: 'nothing',
  issuerKey: issuerKeyOf,
  async send(context, request) {
    const { subjectToken } = request;
    if (subjectToken === undefined) {
      const { name, subject } = context.account;
      const fault = new Fault(
        'token-none',
        `account ${name} exchanges the token of ${subject}, which has none at the moment`,
      );
      return { kind: 'none', sent: 'no', fault };
    }
    return await askIssuer(context, {
      parameters: [
        ['grant_type', 'urn:ietf:params:oauth:grant-type:token-exchange'],
        ['subject_token', subjectToken.reveal()],
        ['subject_token_type', accessTokenType],
        ['requested_token_type', accessTokenType],
      ],
      secrets: [subjectToken],
      spends: 'nothing',
      request,
    });
  },
  salvage: salvageNothing,
  judge: (raw, { account }) => judgeTokenAnswer(raw, { account: account.name, credential: undefined }),
};
