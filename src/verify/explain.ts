import type { AccessRequest, ComputeAction } from './access.ts';
import type { Area } from './areas.ts';
import { decide } from './authorize.ts';
import type { PresentedToken, Turn, Verdict } from './explanation.ts';
import type { ServiceRelease } from './services.ts';
import { askHtcondor, type HtcondorSetting } from './services-htcondor.ts';
import { askXrootd, type XrootdRequest, type XrootdSetting } from './services-xrootd.ts';
import type { RefusalCode, Verification } from './verification.ts';

/** A token, what is to be done with it, and how the service is set up. */
export type ServiceQuestion =
  | {
      readonly service: 'xrootd';
      readonly token: PresentedToken;
      readonly request: XrootdRequest;
      readonly setting: XrootdSetting;
    }
  | {
      readonly service: 'htcondor-ce';
      readonly token: PresentedToken;
      readonly action: ComputeAction;
      readonly setting: HtcondorSetting;
    };

export interface ReleaseVerdict extends Verdict {
  readonly release: ServiceRelease;
}

/** What each of these releases would say. Needs no network: keys, configuration and mapfile are at hand, or taken to be right. */
export function explain(question: ServiceQuestion, releases: readonly ServiceRelease[]): readonly ReleaseVerdict[] {
  return releases.flatMap((release) => {
    const verdict = ask(question, release);
    return verdict === undefined ? [] : [{ release, ...verdict }];
  });
}

function ask(question: ServiceQuestion, { habits, library }: ServiceRelease): Verdict | undefined {
  if (question.service === 'htcondor-ce')
    return askHtcondor(question.token, question.action, question.setting, library);
  if (habits === undefined) return undefined;
  return askXrootd(question.token, question.request, question.setting, { habits, library });
}

/** The verdict of the rules themselves, with nothing of any release in it. */
export function strictVerdict(verification: Verification, request: AccessRequest, area: Area): Verdict {
  if (verification.kind === 'refused') {
    const { code, why, hint } = verification;
    const help = helps[code];
    const fix = help ?? hint;
    return {
      accepted: false,
      rule: code,
      why,
      ...(fix === undefined ? {} : { fix }),
      turn: turns[code],
      remarks: help === undefined || hint === undefined ? [] : [hint],
    };
  }
  const decision = decide(verification.token, request, area);
  const { rule, why } = decision;
  if (decision.kind === 'allowed') return { accepted: true, rule, why, remarks: [] };
  const fix = decision.hint === undefined ? {} : { fix: decision.hint };
  return { accepted: false, rule, why, ...fix, turn: siteRules.includes(rule) ? 'site' : 'user', remarks: [] };
}

const siteRules = ['base_path', 'restricted_path', 'groups'];

/** What helps, where the hint of a refusal says more of what was found, and nothing of what to do. */
const helps: Partial<Readonly<Record<RefusalCode, string>>> = {
  malformed: 'bring a signed JWT, whole and as the issuer gave it',
  algorithm: 'sign with ES256 or RS256, and with the key of that algorithm',
  'issuer-unknown': 'trust the issuer, if it is to be trusted, by the very name that the token has in iss',
  'key-unnamed': 'put the kid, as text, into the header of its tokens',
  'key-unknown': 'publish a key before signing with it, and until the last token that it signed has ended',
  'keys-unavailable': 'see that the service reaches the issuer; here, keys can be given with --jwks',
  signature: 'get the token anew; if it stays so, compare the published keys with the signing key',
};

/** Whose turn it is where a token is refused as a whole. */
const turns: Readonly<Record<RefusalCode, Turn>> = {
  malformed: 'user',
  'too-large': 'issuer',
  'critical-header': 'issuer',
  algorithm: 'issuer',
  type: 'user',
  'issuer-missing': 'issuer',
  'issuer-unknown': 'site',
  'key-unnamed': 'issuer',
  'key-unknown': 'issuer',
  'keys-unavailable': 'site',
  signature: 'issuer',
  'claim-missing': 'issuer',
  'claim-type': 'issuer',
  expired: 'user',
  'not-yet-valid': 'issuer',
  'issued-in-future': 'issuer',
  'lives-too-long': 'user',
  profile: 'issuer',
  audience: 'user',
  scope: 'user',
  revoked: 'user',
};
