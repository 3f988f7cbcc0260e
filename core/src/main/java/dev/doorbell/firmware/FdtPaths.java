package dev.doorbell.firmware;

import dev.doorbell.description.HostBridge;
import java.util.List;

/// Identities of a root complex's functions, where a family of machines says them in properties of its own.
///
/// @param streams at IOMMUs
/// @param msis at MSI controllers
record FdtPaths(List<HostBridge.StreamMapping> streams, List<HostBridge.MsiMapping> msis) {
  static final FdtPaths NONE = new FdtPaths(List.of(), List.of());

  FdtPaths {
    streams = List.copyOf(streams);
    msis = List.copyOf(msis);
  }
}
