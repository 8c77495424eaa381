import type { JoinRequest } from './landing/Landing.tsx';

/** The call that this tab is in, and whether it is seen and heard there. */
export interface OngoingCall extends JoinRequest {
  readonly microphone: boolean;
  readonly camera: boolean;
}

const KEY = 'call';

/** Remembers the call for as long as the tab lives, so that a reload comes back to it without a question. */
export function rememberCall(call: OngoingCall): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(call));
  } catch {
    // Storage is off: a reload ends at the form.
  }
}

/** Call it when the call is over. */
export function forgetCall(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Then there is nothing.
  }
}

/** The call that the page was reloaded in. @param roomId that of the address, which may be another by now */
export function callToResume(roomId: string): OngoingCall | undefined {
  try {
    const call = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as OngoingCall | null;
    return call?.roomId === roomId && call.name ? call : undefined;
  } catch {
    return undefined;
  }
}
