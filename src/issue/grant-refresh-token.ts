import type { RefreshToken } from '../token/secret.ts';
import type { Epoch } from '../token/time.ts';
import { askedTarget } from './asked-target.ts';
import type { ClientRequest } from './client-request.ts';
import { type Family, revokeFamily } from './family-table.ts';
import { handOn, type Rights } from './handed-on.ts';
import { judgeRefresh, type RefreshTimes, type RefreshVerdict, refreshEnd } from './refresh-rotation.ts';
import {
  findRefresh,
  newRefreshToken,
  openSuccessor,
  type PresentedRefresh,
  spendPrevious,
  supersede,
} from './refresh-table.ts';
import type { ServerDesk } from './server-desk.ts';
import { signForClient } from './sign-for-client.ts';
import { type Refusal, refusal, type TokenAnswer, type TokenGrant } from './token-grant.ts';

/** Others may use the same token at the same moment; who is overtaken looks again. */
const mostRounds = 5;

/**
 * Another access token for an earlier grant (RFC 6749 section 6), with no more scopes and audiences than that had. What is answered
 * is a function of the records, committed before it leaves: whoever repeats a request whose answer was lost gets the same
 * successor (scenario 41), and a token that comes back after its successor was used ends the whole family.
 */
export function refreshTokenGrant(desk: ServerDesk, times: RefreshTimes): TokenGrant {
  return {
    type: 'refresh_token',
    needs: 'refresh_token',
    async answer(request) {
      const presented = request.form.one('refresh_token');
      if (presented === undefined) return refusal('invalid_request', 'refresh_token is missing');
      for (let round = 0; round < mostRounds; round += 1) {
        const looked = await look(desk, request, presented, times);
        if ('kind' in looked) return looked;
        const answer = await use(desk, request, presented, looked.family, times);
        if (answer.kind !== 'overtaken') return answer;
      }
      return refusal('invalid_grant', 'the refresh token is used by several at the same time');
    },
  };
}

/** A first look, in a transaction of its own: what it finds out about a replay must stay, whatever else is refused. */
async function look(
  desk: ServerDesk,
  request: ClientRequest,
  presented: string,
  times: RefreshTimes,
): Promise<Refusal | { readonly family: Family }> {
  const { database } = desk.issuer;
  const { client } = request.known;
  const now = desk.world.clock.now();
  return await database.write(async (session) => {
    const found = await findRefresh(session, database, presented);
    // One answer for what nobody has and for what another client has (RFC 6749 section 5.2).
    if (found === undefined || found.known.family.client !== client.id) {
      return refusal('invalid_grant', 'the refresh token is not known here, or was given to another client');
    }
    const { family } = found.known;
    const verdict = judgeRefresh(found.row, found.known, now, times);
    if (verdict.kind === 'ended') return refusal('invalid_grant', verdict.why);
    if (verdict.kind !== 'replay') return { family };
    await revokeFamily(session, family.id, now);
    const { subject, audiences, scopes } = family;
    await desk.issuer.audit.appendIn(session, {
      at: now,
      event: 'replayed',
      by: `client ${client.id}`,
      subject,
      audiences,
      scopes,
      deliveredTo: [request.address],
      requestId: request.requestId,
      reason: `${verdict.why}: family ${family.id} of refresh tokens was revoked`,
    });
    desk.counts.add('replays', {});
    return refusal('invalid_grant', `${verdict.why}; all refresh tokens of this grant are revoked`);
  });
}

async function use(
  desk: ServerDesk,
  request: ClientRequest,
  presented: string,
  family: Family,
  times: RefreshTimes,
): Promise<TokenAnswer | Overtaken> {
  const wanted = within(family, request);
  if ('kind' in wanted) return wanted;
  const now = desk.world.clock.now();
  const { database } = desk.issuer;
  let next: Next | undefined;
  const signed = await signForClient(
    desk,
    request,
    { subject: family.subject, claims: family.act === undefined ? {} : { act: family.act }, ...wanted },
    async (session): Promise<Overtaken | undefined> => {
      const found = await findRefresh(session, database, presented);
      const verdict = found && judgeRefresh(found.row, found.known, now, times);
      if (found === undefined || verdict === undefined || isOver(verdict)) return { kind: 'overtaken' };
      next = nextToken(desk, presented, found, verdict, now, times);
      if (verdict.kind !== 'repeat') await spendPrevious(session, family.id);
      if (verdict.kind === 'rotate' && next !== undefined) {
        await supersede(session, presented, found, next.token, { now, endsAt: next.endsAt });
      }
      return undefined;
    },
  );
  if (signed.kind !== 'signed') return signed;
  return { kind: 'issued', minted: signed.minted, ...(next === undefined ? {} : { refresh: next }) };
}

/** Somebody else was quicker; nothing was signed. */
interface Overtaken {
  readonly kind: 'overtaken';
}

interface Next {
  readonly token: RefreshToken;
  readonly endsAt: Epoch;
}

type Good = Exclude<RefreshVerdict, { kind: 'ended' | 'replay' }>;
const isOver = (verdict: RefreshVerdict): verdict is Exclude<RefreshVerdict, Good> =>
  verdict.kind === 'ended' || verdict.kind === 'replay';

/** The refresh token the client is to go on with, if it is another than the one presented. */
function nextToken(
  { world }: ServerDesk,
  presented: string,
  { row, known }: PresentedRefresh,
  verdict: Good,
  now: Epoch,
  times: RefreshTimes,
): Next | undefined {
  if (verdict.kind === 'use') return undefined;
  if (verdict.kind === 'rotate') {
    return { token: newRefreshToken(world.random), endsAt: refreshEnd(now, known.family.endsAt, times) };
  }
  const made = row.supersededAt ?? now;
  return {
    token: openSuccessor(presented, verdict.successor, row),
    endsAt: refreshEnd(made, known.family.endsAt, times),
  };
}

interface Target extends Rights {
  readonly audiences: readonly string[];
  readonly everyone: boolean;
}

/** Less than the grant had, or all of it; never more (ISS-07). */
function within(family: Family, { form }: ClientRequest): Refusal | Target {
  const asked = askedTarget(form);
  if ('kind' in asked) return asked;
  const { audiences, everyone } = asked;
  const foreign = audiences.filter((audience) => !family.everyone && !family.audiences.includes(audience));
  if (foreign.length > 0 || (everyone && !family.everyone)) {
    return refusal('invalid_target', 'a refresh token is good for the audiences that it was given for');
  }
  const { scopes, groups } = family;
  const rights = handOn({ scopes, groups }, asked.scopes, 'the refresh token');
  if ('kind' in rights) return rights;
  return {
    ...rights,
    audiences: audiences.length === 0 ? family.audiences : audiences,
    everyone: audiences.length === 0 ? family.everyone : everyone,
  };
}
