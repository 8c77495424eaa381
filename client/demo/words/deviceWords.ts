import type { DeviceKind, DeviceProblem } from '../devices/deviceProblem.ts';
import type { Message } from './Message.ts';

/** The text for a camera or a microphone that cannot be used. */
export function deviceWords(problem: DeviceProblem, kind: DeviceKind): Message {
  switch (problem) {
    case 'denied':
      return {
        title: `The ${kind} is blocked`,
        text: `Allow it with the ${kind} icon in the browser's address bar. It then starts automatically.`,
      };
    case 'missing':
      return { title: `No ${kind} was found`, text: 'Plug one in. It then starts automatically.' };
    case 'unplugged':
      return { title: `The ${kind} was unplugged`, text: 'Plug it in again. It then starts automatically.' };
    case 'busy':
      return {
        title: `The ${kind} cannot be started`,
        text: 'Another program may be using it. It starts automatically when that program stops using it.',
      };
    case 'insecure':
      return {
        title: `No ${kind} on this address`,
        text: 'Browsers give it to pages on https:// or localhost only. You can still watch and listen.',
      };
  }
}
