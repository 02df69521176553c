import { unfitIssuer } from '../config/safe-url.ts';
import { Fault } from '../fault/fault.ts';
import { parseScope } from '../token/capability.ts';
import { literalPattern } from '../verify/ce-mapfile.ts';
import { accountName, isPowerful } from '../verify/map-rules.ts';

export const trustingServices = ['htcondor-ce', 'xrootd'] as const;
export type TrustingService = (typeof trustingServices)[number];

/** What a site wants to accept. */
export interface TrustWish {
  /** As it stands in `iss`, to the letter. */
  readonly issuer: string;
  /** The local user that its tokens become. */
  readonly user: string;
  /** Without it, every subject of the issuer. */
  readonly subject?: string;
  /** The service's own name, as it stands in `aud`. */
  readonly audience?: string;
  /** Where in the storage the issuer's paths begin; for XRootD. */
  readonly basePath: string;
  /** A scope of its tokens, for the commands that test it; for XRootD. */
  readonly scope?: string;
}

/** A part of a configuration, ready to paste. */
export interface TrustSnippet {
  readonly service: TrustingService;
  readonly parts: readonly SnippetPart[];
  /** Commands that show whether it holds, in their order. */
  readonly tests: readonly string[];
  readonly notes: readonly string[];
}

export interface SnippetPart {
  readonly file: string;
  /** Lines, each with its end. */
  readonly text: string;
}

/** Makes the parts for one service. Throws `usage` for what cannot be written down there so that it means just that. */
export function trustSnippet(service: TrustingService, wish: TrustWish): TrustSnippet {
  refuseUnfit(wish);
  return service === 'htcondor-ce' ? forHtcondorCe(wish) : forXrootd(wish);
}

function refuseUnfit({ issuer, user, subject, audience, basePath }: TrustWish): void {
  const unfit = unfitIssuer(issuer);
  if (unfit !== undefined) throw new Fault('usage', `the issuer ${issuer} ${unfit}`);
  if (issuer.includes(',')) {
    // Issuer "https://a" with subject "b,c" and issuer "https://a,b" with subject "c" are the same to HTCondor.
    throw new Fault('usage', `the issuer ${issuer} has a comma, which separates it from the subject in a mapfile`);
  }
  if (!accountName.test(user)) throw new Fault('usage', `"${user}" is no name of a local user`);
  if (isPowerful(user)) throw new Fault('usage', `nobody should become ${user} by a token; make a user for it`);
  if (subject !== undefined && !/^[\x20-\x7e]{1,255}$/.test(subject)) {
    throw new Fault('usage', 'a subject has 1 to 255 characters of ASCII (WLCG profile 1.3, "sub")');
  }
  // HTCondor puts something else for $(NAME), and goes on with the next line after a backslash.
  if (audience !== undefined && !/^[\x21-\x23\x25-\x2b\x2d-\x5b\x5d-\x7e]+$/.test(audience)) {
    throw new Fault('usage', 'an audience here has neither blanks nor commas, and no "$" and backslash');
  }
  if (!/^\/[\x21-\x2b\x2d-\x7e]*$/.test(basePath) || /[#;]|\/\.{1,2}(\/|$)/.test(basePath)) {
    throw new Fault('usage', `the base path "${basePath}" is no absolute path without blanks, commas, "." and ".."`);
  }
}

/**
 * The pattern for one issuer, and one subject if it is named, with both ends held: `^`, and the comma after the issuer or `$` after the
 * subject. Without the comma, an issuer whose URL goes on would fit as well.
 */
export function mapfileLine({ issuer, subject, user }: Pick<TrustWish, 'issuer' | 'subject' | 'user'>): string {
  const pattern = subject === undefined ? `^${literalPattern(issuer)},` : `^${literalPattern(`${issuer},${subject}`)}$`;
  return `SCITOKENS /${pattern}/ ${user}`;
}

function forHtcondorCe(wish: TrustWish): TrustSnippet {
  const { issuer, subject, audience, user } = wish;
  const whose = subject === undefined ? `every subject of ${issuer}` : `one subject of ${issuer}`;
  const parts: SnippetPart[] = [
    {
      file: `/etc/condor-ce/mapfiles.d/20-${nameOf(issuer)}.conf`,
      text: `# ${whose}\n${mapfileLine(wish)}\n`,
    },
  ];
  if (audience !== undefined) {
    const text = `SCITOKENS_SERVER_AUDIENCE = $(SCITOKENS_SERVER_AUDIENCE) ${audience}\n`;
    parts.push({ file: `/etc/condor-ce/config.d/20-${nameOf(issuer)}.conf`, text });
  }
  const example = subject ?? 'SUBJECT';
  return {
    service: 'htcondor-ce',
    parts,
    tests: [
      'condor_ce_reconfig',
      `tokeep map --mapfile /etc/condor-ce/condor_mapfile --principal ${quoted(`${issuer},${example}`)}`,
    ],
    notes: [
      `the account ${user} has to be there: getent passwd ${user}`,
      ...(audience === undefined
        ? ["the CE's own audience is HOST:9619; tokens have to be for it (SCITOKENS_SERVER_AUDIENCE)"]
        : []),
      'to submit, a token needs compute.read, compute.create, compute.modify and compute.cancel',
    ],
  };
}

function forXrootd(wish: TrustWish): TrustSnippet {
  const { issuer, subject, audience, user, basePath } = wish;
  const mapfile = `/etc/xrootd/${nameOf(issuer)}.map.json`;
  const section = [
    ...(audience === undefined ? [] : ['[Global]', `audience = ${audience}`, '']),
    `[Issuer ${nameOf(issuer)}]`,
    `issuer = ${issuer}`,
    `base_path = ${basePath}`,
    subject === undefined ? `default_user = ${user}` : `name_mapfile = ${mapfile}`,
  ];
  const parts: SnippetPart[] = [{ file: '/etc/xrootd/scitokens.cfg', text: `${section.join('\n')}\n` }];
  if (subject !== undefined) {
    parts.push({ file: mapfile, text: `${JSON.stringify([{ sub: subject, result: user }])}\n` });
  }
  return {
    service: 'xrootd',
    parts,
    tests: [`tokeep can --issuer-config /etc/xrootd/scitokens.cfg --token-file TOKEN ${tryOf(wish)}`],
    notes: [
      `paths in tokens begin at ${basePath}: storage.read:/x is ${joined(basePath, '/x')} on the server`,
      ...(wish.scope === undefined
        ? ['PATH is the one of a scope of TOKEN; --scope storage.read:/x writes it here']
        : []),
      'XRootD reads the file again within a minute',
      ...(subject === undefined
        ? []
        : ['the scopes of every subject of the issuer count; the subject only decides which user it is']),
      ...(audience === undefined
        ? ['without an audience only tokens for every service are taken; name it: --audience']
        : []),
    ],
  };
}

/** What a token with the scope may do, as arguments of `tokeep can`: there the path is the one of the server. */
function tryOf({ basePath, scope }: TrustWish): string {
  if (scope === undefined) return `read ${quoted(joined(basePath, '/PATH'))}`;
  const parsed = parseScope(scope);
  if (parsed.kind !== 'storage') {
    const why = parsed.kind === 'refused' ? `: ${parsed.why}` : ', such as storage.read:/data';
    throw new Fault('usage', `${scope} is no scope of a storage${why}`);
  }
  const path = scope.slice(scope.indexOf(':') + 1);
  return `${parsed.operation} ${quoted(joined(basePath, path))}`;
}

const joined = (basePath: string, path: string): string => `${basePath}${path}`.replace('//', '/');

/** Host and path of the issuer, in letters that files and sections may be named with. */
const nameOf = (issuer: string): string =>
  issuer
    .replace(/^https?:\/\//, '')
    .replace(/[^A-Za-z0-9.]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 80);

const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
