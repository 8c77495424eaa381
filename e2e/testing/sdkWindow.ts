/** Runs in the pages of the SDK's tests: gives them the SDK, and counts the frames that are shown. */
import * as sdk from '@mediasoup-server/client';
import type { FrameWatch, SdkWindow } from './sdkPage.ts';

interface Watched {
  frames: number;
  last: number;
  longest: number;
}

function frameWatch(): FrameWatch {
  const watched = new Map<string, Watched>();
  return {
    show(track) {
      const video = document.body.appendChild(document.createElement('video'));
      video.muted = true;
      video.dataset.track = track.id;
      const state: Watched = { frames: 0, last: performance.now(), longest: 0 };
      watched.set(track.id, state);
      const shown = (now: number): void => {
        if (state.frames > 0) state.longest = Math.max(state.longest, now - state.last);
        state.frames++;
        state.last = now;
        video.requestVideoFrameCallback(shown);
      };
      video.requestVideoFrameCallback(shown);
      track.attach(video);
      return video;
    },
    frames: () => Object.fromEntries([...watched].map(([id, { frames }]) => [id, frames])),
    longestGaps() {
      const gaps = [...watched].map(([id, state]) => {
        const longest = Math.max(state.longest, performance.now() - state.last);
        state.longest = 0;
        return [id, Math.round(longest)];
      });
      return Object.fromEntries(gaps);
    },
  };
}

const page = globalThis as unknown as { -readonly [Key in keyof SdkWindow]: SdkWindow[Key] };
page.watch = frameWatch();
page.sdk = sdk;
