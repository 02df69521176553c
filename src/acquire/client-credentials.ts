import type { ClientCredentialsAccount } from '../config/config.ts';
import { askIssuer } from './ask.ts';
import type { Grant } from './grant.ts';
import { judgeTokenAnswer } from './judge.ts';
import { salvageNothing } from './salvage.ts';
import { issuerKeyOf } from './token-endpoint-of.ts';

/** RFC 6749 section 4.4: the client asks in its own name. Nothing is spent. */
export const clientCredentials: Grant<ClientCredentialsAccount> = {
  name: 'client_credentials',
  asks: 'issuer',
  spends: 'nothing',
  issuerKey: issuerKeyOf,
  send: (context, request) =>
    askIssuer(context, {
      parameters: [['grant_type', 'client_credentials']],
      secrets: [],
      spends: 'nothing',
      request,
    }),
  salvage: salvageNothing,
  judge: (raw, { account }) => judgeTokenAnswer(raw, { account: account.name, credential: undefined }),
};
