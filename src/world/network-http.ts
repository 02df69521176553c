import { Fault } from '../fault/fault.ts';
import { epoch } from '../token/time.ts';
import type { Http, HttpAnswer, HttpNoAnswer, HttpRequest } from './http.ts';
import type { Errands } from './network-errand.ts';
import type { FaultInWords, FromNetwork } from './network-messages.ts';
import { whenAborted } from './when-aborted.ts';

/** The other side, told to break off, says at once whether a byte had left; it is waited for this long. */
const patience = 500;
/** One that says nothing for this long hangs. */
const hanging = 15_000;
/** No answer we ask for is longer, and what may come in one frame has to have an end. */
const largestBody = 2 * 1024 * 1024;
const longestTimer = 2 ** 31 - 1;

/**
 * {@link Http} carried out by the network process. Times are taken on this side, and what came is held against what was asked, so that
 * the other side can withhold and invent answers, which it could in any case, and nothing else.
 */
export function networkHttp(errands: Errands): Http {
  return {
    send: (request) => new Promise((resolve) => new Exchange(errands, request, resolve)),
    // The connections are those of the network process, and end with it.
    close: async () => {},
  };
}

/** One request under way. */
class Exchange {
  readonly #request: HttpRequest;
  readonly #sentAt = epoch(Date.now());
  readonly #resolve: (result: HttpAnswer | HttpNoAnswer) => void;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #forgetSignal: (() => void) | undefined;
  readonly #maxBytes: number;
  #hanging: NodeJS.Timeout | undefined;
  #givenUp: { readonly fault: Fault; readonly timer: NodeJS.Timeout } | undefined;

  constructor(errands: Errands, request: HttpRequest, resolve: (result: HttpAnswer | HttpNoAnswer) => void) {
    this.#request = request;
    this.#resolve = resolve;
    this.#maxBytes = Math.min(request.maxBytes, largestBody);
    if (request.signal?.aborted) {
      this.#fail('no', this.#brokenOff());
      return;
    }
    const id = errands.submit({
      message: (id) => ({ kind: 'send', id, request: this.#inWords() }),
      answered: (message) => this.#answered(message),
      lost: (handedOver) => this.#fail(handedOver ? 'perhaps' : 'no', this.#lost()),
    });
    const giveUp = (fault: Fault) => {
      if (errands.withdraw(id)) return this.#fail('no', fault);
      if (this.#givenUp !== undefined) return;
      errands.tell({ kind: 'abort', id });
      this.#givenUp = { fault, timer: setTimeout(() => this.#unheard(errands, fault), patience) };
    };
    this.#timer = setTimeout(() => giveUp(this.#tooLate()), Math.min(request.timeout, longestTimer));
    if (request.signal !== undefined) {
      this.#forgetSignal = whenAborted(request.signal, () => giveUp(this.#brokenOff()));
    }
  }

  #inWords() {
    const { url, signal: _, ...rest } = this.#request;
    return { ...rest, url: url.href, maxBytes: this.#maxBytes };
  }

  #answered(message: FromNetwork): boolean {
    if (message.kind === 'no-answer') {
      this.#fail(message.sent, this.#givenUp?.fault ?? faultFrom(message.fault));
      return true;
    }
    // Characters are never more than the bytes they came as.
    if (message.kind !== 'answer' || message.body.length > this.#maxBytes) return this.#nonsense();
    const { status, headers, body } = message;
    this.#end({ kind: 'answer', status, headers, body, sentAt: this.#sentAt, receivedAt: epoch(Date.now()) });
    return true;
  }

  /** Until it is heard of after all, or is lost with its process. */
  #unheard(errands: Errands, fault: Fault): void {
    this.#fail('perhaps', fault);
    this.#hanging = setTimeout(() => errands.condemn('it does not answer any more'), hanging).unref();
  }

  #nonsense(): boolean {
    this.#fail('perhaps', this.#lost());
    return false;
  }

  #fail(sent: HttpNoAnswer['sent'], fault: Fault): void {
    this.#end({ kind: 'no-answer', sent, sentAt: this.#sentAt, fault });
  }

  #end(result: HttpAnswer | HttpNoAnswer): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#givenUp?.timer);
    clearTimeout(this.#hanging);
    this.#forgetSignal?.();
    this.#resolve(result);
  }

  #tooLate(): Fault {
    const { url, timeout } = this.#request;
    return new Fault('issuer-timeout', `${url.origin} gave no complete answer within ${timeout / 1000} s`);
  }

  #brokenOff(): Fault {
    return new Fault('issuer-timeout', `the request to ${this.#request.url.origin} was broken off on our side`);
  }

  #lost(): Fault {
    const sentence = `the process for the network ended before it had an answer of ${this.#request.url.origin}`;
    return new Fault('issuer-unreachable', sentence);
  }
}

/** Its cause stayed on the other side. */
export const faultFrom = ({ code, message, hint }: FaultInWords): Fault =>
  new Fault(code, message, hint === undefined ? {} : { hint });
