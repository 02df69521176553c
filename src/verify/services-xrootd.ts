import { canonicalPath } from './areas.ts';
import {
  asVerdict,
  type PresentedToken,
  type Refused,
  refusedFor,
  type ServiceSetting,
  type Verdict,
} from './explanation.ts';
import { type Acls, askLibrary, type LibraryRelease } from './quirks-libscitokens.ts';
import { type Presentation, presentationRefusal } from './quirks-presentation.ts';
import { allows, deedsFor, isWithin, rulesOf, type StorageDeed } from './quirks-xrootd.ts';
import type { ScitokensConfig, ScitokensIssuer } from './scitokens-cfg.ts';
import type { XrootdHabits } from './services.ts';
import { missedLook, missedRight } from './services-xrootd-denial.ts';

export interface XrootdRequest {
  readonly deed: StorageDeed;
  readonly path: string;
  readonly presentation: Presentation;
}

export type XrootdSetting = ServiceSetting & Pick<ScitokensConfig, 'issuers' | 'onMissing'>;

export interface XrootdRelease {
  readonly library: LibraryRelease;
  readonly habits: XrootdHabits;
}

/** What XRootD with its SciTokens plugin says. No token, and one that libscitokens refuses, leave the request to `onmissing`. */
export function askXrootd(
  token: PresentedToken | undefined,
  request: XrootdRequest,
  setting: XrootdSetting,
  release: XrootdRelease,
): Verdict {
  const unseen =
    token === undefined
      ? refusedFor('no token', 'there is no token', { fix: 'bring one', turn: 'user' })
      : presentationRefusal(request.presentation, release.habits);
  if (token === undefined || unseen !== undefined) return onMissing(unseen ?? noRights, [], setting);
  const issuers = setting.issuers.map(({ issuer }) => issuer);
  const answer = askLibrary(token, { ...setting, issuers }, release.library);
  if (answer.kind === 'refused') return onMissing(answer, [], setting);
  const issuer = setting.issuers.find((one) => one.issuer === token.claims['iss']);
  if (issuer === undefined) return onMissing(noRights, answer.remarks, setting);
  if (typeof token.claims['sub'] !== 'string') return onMissing(noSubject, answer.remarks, setting);
  return judge(answer, issuer, request, setting, release.habits);
}

const noRights = refusedFor('no scope', 'the token gives no rights here');

const noSubject = refusedFor('sub', 'the token has no subject, and XRootD demands one', {
  log: 'Failed to get token subject: std::bad_cast',
  fix: 'put sub into its tokens',
  turn: 'issuer',
});

function judge(
  acls: Acls,
  issuer: ScitokensIssuer,
  { deed, path }: XrootdRequest,
  setting: XrootdSetting,
  habits: XrootdHabits,
): Verdict {
  const wanted = canonicalPath(path);
  const rules = rulesOf(acls.acls, issuer, habits);
  const deciding = deedsFor(deed, habits).map((one) => rules.find((rule) => allows(rule, one, wanted, habits)));
  const [rule] = deciding;
  if (rule === undefined || deciding.includes(undefined)) {
    const missed =
      rule === undefined ? missedRight({ acls, issuer, rules, deed, wanted, habits }) : missedLook(rule.scope, wanted);
    return onMissing(missed, acls.remarks, setting);
  }
  const byLetters = habits.paths === 'letters' && !isWithin(wanted, rule.path);
  const quirk = `${rule.path} reaches ${wanted} here, since this release compares paths letter by letter instead of by segments`;
  const why = `${rule.scope} lets its bearer ${deed} ${wanted}`;
  return { accepted: true, rule: rule.scope, why, remarks: byLetters ? [...acls.remarks, quirk] : acls.remarks };
}

/** The token does not decide, so that something else does. */
function onMissing(refusal: Refused, remarks: readonly string[], setting: XrootdSetting): Verdict {
  switch (setting.onMissing) {
    case 'deny':
      return asVerdict(refusal, remarks);
    case 'passthrough':
      return asVerdict(refusal, [
        ...remarks,
        "onmissing = passthrough: the server's other authorization (authdb) may still let it in",
      ]);
    case 'allow':
      return {
        accepted: true,
        rule: 'onmissing',
        why: `onmissing = allow lets in everybody, although ${refusal.why}`,
        remarks,
      };
  }
}
