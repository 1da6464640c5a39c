/** Lists, page by page. */

/**
 * All pages of a list, read as they are asked for.
 *
 * @example
 * for await (const page of pages(facade.functions.listFunctions, {})) { console.log(page.functions); }
 */
export async function* pages<Request extends { pageToken?: string }, Page extends { nextPageToken: string }>(
  list: (request: Request) => Promise<Page>,
  request: NoInfer<Request>,
): AsyncGenerator<Page> {
  let pageToken = "";
  do {
    const page = await list({ ...request, pageToken });
    yield page;
    pageToken = page.nextPageToken;
  } while (pageToken);
}
