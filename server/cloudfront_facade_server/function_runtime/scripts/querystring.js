// The `querystring` module of both runtimes. Evaluates to the module.
(function () {
  'use strict';
  const DEFAULT_MAX_KEYS = 1000;

  function escape(text) {
    // encodeURIComponent throws for an unpaired surrogate.
    return encodeURIComponent(String(text).replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])/g, '\uFFFD').replace(
      /(^|[^\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '$1\uFFFD'));
  }

  function unescape(text) {
    text = String(text);
    try {
      return decodeURIComponent(text);
    } catch (error) {
      return text.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) => {
        const bytes = run.slice(1).split('%').map((hex) => parseInt(hex, 16));
        return decodeLossy(bytes);
      });
    }
  }

  // Decodes UTF-8; invalid bytes become U+FFFD.
  function decodeLossy(bytes) {
    let text = '';
    let i = 0;
    while (i < bytes.length) {
      const first = bytes[i];
      const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
      const run = bytes.slice(i, i + length).map((byte) => '%' + (byte + 256).toString(16).slice(1)).join('');
      try {
        text += length && i + length <= bytes.length ? decodeURIComponent(run) : '\uFFFD';
        i += text.endsWith('\uFFFD') && !length ? 1 : length && i + length <= bytes.length ? length : 1;
      } catch (error) {
        text += '\uFFFD';
        i += 1;
      }
    }
    return text;
  }

  function parse(text, separator, equal, options) {
    const result = {};
    const decode = (options && options.decodeURIComponent) || querystring.unescape;
    const limit = options && options.maxKeys !== undefined ? options.maxKeys : DEFAULT_MAX_KEYS;
    separator = separator || '&';
    equal = equal || '=';
    if (typeof text !== 'string' || text === '') {
      return result;
    }
    let count = 0;
    for (const pair of text.split(separator)) {
      if (pair === '') {
        continue;
      }
      if (limit > 0 && count >= limit) {
        break;
      }
      count += 1;
      const at = pair.indexOf(equal);
      const name = decode((at < 0 ? pair : pair.slice(0, at)).replace(/\+/g, ' '));
      const value = at < 0 ? '' : decode(pair.slice(at + equal.length).replace(/\+/g, ' '));
      if (!Object.prototype.hasOwnProperty.call(result, name)) {
        Object.defineProperty(result, name, { value, enumerable: true, writable: true, configurable: true });
      } else if (Array.isArray(result[name])) {
        result[name].push(value);
      } else {
        result[name] = [result[name], value];
      }
    }
    return result;
  }

  function primitive(value) {
    if (typeof value === 'string' || typeof value === 'boolean') {
      return String(value);
    }
    return typeof value === 'number' && isFinite(value) ? String(value) : '';
  }

  function stringify(object, separator, equal, options) {
    const encode = (options && options.encodeURIComponent) || querystring.escape;
    separator = separator || '&';
    equal = equal || '=';
    if (typeof object !== 'object' || object === null) {
      return '';
    }
    const pairs = [];
    for (const name of Object.keys(object)) {
      const values = Array.isArray(object[name]) ? object[name] : [object[name]];
      for (const value of values) {
        pairs.push(encode(name) + equal + encode(primitive(value)));
      }
    }
    return pairs.join(separator);
  }

  const querystring = { escape, unescape, parse, stringify, decode: parse, encode: stringify };
  return querystring;
})()
