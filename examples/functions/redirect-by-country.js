// Redirects viewers to the site of their country, based on the header CloudFront-Viewer-Country. The cache policy or
// the origin request policy must include that header. Query strings are kept.
// Event type: viewer request. Runtime: cloudfront-js-2.0.

const SITES = { AT: '/de', BE: '/fr', CH: '/de', DE: '/de', FR: '/fr', JP: '/ja' };

function isUnder(uri, site) {
  return uri === site || uri.startsWith(`${site}/`);
}

// Names and values are still encoded as the viewer sent them, so they must not be encoded again.
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
