import type { Fault } from '../fault/fault.ts';
import type { Epoch, Millis } from '../token/time.ts';

/** A request as it goes on the wire. Never follows a redirect, is never repeated by a layer below (scenarios 7, 27). */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Total time from the first packet to the last byte of the answer. */
  readonly timeout: Millis;
  /** The answer is cut off, and refused, above this many bytes. */
  readonly maxBytes: number;
  /** A PEM file with the CAs to trust instead of the system's. */
  readonly caFile?: string;
  /**
   * `fresh` opens a connection of its own. A request that spends a refresh token uses it: on a kept connection that the
   * server has just closed nobody can tell whether the request was read.
   */
  readonly connection: 'pooled' | 'fresh';
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  readonly sentAt: Epoch;
  readonly receivedAt: Epoch;
}

/** Nothing usable came back. `sent` says whether the server may have acted on the request. */
export interface HttpNoAnswer {
  readonly kind: 'no-answer';
  readonly sent: 'no' | 'perhaps';
  readonly fault: Fault;
  readonly sentAt: Epoch;
}

/**
 * HTTP, as a port. Contract: resolves, never rejects, within `timeout` (and promptly when the signal fires); TLS is always
 * verified; plain http only to loopback; proxies from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).
 */
export interface Http {
  send(request: HttpRequest): Promise<HttpAnswer | HttpNoAnswer>;
  close(): Promise<void>;
}
