import type { RefreshTokenAccount } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import { askIssuer } from './ask.ts';
import type { Grant } from './grant.ts';
import { judgeTokenAnswer } from './judge.ts';
import { salvageRefreshToken } from './salvage.ts';
import { issuerKeyOf } from './token-endpoint-of.ts';

/** RFC 6749 section 6: a refresh token for an access token. The issuer may rotate it, so sending spends it. */
export const refreshToken: Grant<RefreshTokenAccount> = {
  name: 'refresh_token',
  asks: 'issuer',
  spends: 'credential',
  issuerKey: issuerKeyOf,
  async send(context, request) {
    const { credential } = context.secrets;
    if (credential === undefined) {
      const { name } = context.account;
      const hint = `log in: tokeep account login ${name}`;
      return {
        kind: 'none',
        sent: 'no',
        fault: new Fault('login-needed', `account ${name} has no refresh token`, { hint }),
      };
    }
    return await askIssuer(context, {
      parameters: [
        ['grant_type', 'refresh_token'],
        ['refresh_token', credential.reveal()],
      ],
      secrets: [credential],
      spends: 'credential',
      request,
    });
  },
  salvage: salvageRefreshToken,
  judge: (raw, { account: { name, newLogin } }) =>
    judgeTokenAnswer(raw, { account: name, credential: 'refresh token', newLogin }),
};
