import type { JoinRequest } from './landing/Landing.tsx';

/** The call of this tab, and whether its camera and microphone are on. */
export interface OngoingCall extends JoinRequest {
  readonly microphone: boolean;
  readonly camera: boolean;
}

const KEY = 'call';

/** Stores the call for the life of the tab, so that a reload joins it again without asking. */
export function rememberCall(call: OngoingCall): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(call));
  } catch {
    // Storage is off: a reload shows the form.
  }
}

/** Call it when the call is over. */
export function forgetCall(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Storage is off: nothing is stored.
  }
}

/** The call in which the page was reloaded. @param roomId the room of the address, which may be another one now */
export function callToResume(roomId: string): OngoingCall | undefined {
  try {
    const call = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as OngoingCall | null;
    return call?.roomId === roomId && call.name ? call : undefined;
  } catch {
    return undefined;
  }
}
