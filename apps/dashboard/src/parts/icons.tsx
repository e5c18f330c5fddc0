// The page's few pictures, drawn with one pen. All are for the eye only: words stand beside them.

import type { ReactNode } from 'react';

function Icon({ children, size = 19 }: { readonly children: ReactNode; readonly size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const TopologyIcon = () => (
  <Icon>
    <circle cx="12" cy="5" r="2.6" />
    <circle cx="5" cy="18" r="2.6" />
    <circle cx="19" cy="18" r="2.6" />
    <path d="M10.7 7.3 6.3 15.7M13.3 7.3l4.4 8.4M7.6 18h8.8" />
  </Icon>
);

export const RaftIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <circle cx="12" cy="3" r="1.9" fill="currentColor" />
    <circle cx="4.2" cy="16.5" r="1.9" fill="currentColor" />
    <circle cx="19.8" cy="16.5" r="1.9" fill="currentColor" />
  </Icon>
);

export const AddressesIcon = () => (
  <Icon>
    <rect x="3.5" y="3.5" width="7" height="7" rx="1.5" />
    <rect x="13.5" y="3.5" width="7" height="7" rx="1.5" fill="currentColor" />
    <rect x="3.5" y="13.5" width="7" height="7" rx="1.5" fill="currentColor" />
    <rect x="13.5" y="13.5" width="7" height="7" rx="1.5" />
  </Icon>
);

export const HostsIcon = () => (
  <Icon>
    <rect x="3" y="4" width="18" height="7" rx="2" />
    <rect x="3" y="13" width="18" height="7" rx="2" />
    <path d="M7 7.5h.01M7 16.5h.01M11 7.5h6M11 16.5h6" />
  </Icon>
);

export const TimelineIcon = () => (
  <Icon>
    <path d="M3 12a9 9 0 1 0 3-6.7L3 8" />
    <path d="M3 3v5h5M12 7.5V12l3.2 2" />
  </Icon>
);

export const SunIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4" />
  </Icon>
);

export const MoonIcon = () => (
  <Icon>
    <path d="M20.5 14.2A8.5 8.5 0 0 1 9.8 3.5a8.5 8.5 0 1 0 10.7 10.7Z" />
  </Icon>
);

export const Mark = ({ size = 26 }: { readonly size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" fill="#4353d8" />
    <g fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round">
      <path d="M7 11c6-5 12 5 18 0" />
      <path d="M7 16c6-5 12 5 18 0" />
      <path d="M7 21c6-5 12 5 18 0" />
    </g>
  </svg>
);
