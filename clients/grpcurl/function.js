async function handler(event) {
  event.request.uri = event.request.uri.replace(/\/$/, '/index.html');
  return event.request;
}
