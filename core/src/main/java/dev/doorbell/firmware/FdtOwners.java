package dev.doorbell.firmware;

import java.util.Map;

/// What the nodes of the tree are, and who reads the properties that families of machines have of their own.
///
/// @param iommus ids by node
/// @param controllers ids by node
record FdtOwners(
    Map<FdtNode, String> iommus,
    Map<FdtNode, String> controllers,
    FdtFreescale freescale,
    FdtPower power) {
  FdtPaths paths(FdtNode host, String bridge) {
    FdtPaths power = power().paths(host, bridge);
    return power.equals(FdtPaths.NONE) ? freescale.paths(host) : power;
  }
}
