// Adds to Buffer the methods that read and write numbers, of a fixed width and of 1 to 6 bytes, and those that swap the
// byte order. Evaluates to `(Buffer) => undefined`.
(function (Buffer) {
  'use strict';
  function integer(value, fallback) {
    return value === undefined ? fallback : Math.trunc(Number(value)) || 0;
  }

  function viewOf(buffer) {
    return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }

  function method(name, value) {
    Object.defineProperty(Buffer.prototype, name, { value, writable: true, enumerable: false, configurable: true });
  }

  [2, 4, 8].forEach((size) => method('swap' + size * 8, function () {
    if (this.length % size) {
      throw new RangeError('Buffer size must be a multiple of ' + size * 8 + '-bits');
    }
    for (let i = 0; i < this.length; i += size) {
      this.subarray(i, i + size).reverse();
    }
    return this;
  }));

  const limits = { Int8: [-0x80, 0x7f], Uint8: [0, 0xff], Int16: [-0x8000, 0x7fff], Uint16: [0, 0xffff],
    Int32: [-0x80000000, 0x7fffffff], Uint32: [0, 0xffffffff] };

  function checkRange(value, low, high) {
    if (!(value >= low && value <= high)) {
      throw new RangeError('value ' + value + ' is out of range ' + low + ' to ' + high);
    }
  }

  function fixed(type, name, size, order) {
    const little = order === 'LE';
    method('read' + name + order, function (offset) {
      return viewOf(this)['get' + type](integer(offset, 0), little);
    });
    method('write' + name + order, function (value, offset) {
      value = Number(value);
      if (limits[type]) {
        checkRange(value, limits[type][0], limits[type][1]);
      }
      viewOf(this)['set' + type](integer(offset, 0), value, little);
      return integer(offset, 0) + size;
    });
  }
  fixed('Int8', 'Int8', 1, '');
  fixed('Uint8', 'UInt8', 1, '');
  ['BE', 'LE'].forEach((order) => {
    fixed('Int16', 'Int16', 2, order);
    fixed('Uint16', 'UInt16', 2, order);
    fixed('Int32', 'Int32', 4, order);
    fixed('Uint32', 'UInt32', 4, order);
    fixed('Float32', 'Float', 4, order);
    fixed('Float64', 'Double', 8, order);
  });

  function checkSize(buffer, offset, size) {
    if (!(size >= 1 && size <= 6)) {
      throw new RangeError('"byteLength" must be from 1 to 6');
    }
    if (!(offset >= 0 && offset + size <= buffer.length)) {
      throw new RangeError('index out of range');
    }
  }

  function anySize(name, signed, order) {
    const at = (offset, size, i) => (order === 'BE' ? offset + i : offset + size - 1 - i);
    method('read' + name + order, function (offset, size) {
      checkSize(this, offset, size);
      let value = 0;
      for (let i = 0; i < size; i++) {
        value = value * 256 + this[at(offset, size, i)];
      }
      return signed && value >= Math.pow(2, size * 8 - 1) ? value - Math.pow(2, size * 8) : value;
    });
    method('write' + name + order, function (value, offset, size) {
      checkSize(this, offset, size);
      const top = Math.pow(2, signed ? size * 8 - 1 : size * 8);
      checkRange(value, signed ? -top : 0, top - 1);
      let rest = value < 0 ? value + Math.pow(2, size * 8) : value;
      for (let i = size - 1; i >= 0; i--) {
        this[at(offset, size, i)] = rest % 256;
        rest = Math.floor(rest / 256);
      }
      return offset + size;
    });
  }
  ['BE', 'LE'].forEach((order) => {
    anySize('Int', true, order);
    anySize('UInt', false, order);
  });
})
