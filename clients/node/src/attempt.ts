/** One attempt of a call: whether it reached a server, and how it ended if the connection broke. */
import { constants, type ClientHttp2Stream, type Http2Session } from "node:http2";

import { Code, ConnectError } from "@connectrpc/connect";
import type { Http2SessionManager } from "@connectrpc/connect-node";

/** What a transport needs of a session manager. */
type Sessions = Pick<Http2SessionManager, "authority" | "request" | "notifyResponseByteRead">;

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
