import { useEffect, useState } from 'preact/hooks';
import type { Room } from '../../src/index.ts';

/** Louder than this is speech, dBov. */
const SPEECH_DB = -50;

export interface Speaking {
  readonly isSpeaking: (peerId: string) => boolean;
  /** Who speaks, or spoke last, of the others. */
  readonly speaker: string | undefined;
}

/** Who speaks. It renders when that changes, not with every level. */
export function useSpeaking(room: Room): Speaking {
  const [speaking, setSpeaking] = useState<ReadonlySet<string>>(new Set());
  const [speaker, setSpeaker] = useState<string>();
  useEffect(() => {
    const look = () => {
      const current = [...room.audioLevels].filter(([, decibels]) => decibels > SPEECH_DB).map(([peerId]) => peerId);
      setSpeaking((before) =>
        before.size === current.length && current.every((id) => before.has(id)) ? before : new Set(current),
      );
    };
    look();
    const ends = [
      room.on('audioLevelsChanged', look),
      room.on('activeSpeakerChanged', (peerId) => {
        if (peerId !== undefined && peerId !== room.peerId) setSpeaker(peerId);
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }, [room]);
  return { isSpeaking: (peerId) => speaking.has(peerId), speaker };
}
