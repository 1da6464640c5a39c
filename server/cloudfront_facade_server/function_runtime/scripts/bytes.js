// Converts between bytes and text: UTF-8, hex, base64, base64url and single-byte characters. Evaluates to an
// object with the functions.
(function () {
  'use strict';
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const STANDARD = ALPHABET + '+/';
  const URL_SAFE = ALPHABET + '-_';
  const HEX = '0123456789abcdef';
  const digits = new Int16Array(128).fill(-1);
  for (let i = 0; i < 64; i++) {
    digits[STANDARD.charCodeAt(i)] = i;
    digits[URL_SAFE.charCodeAt(i)] = i;
  }
  const characters = String.fromCharCode;

  function toUtf8(text) {
    const bytes = [];
    for (let i = 0; i < text.length; i++) {
      let point = text.charCodeAt(i);
      if (point >= 0xd800 && point < 0xe000) {
        const low = point < 0xdc00 ? text.charCodeAt(i + 1) : 0;
        if (low >= 0xdc00 && low < 0xe000) {
          point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
          i += 1;
        } else {
          point = 0xfffd;
        }
      }
      if (point < 0x80) {
        bytes.push(point);
      } else if (point < 0x800) {
        bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63));
      } else if (point < 0x10000) {
        bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
      } else {
        bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
      }
    }
    return bytes;
  }

  // Replaces each maximal incomplete sequence with one U+FFFD, as the Encoding Standard requires. If `strict` is true,
  // returns null for bytes that are not UTF-8.
  function fromUtf8(bytes, strict) {
    let text = '';
    let i = 0;
    while (i < bytes.length) {
      const first = bytes[i++];
      if (first < 0x80) {
        text += characters(first);
        continue;
      }
      const more = first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xf0 && first < 0xf5 ? 3 : 0;
      let low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
      let high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
      let point = more === 1 ? first & 31 : more === 2 ? first & 15 : first & 7;
      let left = more;
      while (left > 0 && i < bytes.length && bytes[i] >= low && bytes[i] <= high) {
        point = (point << 6) | (bytes[i++] & 63);
        low = 0x80;
        high = 0xbf;
        left -= 1;
      }
      if (more === 0 || left > 0) {
        if (strict) {
          return null;
        }
        point = 0xfffd;
      }
      text += point < 0x10000 ? characters(point)
        : characters(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 1023));
    }
    return text;
  }

  function toHex(bytes) {
    let text = '';
    for (let i = 0; i < bytes.length; i++) {
      text += HEX[bytes[i] >> 4] + HEX[bytes[i] & 15];
    }
    return text;
  }

  // Stops at the first pair that is not hex, as Node.js does.
  function fromHex(text) {
    const bytes = [];
    for (let i = 0; i + 1 < text.length; i += 2) {
      const pair = text.slice(i, i + 2);
      if (!/^[0-9a-fA-F]{2}$/.test(pair)) {
        break;
      }
      bytes.push(parseInt(pair, 16));
    }
    return bytes;
  }

  function toBase64(bytes, alphabet, padded) {
    let text = '';
    for (let i = 0; i < bytes.length; i += 3) {
      const left = bytes.length - i;
      const group = (bytes[i] << 16) | ((bytes[i + 1] || 0) << 8) | (bytes[i + 2] || 0);
      text += alphabet[group >> 18] + alphabet[(group >> 12) & 63];
      text += left > 1 ? alphabet[(group >> 6) & 63] : padded ? '=' : '';
      text += left > 2 ? alphabet[group & 63] : padded ? '=' : '';
    }
    return text;
  }

  // Accepts both alphabets, stops at the first "=" and skips other characters, as Node.js does.
  function fromBase64(text) {
    const bytes = [];
    let held = 0;
    let bits = 0;
    for (let i = 0; i < text.length && text[i] !== '='; i++) {
      const code = text.charCodeAt(i);
      const digit = code < 128 ? digits[code] : -1;
      if (digit >= 0) {
        held = ((held << 6) | digit) & 0xffff;
        bits += 6;
        if (bits >= 8) {
          bits -= 8;
          bytes.push((held >> bits) & 255);
        }
      }
    }
    return bytes;
  }

  function toSingle(bytes, mask) {
    let text = '';
    for (let i = 0; i < bytes.length; i++) {
      text += characters(bytes[i] & mask);
    }
    return text;
  }

  function fromSingle(text) {
    const bytes = [];
    for (let i = 0; i < text.length; i++) {
      bytes.push(text.charCodeAt(i) & 255);
    }
    return bytes;
  }

  const encodings = {
    __proto__: null,
    utf8: { decode: toUtf8, encode: (bytes) => fromUtf8(bytes, false) },
    hex: { decode: fromHex, encode: toHex },
    base64: { decode: fromBase64, encode: (bytes) => toBase64(bytes, STANDARD, true) },
    base64url: { decode: fromBase64, encode: (bytes) => toBase64(bytes, URL_SAFE, false) },
  };
  encodings['utf-8'] = encodings.utf8;

  return { toUtf8, fromUtf8, toSingle, fromSingle, encodings };
})()
