import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { withoutTokens } from '../observe/printable.ts';
import { type AccessRequest, computeActions } from '../verify/access.ts';
import { type Area, everywhere } from '../verify/areas.ts';
import { readMapfiles } from '../verify/ce-mapfile-files.ts';
import { explain, type ServiceQuestion, strictVerdict } from '../verify/explain.ts';
import { presentToken } from '../verify/explain-signature.ts';
import type { PresentedToken } from '../verify/explanation.ts';
import type { Presentation } from '../verify/quirks-presentation.ts';
import { storageDeeds } from '../verify/quirks-xrootd.ts';
import { areaOf, type ScitokensIssuer, wholeServerOf } from '../verify/scitokens-cfg.ts';
import { releasesOf, type Service, type ServiceRelease, serviceNames } from '../verify/services.ts';
import { actionOf } from '../verify/services-xrootd-denial.ts';
import { accessWords } from './access-words.ts';
import type { Context } from './context.ts';
import { type Explained, explanationDocument, explanationLines } from './explanation-lines.ts';
import { tokenAtHand } from './token-at-hand.ts';
import type { TokenOptions } from './token-options.ts';
import { type Trust, type TrustOptions, trustFrom } from './trust-options.ts';

export type ExplainOptions = TokenOptions &
  TrustOptions & {
    readonly for: Service;
    readonly release?: string;
    readonly mapfile?: readonly string[];
    readonly sentAs: Presentation;
  };

/** What was asked, before any token is looked at. */
interface Asked {
  readonly service: Service;
  readonly releases: readonly ServiceRelease[];
  readonly action: string;
  readonly path: string | undefined;
}

/** `tokeep explain`: exit 6 if one of the releases that were asked for refuses the token; else 0, or 4 if its signature could not be compared. */
export async function explainFor(
  context: Context,
  given: string,
  path: string | undefined,
  options: ExplainOptions,
): Promise<ExitCode> {
  const asked = askedFor(given, path, options);
  const trust = await trustFrom(context, options);
  const { text, from, warnings } = await tokenAtHand(context, options, 'explain');
  const verification = await trust.verify(text);
  const token = await presented(text, trust);
  const { question, request, area, remarks } = await questionOf(context, { asked, token, trust, options });
  const explained: Explained = {
    from,
    service: asked.service,
    asked: path === undefined ? given : `${given} ${path}`,
    token,
    strict: strictVerdict(verification, request, area),
    releases: explain(question, asked.releases),
    warnings: [...warnings, ...trust.warnings(), ...remarks],
  };
  if (context.options.json) await context.printJson(withoutTokens(explanationDocument(explained)));
  else for (const line of explanationLines(explained, context.paint)) await context.print(line);
  if (!explained.releases.every(({ accepted }) => accepted)) return exit.refused;
  return token.signature.kind === 'unknown' ? exit.temporary : exit.fine;
}

function askedFor(given: string, path: string | undefined, options: ExplainOptions): Asked {
  const { for: service, release, mapfile, sentAs } = options;
  const known =
    service === 'xrootd'
      ? { command: 'explain --for xrootd', withPath: storageDeeds, alone: [] }
      : { command: 'explain --for htcondor-ce', withPath: [], alone: computeActions };
  const words = accessWords<string>(given, path, known);
  if (service === 'xrootd' && mapfile !== undefined) throw new Fault('usage', '--mapfile is for htcondor-ce');
  if (service === 'htcondor-ce' && sentAs !== 'header') throw new Fault('usage', '--sent-as is for xrootd');
  const releases = releasesOf(service, release);
  if (releases.length > 0) return { service, releases, ...words };
  const all = releasesOf(service).map(({ version, library }) => `${version} (libscitokens ${library.version})`);
  const sentence = `nothing is known of ${serviceNames[service]} ${release}`;
  throw new Fault('usage', sentence, {
    hint: `known: ${all.join(', ')}\ntake the nearest one, or leave --release out for all`,
  });
}

/** The token as a service gets it; its signature is compared whatever else is wrong with it. */
async function presented(text: string, trust: Trust): Promise<PresentedToken> {
  const presenting = presentToken(text, await trust.keysOf(text));
  if (presenting.kind === 'token') return presenting.token;
  throw new Fault('token-invalid', `no service can read this token: ${presenting.why}`);
}

interface Gathered {
  readonly asked: Asked;
  readonly token: PresentedToken;
  readonly trust: Trust;
  readonly options: ExplainOptions;
}

interface Put {
  readonly question: ServiceQuestion;
  /** The same by the rules. */
  readonly request: AccessRequest;
  readonly area: Area;
  readonly remarks: readonly string[];
}

async function questionOf(context: Context, { asked, token, trust, options }: Gathered): Promise<Put> {
  const audiences = trust.audiences.length > 0 || trust.config !== undefined ? trust.audiences : 'assumed';
  const setting = { now: context.world.clock.now(), audiences } as const;
  const deed = storageDeeds.find((one) => one === asked.action);
  const action = computeActions.find((one) => one === asked.action);
  if (deed !== undefined && asked.path !== undefined) {
    const issuers = issuersOf(token, trust);
    const issuer = issuers.find((one) => one.issuer === token.claims['iss']);
    const onMissing = trust.config?.config.onMissing ?? 'deny';
    return {
      question: {
        service: 'xrootd',
        token,
        request: { deed, path: asked.path, presentation: options.sentAs },
        setting: { ...setting, issuers, onMissing },
      },
      request: { action: actionOf[deed], path: asked.path, target: deed === 'mkdir' ? 'directory' : 'unknown' },
      area: issuer === undefined ? everywhere : areaOf(issuer),
      remarks: [],
    };
  }
  if (action === undefined) throw new Fault('bug', 'an action that is neither of storage nor of computing');
  const maps = options.mapfile === undefined ? undefined : await readMapfiles(context.world.files, options.mapfile);
  const mapfile = maps === undefined ? {} : { mapfile: maps.lines };
  const remarks = (maps?.findings ?? []).map(({ file, line, message }) => `${file}:${line}: ${message}`);
  return {
    question: { service: 'htcondor-ce', token, action, setting: { ...setting, ...mapfile } },
    request: { action },
    area: everywhere,
    remarks,
  };
}

/** Those of the configuration; of one that is only named, all of the server is taken to be its own. */
function issuersOf({ claims }: PresentedToken, { config, issuers }: Trust): readonly ScitokensIssuer[] {
  const configured = config?.config.issuers ?? [];
  const { iss } = claims;
  const named = issuers ?? (typeof iss === 'string' ? [iss] : []);
  const others = named.filter((issuer) => !configured.some((one) => one.issuer === issuer));
  return [...configured, ...others.map(wholeServerOf)];
}
