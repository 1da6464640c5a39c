/** Pagination. */
import type { CallOptions } from "@connectrpc/connect";

/**
 * Yields all pages of a list, starting at the request's `pageToken` or, without one, at the first page. Each page is
 * requested when it is needed.
 *
 * @param options The options of each call; a `timeoutMs` is per page.
 * @example
 * for await (const page of pages(facade.functions.listFunctions, {})) { console.log(page.functions); }
 */
export async function* pages<Request extends { pageToken?: string }, Page extends { nextPageToken: string }>(
  list: (request: Request, options?: CallOptions) => Promise<Page>,
  request: NoInfer<Request>,
  options?: CallOptions,
): AsyncGenerator<Page> {
  let pageToken = request.pageToken ?? "";
  do {
    const page = await list({ ...request, pageToken }, options);
    yield page;
    pageToken = page.nextPageToken;
  } while (pageToken);
}
