import { type Area, canonicalPath } from './areas.ts';
import { type IniSection, readIni } from './scitokens-cfg-ini.ts';

/** What XRootD does with a request that its tokens do not allow: ask the next authorization, let it in, or refuse it. */
export type OnMissing = 'passthrough' | 'allow' | 'deny';
export type Strategy = 'capability' | 'group' | 'mapping';

/** One `[Issuer NAME]` of XRootD's scitokens.cfg. */
export interface ScitokensIssuer {
  readonly name: string;
  readonly issuer: string;
  readonly basePaths: readonly string[];
  readonly restrictedPaths: readonly string[];
  readonly mapSubject: boolean;
  readonly defaultUser?: string;
  readonly usernameClaim?: string;
  readonly groupsClaim: string;
  readonly nameMapfile?: string;
  /** Without `capability` the scopes of its tokens give nothing. */
  readonly strategies: readonly Strategy[];
  readonly line: number;
}

/** The configuration of XRootD's SciTokens plugin. */
export interface ScitokensConfig {
  readonly audiences: readonly string[];
  readonly onMissing: OnMissing;
  readonly issuers: readonly ScitokensIssuer[];
}

/** `error`: XRootD leaves the section out, or does not take the file at all. `warning`: it does, and perhaps not what is meant. */
export interface CfgFinding {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface ScitokensReading {
  readonly config: ScitokensConfig;
  readonly findings: readonly CfgFinding[];
}

type Say = (severity: CfgFinding['severity'], line: number, message: string) => void;

/** Reads a scitokens.cfg as it stands; never throws: what cannot be used is left out, as XRootD does, and told of. */
export function readScitokensCfg(text: string, file: string): ScitokensReading {
  const { sections, remarks } = readIni(text);
  const findings: CfgFinding[] = remarks.map((remark) => ({ file, ...remark }));
  const say: Say = (severity, line, message) => findings.push({ severity, file, line, message });
  let global: Pick<ScitokensConfig, 'audiences' | 'onMissing'> = { audiences: [], onMissing: 'passthrough' };
  const issuers: ScitokensIssuer[] = [];
  for (const section of sections) {
    if (/^global/i.test(section.header)) global = readGlobal(section, say);
    else if (/^issuer\s/i.test(section.header)) {
      const issuer = readIssuer(section, say);
      if (issuer === undefined) continue;
      const twin = issuers.find((one) => one.issuer === issuer.issuer);
      if (twin !== undefined)
        say(
          'warning',
          section.line,
          `the issuer ${issuer.issuer} has a section already, at line ${twin.line}; only one of them counts`,
        );
      else issuers.push(issuer);
    } else say('warning', section.line, `[${section.header}] is not looked at: known are [Global] and [Issuer NAME]`);
  }
  if (global.audiences.length === 0)
    say('warning', 1, 'there is no audience: of the tokens that have one, only those for everyone are accepted');
  if (issuers.length === 0) say('error', 1, 'there is no usable [Issuer NAME] section, so that no token is accepted');
  return { config: { ...global, issuers }, findings: findings.toSorted((one, other) => one.line - other.line) };
}

/** An issuer that all of the server belongs to, for where there is no configuration at hand. */
export const wholeServerOf = (issuer: string): ScitokensIssuer => ({
  name: issuer,
  issuer,
  basePaths: ['/'],
  restrictedPaths: [],
  mapSubject: false,
  groupsClaim: 'wlcg.groups',
  strategies: everyStrategy,
  line: 0,
});

/** The part of the service that an issuer's tokens reach. */
export const areaOf = ({ basePaths, restrictedPaths }: ScitokensIssuer): Area => ({ basePaths, restrictedPaths });

const globalKeys = ['audience', 'audience_json', 'onmissing'];

function readGlobal(section: IniSection, say: Say): Pick<ScitokensConfig, 'audiences' | 'onMissing'> {
  unknownKeys(section, globalKeys, say);
  const audience = section.values.get('audience');
  const json = section.values.get('audience_json');
  const audiences = [...words(audience?.text), ...(json === undefined ? [] : jsonList(json.text, json.line, say))];
  for (const one of audiences) {
    if (/^https?:\/\/.*\/$/.test(one))
      say(
        'warning',
        (audience ?? json)?.line ?? section.line,
        `the audience ${one} ends with a slash; it is compared as it stands`,
      );
  }
  return { audiences, onMissing: onMissingOf(section, say) };
}

function onMissingOf(section: IniSection, say: Say): OnMissing {
  const value = section.values.get('onmissing');
  if (value === undefined) return 'passthrough';
  switch (value.text) {
    case '':
    case 'passthrough':
      return 'passthrough';
    case 'deny':
      return 'deny';
    case 'allow':
      say('warning', value.line, 'onmissing = allow lets in whoever has no token, or one that is refused');
      return 'allow';
    default:
      say(
        'error',
        value.line,
        `onmissing is ${value.text}; known are passthrough, allow and deny, and XRootD does not take the file`,
      );
      return 'passthrough';
  }
}

function jsonList(text: string, line: number, say: Say): readonly string[] {
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((one) => typeof one === 'string')) return list;
  } catch {
    // Told of below, with what is no list.
  }
  say('error', line, 'audience_json is not a JSON list of strings, and XRootD does not take the file');
  return [];
}

const issuerKeys = [
  'issuer',
  'base_path',
  'restricted_path',
  'map_subject',
  'default_user',
  'username_claim',
  'groups_claim',
  'name_mapfile',
  'authorization_strategy',
];

function readIssuer(section: IniSection, say: Say): ScitokensIssuer | undefined {
  unknownKeys(section, issuerKeys, say);
  const text = (key: string) => section.values.get(key)?.text || undefined;
  const [issuer, base] = [text('issuer'), text('base_path')];
  for (const [key, value] of [
    ['issuer', issuer],
    ['base_path', base],
  ] as const) {
    if (value === undefined) say('error', section.line, `[${section.header}] has no ${key}, and XRootD leaves it out`);
  }
  if (issuer === undefined || base === undefined) return undefined;
  if (!issuer.startsWith('https://'))
    say(
      'error',
      section.values.get('issuer')?.line ?? section.line,
      `the issuer ${issuer} is not an https URL, and its keys are never fetched`,
    );
  const [defaultUser, usernameClaim, nameMapfile] = [
    text('default_user'),
    text('username_claim'),
    text('name_mapfile'),
  ];
  return {
    name: section.header.replace(/^issuer\s+/i, ''),
    issuer,
    basePaths: paths(section, 'base_path', say),
    restrictedPaths: paths(section, 'restricted_path', say),
    mapSubject: yes(section, 'map_subject', say),
    ...(defaultUser === undefined ? {} : { defaultUser }),
    ...(usernameClaim === undefined ? {} : { usernameClaim }),
    groupsClaim: text('groups_claim') ?? 'wlcg.groups',
    ...(nameMapfile === undefined ? {} : { nameMapfile }),
    strategies: strategies(section, say),
    line: section.line,
  };
}

function unknownKeys(section: IniSection, known: readonly string[], say: Say): void {
  for (const [key, { line }] of section.values) {
    if (!known.includes(key))
      say('warning', line, `"${key}" is not looked at in [${section.header}]; known are ${known.join(', ')}`);
  }
}

/** Lists are separated by commas or blanks, and nothing else. */
const words = (text = ''): readonly string[] => text.split(/[, ]+/).filter((word) => word !== '');

/** As XRootD has them: absolute ones only, without empty segments, `.` and `..`. */
function paths(section: IniSection, key: string, say: Say): readonly string[] {
  const value = section.values.get(key);
  if (value === undefined) return [];
  return words(value.text).flatMap((path) => {
    if (!path.startsWith('/')) {
      say('error', value.line, `${key}: XRootD leaves out ${path}, which does not start with "/"`);
      return [];
    }
    const canonical = canonicalPath(path);
    if (canonical !== path && `${canonical}/` !== path)
      say('warning', value.line, `${key}: ${path} is ${canonical} for XRootD`);
    return [canonical];
  });
}

function yes(section: IniSection, key: string, say: Say): boolean {
  const value = section.values.get(key);
  if (value === undefined) return false;
  if (/^(true|yes|on|1)$/i.test(value.text)) return true;
  if (!/^(false|no|off|0)$/i.test(value.text))
    say('warning', value.line, `${key} is ${value.text}, which counts as false`);
  return false;
}

const everyStrategy: readonly Strategy[] = ['capability', 'group', 'mapping'];

function strategies(section: IniSection, say: Say): readonly Strategy[] {
  const value = section.values.get('authorization_strategy');
  if (value === undefined || value.text === '') return everyStrategy;
  const asked = words(value.text).map((word) => word.toLowerCase());
  const odd = asked.find((word) => !everyStrategy.some((known) => known === word));
  if (odd !== undefined)
    say('error', value.line, `authorization_strategy has ${odd}; known are ${everyStrategy.join(', ')}`);
  if (!asked.includes('capability'))
    say('warning', value.line, 'authorization_strategy leaves out capability: the scopes of its tokens give nothing');
  return everyStrategy.filter((known) => asked.includes(known));
}
