// The host's side of the sandbox: the functions that the worker calls, and the results that it reads. Evaluates to
// `(config) => host`. Runs before the function, keeps references to all built-ins that it needs, and does not pass its
// state to the function: whatever a function overwrites, it cannot change what the worker reads.
(function (config) {
  'use strict';
  const { parse, stringify } = JSON;
  const { apply, construct, defineProperty, ownKeys, deleteProperty, getPrototypeOf } = Reflect;
  const { create, freeze } = Object;
  const NativePromise = Promise;
  const NativeError = Error;
  const NativeTypeError = TypeError;
  const evaluate = globalThis.eval;
  const slice = String.prototype.slice;
  const MAX_MESSAGE = 1000;

  // All results are strings, built by concatenation: through a prototype, a function could tamper with an array or object.
  let logs = '';
  let logBudget = config.maxLogCharacters;
  let requests = '';
  let state = 'pending';
  let text = '';
  let stack = '';
  let lastRequest = 0;
  const resolvers = create(null);

  function truncate(value) {
    return apply(slice, value, [0, MAX_MESSAGE]);
  }

  function describe(error) {
    try {
      return truncate('' + error);
    } catch (unprintable) {
      return 'Error: the thrown value cannot be converted to a string';
    }
  }

  function stackOf(error) {
    try {
      return error instanceof NativeError && typeof error.stack === 'string' ? truncate(error.stack) : '';
    } catch (unreadable) {
      return '';
    }
  }

  function log(line) {
    if (logBudget > 0) {
      logs += stringify(apply(slice, line, [0, logBudget])) + '\n';
      logBudget -= line.length + 1;
    }
  }

  // Queues a request to the key value store. The worker resolves it when the function has no pending jobs.
  function requestFromStore(kind, key, convert) {
    return new NativePromise((resolve, reject) => {
      lastRequest += 1;
      resolvers[lastRequest] = (value) => {
        try {
          resolve(convert(value));
        } catch (error) {
          reject(error);
        }
      };
      requests += lastRequest + ' ' + kind + ' ' + stringify(key) + '\n';
    });
  }

  async function run(code, eventText) {
    try {
      const event = config.prepareEvent(parse(eventText));
      const handler = evaluate(code);
      if (typeof handler !== 'function') {
        text = 'ReferenceError: "handler" is not defined or is not a function';
        state = 'failed';
        return;
      }
      let returned = handler(event);
      if (config.isAsync) {
        returned = await returned;
      }
      const output = stringify(returned);
      text = output === undefined ? 'null' : output;
      state = 'completed';
    } catch (error) {
      text = describe(error);
      stack = stackOf(error);
      // The engine throws null if no memory is left for an error; only the worker can recognize this.
      state = error === null ? 'threw_null' : 'failed';
    }
  }

  config.log = log;
  config.requestFromStore = requestFromStore;
  config.primordials = {
    parse, stringify, apply, construct, defineProperty, ownKeys, deleteProperty, getPrototypeOf, create, freeze,
    NativePromise, NativeError, NativeTypeError,
  };

  // Returns strings as JSON, because the worker cannot convert all of the engine's internal forms of a string.
  return function host(command, first, second) {
    switch (command) {
      case 'start':
        run(parse(first), second);
        return null;
      case 'takeRequests': {
        const taken = requests;
        requests = '';
        return stringify(taken);
      }
      case 'resolveRequest': {
        const resolver = resolvers[first];
        delete resolvers[first];
        resolver(parse(second));
        return null;
      }
      case 'state':
        return state;
      case 'text':
        return stringify(text);
      case 'stack':
        return stringify(stack);
      default:
        return stringify(logs);
    }
  };
})
