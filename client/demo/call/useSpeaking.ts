import { useEffect, useRef, useState } from 'preact/hooks';
import type { Room } from '../../src/index.ts';

/** Louder than this is speech, dBov. */
const SPEECH_DB = -50;
/** How long somebody counts as speaking after the last that was heard, ms: between words there is silence. */
const PAUSE_MS = 1000;

export interface Speaking {
  readonly isSpeaking: (peerId: string) => boolean;
  /** Who speaks, or spoke last, of the others. */
  readonly speaker: string | undefined;
}

/** Who speaks. It renders when that changes, not with every level, of which there are many a second. */
export function useSpeaking(room: Room): Speaking {
  const [speaking, setSpeaking] = useState<ReadonlySet<string>>(new Set());
  const [speaker, setSpeaker] = useState<string>();
  const heardAt = useRef(new Map<string, number>());
  useEffect(() => {
    const look = () => {
      const now = performance.now();
      for (const [peerId, decibels] of room.audioLevels) if (decibels > SPEECH_DB) heardAt.current.set(peerId, now);
      for (const [peerId, at] of heardAt.current) if (now - at > PAUSE_MS) heardAt.current.delete(peerId);
      const current = [...heardAt.current.keys()];
      setSpeaking((before) =>
        before.size === current.length && current.every((id) => before.has(id)) ? before : new Set(current),
      );
    };
    const ends = [
      room.on('audioLevelsChanged', look),
      room.on('activeSpeakerChanged', (peerId) => {
        if (peerId !== undefined && peerId !== room.peerId) setSpeaker(peerId);
      }),
    ];
    const timer = setInterval(look, PAUSE_MS);
    return () => {
      for (const end of ends) end();
      clearInterval(timer);
    };
  }, [room]);
  return { isSpeaking: (peerId) => speaking.has(peerId), speaker };
}
