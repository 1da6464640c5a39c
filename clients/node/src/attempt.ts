/** One attempt of a call: whether it reached a server, and how it ended if the connection broke. */
import { constants, type ClientHttp2Stream, type Http2Session } from "node:http2";

import { Code, ConnectError } from "@connectrpc/connect";
import type { Http2SessionManager } from "@connectrpc/connect-node";

/** What a transport needs of a session manager. */
type Sessions = Pick<Http2SessionManager, "authority" | "request" | "notifyResponseByteRead">;

/** How gRPC's own messages begin if a server rejects a call by its first headers. The client has no such messages. */
const REJECTED = /^(?:received metadata size exceeds (?:hard|soft) limit|Compression algorithm '[^']*' is disabled\.$)/;

/** How gRPC's own message begins if a server rejects a message of the request because of its size. */
const TOO_LARGE = /^SERVER: Received message larger than max/;

/** What a server's answer has if it is only a status of gRPC's own. */
const BARE_STATUS: readonly string[] = ["content-type", "date", "grpc-message", "grpc-status"];

/**
 * Returns whether gRPC in the server rejected a request before anything of it was processed.
 *
 * @param isStream Whether the call has a stream of requests, the first of which may have been processed.
 */
export function isRejectedUnread(error: unknown, isStream: boolean): boolean {
  if (!(error instanceof ConnectError) || [...error.metadata.keys()].some((name) => !BARE_STATUS.includes(name))) {
    return false;
  }
  return REJECTED.test(error.rawMessage) || (!isStream && TOO_LARGE.test(error.rawMessage));
}

/** The connection of one attempt. It opens the stream on the client's connection, and keeps it. */
export class Attempt implements Sessions {
  #stream: ClientHttp2Stream | undefined;
  #session: Http2Session | undefined;
  readonly #sessions: Sessions;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  get authority(): string {
    return this.#sessions.authority;
  }

  async request(...request: Parameters<Sessions["request"]>): Promise<ClientHttp2Stream> {
    const stream = await this.#sessions.request(...request);
    this.#stream = stream;
    this.#session = stream.session; // undefined once the stream has ended
    return stream;
  }

  notifyResponseByteRead(stream: ClientHttp2Stream): void {
    this.#sessions.notifyResponseByteRead(stream);
  }

  /** Whether a server may have received the request. With REFUSED_STREAM, it says that it has not looked at the stream. */
  get sent(): boolean {
    return this.#stream !== undefined && this.#stream.rstCode !== constants.NGHTTP2_REFUSED_STREAM;
  }

  /**
   * Returns the error of this attempt, as gRPC has it: no connection, REFUSED_STREAM and a connection that broke are
   * UNAVAILABLE. Node and Connect have other codes for them: internal, canceled, aborted.
   */
  describe(error: unknown): unknown {
    const isOwn = error instanceof ConnectError && !error.metadata.has("grpc-status");
    if (!isOwn || error.code === Code.DeadlineExceeded || (this.sent && !this.#session?.destroyed)) {
      return error;
    }
    return new ConnectError(error.rawMessage, Code.Unavailable, undefined, undefined, error.cause);
  }
}
