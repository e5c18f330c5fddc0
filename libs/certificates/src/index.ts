// The public face: certificates for servers of a cluster, signed by an authority of its own.

export {
  createCertificateAuthority,
  createServerCertificate,
  type CertificateAndKey,
} from './certificates';
