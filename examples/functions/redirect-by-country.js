// Sends viewers to the site of their country, by CloudFront's header of the viewer's country; the origin request
// policy or the cache policy must ask for that header. Query strings are kept.
// Event type: viewer request. Runtime: cloudfront-js-2.0.

const SITES = { AT: '/de', BE: '/fr', CH: '/de', DE: '/de', FR: '/fr', JP: '/ja' };

function isUnder(uri, site) {
  return uri === site || uri.startsWith(`${site}/`);
}

// Names and values come as the viewer encoded them, so they are not encoded again.
function queryString(querystring) {
  const pairs = [];
  Object.keys(querystring).forEach((name) => {
    const parameter = querystring[name];
    (parameter.multiValue || [parameter]).forEach((item) => pairs.push(`${name}=${item.value}`));
  });
  return pairs.length ? `?${pairs.join('&')}` : '';
}

function handler(event) {
  const request = event.request;
  const country = request.headers['cloudfront-viewer-country'];
  const site = country && SITES[country.value];
  const hasChosen = Object.keys(SITES).some((code) => isUnder(request.uri, SITES[code]));
  if (!site || hasChosen || (request.method !== 'GET' && request.method !== 'HEAD')) {
    return request;
  }
  return {
    statusCode: 302,
    statusDescription: 'Found',
    headers: {
      'cache-control': { value: 'private, no-store' },
      location: { value: site + request.uri + queryString(request.querystring) },
    },
  };
}
