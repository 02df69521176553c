import { Fault } from '../fault/fault.ts';
import type { World } from '../world/world.ts';
import { ScopeExpressions } from './authz-expression.ts';
import { GroupMapfiles } from './authz-groups.ts';
import { filledIn } from './authz-template.ts';
import { isFit } from './credential-name.ts';
import type { AuthzTemplate } from './settings.ts';

export type Authz =
  /** `remarks`: sentences about what the configuration names and nobody got, such as groups without a mapfile. */
  | { readonly kind: 'scopes'; readonly scopes: readonly string[]; readonly remarks: readonly string[] }
  | { readonly kind: 'refused'; readonly fault: Fault };

/** RFC 6749 section 3.3. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * What users may do by HTCondor's templates: AUTHZ_TEMPLATE, then AUTHZ_TEMPLATE_EXPR, then AUTHZ_GROUP_TEMPLATE for each group.
 * Expressions are evaluated and mapfiles read once; a book lives from one reconfig to the next.
 */
export class AuthzBook {
  readonly #mapfiles: GroupMapfiles;
  readonly #expressions: ScopeExpressions;

  /** @param condorBin the directory of HTCondor's programs (BIN), for `classad_eval`. */
  constructor(world: World, condorBin: string) {
    this.#mapfiles = new GroupMapfiles(world);
    this.#expressions = new ScopeExpressions(world, condorBin);
  }

  /** Never rejects for what is wrong with the configuration. Questions asked together share what has to be run. */
  async of(template: AuthzTemplate, user: string): Promise<Authz> {
    try {
      return await this.#scopesOf(template, user);
    } catch (thrown) {
      if (thrown instanceof Fault) return { kind: 'refused', fault: thrown };
      throw thrown;
    }
  }

  /** Whether a mapfile was changed since it was read; it is read again then, so that everybody is to be asked for anew. */
  changed(): Promise<boolean> {
    return this.#mapfiles.changed();
  }

  async #scopesOf(template: AuthzTemplate, user: string): Promise<Authz> {
    if (!isFit(user)) throw new Fault('config-invalid', `${JSON.stringify(user)} is no name of a user of HTCondor`);
    const remarks: string[] = [];
    const groups = await this.#groupsOf(template, user, remarks);
    refuseOutsider(template, user, groups);
    const words = inWords(filledIn('AUTHZ_TEMPLATE', template.template, { username: user }));
    if (template.expression !== undefined) {
      const found = await this.#expressions.evaluate(template.expression, user);
      if (found.kind === 'text') words.push(...inWords(found.text));
      else remarks.push(found.why);
    }
    if (template.groupTemplate !== undefined) {
      if (template.groupMapfile === undefined) remarks.push(noMapfile);
      for (const groupname of groups)
        words.push(...inWords(filledIn('AUTHZ_GROUP_TEMPLATE', template.groupTemplate, { groupname })));
    }
    return { kind: 'scopes', scopes: checked(words, user), remarks };
  }

  async #groupsOf(
    { groupMapfile, groupTemplate, groupRequirement }: AuthzTemplate,
    user: string,
    remarks: string[],
  ): Promise<readonly string[]> {
    if (groupMapfile === undefined || (groupTemplate ?? groupRequirement) === undefined) return [];
    try {
      return await this.#mapfiles.groupsOf(groupMapfile, user);
    } catch (thrown) {
      // What keeps people out does so. Otherwise they get what needs no group, as from HTCondor's own: jobs do not starve for it.
      if (groupRequirement !== undefined || !(thrown instanceof Fault)) throw thrown;
      remarks.push(`${thrown.message}, so that nobody gets anything for groups`);
      return [];
    }
  }
}

const noMapfile = 'AUTHZ_GROUP_TEMPLATE is set and AUTHZ_GROUP_MAPFILE is not, so that nobody gets anything for groups';

/** HTCondor's own writes an empty token then, on which jobs fail without a word. */
function refuseOutsider(
  { groupRequirement, groupMapfile }: AuthzTemplate,
  user: string,
  groups: readonly string[],
): void {
  if (groupRequirement === undefined || groups.includes(groupRequirement)) return;
  if (groupMapfile === undefined) {
    throw new Fault(
      'config-invalid',
      `AUTHZ_GROUP_REQUIREMENT wants users in the group ${groupRequirement}, and AUTHZ_GROUP_MAPFILE is not set`,
      {
        hint: 'name the mapfile with the groups of users, and run condor_reconfig',
      },
    );
  }
  throw new Fault(
    'request-refused',
    `${user} is not in the group ${groupRequirement}, which AUTHZ_GROUP_REQUIREMENT wants`,
    {
      hint: `add the group to the line of ${user} in ${groupMapfile}`,
    },
  );
}

const inWords = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

function checked(words: readonly string[], user: string): readonly string[] {
  const unfit = words.find((word) => !scopeToken.test(word));
  if (unfit === undefined) return [...new Set(words)];
  throw new Fault(
    'config-invalid',
    `the scope ${JSON.stringify(unfit)} that the templates give ${user} is none (RFC 6749 section 3.3)`,
    {
      hint: 'scopes are ASCII without blanks, quotes and backslashes',
    },
  );
}
