import { resolve } from 'node:path';
import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { checkSite } from '../issue/check-site.ts';
import type { SiteFinding, Turn } from '../issue/check-site-finding.ts';
import { defaultRotation, readSettings } from '../mint/settings.ts';
import type { SigningKey } from '../mint/signing-key.ts';
import { printable } from '../observe/printable.ts';
import type { Millis } from '../token/time.ts';
import { realCertificateLook } from '../world/real-certificate-look.ts';
import { demandCaFile } from './ca-file.ts';
import type { Context } from './context.ts';
import { issuerUrl } from './issuer-init-answer.ts';
import { issuerDir, withIssuer } from './issuer-place.ts';

export interface CheckOptions {
  readonly dir?: string;
  readonly caFile?: string;
}

/** `tokeep issuer check [URL]`. */
export async function checkLive(context: Context, url: string | undefined, options: CheckOptions): Promise<ExitCode> {
  const caFile = options.caFile === undefined ? undefined : resolve(options.caFile);
  if (caFile !== undefined) await demandCaFile(context.world.files, caFile);
  const asked = url === undefined ? undefined : issuerUrl(url);
  const own = await ownIssuer(context, asked, options.dir);
  const ahead = own?.ahead ?? defaultRotation.ahead;
  const name = asked ?? own?.url ?? '';
  const outside = { ...context.world, certificates: realCertificateLook };
  const findings = await checkSite(outside, { url: name, keys: own?.keys, ahead, caFile });
  const code = exitOf(findings);
  if (context.options.json) await context.printJson({ issuer: name, findings, exit: code });
  else await printFindings(context, name, findings);
  if (own === undefined)
    await context.say(`there is no issuer of that name here, so its keys were not compared with any`);
  return code;
}

interface OwnIssuer {
  readonly url: string;
  readonly keys: readonly SigningKey[];
  readonly ahead: Millis;
}

/** The issuer here, if it is the one that is asked for; without a name it has to be there. */
async function ownIssuer(
  context: Context,
  asked: string | undefined,
  dir: string | undefined,
): Promise<OwnIssuer | undefined> {
  if (asked !== undefined && dir === undefined && !(await isOurs(context, asked))) return undefined;
  return await withIssuer(context, dir, async (issuer) => {
    const { url, rotation } = issuer.settings;
    if (asked !== undefined && asked !== url) {
      throw new Fault('usage', `the issuer in ${issuer.directory} is ${url} and not ${asked}`);
    }
    return { url, keys: await issuer.keys({ removed: true }), ahead: rotation.ahead };
  });
}

async function isOurs(context: Context, asked: string): Promise<boolean> {
  try {
    return (await readSettings(context.world, await issuerDir(context, undefined))).url === asked;
  } catch {
    // Whoever asks about the issuer of others needs none here.
    return false;
  }
}

function exitOf(findings: readonly SiteFinding[]): ExitCode {
  if (findings.some(({ severity }) => severity === 'error')) return exit.person;
  return findings.some(({ severity }) => severity === 'unreachable') ? exit.temporary : exit.fine;
}

const turns: Readonly<Record<Turn, string>> = {
  issuer: 'for whoever keeps the keys',
  'web-server': 'for whoever runs the web server',
  wait: 'it passes',
};

async function printFindings({ print, paint }: Context, url: string, findings: readonly SiteFinding[]): Promise<void> {
  const colour = { ok: paint.good, warning: paint.warn, error: paint.bad, unreachable: paint.bad };
  for (const { severity, sentence, turn, hint } of findings) {
    await print(`${colour[severity](severity)}: ${printable(sentence)}`);
    if (turn !== undefined) await print(`  ${turns[turn]}${hint === undefined ? '' : `: ${hint}`}`);
  }
  const bad = findings.filter(({ severity }) => severity !== 'ok').length;
  await print(bad === 0 ? `${url} is in order` : `${url}: ${bad} of ${findings.length} findings to look at`);
}
