// What API servers, and the proxies and load balancers before them, do on a bad day.
import { statusOf, type Fault } from './api-server.ts';

/** An error as the API server words it. */
export function refuse(code: number, reason: string, message: string, headers: Record<string, string> = {}): Fault {
  return (response) => {
    const body = JSON.stringify(statusOf(code, reason, message)[1]);
    response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(body);
  };
}

/** A page of a proxy, for people. */
export function page(code: number, title: string): Fault {
  return (response) => {
    response
      .writeHead(code, { 'content-type': 'text/html' })
      .end(`<!DOCTYPE html>\n<html><head><title>${title}</title></head>\n<body><h1>${title}</h1></body></html>\n`);
  };
}

/** A whole answer whose JSON ends in the middle. */
export const cutJson: Fault = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"kind":"List","items":[{"metadata":{"na');
};

/** A connection that breaks in the middle of the answer. */
export const breakOff: Fault = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"kind":"List","items":[', () => response.destroy());
};

/** A connection that breaks before any answer. */
export const hangUp: Fault = (response) => {
  response.socket?.destroy();
};

/** The answer comes, but only after a while. */
export const late: Fault = (_response, proceed) => {
  setTimeout(proceed, 500);
};

/** No answer ever comes. */
export const silence: Fault = () => undefined;
