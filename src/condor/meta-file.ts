import { type ClientSecret, Secret } from '../token/secret.ts';
import { jsonMembers } from './json-members.ts';
import { credentialText } from './top-file.ts';

/** What a `.meta` file says: how the shipped credmon refreshes the `.top` beside it. */
export type MetaFile =
  | {
      readonly kind: 'meta';
      readonly clientId: string;
      readonly clientSecret?: ClientSecret;
      readonly tokenUrl: string;
      /** False: the token is never refreshed. */
      readonly useRefreshToken: boolean;
    }
  | { readonly kind: 'unreadable'; readonly why: string };

export function parseMetaFile(bytes: Uint8Array): MetaFile {
  const text = credentialText(bytes);
  if (typeof text !== 'string') return text;
  const json = jsonMembers(text);
  if (json.kind === 'other') return { kind: 'unreadable', why: json.why };
  const value = (name: string) => json.members.get(name)?.value;
  const [clientId, tokenUrl, secret] = [value('client_id'), value('token_url'), value('client_secret')];
  const useRefreshToken = value('use_refresh_token') ?? true;
  if (typeof clientId !== 'string' || typeof tokenUrl !== 'string') {
    return { kind: 'unreadable', why: 'lacks client_id or token_url' };
  }
  if ((secret !== undefined && typeof secret !== 'string') || typeof useRefreshToken !== 'boolean') {
    return { kind: 'unreadable', why: 'has a client_secret or use_refresh_token of a wrong type' };
  }
  const clientSecret =
    secret === undefined || secret === '' ? {} : { clientSecret: new Secret('client_secret', secret) };
  return { kind: 'meta', clientId, tokenUrl, useRefreshToken, ...clientSecret };
}

/** The file as the shipped web login writes it. */
export function formatMetaFile(meta: Omit<Extract<MetaFile, { kind: 'meta' }>, 'kind'>): string {
  return JSON.stringify({
    client_id: meta.clientId,
    client_secret: meta.clientSecret?.reveal() ?? '',
    token_url: meta.tokenUrl,
    use_refresh_token: meta.useRefreshToken,
  });
}
