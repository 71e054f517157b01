// Connects a real socket.io-client to URL (first argument) with TOKEN (second), joins the ticket rooms named on
// standard input (one id a line), and prints each event as one JSON line.
import { io } from 'socket.io-client';
import { createInterface } from 'node:readline';

const [url, token] = process.argv.slice(2);
const print = line => console.log(JSON.stringify(line));
const socket = io(url, { auth: { token }, transports: ['websocket'], forceNew: true });
socket.on('connect', () => print({ event: 'connect', id: socket.id }));
socket.on('connect_error', error => print({ event: 'connect_error', message: error.message }));
socket.on('disconnect', reason => print({ event: 'disconnect', reason }));
socket.onAny((event, ...args) => print({ event, args }));
createInterface({ input: process.stdin }).on('line', ticket => socket.emit('ticket:join', { ticketId: ticket }));
