package dev.doorbell.hw.papr;

import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MessageTable;
import java.util.Optional;

/// The functions behind one host bridge, by requester id.
public interface PaprFunctions {
  /// {@return a function's configuration space; empty when none answers}
  Optional<ConfigSpace> config(int rid);

  /// {@return a function's vectors of a kind; empty when it has none}
  Optional<MessageTable> table(int rid, MessageTable.Kind kind);
}
