import { useEffect, useState } from 'preact/hooks';
import type { Room } from '../../src/index.ts';

/** The volume from which a peer counts as speaking, dBov. */
const SPEECH_DB = -50;

export interface Speaking {
  readonly isSpeaking: (peerId: string) => boolean;
  /** The other peer that speaks, or spoke last. */
  readonly speaker: string | undefined;
}

/** Who speaks. Renders when that changes, not for each audio level. */
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
