import type { OpenIssuer } from '../mint/issuer.ts';
import { grantStatements } from '../mint/issuer-schema.ts';
import { clientTableName, workingTables } from './server-schema.ts';

/**
 * The role of a PostgreSQL database that we are, if it may do more to the audit log than add to it. SQLite has no roles: there the
 * database itself refuses changes, which whoever owns the file can take back.
 */
export async function roleThatChangesAudit({ database, engine }: OpenIssuer): Promise<string | undefined> {
  if (engine !== 'postgres') return undefined;
  const [row] = await database.read(
    // An owner can give itself any right again; a column is as good as the line; and a trigger sees a line before it is written.
    `SELECT current_user AS role, (pg_has_role(relowner, 'MEMBER') OR has_any_column_privilege(oid, 'UPDATE')
       OR has_table_privilege(oid, 'DELETE, TRUNCATE, TRIGGER'))::int AS may
     FROM pg_class WHERE oid = 'issuer_audit'::regclass`,
  );
  return Number(row?.['may']) === 1 ? String(row?.['role']) : undefined;
}

/** The SQL that makes a role fit to run the server, and no more: clients, like keys to be removed, are the business of the owner's role. */
export function roleStatements(role: string): readonly string[] {
  const quoted = `"${role.replaceAll('"', '""')}"`;
  return [
    ...grantStatements(role, workingTables),
    `GRANT SELECT ON issuer_server TO ${quoted};`,
    // FOR SHARE, which makes a removal wait for the tokens that are being signed, takes the right to change a column.
    `GRANT SELECT, UPDATE (generation) ON ${clientTableName} TO ${quoted};`,
  ];
}
