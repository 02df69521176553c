import { asFault, Fault } from '../fault/fault.ts';
import { seconds } from '../token/time.ts';
import { endOfTrusted, outputOf } from '../world/trusted-command.ts';
import type { World } from '../world/world.ts';

export type Evaluation =
  | { readonly kind: 'text'; readonly text: string }
  /** No string came out; HTCondor's own goes on without it and says so in its log. */
  | { readonly kind: 'none'; readonly why: string };

/** Users of one call: their names and the questions are arguments, of which a system takes two megabytes. */
const mostUsers = 1000;

interface Waiting {
  readonly user: string;
  readonly resolve: (found: Evaluation) => void;
  readonly reject: (fault: Fault) => void;
}

/**
 * AUTHZ_TEMPLATE_EXPR, evaluated by HTCondor's `classad_eval` with the user in the attribute `Username`, in which its local issuer has it. Starting
 * the program takes far longer than an evaluation, so that all who ask while it runs share the next call. What came out is kept.
 */
export class ScopeExpressions {
  readonly #world: World;
  readonly #program: string;
  readonly #known = new Map<string, Map<string, Promise<Evaluation>>>();
  readonly #waiting = new Map<string, Waiting[]>();

  constructor(world: World, condorBin: string) {
    this.#world = world;
    this.#program = `${condorBin}/classad_eval`;
  }

  /** `user` holds nothing that would end a string. Throws Fault `command-untrusted`, `command-failed`; the next call tries again. */
  evaluate(expression: string, user: string): Promise<Evaluation> {
    const known = this.#known.get(expression) ?? new Map<string, Promise<Evaluation>>();
    this.#known.set(expression, known);
    const found = known.get(user) ?? this.#ask(expression, user);
    known.set(user, found);
    found.catch(() => known.delete(user));
    return found;
  }

  #ask(expression: string, user: string): Promise<Evaluation> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(expression);
      if (waiting !== undefined) {
        waiting.push({ user, resolve, reject });
        return;
      }
      this.#waiting.set(expression, [{ user, resolve, reject }]);
      void this.#work(expression);
    });
  }

  /** Until nobody waits. The first call, too, waits for whoever asks in the same turn of the event loop. */
  async #work(expression: string): Promise<void> {
    await Promise.resolve();
    for (;;) {
      const batch = this.#waiting.get(expression)?.splice(0, mostUsers) ?? [];
      if (batch.length === 0) break;
      await this.#settle(expression, batch);
    }
    this.#waiting.delete(expression);
  }

  async #settle(expression: string, batch: readonly Waiting[]): Promise<void> {
    try {
      const found = await this.#run(
        expression,
        batch.map(({ user }) => user),
      );
      for (const [index, { resolve }] of batch.entries()) resolve(found[index] as Evaluation);
    } catch (thrown) {
      const fault = asFault(thrown, 'evaluating AUTHZ_TEMPLATE_EXPR');
      for (const { reject } of batch) reject(fault);
    }
  }

  async #run(expression: string, users: readonly string[]): Promise<readonly Evaluation[]> {
    const questions = users.flatMap((user) => [`Username = "${user}"`, question]);
    const argv = [this.#program, '-quiet', `Scopes = ${expression}`, ...questions];
    const output = await this.#output(argv);
    if (output === undefined) return users.map(() => noExpression);
    const lines = output.trimEnd().split('\n');
    if (lines.length === users.length) return lines.map(evaluationOf);
    throw new Fault(
      'command-failed',
      `${this.#program} was asked for the scopes of ${users.length} users by AUTHZ_TEMPLATE_EXPR, and answered with ${lines.length} lines`,
      { hint: `try it by hand: classad_eval 'Username = "${users[0]}"' '${expression}'` },
    );
  }

  /** Undefined for what is no expression at all; everything else that fails may be better the next time. */
  async #output(argv: readonly string[]): Promise<string | undefined> {
    try {
      const file = this.#world.env['CONDOR_CONFIG'];
      const env = file === undefined ? {} : { CONDOR_CONFIG: file };
      const command = { argv, env, timeout: seconds(60), maxOutput: 64 * 1024 * 1024 };
      const end = await endOfTrusted(this.#world, command);
      if (end.kind === 'exited' && end.stderr.includes("Unable to turn 'Scopes = ")) return undefined;
      return outputOf(end, command);
    } catch (thrown) {
      const { code, message, hint } = asFault(thrown, 'running classad_eval');
      const what = `AUTHZ_TEMPLATE_EXPR could not be evaluated: ${message}`;
      throw new Fault(code, what, hint === undefined ? {} : { hint: `is the expression a ClassAd's? ${hint}` });
    }
  }
}

/** A list would end the program with an error, and with it the answers for everybody else. */
const question = 'isString(Scopes) ? Scopes : (isUndefined(Scopes) ? undefined : error)';

/** HTCondor's own gives the rest of the scopes then, too: no job starves for a slip of the pen. */
const noExpression: Evaluation = {
  kind: 'none',
  why: 'AUTHZ_TEMPLATE_EXPR is no expression of ClassAds, and adds no scopes for anybody',
};

function evaluationOf(line: string): Evaluation {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(line)?.[1];
  if (quoted !== undefined) return { kind: 'text', text: quoted.replace(/\\(.)/g, unescaped) };
  const found = line === 'undefined' ? 'is undefined' : 'gives no string';
  return { kind: 'none', why: `AUTHZ_TEMPLATE_EXPR ${found} for this user, and adds no scopes` };
}

/** Bytes outside ASCII stay escaped, and are then found to be no scope. */
const unescaped = (whole: string, letter: string): string =>
  ({ n: '\n', t: '\t', r: '\r', '"': '"', "'": "'", '\\': '\\' })[letter] ?? whole;
