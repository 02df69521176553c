import type { AuditEntry, AuditEvent } from '../mint/audit.ts';
import type { ClientRequest } from './client-request.ts';
import type { ServerDesk } from './server-desk.ts';

/** A line of the audit log about what a client asked for: who, from where, by which request. */
export function entryOf(
  { world }: ServerDesk,
  { known, address, requestId }: ClientRequest,
  event: AuditEvent,
  what: Partial<AuditEntry>,
): AuditEntry {
  return { at: world.clock.now(), event, by: `client ${known.client.id}`, deliveredTo: [address], requestId, ...what };
}
