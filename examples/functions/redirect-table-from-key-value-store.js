// Redirects by a table in a key value store: the key is an old path without its trailing slash, the value is the new
// path or URL. Entries can change without a new version of this function. Query strings are kept.
// Event type: viewer request. Runtime: cloudfront-js-2.0. Needs an associated key value store.

import cf from 'cloudfront';

const kvs = cf.kvs();

// Names and values are still encoded as the viewer sent them, so they must not be encoded again.
function withQueryString(target, querystring) {
  const pairs = [];
  Object.keys(querystring).forEach((name) => {
    const parameter = querystring[name];
    (parameter.multiValue || [parameter]).forEach((item) => pairs.push(`${name}=${item.value}`));
  });
  if (!pairs.length) {
    return target;
  }
  const end = target.includes('#') ? target.indexOf('#') : target.length;
  const address = target.slice(0, end);
  return address + (address.includes('?') ? '&' : '?') + pairs.join('&') + target.slice(end);
}

async function handler(event) {
  const request = event.request;
  const key = request.uri.length > 1 && request.uri.endsWith('/') ? request.uri.slice(0, -1) : request.uri;
  let target;
  try {
    target = await kvs.get(key);
  } catch (error) {
    // If the key is missing or the table cannot be read, the origin responds.
    return request;
  }
  return {
    statusCode: 301,
    statusDescription: 'Moved Permanently',
    headers: { location: { value: withQueryString(target, request.querystring) } },
  };
}
