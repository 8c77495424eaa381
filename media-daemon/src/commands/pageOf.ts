import { create, type DescMessage, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';

/** The most items of one page, and how many a caller gets that does not say. */
const MAX_PAGE = 1000;
const DEFAULT_PAGE = 100;
/** Bytes after which a page takes no more, since gRPC's clients take 4 MiB unless told. */
const PAGE_BYTES = 1_048_576;

/** What a list asks for. */
export type PageRequest = { readonly pageSize: number; readonly pageToken: string };

/**
 * A page of a list. Who lists while items come and go gets every item once that is there all the while.
 *
 * @param items in the order of their ids.
 * @param describe what is told of an item; undefined for one that has gone meanwhile.
 */
export async function pageOf<T, M extends DescMessage>(
  items: readonly T[],
  { pageSize, pageToken }: PageRequest,
  {
    idOf,
    message,
    describe,
  }: {
    readonly idOf: (item: T) => string;
    readonly message: M;
    readonly describe: (item: T) => MessageInitShape<M> | undefined | Promise<MessageInitShape<M> | undefined>;
  },
): Promise<{ page: MessageShape<M>[]; nextPageToken: string }> {
  const size = Math.min(pageSize || DEFAULT_PAGE, MAX_PAGE);
  const page: MessageShape<M>[] = [];
  let bytes = 0;
  let reached = pageToken;
  for (const item of items.filter((each) => idOf(each) > pageToken)) {
    if (page.length >= size || bytes >= PAGE_BYTES) return { page, nextPageToken: reached };
    const described = await describe(item);
    reached = idOf(item);
    if (!described) continue;
    const made = create(message, described);
    bytes += toBinary(message, made).length;
    page.push(made);
  }
  return { page, nextPageToken: '' };
}
