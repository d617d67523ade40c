import type WebSocket from 'ws';

/** Milliseconds; load balancers commonly end a connection on which nothing goes for 60 s. */
const pingEvery = 10_000;
/** Milliseconds without a byte, not even the answer to a ping. */
const silenceLimit = 45_000;

/**
 * Pings an open WebSocket, so that nothing on the way takes it for an idle one,
 * and hears when it has died without a word. A command may be silent for hours,
 * and TCP alone would not tell a dead connection from that.
 * @param onDeath called once, with the reason
 */
export function watchLife(socket: WebSocket, onDeath: (error: Error) => void): void {
  let heard = performance.now();
  const hear = () => {
    heard = performance.now();
  };
  socket.on('pong', hear).on('ping', hear).on('message', hear);
  const timer = setInterval(() => {
    if (performance.now() - heard > silenceLimit) {
      clearInterval(timer);
      onDeath(new Error(`the connection is dead: no sign of life for ${String(silenceLimit / 1000)} s`));
      return;
    }
    if (socket.readyState === socket.OPEN) socket.ping();
  }, pingEvery);
  socket.on('close', () => {
    clearInterval(timer);
  });
}
