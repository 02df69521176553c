import type { Clock } from '../../src/world/clock.ts';
import { json, resetBeforeAnswer, type SeenRequest, type Step, token } from '../peers/hostile-issuer.ts';

/**
 * An issuer as a model: refresh tokens `<family>-<n>` that rotate at every use, with a grace for the one before, and access
 * tokens for clients. What it must never see is in `violations`.
 */
export class ModelIssuer {
  readonly violations: string[] = [];
  readonly requests: SeenRequest[] = [];
  /** What happens instead of a proper answer. */
  trouble: Step | undefined;
  /** Rotates as usual and then loses the answer, so many times. */
  losesAnswers = 0;
  /** Rotates as usual, and says nonsense about the rest. */
  breaksRest = false;
  /** Seconds an access token lives. */
  life = 3600;
  inFlight = 0;
  mostInFlight = 0;
  readonly #clock: Clock;
  readonly #grace: boolean;
  readonly #families = new Map<string, number>();
  #tokens = 0;

  constructor(clock: Clock, { grace = true }: { readonly grace?: boolean } = {}) {
    this.#clock = clock;
    this.#grace = grace;
  }

  /** To be handed to `always()` of a hostile issuer. */
  readonly step: Step = (response, request) => {
    this.requests.push(request);
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    response.once('close', () => {
      this.inFlight -= 1;
    });
    response.setHeader('date', new Date(this.#clock.now()).toUTCString());
    (this.trouble ?? this.#answerTo(request))(response, request);
  };

  current(family: string): string {
    return `${family}-${this.#families.get(family) ?? 1}`;
  }

  #answerTo(request: SeenRequest): Step {
    const sent = request.form.get('refresh_token');
    if (sent === null) return this.#give({});
    const refreshToken = this.#rotated(sent);
    if (refreshToken === undefined) return json(400, { error: 'invalid_grant' });
    if (this.breaksRest) return json(200, { refresh_token: refreshToken, access_token: 42 });
    if (this.losesAnswers === 0) return this.#give({ refresh_token: refreshToken });
    this.losesAnswers -= 1;
    return resetBeforeAnswer;
  }

  #give(more: Readonly<Record<string, unknown>>): Step {
    this.#tokens += 1;
    return token({ access_token: `token-${this.#tokens}`, expires_in: this.life, scope: 'storage.read:/', ...more });
  }

  #rotated(sent: string): string | undefined {
    const [name = '', number] = sent.split('-');
    const generation = this.#families.get(name) ?? 1;
    const n = Number(number);
    if (n < generation - 1) this.violations.push(`${sent} came back, ${name}-${generation} is current`);
    if (n !== generation && !(n === generation - 1 && this.#grace)) return undefined;
    const next = n + 1;
    this.#families.set(name, next);
    return `${name}-${next}`;
  }
}
