/** Paths of strokes in a square of 24 by 24. */
const PATHS = {
  mic: 'M12 15a3.5 3.5 0 0 0 3.5-3.5v-5a3.5 3.5 0 0 0-7 0v5A3.5 3.5 0 0 0 12 15Zm6-4a6 6 0 0 1-12 0M12 17v4',
  camera:
    'M3 7.5A1.5 1.5 0 0 1 4.5 6h9A1.5 1.5 0 0 1 15 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 3 16.5ZM15 11l6-3.5v9L15 13',
  speaker: 'M4 9.5v5h3.500L12 18.500v-13L7.500 9.500ZM15.500 9a4.200 4.200 0 0 1 0 6M18 6.500a7.800 7.800 0 0 1 0 11',
  screen: 'M3 5.5h18v11H3ZM9 20h6M12 13.5v-5m0 0L9.5 11M12 8.5l2.5 2.5',
  leave:
    'M3.5 14.5c-.8-1-.6-2.6.5-3.4 4.700-3.300 11.300-3.300 16 0 1.100.800 1.300 2.400.500 3.400l-.6.8c-.4.500-1 .6-1.500.3l-2.700-1.500c-.5-.2-.700-.7-.7-1.200v-1.500a12 12 0 0 0-6 0v1.500c0 .5-.2 1-.7 1.200l-2.700 1.500c-.5.300-1.100.200-1.500-.300Z',
  link: 'M10 14a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1-1',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  close: 'M6 6l12 12M18 6L6 18',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M18.700 5.300l-1.400 1.400M6.700 17.300l-1.400 1.400',
  moon: 'M20 14.200A8.200 8.200 0 0 1 9.800 4a8.200 8.200 0 1 0 10.200 10.200Z',
  chat: 'M4 5.500h16v11H10L5.500 20v-3.500H4Z',
  chart: 'M5 19v-5M10 19V9M15 19v-7M20 19V5',
  grid: 'M4 5h7v6H4ZM13 5h7v6h-7ZM4 13h7v6H4ZM13 13h7v6h-7Z',
  spotlight: 'M4 5h16v9H4ZM4 17h4v2.500H4ZM10 17h4v2.500h-4ZM16 17h4v2.500h-4Z',
  keyboard: 'M3 6.500h18v11H3ZM6.500 10h.01M10 10h.01M13.500 10h.01M17 10h.01M8 14h8',
  hammer: 'M13.500 6.500l4 4M4 20l8.500-8.500M11 5l3-2 7 7-2 3-3-3-2 .500-3-3Z',
  plug: 'M9 3v5M15 3v5M6.500 8h11v3a5.500 5.500 0 0 1-11 0ZM12 16.500V21',
  pin: 'M9 4h6l-1 6 3 3H7l3-3ZM12 13v7',
  send: 'M4 12l16-7-5 15-3.500-6.500Z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, crossed = false }: { name: IconName; crossed?: boolean }) {
  return (
    <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" focusable="false" class="icon">
      <path d={PATHS[name]} />
      {crossed && <path d="M4 3.5 20.500 20.500" class="slash" />}
    </svg>
  );
}
