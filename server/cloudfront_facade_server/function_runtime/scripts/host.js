// The host's side of the sandbox: what the worker calls, and what carries a function's results out. Evaluates to
// `(config) => host`. Runs before the function, keeps every built-in that it needs, and hands out nothing that leads
// back here: a function may overwrite whatever it can reach without changing what the worker reads.
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

  // All that leaves is text, grown by concatenation: no array or object is there to be tampered with.
  let logs = '';
  let room = config.maxLogCharacters;
  let asked = '';
  let state = 'pending';
  let text = '';
  let stack = '';
  let lastRequest = 0;
  const waiting = create(null);

  function cut(value) {
    return apply(slice, value, [0, MAX_MESSAGE]);
  }

  function describe(error) {
    try {
      return cut('' + error);
    } catch (unprintable) {
      return 'Error: the thrown value has no text';
    }
  }

  function stackOf(error) {
    try {
      return error instanceof NativeError && typeof error.stack === 'string' ? cut(error.stack) : '';
    } catch (unreadable) {
      return '';
    }
  }

  function log(line) {
    if (room > 0) {
      logs += stringify(apply(slice, line, [0, room])) + '\n';
      room -= line.length + 1;
    }
  }

  // A question to the worker, which answers it when the function waits.
  function ask(kind, key, finish) {
    return new NativePromise((resolve, reject) => {
      lastRequest += 1;
      waiting[lastRequest] = (answer) => {
        try {
          resolve(finish(answer));
        } catch (error) {
          reject(error);
        }
      };
      asked += lastRequest + ' ' + kind + ' ' + stringify(key) + '\n';
    });
  }

  async function drive(code, eventText) {
    let phase = 'unloadable';
    try {
      const event = config.prepareEvent(parse(eventText));
      const handler = evaluate(code);
      phase = 'failed';
      if (typeof handler !== 'function') {
        text = 'ReferenceError: "handler" is not defined or is not a function';
        state = phase;
        return;
      }
      let returned = handler(event);
      if (config.isAsync) {
        returned = await returned;
      }
      const output = stringify(returned);
      text = output === undefined ? 'null' : output;
      state = 'done';
    } catch (error) {
      text = describe(error);
      stack = stackOf(error);
      // The engine throws null when no memory is left for an error; the worker tells whether it did.
      state = error === null ? 'null' : phase;
    }
  }

  config.log = log;
  config.ask = ask;
  config.primordials = {
    parse, stringify, apply, construct, defineProperty, ownKeys, deleteProperty, getPrototypeOf, create, freeze,
    NativePromise, NativeError, NativeTypeError,
  };

  // Text goes out as JSON: whole, where the engine keeps pieces that the worker could not take, and in one encoding.
  return function host(command, first, second) {
    switch (command) {
      case 'start':
        drive(parse(first), second);
        return null;
      case 'questions': {
        const questions = asked;
        asked = '';
        return stringify(questions);
      }
      case 'answer': {
        const finish = waiting[first];
        delete waiting[first];
        finish(parse(second));
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
