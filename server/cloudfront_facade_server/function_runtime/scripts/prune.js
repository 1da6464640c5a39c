// Removes the built-ins that the runtime does not document. Evaluates to `(allowed) => undefined`; `allowed` maps the
// path of an object to the names to keep. Symbols are kept, and so are objects without an entry.
(function (allowed) {
  'use strict';
  const paths = Object.keys(allowed);
  const { ownKeys, deleteProperty } = Reflect;
  const targets = paths.map((path) => {
    if (path === '') {
      return globalThis;
    }
    if (path.startsWith('TypedArray')) {
      const base = Reflect.getPrototypeOf(Uint8Array);
      return path === 'TypedArray' ? base : base.prototype;
    }
    return path.split('.').reduce((object, name) => (object === undefined ? undefined : object[name]), globalThis);
  });
  const kept = paths.map((path) => new Set(allowed[path]));
  targets.forEach((target, index) => {
    if (target === undefined) {
      return;
    }
    ownKeys(target).forEach((name) => {
      const always = ['length', 'name', 'prototype', 'constructor'].includes(name) && paths[index] !== '';
      if (typeof name === 'string' && !always && !kept[index].has(name)) {
        deleteProperty(target, name);
      }
    });
  });
})
