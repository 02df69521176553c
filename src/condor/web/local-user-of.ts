import { readMapfile } from '../../verify/ce-mapfile.ts';
import { mapByMapfile } from '../../verify/ce-mapfile-match.ts';
import type { World } from '../../world/world.ts';
import { isFit } from '../credential-name.ts';
import type { WebSettings } from '../settings.ts';

export type OidcLogin = Extract<WebSettings['login'], { kind: 'oidc' }>;

/**
 * The local user that the claims of the site's issuer name: by the claim itself, without its domain where that is wished, or by the
 * lines of a mapfile (`* principal user`). Undefined where they name none.
 */
export async function localUserOf(
  world: World,
  { claim, stripDomain, mapfile }: Pick<OidcLogin, 'claim' | 'stripDomain' | 'mapfile'>,
  claims: Readonly<Record<string, unknown>>,
): Promise<string | undefined> {
  const value = claims[claim];
  if (typeof value !== 'string' || value === '') return undefined;
  const principal = stripDomain ? (value.split('@', 1)[0] ?? '') : value;
  const user = mapfile === undefined ? principal : await byMapfile(world, mapfile, principal);
  return user !== undefined && isFit(user) ? user : undefined;
}

async function byMapfile(world: World, path: string, principal: string): Promise<string | undefined> {
  const text = (await world.files.readText(path, 4 * 1024 * 1024)) ?? '';
  const lines = readMapfile(text, path).entries.filter((entry) => entry.kind === 'line');
  const mapping = mapByMapfile(lines, '*', principal);
  return mapping.kind === 'mapped' ? mapping.user.split('@', 1)[0] : undefined;
}
