// Adds the security headers that a browser should receive with every page. Headers that the origin sets are kept.
// Event type: viewer response. Runtime: cloudfront-js-2.0.

const SECURITY_HEADERS = {
  'content-security-policy': "default-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'",
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'strict-transport-security': 'max-age=63072000; includeSubDomains; preload',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

function handler(event) {
  const response = event.response;
  Object.keys(SECURITY_HEADERS).forEach((name) => {
    if (!response.headers[name]) {
      response.headers[name] = { value: SECURITY_HEADERS[name] };
    }
  });
  return response;
}
