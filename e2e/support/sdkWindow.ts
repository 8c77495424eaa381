/** Runs in the pages of the SDK's tests: exposes the SDK, and counts the frames that are shown. */
import * as sdk from '@mediasoup-server/client';
import type { FrameWatch, SdkWindow } from './sdkPage.ts';

interface Watched {
  readonly video: HTMLVideoElement;
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
      // A track that is subscribed to again is shown again: its frames go on counting.
      const former = watched.get(track.id)?.frames ?? 0;
      const state: Watched = { video, frames: former, last: performance.now(), longest: 0 };
      watched.set(track.id, state);
      const shown = (now: number): void => {
        if (state.frames > former) state.longest = Math.max(state.longest, now - state.last);
        state.frames++;
        state.last = now;
        video.requestVideoFrameCallback(shown);
      };
      video.requestVideoFrameCallback(shown);
      track.attach(video);
      return video;
    },
    frames: () => Object.fromEntries([...watched].map(([id, { frames }]) => [id, frames])),
    countBlack() {
      const canvas = new OffscreenCanvas(1, 1);
      const context = canvas.getContext('2d', { willReadFrequently: true });
      const counted = { looks: 0, black: 0 };
      const look = (): void => {
        for (const { video } of watched.values()) {
          context?.clearRect(0, 0, 1, 1);
          context?.drawImage(video, 0, 0, 1, 1);
          const [red = 0, green = 0, blue = 0] = context?.getImageData(0, 0, 1, 1).data ?? [];
          counted.looks++;
          if (red + green + blue < 30) counted.black++;
        }
        requestAnimationFrame(look);
      };
      look();
      return counted;
    },
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
