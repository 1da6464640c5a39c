// Buffer of runtime 2.0, except its methods for numbers. Evaluates to `(bytes) => Buffer`.
(function (bytes) {
  'use strict';
  const DEFAULT = 'utf8';

  function encodingOf(name) {
    const encoding = bytes.encodings[name === undefined ? DEFAULT : name];
    if (typeof name === 'symbol' || !encoding) {
      throw new TypeError('"' + String(name) + '" encoding is not supported');
    }
    return encoding;
  }

  function integer(value, fallback) {
    return value === undefined ? fallback : Math.trunc(Number(value)) || 0;
  }

  function bounded(value, fallback, length) {
    const number = integer(value, fallback);
    return Math.min(Math.max(number < 0 ? length + number : number, 0), length);
  }

  function isBytes(value) {
    return value instanceof Uint8Array;
  }

  // Converts a string, bytes or one byte to the bytes to fill with or to search for.
  function pattern(value, encoding) {
    if (typeof value === 'string') {
      return encodingOf(encoding).decode(value);
    }
    return isBytes(value) ? value : [Number(value) & 255];
  }

  function compare(left, right) {
    const length = Math.min(left.length, right.length);
    for (let i = 0; i < length; i++) {
      if (left[i] !== right[i]) {
        return left[i] < right[i] ? -1 : 1;
      }
    }
    return left.length === right.length ? 0 : left.length < right.length ? -1 : 1;
  }

  function expectBytes(value, name) {
    if (!isBytes(value)) {
      throw new TypeError('"' + name + '" argument must be an instance of Buffer or Uint8Array');
    }
    return value;
  }

  class Buffer extends Uint8Array {
    static get [Symbol.species]() {
      return Buffer;
    }

    static alloc(size, fill, encoding) {
      const buffer = new Buffer(integer(size, 0));
      return fill === undefined || fill === 0 ? buffer : buffer.fill(fill, 0, buffer.length, encoding);
    }

    static allocUnsafe(size) {
      return new Buffer(integer(size, 0));
    }

    static byteLength(value, encoding) {
      return typeof value === 'string' ? encodingOf(encoding).decode(value).length : value.byteLength;
    }

    static compare(left, right) {
      return compare(expectBytes(left, 'buffer1'), expectBytes(right, 'buffer2'));
    }

    static concat(list, totalLength) {
      if (!Array.isArray(list)) {
        throw new TypeError('"list" argument must be an instance of Array');
      }
      const length = totalLength === undefined ? list.reduce((sum, item) => sum + item.length, 0) : totalLength;
      const result = Buffer.alloc(length);
      let at = 0;
      list.forEach((item) => {
        const part = expectBytes(item, 'list').subarray(0, length - at);
        result.set(part, at);
        at += part.length;
      });
      return result;
    }

    static from(value, offsetOrEncoding, length) {
      if (typeof value === 'string') {
        return Buffer.from(encodingOf(offsetOrEncoding).decode(value));
      }
      if (value instanceof ArrayBuffer) {
        return new Buffer(value, offsetOrEncoding, length);
      }
      if (typeof value !== 'object' || value === null) {
        throw new TypeError('first argument is not a string or Buffer-like object');
      }
      const inner = value.valueOf();
      if (inner !== value && inner !== null && inner !== undefined) {
        return Buffer.from(inner, offsetOrEncoding, length);
      }
      if (isBytes(value) || Array.isArray(value) || typeof value.length === 'number') {
        const buffer = new Buffer(value.length);
        for (let i = 0; i < value.length; i++) {
          buffer[i] = value[i];
        }
        return buffer;
      }
      if (value.type === 'Buffer' && Array.isArray(value.data)) {
        return Buffer.from(value.data);
      }
      throw new TypeError('first argument is not a string or Buffer-like object');
    }

    static isBuffer(value) {
      return value instanceof Buffer;
    }

    static isEncoding(name) {
      return typeof name === 'string' && bytes.encodings[name] !== undefined;
    }

    compare(target, targetStart, targetEnd, sourceStart, sourceEnd) {
      expectBytes(target, 'target');
      return compare(this.subarray(integer(sourceStart, 0), integer(sourceEnd, this.length)),
        target.subarray(integer(targetStart, 0), integer(targetEnd, target.length)));
    }

    copy(target, targetStart, sourceStart, sourceEnd) {
      const at = integer(targetStart, 0);
      const source = this.subarray(integer(sourceStart, 0), integer(sourceEnd, this.length));
      const part = source.subarray(0, Math.max(0, expectBytes(target, 'target').length - at));
      if (part.length) {
        target.set(part, at);
      }
      return part.length;
    }

    equals(other) {
      return compare(this, expectBytes(other, 'otherBuffer')) === 0;
    }

    fill(value, offset, end, encoding) {
      if (typeof offset === 'string') {
        return this.fill(value, 0, this.length, offset);
      }
      if (typeof end === 'string') {
        return this.fill(value, offset, this.length, end);
      }
      const filling = pattern(value, encoding);
      const stop = bounded(end, this.length, this.length);
      for (let i = bounded(offset, 0, this.length), j = 0; i < stop; i++, j++) {
        this[i] = filling.length ? filling[j % filling.length] : 0;
      }
      return this;
    }

    indexOf(value, byteOffset, encoding) {
      if (typeof byteOffset === 'string') {
        return this.indexOf(value, 0, byteOffset);
      }
      const wanted = pattern(value, encoding);
      for (let i = bounded(byteOffset, 0, this.length); i + wanted.length <= this.length; i++) {
        if (compare(this.subarray(i, i + wanted.length), wanted) === 0) {
          return i;
        }
      }
      return -1;
    }

    lastIndexOf(value, byteOffset, encoding) {
      if (typeof byteOffset === 'string') {
        return this.lastIndexOf(value, undefined, byteOffset);
      }
      const wanted = pattern(value, encoding);
      const first = Math.min(bounded(byteOffset, this.length, this.length), this.length - wanted.length);
      for (let i = first; i >= 0; i--) {
        if (compare(this.subarray(i, i + wanted.length), wanted) === 0) {
          return i;
        }
      }
      return -1;
    }

    includes(value, byteOffset, encoding) {
      return this.indexOf(value, byteOffset, encoding) >= 0;
    }

    toJSON() {
      const data = [];
      for (let i = 0; i < this.length; i++) {
        data.push(this[i]);
      }
      return { type: 'Buffer', data };
    }

    toString(encoding, start, end) {
      const codec = encodingOf(encoding);
      return codec.encode(this.subarray(bounded(start, 0, this.length), bounded(end, this.length, this.length)));
    }

    write(text, offset, length, encoding) {
      if (typeof offset === 'string') {
        return this.write(text, 0, undefined, offset);
      }
      if (typeof length === 'string') {
        return this.write(text, offset, undefined, length);
      }
      const at = integer(offset, 0);
      const room = Math.min(integer(length, this.length), this.length - at);
      let part = encodingOf(encoding).decode(text).slice(0, Math.max(room, 0));
      // An incomplete character is not written.
      while (encodingOf(encoding) === bytes.encodings.utf8 && part.length && bytes.fromUtf8(part, true) === null) {
        part = part.slice(0, -1);
      }
      this.set(part, at);
      return part.length;
    }
  }

  return Buffer;
})
