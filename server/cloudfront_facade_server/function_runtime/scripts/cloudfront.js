// CloudFront's additions to the language: the `cloudfront` module, `require`, `console`, the methods of an event.
// Evaluates to `(config, modules) => undefined`; `modules` maps each name to what `require` returns for it.
(function (config, modules) {
  'use strict';
  const { requestFromStore, log } = config;
  const { apply, construct, defineProperty, create, freeze, NativeError, NativeTypeError } = config.primordials;
  const { parse } = config.primordials;
  const hasOwn = Object.prototype.hasOwnProperty;
  const toISOString = Date.prototype.toISOString;
  const isArray = Array.isArray;
  const keysOf = Object.keys;
  const NativeDate = Date;
  const NativeRegExp = RegExp;
  const regExpText = RegExp.prototype.toString;
  const MAX_DEPTH = 8;

  function defineHidden(target, name, value) {
    defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true, __proto__: null });
  }

  // --- console ---

  function inspect(value, depth) {
    if (typeof value === 'string') {
      return depth === 0 ? value : "'" + value + "'";
    }
    if (typeof value === 'function') {
      return '[Function]';
    }
    if (typeof value !== 'object' || value === null) {
      return typeof value === 'symbol' ? 'Symbol()' : '' + value;
    }
    if (value instanceof NativeError || depth > MAX_DEPTH) {
      return depth > MAX_DEPTH ? '[Object]' : '' + value;
    }
    if (value instanceof NativeDate) {
      return apply(toISOString, value, []);
    }
    if (value instanceof NativeRegExp) {
      return apply(regExpText, value, []);
    }
    let text = '';
    const names = keysOf(value);
    for (let i = 0; i < names.length; i++) {
      const item = inspect(value[names[i]], depth + 1);
      text += (i ? ',' : '') + (isArray(value) ? item : names[i] + ':' + item);
    }
    return isArray(value) ? '[' + text + ']' : '{' + text + '}';
  }

  const console = create(null);
  defineHidden(console, 'log', function (value) {
    log(inspect(value, 0));
    if (arguments.length > 1) {
      log('console.log: only the first argument was logged; CloudFront Functions does not support comma syntax');
    }
  });
  defineHidden(globalThis, 'console', console);

  // --- require ---

  defineHidden(globalThis, 'require', function require(name) {
    if (typeof name !== 'string' || !apply(hasOwn, modules, [name])) {
      throw new NativeError('Cannot find module "' + name + '"');
    }
    return modules[name];
  });

  // --- eval and Function, which throw ---

  function unsupported(name) {
    return function () {
      throw new NativeTypeError(name + ' is not supported: CloudFront Functions does not evaluate code from text');
    };
  }
  defineHidden(globalThis, 'eval', unsupported('eval'));
  const kinds = [function () {}, async function () {}, function* () {}, async function* () {}];
  for (const kind of kinds) {
    const prototype = config.primordials.getPrototypeOf(kind);
    const constructor = unsupported('Function');
    constructor.prototype = prototype;
    defineProperty(prototype, 'constructor', { value: constructor, configurable: false, writable: false, __proto__: null });
    if (prototype === Function.prototype) {
      defineHidden(globalThis, 'Function', constructor);
    }
  }

  // --- Date, which returns the start time during the whole run ---

  const start = config.startMilliseconds;
  function FixedDate() {
    if (new.target === undefined) {
      return '' + new NativeDate(start);
    }
    return construct(NativeDate, arguments.length ? arguments : [start], new.target);
  }
  FixedDate.prototype = NativeDate.prototype;
  defineHidden(FixedDate, 'now', function now() {
    return start;
  });
  defineHidden(FixedDate, 'parse', NativeDate.parse);
  defineHidden(FixedDate, 'UTC', NativeDate.UTC);
  defineProperty(FixedDate, 'length', { value: 7, __proto__: null });
  defineProperty(FixedDate, 'name', { value: 'Date', __proto__: null });
  defineHidden(NativeDate.prototype, 'constructor', FixedDate);
  defineHidden(globalThis, 'Date', FixedDate);

  // --- the event ---

  config.prepareEvent = function (event) {
    defineHidden(event.request, 'rawQueryString', function () {
      throw new NativeError('rawQueryString() is not available in a test: the event has no unparsed query string');
    });
    return event;
  };

  // --- the cloudfront module ---

  function requireStore() {
    if (!config.store) {
      throw new NativeError('no key value store is associated with the function');
    }
    return config.store;
  }

  function requireString(key) {
    if (typeof key !== 'string') {
      throw new NativeTypeError('the key must be a string');
    }
    return key;
  }

  function convert(value, format) {
    if (format === 'json') {
      return parse(value);
    }
    return format === 'bytes' ? config.bytesOf(value) : value;
  }

  function get(key, options) {
    const format = (options && options.format) || 'string';
    if (format !== 'string' && format !== 'json' && format !== 'bytes') {
      throw new NativeTypeError('format must be "string", "json" or "bytes"');
    }
    return requestFromStore('get', requireString(key), (value) => {
      if (value === null) {
        throw new NativeError('KeyNotFound: the key is not in the key value store');
      }
      return convert(value, format);
    });
  }

  function meta() {
    const { created, updated } = requireStore();
    if (created === null) {
      throw new NativeError('meta() is not available: the times of the key value store are not known');
    }
    return requestFromStore('count', '', (count) => (
      { creationDateTime: created, lastUpdatedDateTime: updated, keyCount: count }));
  }

  function kvs(id) {
    const associated = requireStore().id;
    if (id !== undefined && associated !== null && id !== associated) {
      throw new NativeError('the key value store is not associated with the function');
    }
    // Async functions, so that an invalid argument also rejects the promise.
    return freeze({
      get: async (key, options) => get(key, options),
      exists: async (key) => requestFromStore('get', requireString(key), (value) => value !== null),
      count: async () => requestFromStore('count', '', (count) => count),
      meta: async () => meta(),
    });
  }

  function requireRequestEvent(name) {
    if (config.eventType !== 'viewer-request') {
      throw new NativeError(name + '() is for viewer request functions only');
    }
  }

  // The result of a test does not contain the origin, so these helpers only check their arguments.
  function originHelper(name) {
    return function (argument) {
      requireRequestEvent(name);
      if (argument === undefined || argument === null) {
        throw new NativeTypeError(name + '() needs an argument');
      }
    };
  }

  const cloudfront = {
    kvs,
    updateRequestOrigin: originHelper('updateRequestOrigin'),
    selectRequestOriginById: originHelper('selectRequestOriginById'),
    createRequestOriginGroup: originHelper('createRequestOriginGroup'),
    logCustomData: function (data) {
      if (typeof data !== 'string' || arguments.length !== 1) {
        throw new NativeTypeError('logCustomData() takes one string');
      }
    },
    get edgeLocation() {
      throw new NativeError('cf.edgeLocation is not available in a test: there is no edge location');
    },
    get cwt() {
      throw new NativeError('cf.cwt is not supported by this function runner');
    },
  };
  if (config.cloudfrontName) {
    defineHidden(globalThis, config.cloudfrontName, freeze(cloudfront));
  }
})
