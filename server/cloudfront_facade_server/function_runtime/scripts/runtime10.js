// Byte strings of runtime 1.0, in which each character is one byte. Evaluates to `(config, bytes) => tools`.
(function (config, bytes) {
  'use strict';
  // The byte strings that contain bytes above 127. They are hashed as bytes, not as text.
  const byteStrings = new Set();

  function remember(text) {
    if (/[\x80-\xff]/.test(text)) {
      byteStrings.add(text);
    }
    return text;
  }

  function define(target, name, value) {
    Object.defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });
  }

  define(String, 'bytesFrom', function bytesFrom(source, encoding) {
    if (Array.isArray(source)) {
      return remember(bytes.toSingle(source, 255));
    }
    if (typeof source !== 'string') {
      throw new TypeError('value must be a string or an array');
    }
    if (!['hex', 'base64', 'base64url'].includes(encoding)) {
      throw new TypeError('Unknown encoding: "' + encoding + '"');
    }
    return remember(bytes.toSingle(bytes.encodings[encoding].decode(source), 255));
  });
  define(String.prototype, 'fromBytes', function fromBytes(start, end) {
    return String(this).slice(start, end);
  });
  define(String.prototype, 'fromUTF8', function fromUTF8(start, end) {
    return bytes.fromUtf8(bytes.fromSingle(String(this).slice(start, end)), true);
  });
  define(String.prototype, 'toBytes', function toBytes(start, end) {
    const text = String(this).slice(start, end);
    return /[^\x00-\xff]/.test(text) ? null : remember(text);
  });
  define(String.prototype, 'toUTF8', function toUTF8(start, end) {
    return remember(bytes.toSingle(bytes.toUtf8(String(this).slice(start, end)), 255));
  });

  return {
    modules: {},
    bytesOf(data) {
      if (typeof data !== 'string') {
        throw new TypeError('data is not a string');
      }
      return byteStrings.has(data) ? bytes.fromSingle(data) : bytes.toUtf8(data);
    },
    wrap: (digest) => remember(bytes.toSingle(digest, 255)),
  };
})
