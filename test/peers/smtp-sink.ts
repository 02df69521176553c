import { createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly data: string;
  readonly encrypted: boolean;
}

export interface SmtpSink extends AsyncDisposable {
  readonly port: number;
  readonly mails: readonly TakenMail[];
  /** Everything any client said, also what was refused. */
  readonly heard: readonly string[];
}

export interface SmtpSinkOptions {
  /** Offers STARTTLS with this key and certificate. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Answers every RCPT TO with 550. */
  readonly refuseRecipients?: boolean;
  /** Is told of each mail as it comes. */
  readonly onMail?: (mail: TakenMail) => void;
}

/** A mail server (RFC 5321) that keeps what it is given, on 127.0.0.1. */
export async function smtpSink(options: SmtpSinkOptions = {}): Promise<SmtpSink> {
  const mails: TakenMail[] = [];
  const heard: string[] = [];
  const open = new Set<Socket>();
  function take(mail: TakenMail): void {
    mails.push(mail);
    options.onMail?.(mail);
  }
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.write('220 sink.test ESMTP\r\n');
    converse(socket, options, { heard, take }, false);
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    mails,
    heard,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}

interface Book {
  readonly heard: string[];
  take(mail: TakenMail): void;
}

function converse(socket: Socket, options: SmtpSinkOptions, book: Book, encrypted: boolean): void {
  let pending = '';
  let data: string[] | undefined;
  let from = '';
  let to: string[] = [];
  const say = (line: string) => socket.write(`${line}\r\n`);

  function command(line: string): void {
    book.heard.push(line);
    const verb = line.slice(0, 8).toUpperCase();
    if (verb.startsWith('EHLO')) {
      say('250-sink.test');
      if (options.tls !== undefined && !encrypted) say('250-STARTTLS');
      say('250 AUTH PLAIN');
    } else if (verb.startsWith('STARTTLS') && options.tls !== undefined) {
      say('220 go ahead');
      socket.removeAllListeners('data');
      const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(options.tls) });
      secure.on('error', () => socket.destroy());
      converse(secure, options, book, true);
    } else if (verb.startsWith('STARTTLS')) say('502 not here');
    else if (verb.startsWith('AUTH')) say('235 ok');
    else if (verb.startsWith('MAIL')) {
      from = address(line);
      to = [];
      say('250 ok');
    } else if (verb.startsWith('RCPT')) {
      if (options.refuseRecipients) say('550 no such person');
      else {
        to.push(address(line));
        say('250 ok');
      }
    } else if (verb.startsWith('DATA')) {
      data = [];
      say('354 go on');
    } else if (verb.startsWith('QUIT')) {
      say('221 bye');
      socket.end();
    } else say('250 ok');
  }

  socket.on('error', () => socket.destroy());
  socket.on('data', (part) => {
    pending += part.toString('utf8');
    for (let end = pending.indexOf('\r\n'); end >= 0; end = pending.indexOf('\r\n')) {
      const line = pending.slice(0, end);
      pending = pending.slice(end + 2);
      if (data === undefined) command(line);
      else if (line === '.') {
        book.take({ from, to, data: data.join('\n'), encrypted });
        data = undefined;
        say('250 taken');
      } else data.push(line.startsWith('.') ? line.slice(1) : line);
    }
  });
}

const address = (line: string): string => /<([^>]*)>/.exec(line)?.[1] ?? '';
