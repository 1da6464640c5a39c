// Buffer, TextEncoder and TextDecoder of runtime 2.0. Evaluates to
// `(config, bytes, buffer, numbers) => tools`.
(function (config, bytes, buffer, numbers) {
  'use strict';
  const Buffer = buffer(bytes);
  numbers(Buffer);
  const from = Buffer.from;
  const decode = (text, encoding) => from(text, encoding);
  const isView = ArrayBuffer.isView;

  class TextEncoder {
    get encoding() {
      return 'utf-8';
    }

    encode(text) {
      return new Uint8Array(text === undefined ? [] : bytes.toUtf8(String(text)));
    }

    encodeInto(text, target) {
      let read = 0;
      let written = 0;
      for (const character of String(text)) {
        const part = bytes.toUtf8(character);
        if (written + part.length > target.length) {
          break;
        }
        target.set(part, written);
        written += part.length;
        read += character.length;
      }
      return { read, written };
    }
  }

  class TextDecoder {
    constructor(label, options) {
      if (label !== undefined && !['utf-8', 'utf8'].includes(String(label).toLowerCase())) {
        throw new RangeError('The "' + label + '" encoding is not supported');
      }
      this.settings = { fatal: Boolean(options && options.fatal), ignoreBOM: Boolean(options && options.ignoreBOM) };
      Object.defineProperty(this, 'settings', { enumerable: false });
    }

    get encoding() {
      return 'utf-8';
    }

    get fatal() {
      return this.settings.fatal;
    }

    get ignoreBOM() {
      return this.settings.ignoreBOM;
    }

    decode(input, options) {
      if (options && options.stream) {
        throw new TypeError('decoding a stream is not supported by this function runner');
      }
      const view = input === undefined ? [] : ArrayBuffer.isView(input)
        ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : new Uint8Array(input);
      const text = bytes.fromUtf8(view, this.fatal);
      if (text === null) {
        throw new TypeError('The encoded data was not valid');
      }
      return !this.ignoreBOM && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    }
  }

  for (const [name, value] of [['Buffer', Buffer], ['TextEncoder', TextEncoder], ['TextDecoder', TextDecoder]]) {
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
  }
  const wrap = (list) => from(list);
  config.bytesOf = (text) => wrap(bytes.toUtf8(text));

  return {
    modules: { buffer: { Buffer } },
    bytesOf(data, encoding) {
      if (typeof data === 'string') {
        data = decode(data, encoding);
      }
      if (!isView(data)) {
        throw new TypeError('data is not a string or Buffer-like object');
      }
      const list = [];
      const view = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      for (let i = 0; i < view.length; i++) {
        list.push(view[i]);
      }
      return list;
    },
    wrap,
  };
})
