// Requests the index.html of a folder from the origin: /docs/ and /docs become /docs/index.html. For static sites
// on S3, whose REST endpoint does not support index documents.
// Event type: viewer request. Runtime: cloudfront-js-2.0 or cloudfront-js-1.0.

function handler(event) {
  var request = event.request;
  var lastSegment = request.uri.slice(request.uri.lastIndexOf('/') + 1);
  if (lastSegment === '') {
    request.uri += 'index.html';
  } else if (!lastSegment.includes('.')) {
    request.uri += '/index.html';
  }
  return request;
}
