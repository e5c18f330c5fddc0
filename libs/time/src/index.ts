// The public face: time as a port, and the machine's own.

export { atMost, elapsed, every, systemTime, type Time } from './time';
