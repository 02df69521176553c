/** The part of nodemailer (which ships no types) that `real-mailer.ts` uses; see https://nodemailer.com/smtp/. */
declare module 'nodemailer' {
  interface Transport {
    sendMail(mail: {
      readonly from: string;
      readonly to: readonly string[];
      readonly subject: string;
      readonly text: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly disableFileAccess: true;
      readonly disableUrlAccess: true;
    }): Promise<unknown>;
    close(): void;
  }
  export function createTransport(options: {
    readonly host: string;
    readonly port: number;
    readonly secure: boolean;
    readonly requireTLS: boolean;
    readonly ignoreTLS: boolean;
    readonly auth?: { readonly user: string; readonly pass: string };
    readonly connectionTimeout: number;
    readonly greetingTimeout: number;
    readonly socketTimeout: number;
    readonly logger: false;
  }): Transport;
}
