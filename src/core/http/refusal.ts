/** RFC 9110 15; what a client shows when it knows no better. */
const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  411: "Length Required",
  413: "Content Too Large",
  421: "Misdirected Request",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

/** Returns a whole HTTP/1.1 response with `body` (values that JSON knows) as JSON; the connection is closed after it. */
export function encodeRefusal(status: number, body: object): Uint8Array {
  const encoder = new TextEncoder();
  const json = encoder.encode(`${JSON.stringify(body)}\n`);
  const head = encoder.encode(
    [
      `HTTP/1.1 ${status} ${REASONS[status] ?? "Refused"}`,
      "Content-Type: application/json",
      `Content-Length: ${json.length}`,
      "Cache-Control: no-store",
      "Connection: close",
      "\r\n",
    ].join("\r\n"),
  );
  const response = new Uint8Array(head.length + json.length);
  response.set(head);
  response.set(json, head.length);
  return response;
}
