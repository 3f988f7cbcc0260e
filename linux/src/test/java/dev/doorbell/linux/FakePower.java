package dev.doorbell.linux;

/// What IOMMU interface of POWER a fake kernel's groups have.
public enum FakePower {
  /// The machine is no POWER server.
  NONE,
  /// The platform makes no windows: version 1 alone takes its groups.
  V1,
  /// One group a container, as on pseries.
  PSERIES,
  /// As on powernv.
  POWERNV
}
