const PATHS = {
  mic: 'M12 15a3.5 3.5 0 0 0 3.5-3.5v-5a3.5 3.5 0 0 0-7 0v5A3.5 3.5 0 0 0 12 15Zm6-4a6 6 0 0 1-12 0M12 17v4',
  camera:
    'M3 7.5A1.5 1.5 0 0 1 4.5 6h9A1.5 1.5 0 0 1 15 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 3 16.5ZM15 11l6-3.5v9L15 13',
  screen: 'M3 5.5h18v11H3ZM9 20h6M12 13.5v-5m0 0L9.5 11M12 8.5l2.5 2.5',
  leave:
    'M3.5 14.5c-.8-1-.6-2.6.5-3.4 4.700-3.300 11.300-3.300 16 0 1.100.800 1.300 2.400.500 3.400l-.6.8c-.4.500-1 .6-1.500.3l-2.700-1.500c-.5-.2-.700-.7-.7-1.200v-1.500a12 12 0 0 0-6 0v1.500c0 .5-.2 1-.7 1.200l-2.700 1.500c-.5.300-1.100.200-1.500-.300Z',
  link: 'M10 14a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1-1',
} as const;

export function Icon({ name, crossed = false }: { name: keyof typeof PATHS; crossed?: boolean }) {
  return (
    <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" focusable="false" class="icon">
      <path d={PATHS[name]} />
      {crossed && <path d="M4 3.5 20.500 20.500" class="slash" />}
    </svg>
  );
}
