export interface TextAnswer {
  readonly status: 200 | 404 | 405 | 500 | 503;
  readonly contentType: string;
  readonly body: string;
}

/** A small HTTP server for plain text. */
export interface TextServer extends AsyncDisposable {
  /** Where it listens, as `host:port`. */
  readonly address: string;
}

/**
 * Answering GET requests with text, as a port.
 *
 * Contract: `answer` gets the path without its query; when it rejects, the client gets 500 without a reason. Anything but GET
 * and HEAD is answered 405 without asking. Headers have to come within five seconds, bodies are never read, and disposal closes
 * what is open. Throws what the system says (`NodeJS.ErrnoException`) when it cannot listen. Port 0 lets the system choose.
 */
export type ServeText = (
  listen: { readonly host: string; readonly port: number },
  answer: (path: string) => Promise<TextAnswer>,
) => Promise<TextServer>;
