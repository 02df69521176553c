/** What a browser asked of us. Only the target is looked at; a body is never read. */
export interface PageRequest {
  readonly method: string;
  /** Path and query, as asked for. */
  readonly target: string;
  /** The Host header, as sent: a page of another site may have pointed a name at us (DNS rebinding). */
  readonly host: string;
}

export interface PageAnswer {
  readonly status: number;
  /** HTML; whatever comes from outside must have been escaped. */
  readonly html: string;
}

/** A small HTTP server that only this machine reaches. */
export interface LoopbackListener extends AsyncDisposable {
  readonly port: number;
}

/**
 * Listening on 127.0.0.1 for the redirect of a login (RFC 8252 section 7.3), as a port.
 *
 * Contract: listens on 127.0.0.1 only, on a port the system chooses; answers every request with what `answer` says, and only
 * resolves its disposal when the socket is closed. Throws what the system says (`NodeJS.ErrnoException`) when it cannot listen.
 */
export type ListenOnLoopback = (answer: (request: PageRequest) => PageAnswer) => Promise<LoopbackListener>;
