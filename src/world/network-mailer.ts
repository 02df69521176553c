import { Fault } from '../fault/fault.ts';
import type { Mailer, OutgoingMail } from './mailer.ts';
import type { Errands } from './network-errand.ts';
import { faultFrom } from './network-http.ts';

/** A minute is what the contract allows; connecting, greeting and silence have shorter ones on the other side. */
const longest = 60_000;

/** {@link Mailer} carried out by the network process. */
export function networkMailer(errands: Errands): Mailer {
  return {
    async send(mail) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const failed = (why: string) =>
        new Fault('notify-failed', `no mail sent by ${mail.host}:${mail.port} to ${mail.to.join(', ')}: ${why}`);
      const id = errands.submit({
        message: (id) => ({ kind: 'mail', id, mail: inWords(mail) }),
        answered(message) {
          if (message.kind === 'mailed') resolve();
          else if (message.kind === 'not-mailed') reject(faultFrom(message.fault));
          else reject(failed('the process for the network said something else'));
          return message.kind === 'mailed' || message.kind === 'not-mailed';
        },
        lost: () => reject(failed('the process for the network ended')),
      });
      const timer = setTimeout(() => {
        errands.withdraw(id);
        reject(failed('it took too long'));
      }, longest);
      await promise.finally(() => clearTimeout(timer));
    },
  };
}

function inWords({ login, ...rest }: OutgoingMail) {
  return login === undefined ? rest : { ...rest, login: { user: login.user, password: login.password.reveal() } };
}
