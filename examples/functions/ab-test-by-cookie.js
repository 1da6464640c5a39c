// Shows each viewer one of two variants of a site, always the same one. Variant b is in the origin's folder /b. A cookie
// stores the variant. Without the cookie, the viewer's IP address selects it, so the request and the response agree, and
// the site works without cookies.
// Event type: viewer request and viewer response; associate the function with both. Runtime: cloudfront-js-2.0.

const COOKIE = 'experiment';
const PERCENT_IN_B = 50;
const ATTRIBUTES = 'Path=/; Max-Age=2592000; Secure; SameSite=Lax';

function variantOfCookie(cookie) {
  const known = (cookie ? cookie.multiValue || [cookie] : [])
    .map((item) => item.value)
    .filter((value) => value === 'a' || value === 'b');
  return known[0];
}

function variantOfAddress(address) {
  let hash = 0;
  for (let i = 0; i < address.length; i++) {
    hash = (hash * 31 + address.charCodeAt(i)) % 1000003;
  }
  return hash % 100 < PERCENT_IN_B ? 'b' : 'a';
}

function handler(event) {
  const chosen = variantOfCookie(event.request.cookies[COOKIE]);
  const variant = chosen || variantOfAddress(event.viewer.ip);
  if (event.context.eventType === 'viewer-request') {
    if (variant === 'b') {
      event.request.uri = `/b${event.request.uri}`;
    }
    return event.request;
  }
  if (!chosen) {
    event.response.cookies = event.response.cookies || {};
    event.response.cookies[COOKIE] = { value: variant, attributes: ATTRIBUTES };
  }
  return event.response;
}
