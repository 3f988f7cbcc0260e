package dev.doorbell.hw.pcie;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.pci.ConfigSpace;
import java.util.concurrent.atomic.AtomicLong;

/// A PCI function as a model: its configuration space, and what it does with memory requests that come from above or from a peer.
public sealed interface FunctionModel permits EndpointModel, BridgeModel {
  /// {@return the live configuration space}
  ConfigSpace config();

  /// {@return whether it takes memory requests to a PCI address at the moment}
  boolean decodes(long address);

  /// Takes a memory write.
  BusOutcome write(long address, long value, int bytes);

  /// Answers a memory read.
  BusRead read(long address, int bytes);

  /// Brings it to the state after a conventional reset.
  void reset();

  /// Puts it on a bus; done once, by {@link BusModel#add}.
  void attach(BusModel bus, int position);

  /// Counts its changes with a hierarchy from now on.
  void join(AtomicLong hierarchy);
}
