// The public face of the SWIM adapter.

export {
  SwimUdp,
  type Peer,
  type Plaintext,
  type Refusal,
  type SwimListener,
  type SwimUdpOptions,
  type SwimUdpStats,
} from './swim-udp';
export { formatAddress, parseAddress, type SocketAddress } from './socket-address';
