import type { ComputeAction } from './access.ts';
import { literalPattern, type MapfileLine } from './ce-mapfile.ts';
import { mapByMapfile, principalOf } from './ce-mapfile-match.ts';
import {
  asVerdict,
  type PresentedToken,
  type Refused,
  refusedFor,
  type ServiceSetting,
  type Verdict,
} from './explanation.ts';
import { type Acls, askLibrary, type LibraryRelease } from './quirks-libscitokens.ts';

export interface HtcondorSetting extends ServiceSetting {
  /** The lines of its mapfiles; undefined where they are not known, and everybody is taken to be mapped. */
  readonly mapfile?: readonly MapfileLine[];
}

/**
 * What an HTCondor-CE says: it asks libscitokens with SCITOKENS_SERVER_AUDIENCE, takes any issuer whose keys it can fetch, maps
 * issuer and subject to a user, and takes the scopes for an upper bound of what that user may do.
 */
export function askHtcondor(
  token: PresentedToken | undefined,
  action: ComputeAction,
  setting: HtcondorSetting,
  library: LibraryRelease,
): Verdict {
  if (token === undefined)
    return asVerdict(refusedFor('no token', 'there is no token', { fix: 'bring one', turn: 'user' }), []);
  const answer = askLibrary(token, setting, library);
  if (answer.kind === 'refused') return asVerdict(answer, []);
  const { iss, sub } = token.claims;
  if (typeof iss !== 'string' || typeof sub !== 'string') return asVerdict(noSubject, answer.remarks);
  const identity = identify(principalOf(iss, sub), setting.mapfile);
  if (identity.kind === 'refused') return asVerdict(identity, answer.remarks);
  const remarks = [...answer.remarks, identity.remark];
  const level = action === 'compute.read' ? 'READ' : 'WRITE';
  const acl = answer.acls.find(({ authz, path }) => authz === 'condor' && path === `/${level}`);
  if (acl === undefined) return asVerdict(missedLevel(answer, action, level), remarks);
  return { accepted: true, rule: acl.scope, why: `${acl.scope} gives ${level}, which ${action} needs`, remarks };
}

const noSubject = refusedFor('sub', 'the token has no subject, and HTCondor demands one', {
  log: 'Unable to retrieve token subject: std::bad_cast',
  fix: 'put sub into its tokens',
  turn: 'issuer',
});

type Identity = { readonly kind: 'user'; readonly remark: string } | Refused;

function identify(principal: string, mapfile: readonly MapfileLine[] | undefined): Identity {
  if (mapfile === undefined) {
    return {
      kind: 'user',
      remark: `it was not looked at whether ${principal} is mapped, since there is no mapfile at hand`,
    };
  }
  const mapping = mapByMapfile(mapfile, 'SCITOKENS', principal);
  switch (mapping.kind) {
    case 'mapped':
      return { kind: 'user', remark: `${principal} is ${mapping.user} here (${placeOf(mapping.line)})` };
    case 'plugin':
      return { kind: 'user', remark: `a plugin says who ${principal} is (${placeOf(mapping.line)}); it was not asked` };
    case 'unknown':
      return { kind: 'user', remark: `who ${principal} is cannot be told: ${placeOf(mapping.line)}: ${mapping.why}` };
    case 'banned':
      return refusedFor('mapfile', `${principal} is banned (${placeOf(mapping.line)})`, { turn: 'site' });
    case 'unusable':
      return refusedFor(
        'mapfile',
        `${principal} would be ${mapping.user} here, which can be no user (${placeOf(mapping.line)})`,
        { turn: 'site' },
      );
    case 'none':
      return unmapped(
        principal,
        mapping.nearest === undefined ? '' : `; ${placeOf(mapping.nearest)}: ${mapping.nearest.why}`,
      );
  }
}

const placeOf = ({ file, line }: { readonly file: string; readonly line: number }): string => `${file}:${line}`;

const unmapped = (principal: string, near: string): Refused =>
  refusedFor('mapfile', `no line of the mapfile fits ${principal}${near}`, {
    log: 'Failed to map SCITOKENS authenticated identity',
    fix: `add a line to it: SCITOKENS /^${literalPattern(principal)}$/ USER`,
    turn: 'site',
  });

function missedLevel({ acls, profile }: Acls, action: ComputeAction, level: string): Refused {
  const scopes = [...new Set(acls.map(({ scope }) => scope))].join(' ');
  const has = scopes === '' ? 'it has no scope' : `it has ${scopes}`;
  const part = profile === 'wlcg' && level === 'WRITE' && acls.some(({ authz }) => authz.startsWith('compute.'));
  const together = part ? '; compute.create, compute.modify and compute.cancel make WRITE only together' : '';
  const foreign = profile !== 'wlcg' && acls.some(({ authz }) => authz.startsWith('compute.'));
  const words = foreign ? '; the words of WLCG are translated in tokens with wlcg.ver only' : '';
  const wish = level === 'READ' ? 'compute.read' : 'compute.create compute.modify compute.cancel';
  return refusedFor('scope', `${action} needs ${level}: ${has}${together}${words}`, {
    fix: `ask for ${profile === 'wlcg' ? wish : `condor:/${level}`}`,
    turn: 'user',
  });
}
