/** How an element is shown. `height`: of a 16:9 picture that fills it, in device pixels; 0 while it is off the screen. */
export interface Shown {
  readonly height: number;
}

interface Watched {
  visible: boolean;
  height: number;
  readonly changed: (shown: Shown) => void;
}

const watched = new Map<Element, Watched>();
let observers: { readonly size: ResizeObserver; readonly sight: IntersectionObserver } | undefined;

/** Calls a listener with the shown size of an element, now and on each change. Returns a function that stops. */
export function watchShown(element: Element, changed: (shown: Shown) => void): () => void {
  observers ??= observe();
  const { size, sight } = observers;
  const entry: Watched = { visible: false, height: 0, changed };
  watched.set(element, entry);
  size.observe(element);
  sight.observe(element);
  return () => {
    if (watched.get(element) !== entry) return;
    watched.delete(element);
    size.unobserve(element);
    sight.unobserve(element);
  };
}

/** One observer of each kind for the whole page: a hundred observers of one element cost more than one of a hundred. */
function observe(): NonNullable<typeof observers> {
  const size = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      update(target, { height: Math.max(contentRect.height, (contentRect.width * 9) / 16) * devicePixelRatio });
    }
  });
  const sight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) update(target, { visible: isIntersecting });
  });
  return { size, sight };
}

function update(element: Element, change: Partial<Pick<Watched, 'visible' | 'height'>>): void {
  const entry = watched.get(element);
  if (!entry) return;
  Object.assign(entry, change);
  entry.changed({ height: entry.visible ? entry.height : 0 });
}
