/** Lists, page by page. */
import type { CallOptions } from "@connectrpc/connect";

/**
 * All pages of a list from the request's `pageToken` on, which is the first page where it is left out. They are read as
 * they are asked for.
 *
 * @param options The options of each call: a `timeoutMs` is for one page.
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
