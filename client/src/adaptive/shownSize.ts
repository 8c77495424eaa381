/**
 * How an element is shown. `height`: of a 16:9 picture that fills it, in device pixels; 0 while it is off the screen;
 * infinite if the page gives it no size, since it is then as large as the picture that it receives.
 */
export interface Shown {
  readonly height: number;
}

interface Watched {
  visible: boolean;
  height: number;
  readonly changed: (shown: Shown) => void;
}

/** The size of a video element without CSS that has no picture yet, CSS pixels. */
const NO_PICTURE = { videoWidth: 300, videoHeight: 150 };

const watched = new Map<Element, Watched>();
/** The elements that have had another size than their picture: from then on their size is the page's choice. */
const sizedByPage = new WeakSet<Element>();
let observers: { readonly size: ResizeObserver; readonly sight: IntersectionObserver } | undefined;

/** Calls a listener with the shown size of an element, now and on each change. Returns a function that stops. */
export function watchShown(element: Element, changed: (shown: Shown) => void): () => void {
  observers ??= observe();
  const { size, sight } = observers;
  const entry: Watched = { visible: false, height: 0, changed };
  watched.set(element, entry);
  // Observing anew reports the size again: the picture may change its size in an element that keeps its own.
  const measure = (): void => {
    size.unobserve(element);
    size.observe(element);
  };
  element.addEventListener('resize', measure);
  measure();
  sight.observe(element);
  return () => {
    element.removeEventListener('resize', measure);
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
      const { width, height } = contentRect;
      if (height > 0 && !hasSizeOfPicture(target, contentRect)) sizedByPage.add(target);
      const shown = Math.max(height, (width * 9) / 16) * devicePixelRatio;
      update(target, { height: height === 0 || sizedByPage.has(target) ? shown : Number.POSITIVE_INFINITY });
    }
  });
  const sight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) update(target, { visible: isIntersecting });
  });
  return { size, sight };
}

function hasSizeOfPicture(element: Element, { width, height }: DOMRectReadOnly): boolean {
  if (!(element instanceof HTMLVideoElement)) return false;
  const { videoWidth, videoHeight } = element.videoWidth > 0 ? element : NO_PICTURE;
  return Math.abs(width - videoWidth) < 1 && Math.abs(height - videoHeight) < 1;
}

function update(element: Element, change: Partial<Pick<Watched, 'visible' | 'height'>>): void {
  const entry = watched.get(element);
  if (!entry) return;
  Object.assign(entry, change);
  entry.changed({ height: entry.visible ? entry.height : 0 });
}
