/** statfs(2) types of file systems that are shared between hosts, where locks cannot be trusted, and any call may take long. */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x517b, 'SMB'],
  [0x00c36400, 'CephFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x5346414f, 'AFS'],
]);

/** The name of the shared file system of this type; undefined for a local one. */
export const sharedFileSystem = (type: number): string | undefined => networkFileSystems.get(type >>> 0);
