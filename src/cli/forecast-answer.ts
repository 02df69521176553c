import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { counted, span, timestamp } from '../observe/printable.ts';
import { type Forecast, forecast } from '../renew/forecast.ts';
import { between, days, type Epoch, type Millis, millis } from '../token/time.ts';
import type { Context } from './context.ts';

/** An issuer that is imagined to be away, from now on. */
export interface Outage {
  readonly issuer: string;
  readonly length: Millis;
}

/** A week, or the longest outage and three days more: what fails in it shows, and so does how it mends. */
function lengthFor(down: readonly Outage[]): Millis {
  return millis(Math.max(days(7), ...down.map(({ length }) => length + days(3))));
}

/** `tokeep forecast`: the schedule on a simulated clock, from the records as they are. */
export async function showForecast(
  context: Context,
  down: readonly Outage[],
  asked: Millis | undefined,
): Promise<ExitCode> {
  const { world } = context;
  const config = await context.config();
  const store = await context.store();
  const now = world.clock.now();
  const length = asked ?? lengthFor(down);
  const records = { wishes: await store.wishes(), accounts: await store.accounts() };
  const look = (away: readonly Outage[]) =>
    forecast(config, records, { now, length, down: away, chance: () => world.random.unit() });
  let found = look(down);
  if (found.unknownIssuers.length > 0) found = look(await asConfigured(context, down, found));
  const [unknown] = found.unknownIssuers;
  if (unknown !== undefined) {
    const known = found.requests.map(({ issuer }) => issuer).join('\n');
    throw new Fault('usage', `no token comes from the issuer ${unknown}`, { hint: `these are asked:\n${known}` });
  }
  if (context.options.json) await context.printJson(asJson(found));
  else await print(context, found, now, length);
  return exit.fine;
}

/** Issuers differ by a slash at their end, people do not: whichever is configured is meant, and said. */
async function asConfigured(context: Context, down: readonly Outage[], { requests }: Forecast) {
  const known = new Set(requests.map(({ issuer }) => issuer));
  const meant: Outage[] = [];
  for (const outage of down) {
    const { issuer } = outage;
    const other = issuer.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/`;
    const swapped = !known.has(issuer) && known.has(other);
    if (swapped) await context.say(`${other} is meant: the configuration has it so, not ${issuer}`);
    meant.push(swapped ? { ...outage, issuer: other } : outage);
  }
  return meant;
}

function asJson({ gaps, logins, requests }: Forecast) {
  return {
    gaps: gaps.map(({ wish, from, to }) => ({ wish, from: timestamp(from), to: to === null ? null : timestamp(to) })),
    logins: logins.map(({ account, endsAt }) => ({ account, ends: timestamp(endsAt) })),
    requests,
  };
}

async function print({ print: line, say, paint }: Context, found: Forecast, now: Epoch, length: Millis): Promise<void> {
  const { gaps, logins, requests } = found;
  for (const { wish, from, to } of gaps) {
    const begins = from <= now ? 'now' : `in ${span(between(now, from))} (${timestamp(from)})`;
    const lasts = to === null ? 'until the end of the forecast' : `for ${span(between(from, to))}`;
    await line(`${paint.bad(wish)}: without a token ${begins}, ${lasts}`);
  }
  for (const { account, endsAt } of logins) {
    await line(`${paint.warn(`login of ${account}`)} ends in ${span(between(now, endsAt))}, at ${timestamp(endsAt)}`);
  }
  if (gaps.length === 0) await line(paint.good(`no token runs out within ${span(length)}`));
  const asked = requests.reduce((sum, entry) => sum + entry.requests, 0);
  await say(`looked ${span(length)} ahead: ${counted(asked, 'request')} to ${counted(requests.length, 'issuer')}`);
}
